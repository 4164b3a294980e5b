use std::num::NonZeroUsize;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Actor, Deadline, Disclosure, Exclusion, Kind, Law, Operation, Period, ProjectKey, ProjectName,
    Rate, Region, from_hex, to_hex,
};

use crate::domain::timestamp::time;

use super::error::Flaw;
use super::people::PeopleDigest;
use super::{MAX_HEADER_BYTES, VERSION};

/// The readable part of a plan: everything except the people's ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub operation: Operation,
    pub project: ProjectName,
    pub region: Region,
    /// A name for the API's address; all loopback addresses share one name.
    pub service: String,
    /// Identifies the project's token and service.
    pub project_key: ProjectKey,
    /// The operator's ticket number.
    pub reference: Option<String>,
    /// The day the person asked.
    pub received: NaiveDate,
    /// The last day to answer.
    pub due: NaiveDate,
    /// The last day to confirm receipt, if the law requires that.
    pub confirm_by: Option<NaiveDate>,
    /// Where the ids came from; never an id.
    pub source: String,
    pub excluded_source: String,
    /// The counts of each excluded file. Empty in plans of older versions, which did not count
    /// them.
    pub exclusions: Vec<Exclusion>,
    /// Values read, including repeated ones.
    pub read: usize,
    pub unique: usize,
    /// Ids that were read but are excluded, each counted once.
    pub excluded: usize,
    pub hashed: Option<HowHashed>,
    /// The suspicious ids found while reading the sources.
    pub warnings: Vec<Warned>,
    /// The most ids per job.
    pub batch: NonZeroUsize,
    pub rate: Rate,
    pub created: DateTime<Utc>,
    pub created_by: Actor,
    /// The version of dsr that made the plan.
    pub version: String,
}

/// How values were hashed into ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HowHashed {
    /// The word that `--hash` accepts.
    pub function: String,
    pub prefix: String,
    pub lowercase: bool,
}

/// A kind of suspicious ids, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// A stable word for scripts.
    pub kind: String,
    pub message: String,
    pub count: usize,
}

impl Header {
    /// How many days a plan may be applied: people change their minds, and lists age.
    pub const LIFE: Days = Days::new(30);

