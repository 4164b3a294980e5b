//! `dsr project secret` without a keyring, and what `dsr project show` says then.

use std::fs;

use crate::support::{Fake, Operator};

const SECRET: &str = "apiSECRET77e0";

#[test]
fn without_a_keyring_the_way_out_is_named_and_works() {
    let fake = Fake::start();
    let mut operator = Operator::at(&fake);
    let args = ["project", "secret", "shop", "--with-secret"];
    let outcome = operator.run_with_input(&args, SECRET);
    outcome
        .exits_with(4)
        .says("DSR_PROJECT_SECRET_FILE")
        .never_says(SECRET);
    let show = |operator: &Operator| {
        let outcome = operator.run(&["project", "show", "--json"]);
        outcome.exits_with(0).never_says(SECRET);
        outcome.json()["project"].clone()
    };
    assert!(
        show(&operator)["api_secret"].is_null(),
        "nobody could be asked"
    );

    let path = operator.private_file("secret", SECRET);
    operator.set("DSR_PROJECT_SECRET_FILE", &path);
    assert_eq!(show(&operator)["api_secret"], true);
    assert_eq!(show(&operator)["api_secret_from"], "secret_file");
    let human = operator.run(&["project", "show"]);
    assert!(human.stdout.contains("DSR_PROJECT_SECRET_FILE"), "{human}");
    for bad in ["", "\n", "two\nlines\n"] {
        fs::write(&path, bad).unwrap();
        assert!(show(&operator)["api_secret"].is_null(), "{bad:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::write(&path, SECRET).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(
            show(&operator)["api_secret"].is_null(),
            "others can read it"
        );
    }
    fake.was_not_called();
}

#[test]
fn what_cannot_be_a_secret_is_refused_before_anything_is_asked_of_a_keyring() {
    let operator = Operator::at(&Fake::start());
    let secret = |flags: &[&str], input: &str| {
        let args = [&["project", "secret", "shop"], flags].concat();
        operator.run_with_input(&args, input)
    };
    secret(&["--with-secret"], "two\nlines")
        .exits_with(2)
        .never_says("lines");
    secret(&["--with-secret"], "").exits_with(2);
    secret(&[], SECRET).exits_with(2).says("--with-secret");
    secret(&["--remove", "--with-secret"], SECRET).exits_with(2);
    let path = operator.work().join("open");
    fs::write(&path, SECRET).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let outcome = secret(&["--file", "open"], "");
        outcome.exits_with(2).says("chmod 600").never_says(SECRET);
    }
    operator
        .run(&["project", "secret", "nowhere", "--remove"])
        .exits_with(2)
        .says("dsr project list");
    let rehearsal = ["--sandbox", "project", "secret", "sandbox", "--with-secret"];
    operator.run_with_input(&rehearsal, SECRET).exits_with(2);
    let shown = operator.run(&["--sandbox", "project", "show", "--json"]);
    assert_eq!(shown.json()["project"]["api_secret_from"], "sandbox");
}

#[test]
fn a_project_is_removed_where_there_is_no_keyring() {
    let operator = Operator::at(&Fake::start());
    let outcome = operator.run(&["project", "remove", "shop"]);
    outcome.exits_with(0);
    assert!(!outcome.stderr.contains("Warning"), "{outcome}");
}
