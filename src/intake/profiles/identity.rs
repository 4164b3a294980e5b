//! One record of identities: ids of one person.

use super::demand_usable;
use super::profile::{names_person, only_column};
use crate::domain::id_names::folds_to;
use crate::intake::damage::Damage;
use crate::intake::events::event::is_of_mixpanel;
use crate::intake::place::Place;
use crate::intake::problem::Fault;
use crate::intake::reader::element::each_in_list;
use crate::intake::records::{Content, Field, Record, RecordTaker, find, id_in};

/// The ids of one person, as one record names them.
pub struct Identity {
    /// The first one is the main one, if the record says which.
    pub ids: Vec<String>,
    pub main: MainId,
}

/// What a record says of the first of its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MainId {
    /// It has a profile, with a list of other ids.
    Profile,
    /// The other one resolves to it.
    Resolved,
    Unknown,
}

/// Receives the ids of one person; returns whether one of them is known.
pub(crate) type IdentitySink<'a> = &'a mut dyn FnMut(&Identity) -> bool;

pub(crate) struct IdentityTaker<'s> {
    pub(crate) sink: IdentitySink<'s>,
}

fn names_list(name: &str) -> bool {
    folds_to(name, "distinctids")
}

fn names_resolved(name: &str) -> bool {
    folds_to(name, "resolveddistinctid")
}

impl RecordTaker for IdentityTaker<'_> {
    fn what(&self) -> &'static str {
        "identities"
    }

    fn lacking(&self) -> Fault {
        Fault::NoIdentities
    }

    fn field(&self, outer: Option<&str>, key: &str) -> Option<Field> {
        match outer {
            None if names_list(key) => Some(Field::Ids),
            None if names_person(key) => Some(Field::Person),
            None => names_resolved(key).then_some(Field::Resolved),
            Some(_) => (key == "$distinct_ids").then_some(Field::Ids),
        }
    }

    fn leads(&self, key: &str) -> bool {
        is_of_mixpanel(key)
    }

    fn columns(&self, names: &[String]) -> Result<Vec<(usize, Field)>, Fault> {
        let person = only_column(names, names_person)?;
        let resolved = only_column(names, names_resolved)?;
        let list = only_column(names, names_list)?;
        if list.is_none() && (person.is_none() || resolved.is_none()) {
            return Err(Fault::NoIdentities);
        }
        let fields = [Field::Person, Field::Resolved, Field::Ids];
        let columns = [person, resolved, list].into_iter().zip(fields);
        Ok(columns
            .filter_map(|(column, field)| Some((column?, field)))
            .collect())
    }

    fn take(&mut self, _: Place<'_>, record: Record<'_>) -> Result<bool, Damage> {
        let mut ids: Vec<String> = Vec::new();
        let list = find(&record, Field::Ids)?;
        let resolved = find(&record, Field::Resolved)?;
        let mut main = MainId::Unknown;
        for (content, says) in [
            (resolved, MainId::Resolved),
            (find(&record, Field::Person)?, MainId::Profile),
        ] {
            let id = match content {
                None | Some(Content::Other(_)) => continue,
                content => id_in(content)?,
            };
            if ids.is_empty() && !id.is_empty() {
                main = says;
            }
            ids.push(id.to_owned());
        }
        if let Some(list) = list {
            each_alias(list, &mut ids)?;
        }
        ids.retain(|id| !id.is_empty());
        let identity = Identity { ids, main };
        if (self.sink)(&identity) {
            identity.ids.iter().try_for_each(|id| demand_usable(id))?;
        }
        Ok(list.is_some() || resolved.is_some())
    }
}

/// Adds the ids of a list, which a table or a program may have written as text.
fn each_alias(list: &Content<'_>, ids: &mut Vec<String>) -> Result<(), Damage> {
    let text = match list {
        Content::List(list) => list,
        Content::Other(_) => return Ok(()),
        content => content.text().unwrap_or_default(),
    };
    if text.is_empty() {
        return Ok(());
    }
    if !text.starts_with('[') {
        return Err(Damage::NotAList);
    }
    let mut damaged = Ok(());
    each_in_list(text, &mut |_, id| match id {
        Ok(id) => ids.push(id.into_owned()),
        Err(damage) => damaged = Err(damage),
    });
    damaged
}