    /// The last moment at which the plan may be applied.
    pub fn expires(&self) -> DateTime<Utc> {
        let end = self.created.checked_add_days(Self::LIFE);
        end.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    pub fn deadline(&self) -> Deadline {
        Deadline {
            due: self.due,
            rule: self.operation.law().rule(Period::First),
        }
    }

    pub fn jobs(&self) -> usize {
        self.unique.div_ceil(self.batch.get())
    }

    /// How many values repeat an earlier one.
    pub fn duplicates(&self) -> usize {
        self.read - self.unique - self.excluded
    }
}

/// How the plan is sealed; also in the readable part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// The fingerprint of the ledger key.
    pub(super) key: String,
    pub(super) salt: [u8; 32],
    /// The [`PeopleDigest`] of the sealed ids.
    pub(super) people: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenHeader {
    dsr_plan: u64,
    kind: Kind,
    law: Law,
    disclosure: Option<Disclosure>,
    project: WrittenProject,
    #[serde(rename = "ref")]
    reference: Option<String>,
    received: NaiveDate,
    due: NaiveDate,
    confirm_by: Option<NaiveDate>,
    source: String,
    excluded_source: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exclusions: Vec<Exclusion>,
    ids: WrittenIds,
    hashing: Option<HowHashed>,
    warnings: Vec<Warned>,
    limits: WrittenLimits,
    #[serde(serialize_with = "time")]
    created: DateTime<Utc>,
    created_by: WrittenActor,
    dsr: String,
    people: String,
    ledger_key: String,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenProject {
    name: String,
    region: Region,
    service: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenIds {
    read: usize,
    unique: usize,
    duplicates: usize,
    excluded: usize,
}

#[derive(Serialize, Deserialize)]
struct WrittenLimits {
    batch: NonZeroUsize,
    rate: f64,
    jobs: usize,
}

#[derive(Serialize, Deserialize)]
struct WrittenActor {
    user: String,
    host: String,
}

/// The readable part as written to the file, including the last line end.
pub(super) fn to_bytes(header: &Header, lock: &Lock) -> Result<Vec<u8>, Flaw> {
    let written = WrittenHeader {
        dsr_plan: VERSION,
        kind: header.operation.kind(),
        law: header.operation.law(),
        disclosure: header.operation.disclosure(),
        project: WrittenProject {
            name: header.project.to_string(),
            region: header.region,
            service: header.service.clone(),
            key: header.project_key.as_str().to_owned(),
        },
        reference: header.reference.clone(),
        received: header.received,
        due: header.due,
        confirm_by: header.confirm_by,
        source: header.source.clone(),
        excluded_source: header.excluded_source.clone(),
        exclusions: header.exclusions.clone(),
        ids: WrittenIds {
            read: header.read,
            unique: header.unique,
            duplicates: header.duplicates(),
            excluded: header.excluded,
        },
        hashing: header.hashed.clone(),
        warnings: header.warnings.clone(),
        limits: WrittenLimits {
            batch: header.batch,
            rate: header.rate.per_second(),
            jobs: header.jobs(),
        },
        created: header.created,
        created_by: WrittenActor {
            user: header.created_by.user().to_owned(),
            host: header.created_by.host().to_owned(),
        },
        dsr: header.version.clone(),
        people: lock.people.clone(),
        ledger_key: lock.key.clone(),
        salt: to_hex(&lock.salt),
    };
    let mut bytes = serde_json::to_vec_pretty(&written)
        .map_err(|_| Flaw::Damaged("its readable part cannot be written"))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads the readable part strictly: writing it again must give the same bytes.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<(Header, Lock), Flaw> {
    #[derive(Deserialize)]
    struct Version {
        dsr_plan: u64,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(|_| Flaw::NotAPlan)?;
    match version.dsr_plan {
        VERSION => {}
        0 => return Err(Flaw::NotAPlan),
        newer => return Err(Flaw::Newer(newer)),
    }
    let written: WrittenHeader =
        serde_json::from_slice(bytes).map_err(|_| Flaw::Damaged("its readable part"))?;
    let (header, lock) =
        understand(written).ok_or(Flaw::Damaged("its readable part contradicts itself"))?;
    if to_bytes(&header, &lock)? != bytes || bytes.len() > MAX_HEADER_BYTES {
        return Err(Flaw::Damaged("its readable part is not as dsr writes it"));
    }
    Ok((header, lock))
}

fn understand(written: WrittenHeader) -> Option<(Header, Lock)> {
    let ids = &written.ids;
    let different = ids.unique.checked_add(ids.excluded)?;
    let lock = Lock {
        key: small_hex(written.ledger_key, 16)?,
        salt: from_hex(&written.salt)?,
        people: small_hex(written.people, PeopleDigest::DIGITS)?,
    };
    let header = Header {
        operation: Operation::from_parts(written.kind, written.law, written.disclosure)?,
        project: ProjectName::new(&written.project.name)?,
        region: written.project.region,
        service: written.project.service,
        project_key: ProjectKey::restore(small_hex(written.project.key, 32)?),
        reference: written.reference,
        received: written.received,
        due: written.due,
        confirm_by: written.confirm_by,
        source: written.source,
        excluded_source: written.excluded_source,
        exclusions: written.exclusions,
        read: ids.read,
        unique: ids.unique,
        excluded: ids.excluded,
        hashed: written.hashing,
        warnings: written.warnings,
        batch: written.limits.batch,
        rate: Rate::new(written.limits.rate).ok()?,
        created: written.created,
        created_by: Actor::new(&written.created_by.user, &written.created_by.host),
        version: written.dsr,
    };
    // Intake numbers the values with 32 bits.
    let fits = u32::try_from(ids.read).is_ok() && ids.unique > 0 && different <= ids.read;
    let days = [Some(header.received), Some(header.due), header.confirm_by];
    let mut days = days.into_iter().flatten();
    let fits = fits && days.all(is_plausible) && is_plausible(header.created.date_naive());
    fits.then_some((header, lock))
}

/// Rules out dates at the ends of the calendar, where date arithmetic overflows.
fn is_plausible(day: NaiveDate) -> bool {
    (1970..=9999).contains(&day.year())
}

fn small_hex(text: String, digits: usize) -> Option<String> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(is_digit)).then_some(text)
}
