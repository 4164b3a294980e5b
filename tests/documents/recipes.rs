//! The recipes of `docs/recipes`: their YAML and units parse, their settings exist, and every dsr
//! command in them runs, in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dsr::config::VARIABLES;
use yaml_rust2::{Yaml, YamlLoader};

use crate::examples;
use crate::scene::{Mixpanel, Scene};
use crate::shell;
use crate::support::find_program;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// The one YAML document of a file.
fn yaml(name: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&read(name)).unwrap();
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

fn list(yaml: &Yaml) -> &Vec<Yaml> {
    yaml.as_vec()
        .unwrap_or_else(|| panic!("not a list: {yaml:?}"))
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str()
        .unwrap_or_else(|| panic!("not a text: {yaml:?}"))
}

fn is_a_setting(name: &str) {
    let is_known = name == "TZ" || VARIABLES.iter().any(|(known, _)| *known == name);
    assert!(is_known, "dsr does not read `{name}`");
}

/// An operator whose deletion is done, with token and key in files only.
fn night(mixpanel: &Mixpanel) -> Scene {
    let scene = Scene::at(mixpanel.url());
    let delete = ["delete", "--gdpr", "--yes", "ids.csv", "--wait"];
    scene.operator.run(&delete).exits_with(0);
    let mut scene = scene.without_token();
    let token = scene.operator.work().join("mixpanel-token");
    scene
        .operator
        .set("DSR_TOKEN_FILE", &token.display().to_string());
    scene.operator.set("DSR_TOKEN_ISSUED", "2026-09-01");
    scene
}

/// Runs each command; the files that it names below `home` are below the operator's.
fn runs(commands: &[Vec<String>], home: &str) {
    let mixpanel = Mixpanel::start("0.2");
    let scene = night(&mixpanel);
    let own = scene.operator.dsr_home().display().to_string();
    for command in commands {
        examples::parses(command, home);
        let args: Vec<String> = command.iter().map(|arg| arg.replace(home, &own)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scene.operator.run(&args).exits_with(0);
    }
    assert!(scene.operator.dsr_home().join("suppressed.txt").exists());
}

#[test]
fn the_page_names_every_recipe() {
    let page = include_str!("../../docs/guide/recipes.md");
    let names = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("(../recipes/{name})")), "{name}");
    }
}

#[test]
fn the_steps_of_the_workflow_run() {
    let workflow = yaml("github-actions.yml");
    let job = &workflow["jobs"]["nightly"];
    let cron = text(&workflow["on"]["schedule"][0]["cron"]);
    assert_eq!(cron.split(' ').count(), 5, "{cron}");
    assert!(
        workflow["permissions"]
            .as_hash()
            .is_some_and(|all| all.is_empty())
    );
    for (name, value) in job["env"].as_hash().unwrap() {
        is_a_setting(text(name));
        // GitHub knows the runner only in steps.
        assert!(!text(value).contains("runner."), "{value:?}");
    }
    let mixpanel = Mixpanel::start("0.2");
    let mut scene = night(&mixpanel);
    scene.operator = scene
        .operator
        .without("DSR_TOKEN_FILE")
        .without("DSR_LEDGER_KEY_FILE");
    let environment = scene.operator.work().join("github-env");
    for (name, value) in [
        ("RUNNER_TEMP", scene.operator.work().display().to_string()),
        ("GITHUB_ENV", environment.display().to_string()),
        ("TOKEN", "sandbox-oauth-token-not-a-secret".to_owned()),
        ("LEDGER_KEY", "c0ffee5a".repeat(8)),
    ] {
        scene.operator.set(name, &value);
    }
    let mut calls = 0;
    for step in list(&job["steps"]) {
        let script = text(&step["run"]);
        assert!(
            !script.contains("${{"),
            "a secret in a script can be a command: {script}"
        );
        for call in shell::calls(script) {
            calls += 1;
            examples::parses(&call, "github-actions.yml");
        }
        scene.run(script).exits_with(0);
        for line in fs::read_to_string(&environment).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').unwrap();
            is_a_setting(name);
            scene.operator.set(name, value);
        }
    }
    assert_eq!(calls, 5);
    for name in ["dsr-token", "dsr-ledger.key"] {
        assert!(
            !scene.operator.work().join(name).exists(),
            "{name} is left behind"
        );
    }
}

