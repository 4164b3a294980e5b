//! The few colours there are. None of them tells anything that the words do not.
//!
//! All are of the sixteen that people set in their terminals, and read on a dark and on a light
//! background. Yellow, cyan and green in bold, which many terminals make bright, do not on white,
//! nor does blue on black.

use anstyle::{AnsiColor, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Went wrong, or may have.
    Bad,
    /// Waits for somebody, or needs a look.
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

    /// The text in this colour; the streams take it out where it is not wanted.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
