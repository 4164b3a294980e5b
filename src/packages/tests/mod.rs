//! Tests the packages from outside: an archive goes in, and the target is inspected.

mod documented;
mod doubt;
mod hostile;
mod inside;
mod members;
mod owners;
mod pages;
mod properties;
mod target;
mod texts;
mod ties;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::config::Company;
use crate::domain::{Disclosure, DistinctId, ProjectZone, RequestId, RetrievalScope, TaskId};
use crate::packages::{
    ArchiveToSplit, Limits, PackageForm, Provenance, Report, Review, SplitError, find_summary,
    split,
};

const NO_NAMES: &str = r#"{"event_names":{},"event_column_names":{},"profile_column_names":{}}"#;

struct Bench {
    folder: TempDir,
    people: Vec<DistinctId>,
    password: Option<SecretString>,
    about: Provenance,
    form: PackageForm,
    limits: Limits,
    draft: PathBuf,
}

impl Bench {
    fn new(archive: &[u8], people: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("export.zip"), archive).unwrap();
        let id = |text: &&str| DistinctId::new(text).unwrap();
        Self {
            draft: folder.path().join("to-check"),
            folder,
            people: people.iter().map(id).collect(),
            password: None,
            about: about(archive),
            form: PackageForm::Folders,
            limits: Limits::default(),
        }
    }

    fn of_members(members: &[(&str, &str)], people: &[&str]) -> Self {
        Self::new(&zip_of(members), people)
    }

    /// Where the packages are: in the draft folder if there is one.
    fn target(&self) -> PathBuf {
        match self.draft.exists() {
            true => self.draft.clone(),
            false => self.final_target(),
        }
    }

    fn final_target(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    fn order<'a>(&'a self, archive: &'a Path, target: &'a Path) -> ArchiveToSplit<'a> {
        ArchiveToSplit {
            archive,
            password: self.password.as_ref(),
            people: &self.people,
            elsewhere: &Vec::new,
            target,
            draft: &self.draft,
            about: &self.about,
            form: self.form,
            limits: self.limits,
        }
    }

    fn try_split(&self) -> Result<Report, SplitError> {
        let (archive, target) = (self.folder.path().join("export.zip"), self.final_target());
        let order = self.order(&archive, &target);
        split(&order, &mut |_| ControlFlow::Continue(()))
    }

    fn split(&self) -> Report {
        self.try_split().expect("packages")
    }

    /// Expects a failure that leaves only the archive behind.
    fn fails(&self) -> SplitError {
        let error = self.try_split().expect_err("no packages");
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["export.zip"], "{error:?}");
        error
    }

    fn package(&self, id: &str) -> PathBuf {
        self.target().join(name_of(id))
    }

    fn read(&self, id: &str, file: &str) -> String {
        std::fs::read_to_string(self.package(id).join(file)).unwrap()
    }

    fn lines(&self, id: &str, file: &str) -> Vec<String> {
        self.read(id, file).lines().map(str::to_owned).collect()
    }

    fn unassigned(&self, file: &str) -> String {
        std::fs::read_to_string(self.target().join("unassigned").join(file)).unwrap()
    }

    fn manifest(&self, id: &str) -> Value {
        serde_json::from_str(&self.read(id, "manifest.json")).unwrap()
    }
}

fn name_of(id: &str) -> String {
    hex(id.as_bytes())[..32].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn about(archive: &[u8]) -> Provenance {
    Provenance {
        scope: RetrievalScope::Gdpr,
        project: "shop".to_owned(),
        request: RequestId::restore("q7tz0xmab2cd3ef4".to_owned()),
        task: TaskId::new("3e0b7f52-1111-4222-8333-444455556666").unwrap(),
        fetched: time("2026-11-20T08:00:00Z"),
        made: time("2026-11-22T12:30:00Z"),
        sha256: hex(archive),
        zone: ProjectZone::default(),
        review: Review::Open,
        company: Company::default(),
        sandbox: false,
    }
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
}

fn zip_of(members: &[(&str, &str)]) -> Vec<u8> {
    zip_with(options(), members)
}

fn zip_with(options: SimpleFileOptions, members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn event(id: &str, name: &str, time: i64) -> String {
    let id = Value::from(id);
    let name = Value::from(name);
    format!(r#"{{"event":{name},"properties":{{"distinct_id":{id},"time":{time}}}}}"#)
}

fn profile(id: &str) -> String {
    let id = Value::from(id);
    format!(r#"{{"$distinct_id":{id},"$properties":{{"$city":"Lima"}}}}"#)
}

fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}
