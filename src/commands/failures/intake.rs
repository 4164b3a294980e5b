//! Failures of sources, and of files in which people are looked up.

use std::borrow::Cow;

use crate::domain::ExitStatus;
use crate::intake::{Fault, IntakeError, Remedy};
use crate::ui::Failure;

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        let hint = match &error {
            IntakeError::Source {
                fault:
                    Fault::NoKnownColumn {
                        email: Some(email), ..
                    },
                ..
            } => format!(
                "nothing was sent; to find the ids of the people in `{email}`, run `dsr lookup`; if a column has Mixpanel's ids, name it: `--column NAME`"
            ),
            error => format!("nothing was sent; {}", intake_hint(error)),
        };
        let (status, kind) = match error {
            IntakeError::Spool(_) => (ExitStatus::LocalIo, "local_io"),
            IntakeError::NearHeld(_) => (ExitStatus::Input, "near_hold"),
            _ => (ExitStatus::Input, "bad_input"),
        };
        Self::from_error(status, kind, &error).hint(hint)
    }
}

/// A failure of the files in which people are looked up.
pub(crate) fn lookup_failure(error: IntakeError) -> Failure {
    let hint = match &error {
        // Only identities are refused for their ids: these would join strangers.
        IntakeError::Damaged { problems, .. } if problems.are_unusable_ids() => {
            "remove these ids from the identities, in a table with their lines: they are no person's".into()
        }
        IntakeError::Damaged { problems, .. } => match problems.remedy() {
            Remedy::Page(way_out) => way_out.into(),
            Remedy::Encoding => {
                "save the file as UTF-8: `--encoding` holds for your list only".into()
            }
            _ => "fetch the file again, whole: without a line, somebody would not be found".into(),
        },
        IntakeError::Source { fault, .. } => match fault {
            Fault::MissingColumn { .. } => {
                "profiles need a heading with `distinct_id` and the property that `--by` names"
                    .into()
            }
            Fault::RivalColumns(_) => "remove one of these columns from the file".into(),
            Fault::Drawn { .. } | Fault::Workbook(_) => "save it as CSV and try again".into(),
            Fault::UnmarkedEncoding(_) => "save it as UTF-8 and try again".into(),
            fault => fault_hint(fault),
        },
        error => intake_hint(error),
    };
    Failure::from_error(ExitStatus::Input, "bad_input", &error).hint(hint)
}

/// A failure of a list of ids that are never selected. It is read without any option.
pub(crate) fn hold_failure(error: IntakeError) -> Failure {
    let hint = match &error {
        IntakeError::Damaged { .. } => "correct or remove these lines in the list".into(),
        IntakeError::Source { fault, .. } => match fault {
            Fault::Io(_) | Fault::NotText(_) | Fault::Workbook(_) | Fault::ReadOnce => {
                fault_hint(fault)
            }
            _ => "save the list as UTF-8, with `distinct_id` on its first line and one id on each further line".into(),
        },
        error => intake_hint(error),
    };
    let hint = format!("nothing was sent; {hint}");
    Failure::from_error(ExitStatus::Input, "bad_input", &error).hint(hint)
}

/// A failure of a list of values to be looked up. A value may be anything, so nothing overrules.
pub(crate) fn values_failure(error: IntakeError) -> Failure {
    let hint = match &error {
        IntakeError::Damaged { problems, .. } => match problems.remedy() {
            Remedy::Offline => "nothing was asked, because Mixpanel documents no way to ask for these characters; look the values up in an export of the users: `--profiles FILE`".into(),
            _ => "correct or remove these lines".into(),
        },
        error => Cow::Owned(
            intake_hint(error)
                .replace("the ids", "the values")
                .replace(" ids", " values")
                .replace("an id", "a value"),
        ),
    };
    let mut failure = Failure::from_error(ExitStatus::Input, "bad_input", &error);
    failure.message = failure.message.replace(": the id ", ": the value ");
    failure.hint(hint)
}

