//! `dsr guide`: facts about Mixpanel's SDKs, by topic.

use crate::commands::context::Context;
use crate::commands::failures::{local_io, usage};
use crate::domain::ExitStatus;
use crate::guide::{Sdk, Topic};
use crate::ui::{Failure, GuideView, HelpPage, TopicsView};

use super::topics::{COPIES, RETENTION, below_the_title};

/// How to stop Mixpanel's SDKs from collecting data
///
/// dsr shows the exact calls of each SDK, from its public source at the named version. Without a
/// topic, it lists the topics. It contacts nobody.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dsr guide                                     the topics
  dsr guide after-deletion                      what a deletion leaves behind
  dsr guide copies                              where else the data is
  dsr guide retention                           how long data stays
  dsr guide opt-out                             the calls of all SDKs
  dsr guide opt-out --sdk swift                 the calls of one SDK
  dsr guide opt-out --sdk server                what your servers must do
  dsr guide ip-and-location --sdk javascript --json")]
pub(crate) struct GuideArgs {
    /// The topic
    #[arg(value_enum)]
    topic: Option<Topic>,
    /// Show this SDK only
    #[arg(long, value_enum, requires = "topic")]
    sdk: Option<Sdk>,
}

pub(crate) fn run(ctx: &Context, args: &GuideArgs) -> Result<ExitStatus, Failure> {
    let printed = match (args.topic, args.sdk) {
        (None, _) => ctx.ui.print(&TopicsView),
        (Some(topic @ (Topic::AfterDeletion | Topic::Copies | Topic::Retention)), Some(_)) => {
            let message = format!("`{}` is the same for every SDK", topic.name());
            return Err(
                usage(message).hint("leave `--sdk` out, or run `dsr guide opt-out --sdk NAME`")
            );
        }
        (Some(topic @ (Topic::Copies | Topic::Retention)), None) => ctx.ui.print(&HelpPage {
            name: topic.name(),
            title: topic.title(),
            blocks: below_the_title(match topic {
                Topic::Copies => COPIES,
                _ => RETENTION,
            }),
        }),
        (Some(topic), sdk) => ctx.ui.print(&GuideView { topic, sdk }),
    };
    printed.map_err(|error| local_io(&error))?;
    Ok(ExitStatus::Done)
}
