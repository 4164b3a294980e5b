//! Reports a bug of dsr. A panic's message may quote a person's id, so it is never printed.

use std::panic::{PanicHookInfo, catch_unwind, set_hook};
use std::sync::Once;

use crate::domain::ExitStatus;
use crate::ui::console::Ui;

use super::failure::Failure;

/// Runs `work`. A panic becomes a status, and prints its place but never its message. `screen`
/// makes a `Ui` on the thread that panics.
pub fn guard(
    screen: impl Fn() -> Ui + Send + Sync + 'static,
    work: impl FnOnce() -> ExitStatus + std::panic::UnwindSafe,
) -> ExitStatus {
    let told = Once::new();
    set_hook(Box::new(move |info| {
        // One panic may pass through several threads; report it once.
        told.call_once(|| screen().fail(&failure(info)));
    }));
    catch_unwind(work).unwrap_or(ExitStatus::Bug)
}

fn failure(info: &PanicHookInfo<'_>) -> Failure {
    let place = match info.location() {
        Some(place) => format!("{}:{}", place.file(), place.line()),
        None => "an unknown place".to_owned(),
    };
    let version = env!("CARGO_PKG_VERSION");
    Failure::new(
        ExitStatus::Bug,
        "bug",
        format!("dsr {version} has a bug at {place}"),
    )
    .hint("please report this line; `dsr status` shows what is recorded, and marks interrupted jobs unknown")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;
    use crate::ui::console::{Color, Input, OutputFormat, Talk};

    const ID: &str = "alice.smith@example.test";
    const VARIABLE: &str = "DSR_TEST_PANIC";

    /// The other tests run this one in its own process: a panic hook belongs to the whole process.
    #[test]
    fn panics_when_it_is_asked_to() {
        #[expect(clippy::disallowed_methods, reason = "the test asks itself")]
        let format = match std::env::var(VARIABLE).as_deref() {
            Ok("human") => OutputFormat::Human,
            Ok("json") => OutputFormat::Json,
            _ => return,
        };
        let screen = move || Ui::new(format, Talk::Normal, Input::Never, Color::Never);
        let status = guard(screen, || {
            let thread = std::thread::spawn(|| panic!("no such person: {ID}"));
            std::panic::resume_unwind(thread.join().unwrap_err())
        });
        std::process::exit(status.code().into());
    }

    fn output(format: &str) -> Output {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "ui::failures::bug::tests::panics_when_it_is_asked_to",
            ])
            // Otherwise the test runner captures stderr.
            .arg("--nocapture")
            .env(VARIABLE, format)
            .env("RUST_BACKTRACE", "full")
            .output()
            .unwrap()
    }

    #[test]
    fn a_panic_shows_its_place_and_never_its_message() {
        for format in ["human", "json"] {
            let output = output(format);
            let said = String::from_utf8(output.stderr).unwrap();
            let shown = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(
                !said.contains("alice") && !shown.contains("alice"),
                "{said}{shown}"
            );
            assert_eq!(said.matches("src/ui/failures/bug.rs:").count(), 1, "{said}");
            assert!(said.contains("report"), "{said}");
            if format == "json" {
                let failure: serde_json::Value = serde_json::from_str(said.trim()).unwrap();
                assert_eq!(failure["error"]["kind"], "bug");
            }
        }
    }
}
