//! The few colors. None carries a meaning that the words lack.
//!
//! All are among the sixteen that people set in their terminals, and are readable on dark and on
//! light backgrounds. Bold yellow, cyan and green are not, since many terminals make them bright:
//! nobody can read them on white. Nor can anybody read blue on black.

use anstyle::{AnsiColor, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Went wrong, or may have.
    Bad,
    /// Waits for somebody, or needs attention.
    Attention,
    /// Went well.
    Good,
    /// What a line begins with.
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Attention => AnsiColor::Magenta.on_default().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Strong => Style::new().bold(),
        }
    }

    /// Returns the text in this color; streams without color remove it.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
