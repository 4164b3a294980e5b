use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize, Serializer};
use toml_edit::{Datetime, Document, DocumentMut, Item, Table, value};

use crate::domain::{ProjectName, ProjectToken, Region, TokenName, most_like};

use super::settings::{self, LONGEST_KEY, Mistake};
use super::{Company, create_private_folder, folder_of, replace, sync_file};

/// The config file: TOML that people may also edit. dsr keeps comments and order.
#[derive(Debug)]
pub struct ProjectsFile {
    path: PathBuf,
    document: DocumentMut,
    content: ProjectsContent,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectsContent {
    default_project: Option<String>,
    default_auth: Option<TokenName>,
    ledger: Option<String>,
    #[serde(default)]
    company: Company,
    #[serde(default)]
    projects: BTreeMap<String, ProjectEntry>,
}

/// A `[projects.NAME]` table as written; `dsr help files` has the ranges.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectEntry {
    pub token: Option<String>,
    pub region: Option<Region>,
    pub data_groups: Option<u32>,
    pub delete_batch: Option<usize>,
    pub export_batch: Option<usize>,
    #[serde(default, skip_serializing_if = "demands_nothing")]
    pub approvals: u32,
    pub rate: Option<f64>,
    pub project_id: Option<u32>,
    pub queries_per_hour: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Day>,
    /// An IANA name, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    pub auth: Option<TokenName>,
    /// Whether deletions keep their ids until they were verified.
    pub verify: Option<bool>,
}

fn demands_nothing(approvals: &u32) -> bool {
    *approvals == 0
}

/// A day, as a TOML date or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl Serialize for Day {
    /// A TOML date, or a text if the year does not have four digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        match text.parse::<Datetime>() {
            Ok(date) => date.serialize(serializer),
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum DateOrText {
            Date(toml_edit::Datetime),
            Text(String),
        }
        let text = match DateOrText::deserialize(deserializer)? {
            DateOrText::Date(date) => date.to_string(),
            DateOrText::Text(text) => text,
        };
        text.parse()
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a day is written as YYYY-MM-DD"))
    }
}

/// Why the config file cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectsFileError {
    #[error("cannot read the config file `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the config file `{path}`")]
    Write { path: PathBuf, source: io::Error },
    // The parser's own message quotes the line, which may hold a token.
    #[error("the config file `{path}`, line {line}: {message}")]
    Malformed {
        path: PathBuf,
        line: usize,
        message: String,
        /// The setting that an unknown one probably means.
        similar: Option<&'static str>,
    },
    #[error("the config file `{path}` is not a regular file")]
    NotAFile { path: PathBuf },
    #[error("the config file `{path}` is UTF-16, and dsr reads UTF-8")]
    Utf16 { path: PathBuf },
    #[error("there is a project `{0}` already")]
    Exists(ProjectName),
    #[error("there is no project `{name}` in the config file")]
    Missing {
        name: ProjectName,
        similar: Option<String>,
    },
}

