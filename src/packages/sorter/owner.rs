//! Whose a record is. A record that could be another person's is nobody's.

use std::borrow::Cow;

use crate::packages::people::People;

/// What a record says about the person it belongs to, in one group of fields.
///
/// Fields that agree are one claim; one that names nobody (`null`, an empty text) is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum OwnerClaim<'a> {
    #[default]
    Absent,
    Id(Cow<'a, str>),
    /// A value that can be no id, such as an object.
    Unreadable,
    /// Two fields, or one that stands there twice, name different people.
    Contradictory,
}

impl<'a> OwnerClaim<'a> {
    /// Takes in what one more field says.
    pub(crate) fn add(&mut self, other: Self) {
        let before = std::mem::take(self);
        *self = match (before, other) {
            (claim, Self::Absent) | (Self::Absent, claim) => claim,
            (claim, other) if claim == other => claim,
            _ => Self::Contradictory,
        };
    }

    /// The claim of the JSON text of one field. A number is its digits, as they are written.
    pub(crate) fn of_json(text: &'a str) -> Self {
        match text.as_bytes() {
            b"null" | b"\"\"" => Self::Absent,
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Self::Id(Cow::Borrowed(&text[1..text.len() - 1]))
            }
            [b'"', ..] => {
                let decoded = serde_json::from_str::<String>(text);
                decoded.map_or(Self::Unreadable, |id| Self::Id(Cow::Owned(id)))
            }
            [b'-' | b'0'..=b'9', ..] => Self::Id(Cow::Borrowed(text)),
            _ => Self::Unreadable,
        }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Absent | Self::Unreadable | Self::Contradictory => None,
        }
    }

    /// The same without the text it was read from.
    pub(crate) fn into_owned(self) -> OwnerClaim<'static> {
        match self {
            Self::Absent => OwnerClaim::Absent,
            Self::Id(id) => OwnerClaim::Id(Cow::Owned(id.into_owned())),
            Self::Unreadable => OwnerClaim::Unreadable,
            Self::Contradictory => OwnerClaim::Contradictory,
        }
    }

    /// The claim of one field of a table.
    pub(crate) fn of_field(text: &'a str) -> Self {
        match text {
            "" => Self::Absent,
            id => Self::Id(Cow::Borrowed(id)),
        }
    }
}

/// All that a record says about whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims<'a> {
    /// `distinct_id` and `$distinct_id`, at the top, in `properties` and in `$properties`.
    pub(crate) person: OwnerClaim<'a>,
    /// `properties.$user_id`.
    pub(crate) user: OwnerClaim<'a>,
    /// `properties.$device_id`.
    pub(crate) device: OwnerClaim<'a>,
}

impl Claims<'_> {
    pub(crate) fn name_someone(&self) -> bool {
        let all = [&self.person, &self.user, &self.device];
        all.iter().any(|claim| **claim != OwnerClaim::Absent)
    }

    /// Whether a record that claims this, inside of one that claims `outer`, is of the same person:
    /// for certain, since all it says the other says as well, or both have the same owner.
    pub(crate) fn are_of(&self, outer: &Claims<'_>, people: &People<'_>) -> bool {
        let agrees = |(inner, outer): (&OwnerClaim<'_>, &OwnerClaim<'_>)| match inner {
            OwnerClaim::Absent => true,
            OwnerClaim::Id(_) => inner == outer,
            OwnerClaim::Unreadable | OwnerClaim::Contradictory => false,
        };
        let pairs = [
            (&self.person, &outer.person),
            (&self.user, &outer.user),
            (&self.device, &outer.device),
        ];
        match (owner(self, people), owner(outer, people)) {
            (Ok(inner), Ok(outer)) => inner == outer,
            _ => pairs.into_iter().all(agrees),
        }
    }
}

/// Why a record is in nobody's package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It names one person, who was not asked for.
    NotAskedFor,
    /// The same, but somebody of the request may be that person.
    MayBeAskedFor,
    /// It names nobody.
    NoOwner,
    /// It names several people.
    Contradictory,
}

/// The place of the person a record belongs to.
///
/// Its distinct_id decides, and alone: a device has several users, and an id that was merged into
/// another stands for whoever Mixpanel says. Only a record without any distinct_id belongs to its
/// `$user_id`, and without that to its `$device_id`, if that is exactly an id asked for.
pub(crate) fn owner(claims: &Claims<'_>, people: &People<'_>) -> Result<usize, Reason> {
    if claims.person != OwnerClaim::Absent {
        return find(&claims.person, people);
    }
    let (user, device) = (find(&claims.user, people), find(&claims.device, people));
    match (user, device) {
        (Ok(user), Ok(device)) if user != device => Err(Reason::Contradictory),
        (_, device) if claims.user == OwnerClaim::Absent => device,
        (user, _) => user,
    }
}

fn find(claim: &OwnerClaim<'_>, people: &People<'_>) -> Result<usize, Reason> {
    match claim {
        OwnerClaim::Id(id) => people.find(id).ok_or(Reason::NotAskedFor),
        OwnerClaim::Absent | OwnerClaim::Unreadable => Err(Reason::NoOwner),
        OwnerClaim::Contradictory => Err(Reason::Contradictory),
    }
}
