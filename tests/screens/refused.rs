//! Why dsr does not carry out a command, and what it prints then.

use std::fs;

use crate::mixpanel::refusing;
use crate::scene::{Scene, snapshot};
use crate::support::{Fake, Halt, NOWHERE, Operator, Reply};

const EXPORT: [&str; 3] = ["export", "--gdpr", "ids.csv"];

#[test]
fn no_law_is_given() {
    snapshot!(Scene::usual().shows(&["delete", "--yes", "ids.csv"]));
}

#[test]
fn both_laws_are_given() {
    snapshot!(Scene::usual().shows(&["export", "--gdpr", "--ccpa", "ids.csv"]));
}

#[test]
fn no_source_is_given() {
    snapshot!(Scene::usual().shows(&["export", "--gdpr"]));
}

#[test]
fn an_option_is_not_known() {
    let scene = &mut Scene::usual();
    scene.shows(&["export", "--gdpr", "ids.csv", "--dryrun"]);
    snapshot!(
        scene
            .shows(&["delete", "--force", "ids.csv"])
            .plain(&["status", "--open"])
    );
}

#[test]
fn a_command_is_not_known() {
    snapshot!(
        Scene::usual()
            .shows(&["erase", "ids.csv"])
            .shows(&["stauts"])
    );
}

#[test]
fn a_value_is_not_understood() {
    let scene = &mut Scene::usual();
    scene.shows(&["project", "add", "app", "--region", "de"]);
    scene.shows(&["export", "--gdpr", "ids.csv", "--received", "16.03.2026"]);
    snapshot!(scene.shows(&["status", "--watch", "--timeout", "5"]));
}

#[test]
fn a_day_is_in_the_future() {
    let args = ["export", "--gdpr", "ids.csv", "--received", "2026-04-01"];
    snapshot!(Scene::usual().shows(&args));
}

#[test]
fn a_request_is_not_known() {
    let scene = &mut Scene::with_a_deletion();
    scene
        .shows(&["status", "q7tz0xma"])
        .shows(&["cancel", "q7tz0xma"]);
    snapshot!(scene.shows(&["report", "q7tz0xma"]));
}

#[test]
fn there_is_no_ledger_yet() {
    let scene = &mut Scene::usual();
    snapshot!(
        scene
            .pipes(&["report", "q7tz0xma"])
            .pipes(&["audit", "verify"])
    );
}

#[test]
fn there_is_no_project() {
    let operator = Operator::new();
    operator.file("ids.csv", "distinct_id\nuser-1\n");
    snapshot!(Scene::of(operator).shows(&EXPORT));
}

#[test]
fn a_project_is_not_known() {
    let scene = &mut Scene::usual();
    scene.shows(&[&EXPORT[..], &["--project", "shpo"]].concat());
    snapshot!(scene.plain(&[&EXPORT[..], &["--project", "billing"]].concat()));
}

#[test]
fn a_projects_token_is_its_number() {
    let scene = &mut Scene::usual();
    let config = "[projects.shop]\ntoken = \"2195193\"\nregion = \"us\"\n";
    scene.operator.write_config(config);
    snapshot!(scene.shows(&EXPORT));
}

#[test]
fn the_config_file_is_malformed() {
    let scene = &mut Scene::usual();
    scene
        .operator
        .write_config("[projects.shop]\ntoken = 5\nregion = \"us\"\n");
    scene.pipes(&EXPORT);
    scene
        .operator
        .write_config("[projects.shop]\ntokn = \"5\"\n");
    snapshot!(scene.pipes(&EXPORT));
}

#[test]
fn there_is_no_token() {
    let scene = &mut Scene::of(Operator::at(&Fake::start()).without("DSR_TOKEN"));
    scene.operator.file("ids.csv", "distinct_id\nuser-1\n");
    snapshot!(scene.shows(&EXPORT).plain(&EXPORT));
}

#[test]
fn the_file_of_the_token_can_be_read_by_others() {
    let scene = &mut Scene::of(Operator::at(&Fake::start()).without("DSR_TOKEN"));
    scene.operator.file("ids.csv", "distinct_id\nuser-1\n");
    scene.operator.file("token", "some-token");
    let path = scene.operator.work().join("token");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    scene.operator.set("DSR_TOKEN_FILE", path.to_str().unwrap());
    snapshot!(scene.pipes(&EXPORT));
}

