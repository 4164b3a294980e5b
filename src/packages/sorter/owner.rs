//! Decides whose a record is. A record that may be another person's belongs to nobody.

use std::borrow::Cow;

use crate::packages::people::People;

/// What one group of fields says about the owner of a record. Fields that agree are one claim;
/// `null` or an empty text is no claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum OwnerClaim<'a> {
    #[default]
    Absent,
    Id(Cow<'a, str>),
    /// A value that cannot be an id, such as an object.
    Unreadable,
    /// Fields name different people, or a repeated field does.
    Contradictory,
}

impl<'a> OwnerClaim<'a> {
    pub(crate) fn add(&mut self, other: Self) {
        let before = std::mem::take(self);
        *self = match (before, other) {
            (claim, Self::Absent) | (Self::Absent, claim) => claim,
            (claim, other) if claim == other => claim,
            _ => Self::Contradictory,
        };
    }

    /// The claim in the JSON text of one field. A number counts by its digits as written.
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

    pub(crate) fn into_owned(self) -> OwnerClaim<'static> {
        match self {
            Self::Absent => OwnerClaim::Absent,
            Self::Id(id) => OwnerClaim::Id(Cow::Owned(id.into_owned())),
            Self::Unreadable => OwnerClaim::Unreadable,
            Self::Contradictory => OwnerClaim::Contradictory,
        }
    }

    pub(crate) fn of_field(text: &'a str) -> Self {
        match text {
            "" => Self::Absent,
            id => Self::Id(Cow::Borrowed(id)),
        }
    }
}

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

    /// Whether an inner record with these claims certainly has the owner of the record around it.
    /// True if both have the same owner, or if the outer record makes all the inner claims too.
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

/// Why a record is in no package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// It names one person, who is not in the request.
    NotAskedFor,
    /// The same, but that person may be in the request under another id.
    MayBeAskedFor,
    NoOwner,
    Contradictory,
}

/// The index of the person a record belongs to.
///
/// Its distinct_id alone decides: a device may have several users, and only Mixpanel knows whom a
/// merged id stands for. Without a distinct_id, `$user_id` decides, then `$device_id`, if it is
/// exactly a requested id.
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
