//! Where in the sources something stands.

use std::fmt;

/// Where a value stands. Lines and elements are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<L> {
    /// What messages call the source, or stands for that; never an id.
    pub label: L,
    pub line: Option<u64>,
    /// Which element of a JSON array it is: such a file may be one line.
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

    /// The same place, in an element with this number, if there is one.
    pub(super) fn in_element(self, number: Option<u64>) -> Self {
        Self {
            element: number.or(self.element),
            ..self
        }
    }

    /// The same place with something else for a label.
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
