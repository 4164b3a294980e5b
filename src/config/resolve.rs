use chrono::NaiveDate;
use secrecy::ExposeSecret;

use crate::domain::{
    ApiUrl, ApiUrlError, BatchLimits, HourlyQueries, IdsKept, LimitsError, Project, ProjectId,
    ProjectName, ProjectToken, ProjectZone, Rate, Region, looks_like_secret, most_like,
};

use super::{Environment, ProjectEntry, ProjectsFile};

/// Where a value came from; a later origin beats an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Default,
    #[serde(rename = "config_file")]
    File,
    Environment,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Default, Self::File, Self::Environment];
}

/// Whether the run is real or a rehearsal.
#[derive(Debug, Clone)]
pub enum Mode {
    Real,
    /// Each project has a made-up token. dsr ignores variables for tokens, regions and addresses.
    Sandbox {
        project_token: fn(&str) -> String,
        /// The projects outside the sandbox. A rehearsal may name them, too.
        real_projects: Vec<String>,
    },
}

/// A project, and the origin of what identifies it.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub project: Project,
    pub token_from: Origin,
    pub region_from: Origin,
    pub api_url_from: Origin,
    /// Of `project.id`, if it is set.
    pub id_from: Origin,
    /// How many other people must approve a deletion: the most that any name of the project
    /// requires.
    pub approvals: u32,
}

/// Why no project could be resolved. Never holds a token.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("no project is set up")]
    NoProject,
    #[error("there are several projects and none was chosen: {}", names.join(", "))]
    NotChosen { names: Vec<String> },
    #[error("there is no project `{name}`")]
    UnknownProject {
        name: String,
        similar: Option<String>,
    },
    #[error("the project's name looks like a token or a password, so dsr does not show it")]
    SecretName,
    #[error("`{name}` cannot be the name of a project")]
    BadName { name: String },
    #[error("project `{name}` is named twice")]
    NamedTwice { name: String },
    #[error("project `{name}` has a token in the config file and another in DSR_PROJECT_TOKEN")]
    TokenConflict { name: String },
    #[error("project `{name}` has a region in the config file and another in DSR_REGION")]
    RegionConflict { name: String },
    #[error("project `{name}` has a project_id in the config file and another in DSR_PROJECT_ID")]
    IdConflict { name: String },
    #[error("DSR_PROJECT_ID must be a number from 1")]
    BadId,
    #[error("project `{name}` has no token")]
    NoToken { name: String },
    #[error("the token of project `{name}` has white space or other characters that no token has")]
    BadToken { name: String },
    #[error("the token given for project `{name}` is a numeric project id, not a project token")]
    ProjectIdAsToken { name: String },
    #[error("project `{name}` has no region")]
    NoRegion { name: String },
    #[error("DSR_REGION must be us, eu or in")]
    BadRegion,
    #[error("DSR_API_URL cannot be used: {0}")]
    BadApiUrl(#[source] ApiUrlError),
    #[error("{place}: {error}")]
    BadLimits { place: String, error: LimitsError },
    #[error("{place}: `callbacks` takes at most 5 https URLs")]
    BadCallbacks { place: String },
    #[error("{place}: `time_zone` takes an IANA name, such as Europe/Berlin")]
    BadTimeZone { place: String },
}

/// The name of a project that exists only in the environment.
const UNNAMED: &str = "default";
const SANDBOX: &str = "sandbox";

/// Finds the projects that the operator means: those of `flags`, or else the one from the
/// environment, the file, or the only one.
///
/// # Errors
/// When that is not clear. If a token in the environment contradicts the file, that is an error
/// too: otherwise dsr could erase people in the wrong project.
pub fn resolve(
    flags: &[String],
    environment: &Environment,
    file: &ProjectsFile,
    mode: &Mode,
) -> Result<Vec<Resolved>, ResolveError> {
    let chosen = choose(flags, environment, file, mode)?;
    if chosen.iter().any(|name| looks_like_secret(name)) {
        return Err(ResolveError::SecretName);
    }
    for (place, name) in chosen.iter().enumerate() {
        if chosen[..place].contains(name) {
            return Err(ResolveError::NamedTwice { name: name.clone() });
        }
    }
    chosen
        .iter()
        .map(|name| match mode {
            Mode::Real => put_together(name, environment, file),
            Mode::Sandbox {
                project_token,
                real_projects,
            } => {
                refuse_unknown_rehearsal(name, environment, file, real_projects)?;
                rehearsal(name, *project_token, file)
            }
        })
        .collect()
}

