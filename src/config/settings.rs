//! The settings of the config file, and the check that finds wrong ones.

use std::ops::Range;

use toml_edit::{Item, TableLike, Value};

use crate::domain::{ProjectName, Region, looks_like_secret, most_like};

/// What a setting takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Text,
    Region,
    Switch,
    WholeNumber,
    Number,
    Texts,
    Days,
    Company,
    Projects,
}

type Settings = &'static [(&'static str, Takes)];

const TOP: Settings = &[
    ("default_project", Takes::Text),
    ("default_auth", Takes::Text),
    ("ledger", Takes::Text),
    ("company", Takes::Company),
    ("projects", Takes::Projects),
];

const COMPANY: Settings = &[
    ("name", Takes::Text),
    ("contact", Takes::Text),
    ("officer", Takes::Text),
    ("purposes", Takes::Text),
    ("recipients", Takes::Text),
    ("retention", Takes::Text),
    ("authority", Takes::Text),
];

const PROJECT: Settings = &[
    ("token", Takes::Text),
    ("region", Takes::Region),
    ("data_groups", Takes::WholeNumber),
    ("delete_batch", Takes::WholeNumber),
    ("export_batch", Takes::WholeNumber),
    ("approvals", Takes::WholeNumber),
    ("rate", Takes::Number),
    ("project_id", Takes::WholeNumber),
    ("queries_per_hour", Takes::WholeNumber),
    ("callbacks", Takes::Texts),
    ("holidays", Takes::Days),
    ("time_zone", Takes::Text),
    ("auth", Takes::Text),
    ("verify", Takes::Switch),
];

/// Longer words may be a token in the wrong place, so no message shows them.
pub(super) const LONGEST_KEY: usize = "default_project".len();

/// What is wrong with the file, in words that quote no value.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) place: Option<Range<usize>>,
    pub(super) message: String,
    /// The setting that an unknown one probably means.
    pub(super) similar: Option<&'static str>,
}

/// Finds the first mistake: an unknown setting, or one with a value of the wrong kind.
pub(super) fn check(file: &dyn TableLike) -> Result<(), Mistake> {
    check_table(file, TOP, "dsr")
}

fn check_table(table: &dyn TableLike, known: Settings, of: &str) -> Result<(), Mistake> {
    for (name, item) in table.iter() {
        match known.iter().find(|(setting, _)| *setting == name) {
            Some((setting, takes)) => check_value(setting, *takes, item)?,
            None => return Err(unknown(table, name, known, of)),
        }
    }
    Ok(())
}

fn unknown(table: &dyn TableLike, name: &str, known: Settings, of: &str) -> Mistake {
    Mistake {
        place: place_of(table, name),
        message: format!("{} is not a setting of {of}", shown(name)),
        similar: most_like(name, known.iter().map(|(setting, _)| *setting)),
    }
}

fn place_of(table: &dyn TableLike, name: &str) -> Option<Range<usize>> {
    table.get_key_value(name).and_then(|(key, _)| key.span())
}

fn shown(key: &str) -> String {
    match key.len() > LONGEST_KEY {
        true => "this key".to_owned(),
        false => format!("`{key}`"),
    }
}

fn check_value(setting: &'static str, takes: Takes, item: &Item) -> Result<(), Mistake> {
    let all = |is: fn(&Value) -> bool| item.as_array().is_some_and(|array| array.iter().all(is));
    let is_right = match takes {
        Takes::Text => item.is_str(),
        Takes::Region => item
            .as_str()
            .is_some_and(|text| Region::parse(text).is_some()),
        Takes::WholeNumber => item
            .as_integer()
            .is_some_and(|number| u32::try_from(number).is_ok()),
        Takes::Switch => item.is_bool(),
        Takes::Number => item.is_float() || item.is_integer(),
        Takes::Texts => all(Value::is_str),
        Takes::Days => all(|day| day.is_str() || day.is_datetime()),
        Takes::Company => match item.as_table_like() {
            Some(company) => return check_table(company, COMPANY, "the company"),
            None => false,
        },
        Takes::Projects => match item.as_table_like() {
            Some(projects) => return check_projects(projects),
            None => false,
        },
    };
    match is_right {
        true => Ok(()),
        false => Err(wrong_kind(setting, takes, item)),
    }
}

