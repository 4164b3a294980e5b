//! Recognizes lines that programs write around a list: drawn tables and messages.

use std::sync::LazyLock;

use regex::bytes::{RegexSet, RegexSetBuilder};

use super::look::Look;

/// Such lines in lower case, the most specific first.
const LINES: [(Look, &str); 15] = [
    (Look::Mysql, r"^\+[-=][-+=|: ]+$"),
    (Look::Markdown, r"^\|[-+=|: ]+\|$"),
    (Look::Drawn, r"^\|.+\|$"),
    (Look::Psql, r"^(-[-+=|: ]*)?-\+-[-+=|: ]*$"),
    (Look::Sqlcmd, r"^\([0-9,]+ .*(affected|betroffen).*\)$"),
    (Look::Psql, r"^\([0-9][0-9,]* [a-z\x80-\xff].*\)$"),
    (Look::Psql, r"^(timing is o|\(no rows\)|-\[ record)"),
    (Look::Psql, r"^(output format is |tuples only is )"),
    (
        Look::Psql,
        r"^(copy|select|insert|update|delete) [0-9][0-9, ]*$",
    ),
    (Look::Psql, r"^(time|zeit): [0-9]"),
    (Look::Mysql, r"^(empty set|query ok|(mysql: )?\[warning\])"),
    (
        Look::Mysql,
        r"^\*\*\*.*\. row \*\*\*|^[0-9][0-9,]* [a-z].* in set",
    ),
    (
        Look::Sqlplus,
        r"^(no rows selected|sql>)|^[0-9][0-9,]* [a-z].*selected",
    ),
    (Look::Drawn, r"^[0-9][0-9,]* row"),
    (
        Look::Drawn,
        r"^[0-9][0-9,]* (records?|zeilen|lignes|filas)\.*$",
    ),
];

/// The look of a line that a program writes beside its results. A ruler without a corner or a bar
/// fits several programs.
pub(crate) fn of(line: &str) -> Option<Look> {
    static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
        let patterns = LINES.map(|(_, pattern)| pattern);
        let built = RegexSetBuilder::new(patterns).unicode(false).build();
        built.unwrap_or_default()
    });
    let found = PATTERNS.matches(line.trim().to_lowercase().as_bytes());
    found.iter().next().map(|place| LINES[place].0)
}