fn choose(
    flags: &[String],
    environment: &Environment,
    file: &ProjectsFile,
    mode: &Mode,
) -> Result<Vec<String>, ResolveError> {
    if !flags.is_empty() {
        return Ok(flags.to_vec());
    }
    if let Some(name) = &environment.project {
        return Ok(vec![name.clone()]);
    }
    // The environment's token cannot choose a project: it must be the token of the file's project,
    // whose requirements apply.
    if let Some(name) = file.default_project() {
        return Ok(vec![name.to_owned()]);
    }
    let names: Vec<String> = file.list().map(|(name, _)| name.to_owned()).collect();
    let is_given = environment.project_token.is_some() && matches!(mode, Mode::Real);
    match (names.len(), mode) {
        (1, _) => Ok(names),
        _ if is_given => Ok(vec![UNNAMED.to_owned()]),
        (0, Mode::Sandbox { .. }) => Ok(vec![SANDBOX.to_owned()]),
        (0, Mode::Real) => Err(ResolveError::NoProject),
        (_, _) => Err(ResolveError::NotChosen { names }),
    }
}

fn put_together(
    name: &str,
    environment: &Environment,
    file: &ProjectsFile,
) -> Result<Resolved, ResolveError> {
    let owned = || name.to_owned();
    let entry = file.find(name);
    let (token, token_from) = token_of(name, environment, file)?;
    let (api_url, api_url_from) = match &environment.api_url {
        Some(text) => {
            let url = ApiUrl::parse(text).map_err(ResolveError::BadApiUrl)?;
            (Some(url), Origin::Environment)
        }
        None => (None, Origin::Default),
    };
    let stated = match environment.region.as_deref().map(Region::parse) {
        Some(None) => return Err(ResolveError::BadRegion),
        Some(Some(region)) => Some(region),
        None => None,
    };
    let (region, region_from) = match (stated, entry.and_then(|e| e.region), &api_url) {
        (Some(given), Some(filed), _) if given != filed => {
            return Err(ResolveError::RegionConflict { name: owned() });
        }
        (_, Some(filed), _) => (filed, Origin::File),
        (Some(given), None, _) => (given, Origin::Environment),
        // With a full address, the region is only a label.
        (None, None, Some(_)) => (Region::Us, Origin::Default),
        (None, None, None) => return Err(ResolveError::NoRegion { name: owned() }),
    };
    let mut entry = entry.cloned().unwrap_or_default();
    let id_from = match id_of(name, &entry, environment, file)? {
        Some(id) if entry.project_id.is_none() => {
            entry.project_id = Some(id);
            Origin::Environment
        }
        Some(_) | None => Origin::File,
    };
    let approvals = approvals_of(&token, &entry, file);
    Ok(Resolved {
        project: finish(name, token, region, api_url, (file, &entry))?,
        token_from,
        region_from,
        api_url_from,
        id_from,
        approvals,
    })
}

/// The approvals that any name of the project requires apply to all its names.
fn approvals_of(token: &ProjectToken, entry: &ProjectEntry, file: &ProjectsFile) -> u32 {
    let is_same = |other: &&ProjectEntry| {
        let other = other.token.as_deref();
        // Tokens are hex digits, so case does not matter.
        other.is_some_and(|other| other.trim().eq_ignore_ascii_case(token.expose()))
    };
    let entries = file.list().map(|(_, entry)| entry).filter(is_same);
    let demands = entries.chain([entry]).map(|entry| entry.approvals);
    demands.max().unwrap_or_default()
}

/// The number in the environment, if it can only be this project's: the environment also has its
/// token, or there is no other project. A number that contradicts the file is an error.
fn id_of(
    name: &str,
    entry: &ProjectEntry,
    environment: &Environment,
    file: &ProjectsFile,
) -> Result<Option<u32>, ResolveError> {
    let Some(text) = &environment.project_id else {
        return Ok(None);
    };
    let given = text.trim().parse().ok().filter(|id| *id > 0);
    let given = given.ok_or(ResolveError::BadId)?;
    let is_only =
        environment.project_token.is_some() || file.list().all(|(other, _)| other == name);
    match entry.project_id {
        Some(filed) if filed != given => Err(ResolveError::IdConflict {
            name: name.to_owned(),
        }),
        Some(_) | None => Ok(is_only.then_some(given)),
    }
}

fn token_of(
    name: &str,
    environment: &Environment,
    file: &ProjectsFile,
) -> Result<(ProjectToken, Origin), ResolveError> {
    let owned = || name.to_owned();
    let entry = file.find(name);
    let given = environment.project_token.as_ref();
    let given = given.map(|token| token.expose_secret().trim());
    let filed = entry.and_then(|entry| entry.token.as_deref());
    let (text, origin) = match (given, filed) {
        (Some(given), Some(filed)) if given != filed => {
            return Err(ResolveError::TokenConflict { name: owned() });
        }
        (_, Some(filed)) => (filed, Origin::File),
        (Some(given), None) => (given, Origin::Environment),
        (None, None) if entry.is_some() => return Err(ResolveError::NoToken { name: owned() }),
        (None, None) => {
            return Err(ResolveError::UnknownProject {
                name: owned(),
                similar: file.similar(name),
            });
        }
    };
    let token = ProjectToken::new(text).ok_or_else(|| ResolveError::BadToken { name: owned() })?;
    if token.looks_like_project_id() {
        return Err(ResolveError::ProjectIdAsToken { name: owned() });
    }
    Ok((token, origin))
}