fn check_projects(projects: &dyn TableLike) -> Result<(), Mistake> {
    for (name, item) in projects.iter() {
        if ProjectName::new(name).is_none() || looks_like_secret(name) {
            return Err(Mistake {
                place: place_of(projects, name),
                message: format!("{} cannot be the name of a project", shown(name)),
                similar: None,
            });
        }
        match item.as_table_like() {
            Some(project) => check_table(project, PROJECT, "a project")?,
            None => return Err(wrong_kind("projects", Takes::Projects, item)),
        }
    }
    Ok(())
}

fn wrong_kind(setting: &str, takes: Takes, item: &Item) -> Mistake {
    let wanted = match takes {
        Takes::Text => "a text in quotes",
        Takes::Region => "us, eu or in, in quotes",
        Takes::Switch => "true or false",
        Takes::WholeNumber => "a whole number",
        Takes::Number => "a number",
        Takes::Texts => "a list of texts in quotes",
        Takes::Days => "a list of days, such as [2026-12-25]",
        Takes::Company => "a table: write [company] above its settings",
        Takes::Projects => "a table for each project: write [projects.NAME] above its settings",
    };
    Mistake {
        place: item.span(),
        message: format!("`{setting}` takes {wanted}"),
        similar: None,
    }
}

#[cfg(test)]
mod tests {
    use toml_edit::Document;

    use super::*;

    #[test]
    fn every_mistake_is_reported_in_our_words() {
        for (text, message, similar) in [
            ("tokn = 1\n", "`tokn` is not a setting of dsr", None),
            (
                "[project.a]\n",
                "`project` is not a setting of dsr",
                Some("projects"),
            ),
            (
                "[projects.a]\ntokn = 1\n",
                "`tokn` is not a setting of a project",
                Some("token"),
            ),
            (
                "[company]\nofficers = 1\n",
                "`officers` is not a setting of the company",
                Some("officer"),
            ),
            (
                "[projects]\na = {0123456789abcdef = 1}\n",
                "this key is not a setting of a project",
                None,
            ),
            (
                "[projects.a]\ntoken = 5\n",
                "`token` takes a text in quotes",
                None,
            ),
            (
                "[projects.a]\nregion = \"de\"\n",
                "`region` takes us, eu or in, in quotes",
                None,
            ),
            (
                "[projects.a]\napprovals = -1\n",
                "`approvals` takes a whole number",
                None,
            ),
            (
                "[projects.a]\nverify = \"yes\"\n",
                "`verify` takes true or false",
                None,
            ),
            (
                "[projects.a]\nrate = \"1\"\n",
                "`rate` takes a number",
                None,
            ),
            (
                "[projects.a]\ncallbacks = [5]\n",
                "`callbacks` takes a list of texts in quotes",
                None,
            ),
            (
                "[projects.a]\nholidays = [5]\n",
                "`holidays` takes a list of days, such as [2026-12-25]",
                None,
            ),
            (
                "[projects.\"a b\"]\n",
                "`a b` cannot be the name of a project",
                None,
            ),
            (
                "company = 5\n",
                "`company` takes a table: write [company] above its settings",
                None,
            ),
            (
                "[projects]\na = 5\n",
                "`projects` takes a table for each project: write [projects.NAME] above its settings",
                None,
            ),
        ] {
            let document = Document::parse(text).unwrap();
            let mistake = check(document.as_table()).unwrap_err();
            let found = (mistake.message.as_str(), mistake.similar);
            assert_eq!(found, (message, similar), "{text}");
            assert!(mistake.place.is_some(), "{text}");
        }
    }
}
