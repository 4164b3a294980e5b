//! Judges each raw value: is it an id, and which id is kept? Runs once per value, ten million
//! times.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::domain::{DistinctId, DistinctIdError, Leniency};

use super::census::Census;
use super::form::{IdKind, ValueForm, is_blank};
use super::program;
use crate::intake::damage::Damage;
use crate::intake::hash::{Hashed, Hashing};
use crate::intake::place::Place;
use crate::intake::problem::Problems;
use crate::intake::warning::{LONG_ID_BYTES, WarningKind, Warnings};

/// What happens to white space around a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OuterSpace {
    #[default]
    Refuse,
    Trim,
    /// Keep it as part of the id, because Mixpanel has it too.
    Keep,
}

/// A regular expression that every id must match as a whole.
#[derive(Debug, Clone)]
pub struct Pattern(regex::bytes::Regex);

impl Pattern {
    /// Compiles `text` in the syntax of the crate `regex`. `\d`, `\w` and `\s` mean ASCII; `.` is
    /// one byte.
    ///
    /// # Errors
    /// When `text` is not such an expression.
    pub fn new(text: &str) -> Result<Self, String> {
        let build = |text: &str| {
            let mut builder = regex::bytes::RegexBuilder::new(text);
            builder
                .unicode(false)
                .build()
                .map_err(|error| error.to_string())
        };
        // Alone first: `a)|(?:b` is invalid alone, but would be valid inside the parentheses.
        build(text)?;
        build(&format!(r"\A(?:{text})\z")).map(Self)
    }

    fn matches(&self, value: &str) -> bool {
        self.0.is_match(value.as_bytes())
    }
}

/// How values are judged and turned into ids.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Values accepted as ids whatever they look like; compared byte for byte.
    pub allowed: HashSet<String>,
    pub outer_space: OuterSpace,
    /// If given, exactly the values that match are ids, whatever they look like.
    pub pattern: Option<Pattern>,
    /// If given, the ids are hashes of the values.
    pub hashing: Option<Hashing>,
    /// If given, which values of a property Mixpanel can be asked for.
    pub askable: Option<fn(&str) -> bool>,
}

#[derive(Debug)]
pub(crate) struct Checker {
    options: CheckOptions,
    is_of_properties: bool,
    census: Census,
    problems: Problems,
    warnings: Warnings,
    hashed: Option<Hashed>,
}

impl Checker {
    pub(crate) fn new(options: &CheckOptions) -> Self {
        Self {
            options: options.clone(),
            is_of_properties: false,
            census: Census::new(),
            problems: Problems::default(),
            warnings: Warnings::default(),
            hashed: options.hashing.as_ref().map(Hashing::describe),
        }
    }

    /// For values of a property: they may have any form, but not stand for "no value", nor be a
    /// program's line.
    pub(crate) fn of_properties(options: &CheckOptions) -> Self {
        let is_of_properties = true;
        Self {
            is_of_properties,
            ..Self::new(options)
        }
    }

