//! `dsr lookup` compared with a second, simple search over hostile values.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::lookup::{answers, listed, lookup};
use crate::support::{Chance, Operator};

/// Hostile values, few enough that they meet.
fn value(chance: &mut Chance) -> String {
    const PARTS: [&str; 14] = [
        "a", "A", "b", "\"", "\\", ",", ";", " ", "1", "0", "\u{e9}", "e\u{301}", "\u{131}", "I",
    ];
    let count = 1 + chance.below(3);
    let part = |_| PARTS[chance.below(PARTS.len() as u64) as usize];
    format!("{}@x", (0..count).map(part).collect::<String>())
}

#[test]
fn answers_agree_with_a_second_search() {
    let mut chance = Chance::new(7);
    for round in 0..4 {
        let asked: Vec<String> = (0..150).map(|_| value(&mut chance)).collect();
        let profiles: Vec<(String, String)> = (0..300)
            .map(|_| (format!("id-{}", chance.below(200)), value(&mut chance)))
            .collect();
        let operator = Operator::new();
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["$email", "n"]).unwrap();
        asked
            .iter()
            .for_each(|value| table.write_record([value, "1"]).unwrap());
        operator.file("ask.csv", table.into_inner().unwrap());
        let object = |(id, value): &(String, String)| json!({ "$distinct_id": id, "$properties": { "$email": value } });
        let text = match round {
            0 => {
                let mut table = csv::WriterBuilder::new()
                    .quote_style(csv::QuoteStyle::Always)
                    .from_writer(Vec::new());
                table.write_record(["Email", "Distinct ID"]).unwrap();
                for (id, value) in &profiles {
                    table.write_record([value, id]).unwrap();
                }
                String::from_utf8(table.into_inner().unwrap()).unwrap()
            }
            1 => profiles
                .iter()
                .map(|p| format!("{}\n", object(p)))
                .collect(),
            2 => format!("{:#}", Value::from_iter(profiles.iter().map(object))),
            _ => {
                let results: Vec<Value> = profiles.iter().map(object).collect();
                let people: BTreeSet<&String> = profiles.iter().map(|(id, _)| id).collect();
                json!({ "results": results, "total": people.len(), "page": 0, "page_size": 1000 })
                    .to_string()
            }
        };
        operator.file("users", text);
        let outcome = lookup(
            &operator,
            &["--profiles", "users", "-o", "ids.csv", "ask.csv"],
        );
        let answers = answers(outcome.exits_with(0));
        let mut expected_ids = BTreeSet::new();
        for (value, (answer, count)) in asked.iter().zip(&answers) {
            let with = profiles.iter().filter(|(_, other)| other == value);
            let ids: BTreeSet<&str> = with.map(|(id, _)| id.as_str()).collect();
            assert_eq!(*count, ids.len() as u64, "round {round}: {value:?}");
            let small = |text: &str| text.trim().to_lowercase();
            let is_near = profiles
                .iter()
                .any(|(_, other)| small(other) == small(value));
            let fits = match ids.len() {
                0 if is_near => answer == "near",
                0 => answer == "near" || answer == "none",
                1 => answer == "one",
                _ => answer == "several",
            };
            assert!(fits, "round {round}: {value:?} is {answer}");
            expected_ids.extend(ids.into_iter().map(str::to_owned));
        }
        let rows = listed(&operator, "ids.csv");
        let ids: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
        assert_eq!((ids.len(), &ids), (rows.len(), &expected_ids), "each once");
    }
}
