use super::*;
use std::ffi::OsString;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "ffffffffffffffffffffffffffffffff";

fn file(text: &str) -> ProjectsFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    ProjectsFile::load(path).unwrap()
}

fn two_projects() -> ProjectsFile {
    file(&format!(
        "[projects.a]\ntoken = \"{TOKEN}\"\nregion = \"eu\"\n[projects.b]\ntoken = \"{OTHER}\"\nregion = \"us\"\n"
    ))
}

fn environment(variables: &[(&'static str, &str)]) -> Environment {
    Environment::from_lookup(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
    .unwrap()
}

fn one(flags: &[&str], env: &Environment, file: &ProjectsFile) -> Result<Resolved, ResolveError> {
    let flags: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
    resolve(&flags, env, file, &Mode::Real).map(|mut all| all.remove(0))
}

#[test]
fn flag_beats_environment_beats_file() {
    let text = format!(
        "default_project = \"a\"\n[projects.a]\ntoken = \"{TOKEN}\"\nregion = \"eu\"\n[projects.b]\ntoken = \"{OTHER}\"\nregion = \"us\"\n"
    );
    let file = file(&text);
    let env = environment(&[("DSR_PROJECT", "b")]);
    let none = Environment::default();
    let chosen = |flags, env| one(flags, env, &file).unwrap().project.name.to_string();
    assert_eq!(chosen(&[], &none), "a");
    assert_eq!(chosen(&[], &env), "b");
    assert_eq!(chosen(&["a"], &env), "a");
}

#[test]
fn the_environment_alone_is_enough() {
    let env = environment(&[("DSR_PROJECT_TOKEN", TOKEN), ("DSR_REGION", "eu")]);
    let found = one(&[], &env, &file("")).unwrap();
    assert_eq!(
        found.project.api_url.as_str(),
        "https://eu.mixpanel.com/api/app"
    );
    assert_eq!(found.project.name.as_str(), "default");
    let named = one(&["shop"], &env, &file("")).unwrap();
    assert_eq!(named.project.name.as_str(), "shop");
}

#[test]
fn a_token_of_another_project_in_the_environment_is_no_precedence() {
    let env = environment(&[("DSR_PROJECT_TOKEN", OTHER), ("DSR_REGION", "eu")]);
    let error = one(&["a"], &env, &two_projects()).unwrap_err();
    assert!(matches!(error, ResolveError::TokenConflict { .. }));
    let env = environment(&[("DSR_REGION", "us")]);
    let error = one(&["a"], &env, &two_projects()).unwrap_err();
    assert!(matches!(error, ResolveError::RegionConflict { .. }));
}

#[test]
fn nothing_is_guessed() {
    let none = Environment::default();
    assert!(matches!(
        one(&[], &none, &file("")),
        Err(ResolveError::NoProject)
    ));
    assert!(matches!(
        one(&[], &none, &two_projects()),
        Err(ResolveError::NotChosen { .. })
    ));
    assert!(matches!(
        one(&["c"], &none, &two_projects()),
        Err(ResolveError::UnknownProject { .. })
    ));
    let env = environment(&[("DSR_PROJECT_TOKEN", TOKEN)]);
    assert!(matches!(
        one(&[], &env, &file("")),
        Err(ResolveError::NoRegion { .. })
    ));
    let env = environment(&[("DSR_PROJECT_TOKEN", "2195193"), ("DSR_REGION", "us")]);
    assert!(matches!(
        one(&[], &env, &file("")),
        Err(ResolveError::ProjectIdAsToken { .. })
    ));
    assert!(matches!(
        one(&["a", "a"], &none, &two_projects()),
        Err(ResolveError::NamedTwice { .. })
    ));
}

#[test]
fn approvals_are_demanded_under_whatever_name_a_project_goes() {
    let file = file(&format!(
        "[projects.a]\ntoken = \"{TOKEN}\"\nregion = \"eu\"\napprovals = 2\n\
         [projects.b]\ntoken = \" {TOKEN} \"\nregion = \"eu\"\n\
         [projects.c]\ntoken = \"{OTHER}\"\nregion = \"eu\"\n"
    ));
    let none = Environment::default();
    let demanded = |name: &str, env: &Environment| one(&[name], env, &file).unwrap().approvals;
    assert_eq!(demanded("a", &none), 2);
    assert_eq!(demanded("b", &none), 2);
    assert_eq!(demanded("c", &none), 0);
    let env = environment(&[("DSR_PROJECT_TOKEN", TOKEN), ("DSR_REGION", "eu")]);
    assert_eq!(demanded("new", &env), 2);
}

#[test]
fn a_rehearsal_takes_no_token_and_no_address_from_the_environment() {
    let env = environment(&[
        ("DSR_PROJECT_TOKEN", OTHER),
        ("DSR_API_URL", "https://mixpanel.com/api/app"),
        ("DSR_PROJECT", "prod"),
    ]);
    let mode = Mode::Sandbox {
        project_token: |name| format!("made-up-{name}"),
        real_projects: Vec::new(),
    };
    let found = resolve(&[], &env, &file(""), &mode).unwrap().remove(0);
    assert_eq!(found.project.token.expose(), "made-up-prod");
    assert!(found.project.api_url.is_loopback());
}

#[test]
fn a_number_in_the_environment_is_of_one_project_only() {
    let text = format!("[projects.a]\ntoken = \"{TOKEN}\"\nregion = \"eu\"\n");
    let id = |variables: &[(&'static str, &str)], file: &ProjectsFile| {
        let found = one(&["a"], &environment(variables), file)?;
        Ok::<_, ResolveError>(found.project.id.map(ProjectId::get))
    };
    let given = ("DSR_PROJECT_ID", "4242");
    assert_eq!(id(&[given], &file(&text)).unwrap(), Some(4242));
    assert_eq!(id(&[], &file(&text)).unwrap(), None);
    assert_eq!(id(&[given], &two_projects()).unwrap(), None);
    let token = ("DSR_PROJECT_TOKEN", TOKEN);
    assert_eq!(id(&[given, token], &two_projects()).unwrap(), Some(4242));
    let same = file(&format!("{text}project_id = 4242\n"));
    assert_eq!(id(&[given], &same).unwrap(), Some(4242));
    let other = file(&format!("{text}project_id = 4243\n"));
    assert!(matches!(
        id(&[given], &other),
        Err(ResolveError::IdConflict { .. })
    ));
    for bad in ["0", "-1", "4242 1", "4294967296", "0x10"] {
        let found = id(&[("DSR_PROJECT_ID", bad)], &file(&text));
        assert!(matches!(found, Err(ResolveError::BadId)), "{bad}");
    }
}
