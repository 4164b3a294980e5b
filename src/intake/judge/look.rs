//! What a value that is not an id looks like, and the words of each look.

macro_rules! spoken {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident => $words:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$note])* $variant,)* }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $words,)* })
            }
        }
    };
}
pub(crate) use spoken;

spoken! {
    /// What a value that is not an id looks like.
    Look {
        Control => "the value has a control character, such as a tab: is it more than one column?",
        Replaced => "the value has a replacement character (U+FFFD): an earlier conversion damaged it",
        Invisible => "the value has an invisible character",
        Mojibake => "the value has accented letters that were read in a wrong encoding",
        Typographic => "the value has a typographic dash, quote or ellipsis, as word processors and chats put in",
        Imitation => "the value has a letter that only looks like the usual one",
        MixedScripts => "the value mixes letters of several scripts, which may look alike",
        WhiteSpace => "the value has white space inside, as a title or a sentence has",
        Separator => "the value has a comma or a semicolon: is it more than one id?",
        Quote => "the value has a quote",
        Bracket => "the value has brackets, such as `{…}` or `ObjectId(…)`",
        List => "the value looks like a list or an object in JSON",
        Escape => "the value has an escape, such as `%40`, `&amp;` or `\\u0040`",
        Masked => "the value has `*`: it looks masked",
        Markup => "the value looks like HTML or XML",
        Link => "the value looks like a link",
        Conflict => "the value looks like a conflict marker of a merge",
        OtherCharacter => "the value has a character that ids do not have",
        Comment => "the value looks like a comment",
        ListMarker => "the value has a bullet or a number of a list before it",
        OuterJoint => "the value begins or ends with a mark that ids do not have there",
        Several => "the value looks like several ids",
        Ruler => "the value has no letter and no digit: it looks like a ruler",
        Mysql => "the value looks like a drawn table or a message of mysql",
        Psql => "the value looks like a drawn table or a message of psql",
        Sqlcmd => "the value looks like a message of sqlcmd",
        Sqlplus => "the value looks like a message of sqlplus",
        Markdown => "the value looks like a table in Markdown",
        Uniq => "the value has a number before it, as `uniq -c` writes",
        Grep => "the value has a file's name or a line number before it, as grep writes",
        Drawn => "the value looks like a part of a drawn table or a count of rows",
        Heading => "the value looks like a heading",
        Total => "the value looks like a total",
        Footer => "the value looks like a footer",
        Placeholder => "the value looks like a placeholder for an empty value",
        TypeName => "the value looks like the name of a type or an encoding",
        SpreadsheetError => "the value looks like a spreadsheet's error",
        Formula => "the value looks like a spreadsheet's formula",
        Scientific => "the value is a number in scientific notation: its last digits are lost",
        GroupedDigits => "the value is a number with thousands separators",
        ZeroFraction => "the value is a number with a fraction of zero (`.0`), as programs add to whole numbers",
        Date => "the value looks like a date, as a spreadsheet makes of codes such as `MAR1`",
        Stray => "the value is a word or a short number alone among ids of other shapes",
    }
}

impl Look {
    /// How the program that wrote the value can write a bare list; `None` if no program wrote it.
    pub fn way_out(self) -> Option<&'static str> {
        Some(match self {
            Self::Mysql => "have mysql write a bare list into a .txt file: `mysql -N -B`",
            Self::Psql => "have psql write a bare list into a .txt file: `psql -At -X -q`",
            Self::Sqlcmd => {
                "have sqlcmd write a bare list into a .txt file: `sqlcmd -h -1 -W`, with `SET NOCOUNT ON;` before the query"
            }
            Self::Sqlplus => {
                "have sqlplus write a bare list into a .txt file: `sqlplus -S`, with `SET HEADING OFF FEEDBACK OFF PAGESIZE 0` before the query"
            }
            Self::Markdown => "put the ids alone into a .txt file, one a line",
            Self::Uniq => "make the list without the numbers: `sort -u` in place of `uniq -c`",
            Self::Grep => "make the list without names and line numbers: `grep -h` without `-n`",
            Self::Drawn | Self::Ruler => {
                "have the program write a bare list into a .txt file, such as `mysql -N -B`, `psql -At -X -q` or `sqlcmd -h -1 -W`"
            }
            _ => return None,
        })
    }
}
