//! Properties of every list of ids and every limit.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::{Call, Fake, Operator, csv_of, same_people, states};

/// Ids with everything that could break a table, but nothing that a spreadsheet would damage.
fn id() -> impl Strategy<Value = String> {
    "p[a-c\",;|'é \u{1F600}@:/$\\\\-]{0,4}q"
}

#[test]
fn whatever_the_ids_and_limits_each_goes_out_once_within_the_limit() {
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let cases = (
        prop::collection::vec(id(), 1..40),
        1_usize..9,
        any::<bool>(),
    );
    let checked = TestRunner::new(config).run(&cases, |(ids, limit, is_deletion)| {
        check(&ids, limit, is_deletion);
        Ok(())
    });
    checked.unwrap();
}

fn check(ids: &[String], limit: usize, is_deletion: bool) {
    let fake = Fake::start();
    let settings = format!("rate = 1000\ndelete_batch = {limit}\nexport_batch = {limit}");
    let operator = Operator::at_with(&fake, &settings);
    operator.file("ids.csv", csv_of(ids, None));
    let args: &[&str] = match is_deletion {
        true => &["delete", "--gdpr", "--yes", "ids.csv", "--json"],
        false => &["export", "--gdpr", "ids.csv", "--json"],
    };
    let args = &[args, &["--expect-pattern", "(?s).*"]].concat();
    let outcome = operator.run(args);
    outcome.exits_with(0);
    let unique: Vec<String> = BTreeSet::from_iter(ids.iter().cloned())
        .into_iter()
        .collect();
    same_people(&fake.posted_ids(), &unique);
    let posts = fake.posts();
    assert_eq!(
        posts.len(),
        unique.len().div_ceil(limit),
        "as few jobs as can be"
    );
    assert!(posts.iter().map(Call::ids).all(|ids| ids.len() <= limit));
    let request = outcome.request();
    assert_eq!(request["ids"]["unique"], unique.len());
    assert_eq!(request["ids"]["duplicates"], ids.len() - unique.len());
    assert!(states(&request).iter().all(|state| state == "accepted"));
}
