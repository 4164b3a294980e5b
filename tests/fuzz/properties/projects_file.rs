//! The config file, as anybody may have written it.

use std::path::PathBuf;

use dsr::config::{Environment, Mode, ProjectEntry, ProjectsFile, resolve};
use dsr::domain::{Kind, ProjectName, ProjectToken, Region};

const TOKEN: &str = "fedcba9876543210fedcba9876543210";

/// It is read as a whole or not at all, never quoted, and an edit changes nothing else.
pub(crate) fn load_and_edit(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, bytes).expect("a file");
    match ProjectsFile::load(path.clone()) {
        Ok(file) => {
            check_projects(&file);
            edit(file, path);
        }
        Err(error) => {
            let message = format!("{error} {error:?}");
            let path = path.to_string_lossy();
            let text = String::from_utf8_lossy(bytes);
            let is_inside = |c: char| c.is_ascii_alphanumeric();
            for word in text.split(|c| !is_inside(c)).filter(|w| w.len() >= 20) {
                let quotes = message.contains(word) && !path.contains(word);
                assert!(!quotes, "the file is quoted");
            }
        }
    }
}

/// A project stays within what Mixpanel allows.
fn check_projects(file: &ProjectsFile) {
    for (name, entry) in file.list() {
        assert!(ProjectName::new(name).is_some());
        let flags = [name.to_owned()];
        let Ok(found) = resolve(&flags, &Environment::default(), file, &Mode::Real) else {
            continue;
        };
        let [found] = found.as_slice() else {
            panic!("one project was asked for");
        };
        let project = &found.project;
        assert_eq!(project.name.as_str(), name);
        assert_eq!(
            entry.token.as_deref().map(str::trim),
            Some(project.token.expose())
        );
        assert_eq!(entry.region, Some(project.region));
        assert!((1..=2000).contains(&project.limits.for_kind(Kind::Delete).get()));
        assert!((1..=2000).contains(&project.limits.for_kind(Kind::Export).get()));
        assert!(project.rate.per_second() > 0.0 && project.rate.per_second() <= 1000.0);
        assert!(project.callbacks.len() <= 5);
        assert!(
            !format!("{found:?}").contains(project.token.expose())
                || project.token.expose().len() < 24
        );
    }
}

fn edit(mut file: ProjectsFile, path: PathBuf) {
    let name = ProjectName::new("added-by-us").expect("a name");
    let token = ProjectToken::new(TOKEN).expect("a token");
    let entry = ProjectEntry {
        region: Some(Region::Eu),
        data_groups: Some(3),
        ..ProjectEntry::default()
    };
    let before = listed(&file);
    let default = file.default_project().map(str::to_owned);
    match file.add(&name, &token, &entry) {
        Ok(()) => {
            let file = ProjectsFile::load(path.clone()).expect("our own edit");
            let added = file.find(name.as_str()).expect("what was added");
            assert_eq!(added.token.as_deref(), Some(TOKEN));
            assert_eq!(
                (added.region, added.data_groups),
                (Some(Region::Eu), Some(3))
            );
            assert_eq!(listed(&file).len(), before.len() + 1);
            assert!(before.iter().all(|old| listed(&file).contains(old)));
        }
        Err(_) => assert!(file.find(name.as_str()).is_some(), "it could be added"),
    }
    file.set_default(&name).expect("it is there");
    assert_eq!(file.default_project(), Some(name.as_str()));
    file.remove(&name).expect("it is there");
    let file = ProjectsFile::load(path).expect("our own edit");
    let rest: Vec<_> = before
        .into_iter()
        .filter(|(known, _)| known != name.as_str())
        .collect();
    assert_eq!(listed(&file), rest);
    assert_eq!(file.default_project(), None, "the default was {default:?}");
}

fn listed(file: &ProjectsFile) -> Vec<(String, String)> {
    let projects = file.list();
    projects
        .map(|(name, entry)| (name.to_owned(), format!("{entry:?}")))
        .collect()
}