impl ProjectsFile {
    /// Reads the file; a missing file is empty.
    ///
    /// # Errors
    /// When it is unreadable or malformed. The message never quotes the file.
    pub fn load(path: PathBuf) -> Result<Self, ProjectsFileError> {
        // Opening a pipe would wait for a writer.
        let bytes = match std::fs::metadata(&path).map(|found| found.is_file()) {
            Ok(false) => return Err(ProjectsFileError::NotAFile { path }),
            Ok(true) => std::fs::read(&path),
            Err(error) => Err(error),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(ProjectsFileError::Read { path, source }),
        };
        // UTF-16, as PowerShell's `>` writes it. Without a mark, every other byte is zero.
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] = bytes[..] {
            return Err(ProjectsFileError::Utf16 { path });
        }
        let text = String::from_utf8(bytes).map_err(|error| ProjectsFileError::Malformed {
            path: path.clone(),
            line: line_at(error.as_bytes(), error.utf8_error().valid_up_to()),
            message: "not UTF-8; save the file as UTF-8".to_owned(),
            similar: None,
        })?;
        let malformed = |mistake: Mistake| {
            let start = mistake.place.map_or(0, |place| place.start);
            ProjectsFileError::Malformed {
                path: path.clone(),
                line: line_at(text.as_bytes(), start),
                message: mistake.message,
                similar: mistake.similar,
            }
        };
        let of_parser = |message: &str, place: Option<std::ops::Range<usize>>| {
            malformed(Mistake {
                place,
                message: hide_long_words(message),
                similar: None,
            })
        };
        let document = Document::parse(text.as_str()).map_err(|error| {
            of_parser(
                &format!("not valid TOML: {}", error.message()),
                error.span(),
            )
        })?;
        settings::check(document.as_table()).map_err(malformed)?;
        let document = document.into_mut();
        let content: ProjectsContent = toml_edit::de::from_str(&text)
            .map_err(|error| of_parser(error.message(), error.span()))?;
        Ok(Self {
            path,
            document,
            content,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn default_project(&self) -> Option<&str> {
        self.content.default_project.as_deref()
    }

    /// The URL of the ledger's server, unparsed.
    pub fn ledger(&self) -> Option<&str> {
        self.content.ledger.as_deref()
    }

    /// The OAuth token of projects that name none; `None` for the main one.
    pub fn default_auth(&self) -> Option<&TokenName> {
        self.content.default_auth.as_ref()
    }

    /// What the company says about itself on people's pages.
    pub fn company(&self) -> &Company {
        &self.content.company
    }

    pub fn find(&self, name: &str) -> Option<&ProjectEntry> {
        self.content.projects.get(name)
    }

    /// Where a project's setting is: the file and the line.
    pub fn place_of(&self, project: &str, setting: &str) -> String {
        // The document loses its places when it becomes editable.
        let text = self.document.to_string();
        let parsed = Document::parse(text.as_str()).ok();
        let start = parsed.as_ref().and_then(|parsed| {
            let table = parsed.get("projects")?.get(project)?.as_table_like()?;
            Some(table.get_key_value(setting)?.0.span()?.start)
        });
        let path = self.path.display();
        let line = line_at(text.as_bytes(), start.unwrap_or(0));
        format!("the config file `{path}`, line {line}: project `{project}`")
    }

    /// Each project's name and settings, sorted by name.
    pub fn list(&self) -> impl ExactSizeIterator<Item = (&str, &ProjectEntry)> {
        let projects = self.content.projects.iter();
        projects.map(|(name, entry)| (name.as_str(), entry))
    }

    /// The project that `name` probably means.
    pub fn similar(&self, name: &str) -> Option<String> {
        let names = self.list().map(|(name, _)| name);
        most_like(name, names).map(str::to_owned)
    }

    fn missing(&self, name: &ProjectName) -> ProjectsFileError {
        ProjectsFileError::Missing {
            name: name.clone(),
            similar: self.similar(name.as_str()),
        }
    }

    /// Adds a project; the first one becomes the default.
    ///
    /// # Errors
    /// When the name is taken, or the file cannot be written.
    pub fn add(
        &mut self,
        name: &ProjectName,
        token: &ProjectToken,
        entry: &ProjectEntry,
    ) -> Result<(), ProjectsFileError> {
        if self.find(name.as_str()).is_some() {
            return Err(ProjectsFileError::Exists(name.clone()));
        }
        let entry = ProjectEntry {
            token: Some(token.expose().to_owned()),
            ..entry.clone()
        };
        let written = toml_edit::ser::to_document(&entry)
            .map_err(|error| self.unwritten(io::Error::other(error)))?;
        let fields = written.iter().map(|(key, field)| (key, field.clone()));
        let mut table = Table::new();
        table.extend(fields);
        let projects = self
            .document
            .entry("projects")
            .or_insert_with(implicit_table);
        projects[name.as_str()] = Item::Table(table);
        if self.content.default_project.is_none() && self.content.projects.is_empty() {
            self.document["default_project"] = value(name.as_str());
        }
        self.save()
    }

    /// Makes a project the default.
    pub fn set_default(&mut self, name: &ProjectName) -> Result<(), ProjectsFileError> {
        if self.find(name.as_str()).is_none() {
            return Err(self.missing(name));
        }
        self.document["default_project"] = value(name.as_str());
        self.save()
    }

    /// Sets a setting of a project, which must be of its kind.
    pub fn set(
        &mut self,
        name: &ProjectName,
        setting: &str,
        to: impl Into<toml_edit::Value>,
    ) -> Result<(), ProjectsFileError> {
        if self.find(name.as_str()).is_none() {
            return Err(self.missing(name));
        }
        self.document["projects"][name.as_str()][setting] = value(to);
        self.save()
    }

    /// Sets the OAuth token of projects that name none; `None` for the main one.
    pub fn set_default_auth(&mut self, name: Option<&TokenName>) -> Result<(), ProjectsFileError> {
        match name {
            Some(name) => self.document["default_auth"] = value(name.as_str()),
            None => drop(self.document.remove("default_auth")),
        }
        self.save()
    }

    /// Removes a project, and the default if this project was it.
    pub fn remove(&mut self, name: &ProjectName) -> Result<(), ProjectsFileError> {
        if self.find(name.as_str()).is_none() {
            return Err(self.missing(name));
        }
        if let Some(projects) = self.document["projects"].as_table_like_mut() {
            projects.remove(name.as_str());
        }
        if self.default_project() == Some(name.as_str()) {
            self.document.remove("default_project");
        }
        self.save()
    }

    fn unwritten(&self, source: io::Error) -> ProjectsFileError {
        ProjectsFileError::Write {
            path: self.path.clone(),
            source,
        }
    }

    /// Writes a new file (0600) beside the old one and moves it into place.
    fn save(&mut self) -> Result<(), ProjectsFileError> {
        let write = || {
            let folder = folder_of(&self.path);
            create_private_folder(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(self.document.to_string().as_bytes())?;
            sync_file(file.as_file())?;
            replace(file, &self.path)
        };
        write().map_err(|source| self.unwritten(source))?;
        *self = Self::load(self.path.clone())?;
        Ok(())
    }
}

/// The number of the line of this byte, from 1.
fn line_at(bytes: &[u8], place: usize) -> usize {
    let before = bytes.iter().take(place);
    1 + before.filter(|byte| **byte == b'\n').count()
}

fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// The parser quotes a wrong key or value, which may be a token in the wrong place.
fn hide_long_words(message: &str) -> String {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut shown = String::new();
    for part in message.split_inclusive(|c| !is_inside(c)) {
        let word = part.trim_end_matches(|c| !is_inside(c));
        if word.len() > LONGEST_KEY {
            shown.push('…');
            shown.push_str(&part[word.len()..]);
        } else {
            shown.push_str(part);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn file_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn edits_keep_what_people_wrote() {
        let text =
            "# ours since 2024\n[projects.old]\ntoken = \"t\" # do not lose\nregion = \"eu\"\n";
        let (_folder, path) = file_with(text);
        let mut file = ProjectsFile::load(path.clone()).unwrap();
        let name = ProjectName::new("new").unwrap();
        let holidays = [Day("2026-12-25".parse().unwrap()), Day(NaiveDate::MAX)];
        let entry = ProjectEntry {
            region: Some(Region::Us),
            data_groups: Some(2),
            approvals: 3,
            holidays: holidays.to_vec(),
            ..ProjectEntry::default()
        };
        file.add(&name, &ProjectToken::new(TOKEN).unwrap(), &entry)
            .unwrap();
        file.set_default(&name).unwrap();
        assert_eq!(file.default_project(), Some("new"));
        assert_eq!(file.find("new").unwrap().data_groups, Some(2));
        assert_eq!(file.find("new").unwrap().approvals, 3);
        assert_eq!(file.find("new").unwrap().holidays, holidays);
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.contains("holidays = [2026-12-25, "), "{written}");
        assert!(written.contains("# ours since 2024"));
        assert!(written.contains("# do not lose"));
        file.remove(&name).unwrap();
        assert_eq!(file.default_project(), None);
        assert!(!std::fs::read_to_string(&path).unwrap().contains(TOKEN));
        assert!(file.find("old").is_some());
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_not_quoted() {
        for (text, line) in [
            ("[projects.a]\ntoken = \"0123456789abcdef", 2),
            (
                "[projects.a]\nregion = \"eu\"\ntokn = \"0123456789abcdef\"\n",
                3,
            ),
            ("[projects.a]\ntoken = [\"0123456789abcdef\"]\n", 2),
            ("[projects.a]\nregion = \"0123456789abcdef\"\n", 2),
            ("[projects.a]\n0123456789abcdef = 1\n", 2),
            (
                "[projects.a]\nauth = \"0123456789abcdef0123456789abcdef+\"\n",
                2,
            ),
            ("default_auth = \"0123456789abcdef 1\"\n", 1),
            (
                "[company]\nname = \"x\"\nofficers = \"0123456789abcdef\"\n",
                3,
            ),
        ] {
            let (_folder, path) = file_with(text);
            let error = ProjectsFile::load(path).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(&format!("line {line}")), "{shown}");
            assert!(!shown.contains("0123456789abcdef"), "{shown}");
        }
    }

    #[test]
    fn holidays_are_dates_or_texts() {
        let (_folder, path) =
            file_with("[projects.a]\ntoken = \"t\"\nholidays = [2026-12-25, \"2026-12-26\"]\n");
        let file = ProjectsFile::load(path).unwrap();
        let days: Vec<String> = file
            .find("a")
            .unwrap()
            .holidays
            .iter()
            .map(|d| d.0.to_string())
            .collect();
        assert_eq!(days, ["2026-12-25", "2026-12-26"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/config.toml");
        let mut file = ProjectsFile::load(path.clone()).unwrap();
        let name = ProjectName::new("a").unwrap();
        file.add(
            &name,
            &ProjectToken::new(TOKEN).unwrap(),
            &ProjectEntry::default(),
        )
        .unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}
