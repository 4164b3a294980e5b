//! `unassigned/`: everything of the archive that is in no package, sorted by reason.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::owner::Reason;
use crate::packages::SplitError;
use crate::packages::archive::documented::JobMember;
use crate::packages::archive::sink::PiecePlace;
use crate::packages::staging::{create_file, make_folder};

const FOLDER: &str = "unassigned";
const MEMBERS: &str = "members";
const REPORT: &str = "report.json";
const NOT_ASKED_FOR: &str = "not-asked-for.jsonl";

/// How much of the archive is in no package, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unassigned {
    /// Records of one person outside the request: `not-asked-for.jsonl`.
    pub not_asked_for: u64,
    /// Records of one person who may be in the request under another id: `may-be-asked-for.jsonl`.
    pub may_be_asked_for: u64,
    /// The records of `not-asked-for.jsonl` if no record belongs to a requested person. It may be
    /// the wrong archive.
    pub others_only: u64,
    /// Parts that the archive should hold or names but does not hold; `report.json` names them.
    pub missing: u64,
    /// Records without an id that decides whose they are: `no-owner.jsonl`.
    pub no_owner: u64,
    /// Records that name several people: `contradictory.jsonl`.
    pub contradictory: u64,
    /// Pieces that cannot be read as records: `broken.txt`.
    pub broken: u64,
    /// Pieces between the records of a document, such as a page number: `asides.txt`.
    pub asides: u64,
    /// Members that cannot be opened or have an unknown format, kept whole: `members/`.
    pub members: u64,
    /// Lists of names, delivered instead of records, for several people together: `../job/`.
    pub shared_lists: u64,
}

impl Unassigned {
    /// Records, pieces and members in no package, without the pieces between records.
    pub fn total(&self) -> u64 {
        self.not_asked_for + self.unclear()
    }

