//! Places of values in the sources.

use std::fmt;

/// The place of a value. Lines and elements count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<L> {
    /// The name of the source in messages, or an index of it; never an id.
    pub label: L,
    pub line: Option<u64>,
    /// The element of a JSON array, which may be on one line.
    pub element: Option<u64>,
}

pub type Place<'a> = At<&'a str>;

impl<L> At<L> {
    pub(super) fn on_line(label: L, line: u64) -> Self {
        Self {
            line: Some(line),
            ..Self::nowhere_in(label)
        }
    }

    pub(super) fn nowhere_in(label: L) -> Self {
        Self {
            label,
            line: None,
            element: None,
        }
    }

    pub(super) fn in_element(self, number: Option<u64>) -> Self {
        Self {
            element: number.or(self.element),
            ..self
        }
    }

    pub(super) fn labelled<M>(&self, label: M) -> At<M> {
        let Self { line, element, .. } = *self;
        At {
            label,
            line,
            element,
        }
    }
}

impl<L: fmt::Display> fmt::Display for At<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.fmt(f)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(element) = self.element {
            write!(f, ", element {element}")?;
        }
        Ok(())
    }
}