    /// The id to keep, trimmed or hashed as the options say. `form` is `None` for a value that is
    /// not UTF-8. Returns `None` for a damaged value, after noting the damage.
    pub(crate) fn check<'v>(
        &mut self,
        place: Place<'_>,
        form: Option<ValueForm<'v>>,
    ) -> Option<Cow<'v, str>> {
        let judged = match form {
            Some(form) => self.judge(place, form),
            None => Err(Damage::NotUtf8),
        };
        match judged {
            Ok(text) => Some(self.make_id(place, text)),
            Err(damage) => {
                self.problems.note(place, damage);
                None
            }
        }
    }

    /// How ids are hashed, with the first one as the example.
    pub(crate) fn hashed(&self) -> Option<Hashed> {
        self.hashed.clone()
    }

    pub(crate) fn end_source(&mut self) {
        self.census.end_source();
    }

    /// The problems, which stop everything, and the warnings.
    pub(crate) fn finish(mut self) -> (Problems, Warnings) {
        if self.options.pattern.is_none() && !self.is_of_properties {
            let labels = &self.warnings.labels;
            self.census.refuse_strays(&mut self.problems, labels);
        }
        self.census.tell(&mut self.warnings);
        (self.problems, self.warnings)
    }

    fn judge<'v>(&mut self, place: Place<'_>, mut form: ValueForm<'v>) -> Result<&'v str, Damage> {
        let raw = form.text();
        if self.is_of_properties {
            DistinctId::judge(raw, Leniency::OuterWhiteSpace)?;
            program::of(raw).map_or(Ok(()), |look| Err(Damage::Look(look)))?;
            if self.options.askable.is_some_and(|askable| !askable(raw)) {
                return Err(Damage::NotAskable);
            }
            self.census.count(&form, place, &mut self.warnings.labels);
            return Ok(raw);
        }
        if self.options.allowed.contains(raw) {
            DistinctId::judge(raw, Leniency::Named)?;
            return Ok(raw);
        }
        let (text, leniency) = match self.options.outer_space {
            OuterSpace::Refuse => (raw, Leniency::None),
            OuterSpace::Trim => (raw.trim_matches(is_blank), Leniency::None),
            OuterSpace::Keep => (raw, Leniency::OuterWhiteSpace),
        };
        if text.len() < raw.len() {
            self.warnings.note(WarningKind::Trimmed, place);
            if self.options.allowed.contains(text) {
                DistinctId::judge(text, Leniency::Named)?;
                return Ok(text);
            }
            form = ValueForm::of(text);
        }
        self.judge_form(&form, leniency)?;
        self.census.count(&form, place, &mut self.warnings.labels);
        let warnings = &mut self.warnings;
        let mut tell = |kind| warnings.note(kind, place);
        if text.len() > LONG_ID_BYTES {
            tell(WarningKind::TooLong);
        }
        if leniency == Leniency::OuterWhiteSpace && form.is_blank_outside() {
            tell(WarningKind::OuterWhiteSpace);
        }
        if let Some(hashing) = &self.options.hashing {
            hashing.doubts(&form, &mut tell);
        }
        Ok(text)
    }

    /// With a pattern, what matches is an id; without one, the rule decides. Reports outer white
    /// space only if the rest is an id.
    fn judge_form(&self, form: &ValueForm<'_>, leniency: Leniency) -> Result<(), Damage> {
        let outer = match DistinctId::judge(form.text(), leniency) {
            Err(DistinctIdError::OuterWhiteSpace) => Some(DistinctIdError::OuterWhiteSpace.into()),
            Err(error) => return Err(error.into()),
            Ok(()) if form.is_blank_outside() => Some(Damage::OuterInvisible),
            Ok(()) => None,
        };
        let core = match outer {
            Some(_) => ValueForm::of(form.text().trim_matches(is_blank)),
            None => *form,
        };
        match &self.options.pattern {
            Some(pattern) if pattern.matches(form.text()) => {}
            Some(pattern) if outer.is_none() || !pattern.matches(core.text()) => {
                return Err(Damage::Pattern);
            }
            Some(_) => {}
            None => core.look().map_or(Ok(()), |look| Err(Damage::Look(look)))?,
        }
        if let Some(damage) = outer
            && leniency != Leniency::OuterWhiteSpace
        {
            return Err(damage);
        }
        // The SDK makes device ids and never hashes them.
        if form.kind == IdKind::Device && self.options.hashing.is_some() {
            return Err(Damage::HashedDevice);
        }
        Ok(())
    }

    fn make_id<'v>(&mut self, place: Place<'_>, text: &'v str) -> Cow<'v, str> {
        let Some(hashing) = &self.options.hashing else {
            return Cow::Borrowed(text);
        };
        let id = hashing.hash(text);
        if let Some(hashed) = &mut self.hashed {
            hashed.show_first(place, text, &id);
        }
        Cow::Owned(id)
    }
}

#[cfg(test)]
mod tests;