    /// Parts that may be about anyone: missing, unreadable, or without a certain owner.
    pub fn unclear(&self) -> u64 {
        let records = self.no_owner + self.contradictory + self.may_be_asked_for + self.others_only;
        records + self.broken + self.members + self.shared_lists + self.missing
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct MemberReport {
    name: String,
    read_as: &'static str,
    records: u64,
    broken: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_as: Option<String>,
}

impl MemberReport {
    pub(crate) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// Whether it is the documented member of this name, with the content that such a name promises.
    pub(crate) fn is_documented(&self, name: &str) -> bool {
        let is_in_form = (self.read_as == "csv") == name.ends_with(".csv");
        self.file_name() == name
            && match JobMember::of_name(name) {
                Some(_) => self.is_of_the_job(),
                None => is_in_form || self.read_as == "empty",
            }
    }

    /// Whether its content is about the whole job.
    pub(crate) fn is_of_the_job(&self) -> bool {
        matches!(self.read_as, "name_list" | "summary")
    }

    /// Whether it is neither about the whole job nor an archive of other members.
    pub(crate) fn may_hold_records(&self) -> bool {
        !self.is_of_the_job() && !matches!(self.read_as, "zip" | "gzip")
    }
}

/// Writes `unassigned/`; creates a file only when something goes into it.
pub(crate) struct UnassignedWriter {
    folder: PathBuf,
    files: BTreeMap<&'static str, BufWriter<File>>,
    counts: Unassigned,
    members: Vec<MemberReport>,
}

impl UnassignedWriter {
    pub(crate) fn new(root: &Path) -> Result<Self, SplitError> {
        let folder = root.join(FOLDER);
        make_folder(&folder)?;
        Ok(Self {
            folder,
            files: BTreeMap::new(),
            counts: Unassigned::default(),
            members: Vec::new(),
        })
    }

    pub(crate) fn begin_member(&mut self, name: &str, read_as: &'static str) {
        self.members.push(MemberReport {
            name: name.to_owned(),
            read_as,
            records: 0,
            broken: 0,
            kept_as: None,
        });
    }

    pub(crate) fn count_record(&mut self) {
        if let Some(member) = self.members.last_mut() {
            member.records += 1;
        }
    }

    pub(crate) fn add_record(&mut self, reason: Reason, line: &[u8]) -> Result<(), SplitError> {
        let (name, count) = match reason {
            Reason::NotAskedFor => (NOT_ASKED_FOR, &mut self.counts.not_asked_for),
            Reason::MayBeAskedFor => ("may-be-asked-for.jsonl", &mut self.counts.may_be_asked_for),
            Reason::NoOwner => ("no-owner.jsonl", &mut self.counts.no_owner),
            Reason::Contradictory => ("contradictory.jsonl", &mut self.counts.contradictory),
        };
        *count += 1;
        self.write(name, &[line, b"\n"])
    }

    /// Moves the records of people not asked for that `may_be_asked_for` accepts. Returns whether
    /// there were any.
    pub(crate) fn look_again(
        &mut self,
        may_be_asked_for: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bool, SplitError> {
        let Some(mut file) = self.files.remove(NOT_ASKED_FOR) else {
            return Ok(false);
        };
        let path = self.folder.join(NOT_ASKED_FOR);
        let failed = |error| SplitError::write(&path)(error);
        file.flush().map_err(failed)?;
        drop(file);
        let before = self.folder.join("not-asked-for.before");
        fs::rename(&path, &before).map_err(failed)?;
        let mut lines = BufReader::new(File::open(&before).map_err(failed)?);
        let all = std::mem::take(&mut self.counts.not_asked_for);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            line.pop();
            let reason = match may_be_asked_for(&line) {
                true => Reason::MayBeAskedFor,
                false => Reason::NotAskedFor,
            };
            self.add_record(reason, &line)?;
            line.clear();
        }
        drop(lines);
        fs::remove_file(&before).map_err(failed)?;
        Ok(self.counts.not_asked_for < all)
    }

    /// Keeps bytes unchanged; adds a line end after the last piece.
    pub(crate) fn add_broken(&mut self, bytes: &[u8], piece: PiecePlace) -> Result<(), SplitError> {
        if matches!(piece, PiecePlace::Whole | PiecePlace::First) {
            self.counts.broken += 1;
            if let Some(member) = self.members.last_mut() {
                member.broken += 1;
            }
        }
        let end: &[u8] = match piece {
            PiecePlace::Whole | PiecePlace::Last => b"\n",
            PiecePlace::First | PiecePlace::Middle => b"",
        };
        self.write("broken.txt", &[bytes, end])
    }

    pub(crate) fn add_aside(&mut self, bytes: &[u8]) -> Result<(), SplitError> {
        self.counts.asides += 1;
        self.write("asides.txt", &[bytes, b"\n"])
    }

    /// Keeps a member whole under a generated name; the report has its own name.
    pub(crate) fn add_member(
        &mut self,
        bytes: &mut dyn Read,
    ) -> io::Result<Result<(), SplitError>> {
        let folder = self.folder.join(MEMBERS);
        let name = format!("member-{:05}", self.members.len());
        let path = folder.join(&name);
        if self.counts.members == 0
            && let Err(error) = make_folder(&folder)
        {
            return Ok(Err(error));
        }
        self.counts.members += 1;
        let mut file = match create_file(&path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let mut buffer = vec![0; 128 * 1024];
        loop {
            // A read error is the archive's fault, a write error ours.
            let count = bytes.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            if let Err(error) = file.write_all(&buffer[..count]) {
                return Ok(Err(SplitError::write(&path)(error)));
            }
        }
        self.kept(format!("{MEMBERS}/{name}"));
        Ok(Ok(()))
    }

    pub(crate) fn kept(&mut self, place: String) {
        if let Some(member) = self.members.last_mut() {
            member.kept_as = Some(place);
        }
    }

    fn write(&mut self, name: &'static str, parts: &[&[u8]]) -> Result<(), SplitError> {
        let path = || self.folder.join(name);
        let file = match self.files.entry(name) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(BufWriter::new(create_file(&path())?))
            }
        };
        for part in parts {
            file.write_all(part).map_err(SplitError::write(&path()))?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(Unassigned, Vec<MemberReport>), SplitError> {
        for (name, file) in &mut self.files {
            let path = self.folder.join(name);
            file.flush().map_err(SplitError::write(&path))?;
        }
        Ok((self.counts, self.members))
    }
}

pub(crate) fn write_report(
    root: &Path,
    counts: &Unassigned,
    members: &[MemberReport],
    missing: &[&str],
) -> Result<(), SplitError> {
    let path = root.join(FOLDER).join(REPORT);
    let report = serde_json::json!({
        "schema": 1,
        "unassigned": counts,
        "missing": missing,
        "members": members,
    });
    let mut file = create_file(&path)?;
    let text = format!("{report:#}\n");
    file.write_all(text.as_bytes())
        .map_err(SplitError::write(&path))
}