#[test]
fn the_token_is_expired() {
    let scene = &mut Scene::usual();
    scene.operator.set("DSR_TOKEN_ISSUED", "2025-03-01");
    snapshot!(scene.shows(&EXPORT));
}

#[test]
fn mixpanel_refuses_the_token() {
    snapshot!(Scene::at(refusing(401, "Invalid token")).shows(&EXPORT));
}

#[test]
fn mixpanel_does_not_allow_it() {
    snapshot!(Scene::at(refusing(403, "Not an owner")).shows(&EXPORT));
}

#[test]
fn mixpanel_finds_no_such_project() {
    snapshot!(Scene::at(refusing(404, "Not found")).shows(&EXPORT));
}

#[test]
fn mixpanel_has_an_error_of_its_own() {
    snapshot!(Scene::at(refusing(500, "Internal error")).shows(&EXPORT));
}

#[test]
fn mixpanel_answers_with_a_page() {
    let reply = Reply::text(200, "text/html", "<html>Log in</html>");
    snapshot!(Scene::at(Fake::answering_posts(reply)).shows(&EXPORT));
}

/// Slow, since dsr tries for half a minute. Quiet, since the number of notes depends on the
/// machine.
#[test]
fn mixpanel_cannot_be_reached_and_then_it_can() {
    let fake = Fake::start();
    let url = fake.url();
    let mut scene = Scene::at(fake);
    scene.operator.set("DSR_API_URL", NOWHERE);
    scene.shows(&[&EXPORT[..], &["-q"]].concat());
    scene.operator.set("DSR_API_URL", &url);
    snapshot!(scene.shows(&["resume"]));
}

#[test]
fn the_status_cannot_be_asked_for() {
    let scene = &mut Scene::with_a_deletion();
    scene.operator.set("DSR_API_URL", NOWHERE);
    snapshot!(scene.shows(&["status", "--refresh"]));
}

#[test]
fn another_dsr_holds_the_ledger() {
    let scene = &mut Scene::with_a_deletion();
    scene.operator.halts_at(Halt::Request);
    let holder = scene.operator.start(&["export", "--ccpa", "ids.csv"]);
    while !scene.operator.is_held() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    scene.shows(&[&EXPORT[..], &["--lock-timeout", "0s"]].concat());
    holder.kill();
    scene.operator.goes_on();
    snapshot!(scene);
}

#[test]
fn the_ledger_is_damaged() {
    let scene = &mut Scene::with_a_deletion();
    scene.operator.give_up_trail();
    let ledger = scene.operator.dsr_home().join("ledger.db");
    let mut bytes = fs::read(&ledger).unwrap();
    scene.keeps_names();
    bytes[..4096].fill(0x5a);
    for beside in ["db-wal", "db-shm"] {
        drop(fs::remove_file(ledger.with_extension(beside)));
    }
    fs::write(&ledger, bytes).unwrap();
    snapshot!(scene.pipes(&["status"]).pipes(&EXPORT));
}

#[test]
fn the_ledger_can_be_read_by_others() {
    let scene = &mut Scene::with_a_deletion();
    let ledger = scene.operator.dsr_home().join("ledger.db");
    fs::set_permissions(&ledger, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    snapshot!(scene.pipes(&["status"]));
}

#[test]
fn the_ledger_is_of_a_newer_dsr() {
    let scene = &mut Scene::with_a_deletion();
    scene.keeps_names();
    scene.operator.tamper_with("PRAGMA user_version = 999");
    scene.pipes(&["status"]);
    scene.operator.give_up_trail();
    snapshot!(scene);
}

#[test]
fn something_is_where_the_file_is_to_be() {
    let scene = &mut Scene::with_a_deletion();
    let name = scene.request(1);
    scene.operator.file("report.html", "mine");
    scene.pipes(&["report", &name, "--output", "report.html"]);
    scene.pipes(&["ledger", "backup", "report.html"]);
    scene.pipes(&["delete", "--gdpr", "ids.csv", "--plan", "report.html"]);
    snapshot!(scene.pipes(&["suppressions", "export", "--output", "report.html"]));
}
