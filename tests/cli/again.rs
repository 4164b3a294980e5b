//! The same command twice: the second reports the first and sends nothing.

use std::time::Duration;

use crate::support::{Fake, Operator, Reply, csv_of, object_reply, people, same_people};

#[test]
fn the_same_ids_are_not_sent_a_second_time_while_the_first_request_is_open() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1000");
    let ids = people(30);
    operator.file("ids.csv", csv_of(&ids, None));
    let backwards: Vec<String> = ids.iter().rev().cloned().collect();
    operator.file("other.csv", csv_of(&backwards, Some(7)));
    operator
        .run(&["delete", "--gdpr", "--yes", "ids.csv"])
        .exits_with(0);
    let name = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();

    let again = operator.run(&["delete", "--gdpr", "--yes", "other.csv"]);
    again
        .exits_with(2)
        .says(&name)
        .says("dsr status")
        .never_says("dsr resume")
        .says("--new");
    assert_eq!(fake.posts().len(), 1, "{again}");

    operator
        .run(&["delete", "--ccpa", "--yes", "ids.csv"])
        .exits_with(0);
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(0);
    operator
        .run(&["delete", "--gdpr", "--yes", "--new", "ids.csv"])
        .exits_with(0);
    // The second request is recorded and linked to the existing task: nobody is erased twice.
    assert_eq!(fake.posts().len(), 2, "one deletion, one export");
}

#[test]
fn an_interrupted_command_that_is_run_again_says_to_resume() {
    let fake = Fake::answering_post(0, Reply::error(401, "no"));
    let operator = Operator::at_with(&fake, "rate = 1000");
    let ids = people(5);
    operator.file("ids.csv", csv_of(&ids, None));
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(4);
    operator.run(&["export", "--gdpr", "ids.csv"]).exits_with(2);
    assert_eq!(fake.posts().len(), 1);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 2);
    same_people(&fake.posts()[1].ids(), &ids);
}

#[test]
fn of_several_projects_none_is_sent_to_if_one_has_the_request_already() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "rate = 1000");
    let config = std::fs::read_to_string(operator.config_path()).unwrap();
    let second =
        "\n[projects.second]\ntoken = \"ffffffffffffffffffffffffffffffff\"\nregion = \"us\"\n";
    operator.write_config(&(config + second));
    let run = |projects: &[&str]| {
        let mut args = vec!["export", "--gdpr", "user-17"];
        args.extend(projects.iter().flat_map(|name| ["--project", name]));
        operator.run(&args)
    };
    run(&["second"]).exits_with(0);
    run(&["shop", "second"]).exits_with(2);
    assert_eq!(fake.posts().len(), 1);
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posts().len(), 1, "nothing was left half-done");
}

#[test]
fn of_two_operators_with_the_same_file_one_sends_and_the_other_is_told() {
    let slow = Reply::After(Duration::from_secs(2), Box::new(object_reply("slow")));
    let fake = Fake::answering_post(0, slow);
    let operator = Operator::at_with(&fake, "rate = 1000\ndelete_batch = 50");
    let ids = people(200);
    operator.file("ids.csv", csv_of(&ids, None));
    let args = ["delete", "--gdpr", "--yes", "ids.csv"];
    let both = [operator.start(&args), operator.start(&args)];
    let mut ends: Vec<_> = both.into_iter().map(|running| running.end()).collect();
    ends.sort_by_key(|outcome| outcome.status);
    ends[0].exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
    ends[1].exits_with(2).says(&id).says("nothing was sent");
    same_people(&fake.posted_ids(), &ids);
}

#[test]
fn a_damaged_row_of_an_open_request_lets_nothing_be_sent_again() {
    for change in [
        "UPDATE requests SET kind = 'export'",
        "UPDATE requests SET law = 'ccpa'",
        "UPDATE requests SET ids_digest = 'x'",
        "UPDATE requests SET ids_digest = replace(ids_digest, ids_digest, '0')",
        "UPDATE requests SET project_key = 'x'",
    ] {
        let fake = Fake::start();
        let operator = Operator::at(&fake);
        let delete = ["delete", "--gdpr", "--yes", "a1"];
        operator.run(&delete).exits_with(0);
        operator.give_up_trail();
        operator.tamper_with(change);
        for ids in ["a1", "a2"] {
            let again = operator.run(&["delete", "--gdpr", "--yes", ids]);
            again.exits_with(74).says("`dsr audit verify`");
            again.says("nothing was sent");
        }
        assert_eq!(fake.posts().len(), 1, "{change}");
        assert_eq!(operator.ledger_texts("SELECT id FROM requests").len(), 1);
    }
}

#[test]
fn a_dry_run_names_the_open_request_with_the_same_ids_and_no_other() {
    let fake = Fake::start();
    let operator = Operator::at(&fake);
    operator.file("ids.csv", "distinct_id\na1\na2\na1\n");
    operator.file("same.csv", "distinct_id\na2\na1\n");
    operator.file("other.csv", "distinct_id\na1\na3\n");
    let delete = |args: &[&str]| operator.run(&[&["delete", "--gdpr"], args].concat());
    delete(&["--yes", "ids.csv"]).exits_with(0);
    let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
    let same = delete(&["--dry-run", "same.csv"]);
    same.exits_with(0).says(&id).says("exactly these ids");
    delete(&["--dry-run", "other.csv"])
        .exits_with(0)
        .never_says("exactly these ids");
    let export = operator.run(&["export", "--gdpr", "--dry-run", "same.csv"]);
    export.exits_with(0).never_says("exactly these ids");
    assert_eq!(fake.posts().len(), 1);
}
