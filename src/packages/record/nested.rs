//! Finds records of other people inside a record, even inside its texts, and cuts them out. A text
//! that may be another person's but cannot be parsed is cut out too.

use std::ops::Range;

use serde_json::value::RawValue;

use super::fields_of;
use super::naming::{self, IdField, Unsure};
use crate::domain::JsonObject;
use crate::packages::people::People;
use crate::packages::sorter::owner::{Claims, OwnerClaim, owner};

/// Replaces a record that was cut out: JSON, like the text around it.
const CUT: &str = "\"(removed: a record of another person)\"";
/// Replaces a text that may be another person's.
const HELD_BACK: &str = "(removed: a text that may be of another person)";
/// How deep records are searched for; a deeper value is not taken apart.
const MOST_LEVELS: usize = 64;

/// A record without the inner records of other people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    pub(crate) outer: String,
    pub(crate) cut: Vec<String>,
}

pub(crate) struct Own<'o> {
    claims: Claims<'o>,
    /// The owner's `user_id` without a `$`.
    plain_user: OwnerClaim<'o>,
    people: &'o People<'o>,
}

impl<'o> Own<'o> {
    /// The owner of `record`. Its `$user_id` and `$device_id` count as the owner's wherever they
    /// are.
    pub(crate) fn of(record: &'o str, claims: &Claims<'o>, people: &'o People<'o>) -> Self {
        let (mut claims, mut plain_user) = (claims.clone(), OwnerClaim::Absent);
        if claims.person != OwnerClaim::Absent
            && let Some((wide, plain)) = claims_of(record)
        {
            plain_user = plain;
            let or = |claim: OwnerClaim<'o>, other| match claim {
                OwnerClaim::Absent => other,
                claim => claim,
            };
            claims.user = or(claims.user, wide.user);
            claims.device = or(claims.device, wide.device);
        }
        Self {
            claims,
            plain_user,
            people,
        }
    }

    fn has(&self, inner: &Claims<'_>) -> bool {
        let plain = || Claims {
            user: self.plain_user.clone(),
            ..self.claims.clone()
        };
        inner.are_of(&self.claims, self.people)
            || self.plain_user.id().is_some() && inner.are_of(&plain(), self.people)
    }

    fn is_alone_in(&self, text: &str) -> Result<bool, Unsure> {
        naming::names_only(text, |field| self.ids(field))
    }

    /// The ids of the owner that a field may hold.
    fn ids(&self, field: IdField) -> Vec<&str> {
        let Claims {
            person,
            user,
            device,
        } = &self.claims;
        let known = owner(&self.claims, self.people).ok();
        let known = known.map(|person| self.people.id(person).expose());
        let of_field = match field {
            IdField::Person => [None, None],
            IdField::User => [user.id(), self.plain_user.id()],
            IdField::Device => [device.id(), None],
            IdField::Several => return Vec::new(),
        };
        [known, person.id()]
            .into_iter()
            .chain(of_field)
            .flatten()
            .collect()
    }
}

/// The ids in an object, in any id field, and its `user_id` without a `$`.
fn claims_of(value: &str) -> Option<(Claims<'_>, OwnerClaim<'_>)> {
    let mut claims = Claims::default();
    let (mut person, mut user) = (OwnerClaim::Absent, OwnerClaim::Absent);
    for (name, value) in fields_of(value)?.0 {
        let claim = OwnerClaim::of_json(value.get());
        let is_documented = name.starts_with('$');
        match (&*name, naming::id_field(&name)) {
            ("distinct_id" | "$distinct_id", _) => claims.person.add(claim),
            (_, Some(IdField::Person | IdField::Several)) => person.add(claim),
            (_, Some(IdField::User)) if is_documented => claims.user.add(claim),
            (_, Some(IdField::User)) => user.add(claim),
            (_, Some(IdField::Device)) => claims.device.add(claim),
            (_, None) => {}
        }
    }
    // Beside a `distinct_id`, `Distinct ID` is an ordinary property; so is `user_id` beside
    // `$user_id`.
    if claims.person == OwnerClaim::Absent {
        claims.person = person;
    }
    if claims.user == OwnerClaim::Absent {
        claims.user.clone_from(&user);
    }
    Some((claims, user))
}

/// Whether a field name is really a text that names somebody else.
pub(crate) fn is_foreign_name(name: &str, own: &Own<'_>) -> bool {
    naming::names_a_field(name) && own.is_alone_in(name) != Ok(true)
}

/// Cuts every inner record out of `record` that names somebody other than its owner. Fails when
/// that cannot be decided.
pub(crate) fn take_apart(record: &str, own: &Own<'_>) -> Result<Apart, Unsure> {
    let mut search = NestedSearch::in_all_of(record, own);
    for (name, value) in JsonObject::of(record).unwrap_or_default().0 {
        if is_foreign_name(&name, own) {
            return Err(Unsure);
        }
        match (&*name, is_text(value.get())) {
            // Part of the record itself.
            ("properties" | "$properties", true) => {
                search.look_into_text(value.get(), 0, ObjectPlace::Own)?
            }
            ("properties" | "$properties", false) => search.look_into_own(value.get())?,
            _ => search.look_at(value.get(), 0)?,
        }
    }
    Ok(search.cut())
}

