//! The network between dsr and Mixpanel: proxies, wrong hosts, answers without an end.

use std::time::Duration;

use crate::support::{Fake, Operator, Reply, states};

#[test]
fn a_proxy_in_the_environment_is_not_used_for_loopback() {
    let fake = Fake::start();
    let proxy = Fake::start();
    let address = proxy.url().replace("/api/app", "");
    let mut operator = Operator::at(&fake);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        operator = operator.with(name, &address);
        operator = operator.with(&name.to_lowercase(), &address);
    }
    operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
    operator.run(&["status"]).exits_with(0);
    assert_eq!(fake.calls().len(), 2);
    proxy.was_not_called();
}

#[test]
fn a_create_at_the_wrong_region_is_refused_with_the_question_about_it() {
    for reply in [
        Reply::error(404, "not here"),
        Reply::text(404, "application/json", ""),
    ] {
        let fake = Fake::answering_posts(reply);
        let operator = Operator::at(&fake);
        let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
        outcome.exits_with(3).says("dsr status");
        assert!(outcome.stdout.contains("another region"), "{outcome}");
        assert_eq!(states(&operator.only_request()), ["refused"]);
        operator.run(&["resume"]);
        assert_eq!(fake.posts().len(), 1, "refused is not retried");
    }
}

#[test]
fn an_unusable_answer_to_a_question_changes_nothing_and_is_bounded_in_tries() {
    let page = "<!doctype html><html><body>Sign in to the proxy</body></html>";
    let large = "[".repeat(9 * 1024 * 1024);
    let replies = [
        Reply::text(200, "text/html", page),
        Reply::text(502, "text/html", page),
        Reply::text(404, "text/html", page),
        Reply::text(200, "application/json", &large),
        Reply::Half {
            status: 200,
            body: r#"{"status":"ok","results":{"status":"SUCCESS"}}"#.to_owned(),
        },
        Reply::Reset,
        Reply::Close,
    ];
    for reply in replies {
        let shown = format!("{reply:?}").chars().take(80).collect::<String>();
        let fake = Fake::answering(move |call| match call.is_post() {
            true => crate::support::usual(call),
            false => reply.clone(),
        });
        let operator = Operator::at(&fake);
        operator.run(&["export", "--gdpr", "a1"]).exits_with(0);
        let outcome = operator.run(&["status"]);
        assert_eq!(outcome.status, Some(75), "{shown}\n{outcome}");
        outcome.never_says("Sign in");
        assert!(outcome.took < Duration::from_secs(20), "{outcome}");
        let tries = fake.gets().len();
        assert!((2..=3).contains(&tries), "{tries} tries: {shown}");
        assert_eq!(states(&operator.only_request()), ["accepted"], "{shown}");
        assert_eq!(fake.posts().len(), 1);
    }
}

#[test]
fn a_peer_that_never_shakes_hands_was_not_sent_anything() {
    // Accepts, speaks no TLS and hangs up: the quickest way for a handshake to fail.
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/api/app", peer.local_addr().unwrap());
    std::thread::spawn(move || peer.incoming().for_each(drop));
    let fake = Fake::start();
    let operator = Operator::at(&fake).with("DSR_API_URL", &url);
    let outcome = operator.run(&["delete", "--gdpr", "--yes", "a1"]);
    outcome.exits_with(75).says("dsr resume");
    assert_eq!(states(&operator.only_request()), ["planned"]);
    let operator = operator.with("DSR_API_URL", &fake.url());
    operator.run(&["resume"]).exits_with(0);
    assert_eq!(fake.posted_ids(), ["a1"]);
}

#[test]
fn a_resume_names_its_own_trouble_before_jobs_that_ended_earlier() {
    let fake = Fake::start();
    let operator = Operator::at_with(&fake, "delete_batch = 1\nrate = 1000");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/api/app", nobody.local_addr().unwrap());
    drop(nobody);
    let operator = operator.with("DSR_API_URL", &gone);
    operator.file("ids.csv", "distinct_id\na1\na2\n");
    let delete = ["delete", "--gdpr", "--yes", "ids.csv", "--max-wait", "0s"];
    operator.run(&delete).exits_with(75);
    operator.change_ledger(
        "UPDATE jobs SET state = 'revoked', mixpanel_status = 'REVOKED' WHERE number = 1",
    );
    let id = operator.only_request()["id"].as_str().unwrap()[..8].to_owned();
    let outcome = operator.run(&["resume", "--max-wait", "0s"]);
    outcome
        .exits_with(7)
        .says("Error: 1 job could not be sent: Mixpanel cannot be reached")
        .says("Mixpanel reports: 1 revoked")
        .says("dsr resume")
        .says(&format!("`dsr status {id} --cached`"))
        .never_says("0 failed");
}