fn intake_hint(error: &IntakeError) -> Cow<'static, str> {
    let hint = match error {
        IntakeError::Open { .. } | IntakeError::Read { .. } => {
            "check that the file is there, readable and text"
        }
        IntakeError::Unpack { .. } => "fetch it or pack it again",
        IntakeError::Folder {
            path,
            extension: Some(extension),
            ..
        } => return format!("name its files: `{}/*.{extension}`", path.display()).into(),
        IntakeError::Folder { .. } => "name the files to read",
        IntakeError::Source { fault, .. } => return fault_hint(fault),
        IntakeError::Damaged { problems, .. } => match problems.remedy() {
            Remedy::Trim => {
                "remove it with `--trim`, or keep it with `--keep-whitespace` if Mixpanel's ids have it"
            }
            Remedy::Pattern => {
                "correct the lines or the pattern; if a value is an id after all, add `--allow ID`"
            }
            Remedy::Encoding => {
                "save it as UTF-8, or name its encoding, such as `--encoding windows-1252`"
            }
            Remedy::Program(way_out) | Remedy::Page(way_out) => way_out,
            Remedy::Title => {
                "if line 1 is a heading, add `--format csv --column 1`; otherwise remove it"
            }
            Remedy::Heading => {
                "remove these lines; leave out `--no-header` and `--format text` if the first line is the heading"
            }
            Remedy::Allow => {
                "remove or correct these lines; for a value that is an id, add `--allow ID`, for many of one form `--expect-pattern REGEX`"
            }
            Remedy::Offline | Remedy::Correct => "correct the lines and try again",
        },
        IntakeError::NearHeld(_) => {
            "if the two lines name one person, write the id the same way in both files; if they name two people, add `--allow ID` with the listed id"
        }
        IntakeError::NoIds { .. } => "check that it is the right file",
        IntakeError::AllExcluded { .. } => "check that `--exclude` names the right file",
        IntakeError::TooMany => "split the source into several requests",
        IntakeError::Spool(_) => "free space on the disk of dsr's data folder",
    };
    hint.into()
}

fn fault_hint(fault: &Fault) -> Cow<'static, str> {
    let hint = match fault {
        Fault::Io(_) => "check that the file is there, readable and text",
        Fault::NotText(what) if what.contains("Git LFS") => "fetch the file with `git lfs pull`",
        Fault::NotText(_) => "save it as CSV (or unpack it) and try again",
        Fault::Workbook(_) => "save it as CSV and try again",
        Fault::SeveralSheets(_) => "save the sheet that has the ids as CSV",
        Fault::UnreadableEncoding(_) => "save it as UTF-8 and try again",
        Fault::UnmarkedEncoding(encoding) => {
            let encoding = encoding.to_lowercase();
            return format!("if that is right, add `--encoding {encoding}`").into();
        }
        Fault::NoHeader {
            may_be_id: true, ..
        } => "if the first line is an id, add `--no-header`; if it is a heading, add `--column 1`",
        Fault::NoHeader { .. } => {
            "if the first line is a heading, add `--column 1`; otherwise remove it"
        }
        Fault::IdInHeading => "add `--no-header`",
        Fault::RepeatedColumn { .. } => {
            "rename one of them, or give the number of the column with the ids: `--column NUMBER`"
        }
        Fault::Drawn { look, .. } => look.way_out().unwrap_or_default(),
        Fault::NoKnownColumn { .. } | Fault::SeveralColumns(_) | Fault::MissingColumn { .. } => {
            "name the column with the ids: `--column NAME` or `--column NUMBER`"
        }
        Fault::WhichColumn { .. } => {
            "name the column with the ids: `--column NUMBER`, or add `--delimiter` if the line was split wrongly, or `--format text` if whole lines are ids"
        }
        Fault::ListOrTable => {
            "if each line is one id, add `--format text`; if it is a table, put the names of its columns on the first line"
        }
        Fault::HeadingInList => {
            "leave `--format text` out to skip the heading; if it really is an id, add `--no-header`"
        }
        Fault::NoKnownKey(_) | Fault::SeveralKeys(_) | Fault::MissingKey(_) => {
            "name the key with the ids: `--column KEY`, or `--column OUTER.KEY` for a key inside an object"
        }
        Fault::NoRecords("events") | Fault::OnlyIds => {
            "name files of events, such as Mixpanel's raw export; `--format` sets how dsr reads them; to look ids up in the ledger, use `dsr find`"
        }
        Fault::NoRecords(_) => {
            "name an export of users as CSV, answers of a profile query, or JSON lines of profiles"
        }
        Fault::OtherPages { .. } => "save all pages of one query again, and name all of them",
        Fault::RivalColumns(_) => "remove one of these columns",
        Fault::NoProperty(_) => "name the property as Mixpanel does: `--by PROPERTY`",
        Fault::NoIdentities => {
            "name the pipeline's table of identities, or profiles that list all ids of a person"
        }
        Fault::ReadOnce => "save it to a file first",
        Fault::Nameless => {
            "name the column or key with the person's id: `--column NAME`, or `--column OUTER.KEY` in JSON"
        }
    };
    hint.into()
}