/// The same for a text that is not itself a record, such as a table field.
pub(crate) fn take_text_apart(text: &str, own: &Own<'_>) -> Result<Apart, Unsure> {
    let mut search = NestedSearch::in_all_of(text, own);
    search.look_at_text(text, 0)?;
    Ok(search.cut())
}

/// Whether an object is part of the record itself or one inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ObjectPlace {
    Own,
    Inner,
}

struct NestedSearch<'t, 'o> {
    whole: &'t str,
    own: &'o Own<'o>,
    found: Vec<ForeignPart>,
}

struct ForeignPart {
    place: Range<usize>,
    left: String,
    cut: Vec<String>,
}

impl<'t, 'o> NestedSearch<'t, 'o> {
    fn in_all_of(whole: &'t str, own: &'o Own<'o>) -> Self {
        Self {
            whole,
            own,
            found: Vec::new(),
        }
    }

    fn look_at(&mut self, value: &'t str, level: usize) -> Result<(), Unsure> {
        let value = value.trim();
        if !naming::names_a_field(value) {
            return Ok(());
        }
        if is_text(value) {
            return self.look_into_text(value, level, ObjectPlace::Inner);
        }
        let claims = claims_of(value);
        if claims.is_some_and(|(claims, _)| claims.name_someone() && !self.own.has(&claims)) {
            self.add(value, CUT.to_owned(), vec![value.to_owned()]);
            return Ok(());
        }
        self.look_into(value, level)
    }

    /// A text may be one JSON value, several of them (such as lines), or anything else.
    fn look_at_text(&mut self, text: &'t str, level: usize) -> Result<(), Unsure> {
        let value = text.trim();
        match value.starts_with(['{', '[', '"']) {
            true => self.look_at(value, level),
            false => self.hold_back_unless_own(text),
        }
    }

    fn look_into(&mut self, value: &'t str, level: usize) -> Result<(), Unsure> {
        if level == MOST_LEVELS {
            return Err(Unsure);
        }
        if let Some(fields) = JsonObject::of(value) {
            let mut names = fields.0.iter().map(|(name, _)| name);
            if names.any(|name| is_foreign_name(name, self.own)) {
                self.add(value, format!("\"{HELD_BACK}\""), vec![value.to_owned()]);
                return Ok(());
            }
            for (_, inner) in fields.0 {
                self.look_at(inner.get(), level + 1)?;
            }
            return Ok(());
        }
        if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(value) {
            for inner in elements {
                self.look_at(inner.get(), level + 1)?;
            }
            return Ok(());
        }
        let values = serde_json::Deserializer::from_str(value).into_iter::<&RawValue>();
        match values.collect::<Result<Vec<_>, _>>() {
            Ok(values) => {
                for inner in values {
                    self.look_at(inner.get(), level + 1)?;
                }
                Ok(())
            }
            Err(_) => self.hold_back_unless_own(value),
        }
    }

    /// Searches the record's own properties; their names belong to the record.
    fn look_into_own(&mut self, value: &'t str) -> Result<(), Unsure> {
        let Some(fields) = JsonObject::of(value) else {
            return self.look_at(value, 0);
        };
        for (name, inner) in fields.0 {
            if is_foreign_name(&name, self.own) {
                return Err(Unsure);
            }
            self.look_at(inner.get(), 1)?;
        }
        Ok(())
    }

    /// Searches a JSON string by its decoded content.
    fn look_into_text(
        &mut self,
        value: &'t str,
        level: usize,
        part: ObjectPlace,
    ) -> Result<(), Unsure> {
        let Ok(text) = serde_json::from_str::<String>(value) else {
            return match self.own.is_alone_in(value)? {
                true => Ok(()),
                false => Err(Unsure),
            };
        };
        if level == MOST_LEVELS {
            return Err(Unsure);
        }
        let mut search = NestedSearch::in_all_of(&text, self.own);
        match part {
            ObjectPlace::Own if JsonObject::of(&text).is_some() => search.look_into_own(&text)?,
            ObjectPlace::Own | ObjectPlace::Inner => search.look_at_text(&text, level + 1)?,
        }
        let Apart { outer, cut } = search.cut();
        if !cut.is_empty() {
            self.add(value, serde_json::Value::from(outer).to_string(), cut);
        }
        Ok(())
    }

    /// Removes a text that names somebody else, because it cannot be taken apart.
    fn hold_back_unless_own(&mut self, text: &'t str) -> Result<(), Unsure> {
        if !self.own.is_alone_in(text)? {
            self.add(text, HELD_BACK.to_owned(), vec![text.to_owned()]);
        }
        Ok(())
    }

    /// `part` must be a slice of the whole text; its address gives its position.
    fn add(&mut self, part: &'t str, left: String, cut: Vec<String>) {
        let start = part.as_ptr() as usize - self.whole.as_ptr() as usize;
        self.found.push(ForeignPart {
            place: start..start + part.len(),
            left,
            cut,
        });
    }

    fn cut(self) -> Apart {
        let (mut outer, mut cut, mut done) = (String::new(), Vec::new(), 0);
        for found in self.found {
            outer.push_str(&self.whole[done..found.place.start]);
            outer.push_str(&found.left);
            done = found.place.end;
            cut.extend(found.cut);
        }
        outer.push_str(&self.whole[done..]);
        Apart { outer, cut }
    }
}

fn is_text(value: &str) -> bool {
    value.starts_with('"')
}
