//! `dsr sandbox`: serves the stand-in for Mixpanel until Ctrl-C.

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::domain::ExitStatus;
use crate::sandbox::{
    self, CreateReply, ExportArchive, ExportMembers, Exports, OAUTH_TOKEN, SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_SECRET, Settings, api_secret, project_id, project_token,
};
use crate::ui::{Failure, ServingView};

/// Serve the sandbox on loopback: a stand-in for Mixpanel's GDPR API
///
/// The sandbox checks tokens, keeps the rate of one request a second, finishes jobs in a few
/// seconds, and serves exports with made-up data. It keeps its state from one run to the next. To
/// use it without a server, add `--sandbox` to any other command.
///
/// It also answers a service account's queries: 60 an hour, for profiles and for events. A person's
/// data is gone when their deletion is done. Ids that begin with `nobody` have no data. The id
/// `returns-1` is re-collected a few seconds after its deletion.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example, in two terminals:
  dsr sandbox --port 8080
  DSR_HOME=/tmp/rehearsal DSR_API_URL=http://127.0.0.1:8080/api/app \\
    DSR_TOKEN=sandbox-oauth-token-not-a-secret \\
    DSR_PROJECT_TOKEN=0123456789abcdef0123456789abcdef DSR_REGION=us dsr status")]
pub(crate) struct SandboxArgs {
    /// The port to serve on; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Seconds from the creation of a job to its end
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0)]
    job_seconds: f64,
    /// Requests a second that the sandbox allows for each project
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    rate: f64,
    /// The shape of the reply to a create
    #[arg(long, value_enum, default_value_t = ReplyChoice::Alternate)]
    create_reply: ReplyChoice,
    /// How finished exports are packed
    #[arg(long, value_enum, default_value_t = ArchiveChoice::Plain)]
    archive: ArchiveChoice,
    /// What is in finished exports
    #[arg(long, value_enum, default_value_t = MembersChoice::Documented)]
    members: MembersChoice,
    /// Events of each person in an export; a handful if not given
    #[arg(long, value_name = "N")]
    events_per_person: Option<u32>,
}

/// How an export may be locked; Mixpanel documents none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ArchiveChoice {
    /// No password
    Plain,
    /// Encrypted with ZipCrypto; the API secret is the password
    #[value(name = "zipcrypto")]
    ZipCrypto,
    /// Encrypted with AES; the API secret is the password
    Aes,
}

/// What may be in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MembersChoice {
    /// What Mixpanel documents for the law and the disclosure
    Documented,
    /// events.jsonl and profiles.json, for every law
    OlderJson,
    /// events.csv and profiles.csv without name lists, for every law
    OlderCsv,
}

/// The documented shapes of the reply to a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ReplyChoice {
    /// `results` is an object with a `task_id`, as in Mixpanel's OpenAPI file
    Object,
    /// `results` is a list with a `tracking_id`, as in Mixpanel's prose
    List,
    /// Both in turn
    Alternate,
}

pub(super) async fn run(ctx: &mut Context, args: SandboxArgs) -> Result<ExitStatus, Failure> {
    for (name, value) in [("--job-seconds", args.job_seconds), ("--rate", args.rate)] {
        if !value.is_finite() || value <= 0.0 {
            return Err(usage(format!("`{name}` must be over 0")));
        }
    }
    let folder = match ctx.is_sandbox() {
        true => ctx.home.sandbox_server(),
        false => ctx.home.sandbox().sandbox_server(),
    };
    let settings = Settings {
        port: args.port,
        rate: args.rate,
        job_seconds: args.job_seconds,
        create_reply: match args.create_reply {
            ReplyChoice::Object => CreateReply::Object,
            ReplyChoice::List => CreateReply::List,
            ReplyChoice::Alternate => CreateReply::Alternate,
        },
        exports: Exports {
            archive: match args.archive {
                ArchiveChoice::Plain => ExportArchive::Plain,
                ArchiveChoice::ZipCrypto => ExportArchive::ZipCrypto,
                ArchiveChoice::Aes => ExportArchive::Aes,
            },
            members: match args.members {
                MembersChoice::Documented => ExportMembers::Documented,
                MembersChoice::OlderJson => ExportMembers::OlderJson,
                MembersChoice::OlderCsv => ExportMembers::OlderCsv,
            },
            events_per_person: args.events_per_person,
        },
        ..Settings::new(folder)
    };
    ctx.interrupt.begin();
    let running = sandbox::start(settings)?;
    let project = project_token("sandbox");
    let view = ServingView {
        api_url: running.api_url(),
        token: OAUTH_TOKEN,
        api_secret: api_secret(&project),
        project_id: project_id(&project),
        project_token: project,
        service_account: SERVICE_ACCOUNT,
        service_account_secret: SERVICE_ACCOUNT_SECRET,
    };
    ctx.ui.print(&view).map_err(|error| local_io(&error))?;
    ctx.ui.note("Serving until Ctrl-C.");
    let signal = ctx.interrupt.raised().await;
    drop(running);
    Ok(signal.exit_status())
}