/// Refuses a name that is neither the user's nor the sandbox's own. Somebody without any project may
/// rehearse with any name: the sandbox needs no set-up.
fn refuse_unknown_rehearsal(
    name: &str,
    environment: &Environment,
    file: &ProjectsFile,
    real_projects: &[String],
) -> Result<(), ResolveError> {
    let has_none = real_projects.is_empty() && file.list().next().is_none();
    // A project token in the environment serves every name.
    let is_known = has_none
        || name == SANDBOX
        || environment.project_token.is_some()
        || file.find(name).is_some()
        || real_projects.iter().any(|real| real == name);
    if is_known {
        return Ok(());
    }
    let names = file.list().map(|(own, _)| own);
    let names = names.chain(real_projects.iter().map(String::as_str));
    Err(ResolveError::UnknownProject {
        name: name.to_owned(),
        similar: most_like(name, names).map(str::to_owned),
    })
}

fn rehearsal(
    name: &str,
    project_token: fn(&str) -> String,
    file: &ProjectsFile,
) -> Result<Resolved, ResolveError> {
    let entry = file.find(name).cloned().unwrap_or_default();
    let owned = || name.to_owned();
    let text = entry.token.clone().unwrap_or_else(|| project_token(name));
    let token = ProjectToken::new(&text).ok_or_else(|| ResolveError::BadToken { name: owned() })?;
    let region = entry.region.unwrap_or(Region::Us);
    // The sandbox's address replaces it at the start.
    let placeholder = ApiUrl::parse("http://127.0.0.1/api/app").map_err(ResolveError::BadApiUrl)?;
    let approvals = approvals_of(&token, &entry, file);
    Ok(Resolved {
        project: finish(name, token, region, Some(placeholder), (file, &entry))?,
        token_from: Origin::Default,
        region_from: Origin::Default,
        api_url_from: Origin::Default,
        id_from: Origin::Default,
        approvals,
    })
}

fn finish(
    name: &str,
    token: ProjectToken,
    region: Region,
    api_url: Option<ApiUrl>,
    (file, entry): (&ProjectsFile, &ProjectEntry),
) -> Result<Project, ResolveError> {
    let owned = || name.to_owned();
    let place = |setting| file.place_of(name, setting);
    let bad_limits = |error: LimitsError| ResolveError::BadLimits {
        place: place(error.setting()),
        error,
    };
    let limits = BatchLimits::new(entry.delete_batch, entry.export_batch, entry.data_groups)
        .map_err(bad_limits)?;
    let rate = entry.rate.map_or(Ok(Rate::default()), Rate::new);
    let id = entry.project_id.map(|id| {
        let id = ProjectId::new(id).ok_or(LimitsError::ProjectId);
        id.map_err(bad_limits)
    });
    let queries = entry.queries_per_hour;
    let queries = queries.map_or(Ok(HourlyQueries::default()), HourlyQueries::new);
    let is_https = |text: &String| text.starts_with("https://");
    if entry.callbacks.len() > 5 || !entry.callbacks.iter().all(is_https) {
        return Err(ResolveError::BadCallbacks {
            place: place("callbacks"),
        });
    }
    let holidays: Vec<NaiveDate> = entry.holidays.iter().map(|day| day.0).collect();
    let zone = entry.time_zone.as_deref().map(ProjectZone::parse);
    let zone = zone.map(|zone| {
        zone.ok_or_else(|| ResolveError::BadTimeZone {
            place: place("time_zone"),
        })
    });
    Ok(Project {
        name: ProjectName::new(name).ok_or_else(|| ResolveError::BadName { name: owned() })?,
        token,
        region,
        api_url: api_url.unwrap_or_else(|| ApiUrl::of_region(region)),
        limits,
        rate: rate.map_err(bad_limits)?,
        id: id.transpose()?,
        queries: queries.map_err(bad_limits)?,
        callbacks: entry.callbacks.clone(),
        holidays,
        zone: zone.transpose()?.unwrap_or_default(),
        auth: entry.auth.clone(),
        ids_kept: match entry.verify.unwrap_or_default() {
            true => IdsKept::UntilVerified,
            false => IdsKept::UntilDone,
        },
    })
}

#[cfg(test)]
mod tests;