#[test]
fn the_pod_of_kubernetes_runs_and_its_group_is_the_one_that_dsr_accepts() {
    let job = yaml("kubernetes.yaml");
    assert_eq!(text(&job["kind"]), "CronJob");
    assert_eq!(text(&job["spec"]["concurrencyPolicy"]), "Forbid");
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let volumes: Vec<&str> = list(&pod["volumes"])
        .iter()
        .map(|one| text(&one["name"]))
        .collect();
    let containers = list(&pod["initContainers"])
        .iter()
        .chain(list(&pod["containers"]));
    let mut commands = Vec::new();
    for container in containers {
        for variable in list(&container["env"]) {
            let name = text(&variable["name"]);
            is_a_setting(name);
            let is_secret = matches!(name, "DSR_TOKEN" | "DSR_PROJECT_TOKEN");
            assert_eq!(is_secret, variable["value"].is_badvalue(), "{name}");
            if name == "DSR_FS_GROUP" {
                let group = pod["securityContext"]["fsGroup"].as_i64().unwrap();
                assert_eq!(text(&variable["value"]), group.to_string());
            }
        }
        for mount in list(&container["volumeMounts"]) {
            assert!(volumes.contains(&text(&mount["name"])), "{mount:?}");
        }
        let lock = &container["securityContext"];
        assert_eq!(lock["readOnlyRootFilesystem"].as_bool(), Some(true));
        let args = list(&container["args"]).iter();
        commands.push(args.map(|arg| text(arg).to_owned()).collect());
    }
    assert_eq!(commands.len(), 6);
    runs(&commands, "/data/dsr");
}

/// The settings of a unit, as `Section.Name` and value.
fn unit(name: &str) -> Vec<(String, String)> {
    let (mut section, mut settings) = (String::new(), Vec::new());
    let content = read(name);
    let lines = content
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(begun) => begun.clone_into(&mut section),
            None => {
                let (key, value) = line.split_once('=').unwrap();
                settings.push((format!("{section}.{key}"), value.to_owned()));
            }
        }
    }
    settings
}

#[test]
fn the_units_of_systemd_run() {
    let service = unit("dsr-nightly.service");
    let of = |key: &str| -> Vec<String> {
        let found = service.iter().filter(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).collect()
    };
    for setting in of("Service.Environment") {
        is_a_setting(setting.split_once('=').unwrap().0);
    }
    for credential in ["token", "ledger.key"] {
        let is_loaded = |value: &String| value.starts_with(&format!("{credential}:/etc/dsr/"));
        assert!(
            of("Service.LoadCredential").iter().any(is_loaded),
            "{credential}"
        );
    }
    let words = |line: &String| -> Vec<String> {
        let rest = line.strip_prefix("/usr/bin/dsr ").unwrap();
        rest.split(' ').map(str::to_owned).collect()
    };
    let commands: Vec<Vec<String>> = of("Service.ExecStart").iter().map(words).collect();
    assert_eq!(commands.len(), 5);
    assert_eq!(of("Service.SuccessExitStatus"), ["8"]);
    runs(&commands, "%S/dsr");
    let timer = unit("dsr-nightly.timer");
    assert!(timer.iter().any(|(name, _)| name == "Timer.OnCalendar"));
}

#[test]
fn systemd_accepts_the_units() {
    let Some(program) = find_program("systemd-analyze") else {
        return;
    };
    let copies = tempfile::tempdir().unwrap();
    let units = ["dsr-nightly.service", "dsr-nightly.timer"].map(|name| {
        let own = read(name).replace("/usr/bin/dsr", env!("CARGO_BIN_EXE_dsr"));
        let path = copies.path().join(name);
        fs::write(&path, own).unwrap();
        path
    });
    let output = Command::new(program)
        .arg("verify")
        .args(units)
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
