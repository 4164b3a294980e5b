use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dsr::cli::run(std::env::args_os()).code())
}
