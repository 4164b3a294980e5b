//! Why one value or one line gives no id.

use crate::domain::DistinctIdError;

use super::judge::look::Look;

/// The longest line, or row of several lines, in bytes. An id has at most 4 KiB, a Mixpanel event
/// at most 1 MB.
pub(super) const MAX_LINE_BYTES: usize = 4 << 20;

/// Why a value, a line or an element gives no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("{}", of_id(*.0))]
    Id(#[from] DistinctIdError),
    #[error("the id is not valid UTF-8")]
    NotUtf8,
    #[error("the id begins or ends with an invisible character")]
    OuterInvisible,
    #[error("{0}")]
    Look(Look),
    #[error("the id does not match `--expect-pattern`")]
    Pattern,
    #[error(
        "Mixpanel knows an anonymous device id (`$device:`) as it is: hashing it would match no one"
    )]
    HashedDevice,
    #[error("{}, but the first line has {expected}", fields(*.found))]
    Ragged { expected: usize, found: usize },
    #[error("a quote is opened and never closed")]
    OpenQuote,
    #[error("text follows a closing quote; a quote inside quotes must be doubled")]
    TextAfterQuote,
    #[error("it is longer than {} MiB; a line end or a closing quote may be missing", MAX_LINE_BYTES >> 20)]
    TooLong,
    #[error("the line has a NUL")]
    Nul,
    #[error("the line is not valid {encoding}")]
    Undecodable { encoding: &'static str },
    #[error("a byte order mark is inside the text; files may have been joined")]
    InnerMark,
    #[error("the heading is repeated; files may have been joined")]
    RepeatedHeading,
    #[error("it is not valid JSON at column {column}")]
    BrokenJson { column: usize },
    #[error("the id has an escape that means no character")]
    BadEscape,
    #[error("its JSON ends too early: the end may be missing")]
    UnfinishedJson,
    #[error("the list is not closed; the end may be missing")]
    UnfinishedList,
    #[error("text follows the end of the list")]
    TextAfterList,
    #[error("a key occurs twice in the object")]
    RepeatedKey,
    #[error("two keys of the object may name the same field, and differ")]
    RivalKeys,
    #[error("the object has no id: its key is missing")]
    NoKey,
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("a field has line ends, and may hold whole rows: a quote may be open above it")]
    RowsInside,
    #[error("the page is not an answer with profiles: the query failed")]
    FailedQuery,
    #[error("the page has no usable `page` or `total`")]
    BadPage,
    #[error("the page is given twice; another page may be missing")]
    RepeatedPage,
    #[error("objects and bare values are mixed")]
    Mixed,
    #[error("the ids of the person are not a JSON list")]
    NotAList,
    #[error("the id is {0}, not a string or a whole number")]
    NotAnId(&'static str),
    #[error("it has a quote, a backslash or a control character")]
    NotAskable,
}

fn fields(count: usize) -> String {
    match count {
        1 => "1 field".to_owned(),
        _ => format!("{count} fields"),
    }
}

fn of_id(error: DistinctIdError) -> String {
    match error {
        DistinctIdError::LineBreak => {
            "the id has a line break or a NUL; a quote may have been left open above it".to_owned()
        }
        error => error.to_string(),
    }
}

impl Damage {
    pub(super) const OUTER_SPACE: Self = Self::Id(DistinctIdError::OuterWhiteSpace);
    const FRACTION: Self = Self::NotAnId("a number with a fraction or an exponent");
    /// Checks that a JSON number can be an id: its digits are then the id.
    pub(super) fn of_number(digits: &str) -> Result<(), Self> {
        let figures = digits.strip_prefix('-').unwrap_or(digits);
        match figures.bytes().all(|byte| byte.is_ascii_digit()) {
            _ if digits == "-0" => Err(Self::NotAnId("a negative zero")),
            true => Ok(()),
            false => Err(Self::FRACTION),
        }
    }

    const FORBIDDEN: Self = Self::Id(DistinctIdError::Forbidden);

    /// The way out if the file has to be made anew: its pages, a long line or repeated keys.
    pub(super) fn of_page(self) -> Option<&'static str> {
        match self {
            Self::RepeatedPage => {
                Some("name each page once; if another page is missing, save it first")
            }
            Self::BadPage => Some("save each page as Mixpanel sent it"),
            Self::FailedQuery => Some("ask for the pages again, and save answers of 200 only"),
            Self::TooLong => Some(
                "add the missing line end or quote; if the line is whole, leave out fields that dsr does not need",
            ),
            Self::RepeatedKey | Self::RivalKeys => {
                Some("keep one of the keys in the object: dsr cannot tell which one counts")
            }
            _ => None,
        }
    }

    /// Whether the operator can overrule this with `--allow`.
    pub(super) fn is_arguable(&self) -> bool {
        matches!(
            *self,
            Self::OUTER_SPACE
                | Self::FORBIDDEN
                | Self::OuterInvisible
                | Self::Look(_)
                | Self::Pattern
                | Self::HashedDevice
        )
    }
}
