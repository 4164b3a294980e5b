//! Lists as programs write them: dsr reads exactly their ids, or nothing.

use std::num::NonZeroUsize;

use dsr::intake::{Keep, ReadOptions, Source, read};
use proptest::prelude::*;

type Style = fn(&[String]) -> String;

fn lines(ids: &[String], line: impl Fn(usize, &str) -> String) -> String {
    let each = ids.iter().enumerate();
    each.map(|(n, id)| line(n, id) + "\n").collect()
}

fn width(ids: &[String]) -> usize {
    let ids = ids.iter().map(|id| id.chars().count());
    ids.chain([11]).max().unwrap_or_default()
}

fn boxed(ids: &[String], corner: &str, bar: &str, dash: &str) -> String {
    let w = width(ids);
    let ruler = format!("{corner}{}{corner}\n", dash.repeat(w + 2));
    let head = format!("{bar} {:<w$} {bar}\n", "distinct_id");
    let rows = lines(ids, |_, id| format!("{bar} {id:<w$} {bar}"));
    format!("{ruler}{head}{ruler}{rows}{ruler}")
}

fn json(ids: &[String]) -> String {
    serde_json::to_string(ids).expect("texts are JSON")
}

fn named_records(ids: &[String]) -> Vec<serde_json::Value> {
    let record = |id: &String| serde_json::json!({ "$distinct_id": id, "$properties": { "n": 1 } });
    ids.iter().map(record).collect()
}

const STYLES: [(&str, Style); 52] = [
    ("a list", |ids| lines(ids, |_, id| id.to_owned())),
    ("CSV", |ids| {
        format!("distinct_id\n{}", lines(ids, |_, id| id.to_owned()))
    }),
    ("CSV, CRLF, quoted, marked", |ids| {
        format!(
            "\u{feff}\"distinct_id\",\"n\"\r\n{}",
            lines(ids, |n, id| format!("\"{id}\",\"{n}\"\r"))
        )
    }),
    ("Excel's semicolons", |ids| {
        format!(
            "sep=;\r\nn;distinct_id\r\n{}",
            lines(ids, |n, id| format!("{n};{id}\r"))
        )
    }),
    ("trailing commas", |ids| {
        format!(
            "distinct_id,name\n{}",
            lines(ids, |_, id| format!("{id},x,,"))
        )
    }),
    ("trailing commas in a list", |ids| {
        lines(ids, |_, id| format!("{id},"))
    }),
    ("a title", |ids| {
        format!(
            "Table 1\ndistinct_id\n{}",
            lines(ids, |_, id| id.to_owned())
        )
    }),
    ("comments", |ids| {
        format!(
            "# made by ann\n\ndistinct_id\n{}",
            lines(ids, |_, id| id.to_owned())
        )
    }),
    ("comments between", |ids| {
        lines(ids, |n, id| format!("# {n}\n{id}"))
    }),
    ("PowerShell", |ids| {
        format!(
            "#TYPE System.Object\r\n\"distinct_id\"\r\n{}",
            lines(ids, |_, id| format!("\"{id}\"\r"))
        )
    }),
    ("mysql", |ids| {
        boxed(ids, "+", "|", "-") + &format!("{} rows in set (0.00 sec)\n", ids.len())
    }),
    ("mysql -B", |ids| {
        format!(
            "distinct_id\tn\n{}",
            lines(ids, |n, id| format!("{id}\t{n}"))
        )
    }),
    ("mysql -E", |ids| {
        lines(ids, |n, id| {
            format!("*** {}. row ***\ndistinct_id: {id}", n + 1)
        })
    }),
    ("psql", |ids| {
        let w = width(ids) + 2;
        let rows = lines(ids, |_, id| format!(" {id}"));
        format!(
            " distinct_id\n{}\n{rows}({} rows)\n\n",
            "-".repeat(w),
            ids.len()
        )
    }),
    ("psql, two columns", |ids| {
        let w = width(ids) + 2;
        let rows = lines(ids, |n, id| format!(" {id} | {n}"));
        format!(
            " distinct_id | n\n{}+---\n{rows}({} rows)\n\n",
            "-".repeat(w),
            ids.len()
        )
    }),
    ("psql -A", |ids| {
        format!(
            "distinct_id\n{}({} rows)\n",
            lines(ids, |_, id| id.to_owned()),
            ids.len()
        )
    }),
    ("psql -At with timing", |ids| {
        format!(
            "Timing is on.\n{}Time: 0.322 ms\n",
            lines(ids, |_, id| id.to_owned())
        )
    }),
    ("psql -t", |ids| lines(ids, |_, id| format!(" {id}"))),
    ("psql -x", |ids| {
        lines(ids, |n, id| {
            format!("-[ RECORD {} ]-\ndistinct_id | {id}\nevents | 3", n + 1)
        })
    }),
    ("psql's COPY", |ids| {
        format!(
            "COPY {}\ndistinct_id\n{}",
            ids.len(),
            lines(ids, |_, id| id.to_owned())
        )
    }),
    ("sqlcmd", |ids| {
        let w = width(ids);
        let rows = lines(ids, |_, id| format!("{id:<w$}\r"));
        format!(
            "{:<w$}\r\n{}\r\n{rows}\r\n({} rows affected)\r\n",
            "distinct_id",
            "-".repeat(w),
            ids.len()
        )
    }),
    ("sqlcmd -W", |ids| {
        let rows = lines(ids, |_, id| id.to_owned());
        format!(
            "distinct_id\n-----------\n{rows}\n({} rows affected)\n",
            ids.len()
        )
    }),
    ("sqlcmd -h -1 -W", |ids| {
        format!(
            "{}\n({} rows affected)\n",
            lines(ids, |_, id| id.to_owned()),
            ids.len()
        )
    }),
    ("sqlplus", |ids| {
        let rows = lines(ids, |_, id| id.to_owned());
        format!(
            "\nDISTINCT_ID\n-----------\n{rows}\n{} rows selected.\n\n",
            ids.len()
        )
    }),
    ("sqlite3 -column", |ids| {
        format!(
            "distinct_id\n-----------\n{}",
            lines(ids, |_, id| id.to_owned())
        )
    }),
    ("sqlite3 -box", |ids| boxed(ids, "┼", "│", "─")),
    ("snowsql", |ids| {
        boxed(ids, "+", "|", "-") + &format!("{} Row(s) produced. Time Elapsed: 0.1s\n", ids.len())
    }),
    ("Markdown", |ids| {
        format!(
            "| distinct_id |\n|---|\n{}",
            lines(ids, |_, id| format!("| {id} |"))
        )
    }),
    ("Markdown, narrow", |ids| {
        format!(
            "|distinct_id|\n|-|\n{}",
            lines(ids, |_, id| format!("|{id}|"))
        )
    }),
    ("Markdown, two columns", |ids| {
        format!(
            "| distinct_id | n |\n|---|---|\n{}",
            lines(ids, |n, id| format!("| {id} | {n} |"))
        )
    }),
    ("bullets", |ids| lines(ids, |_, id| format!("- {id}"))),
    ("numbers", |ids| {
        lines(ids, |n, id| format!("{}. {id}", n + 1))
    }),
    ("code ticks", |ids| lines(ids, |_, id| format!("`{id}`"))),
    ("pandas", |ids| {
        format!(
            "   distinct_id\n{}",
            lines(ids, |n, id| format!("{n}  {id}"))
        )
    }),
    ("pandas, one column", |ids| {
        lines(ids, |n, id| format!("{n}    {id}")) + "Name: distinct_id, dtype: object\n"
    }),
    ("pandas to_csv", |ids| {
        format!(",distinct_id\n{}", lines(ids, |n, id| format!("{n},{id}")))
    }),
    ("R's vector", |ids| {
        lines(ids, |n, id| format!("[{}] \"{id}\"", n + 1))
    }),
    ("R's data frame", |ids| {
        format!(
            "  distinct_id\n{}",
            lines(ids, |n, id| format!("{} {id}", n + 1))
        )
    }),
    ("R's write.csv", |ids| {
        format!(
            "\"\",\"distinct_id\"\n{}",
            lines(ids, |n, id| format!("\"{n}\",\"{id}\""))
        )
    }),
    ("R's write.table", |ids| {
        format!(
            "\"distinct_id\"\n{}",
            lines(ids, |n, id| format!("\"{n}\" \"{id}\""))
        )
    }),
    ("jq", |ids| lines(ids, |_, id| format!("\"{id}\""))),
    ("jq's array", |ids| json(ids)),
    ("jq's objects", |ids| {
        let records = named_records(ids);
        let texts = records.iter().map(|record| format!("{record:#}\n"));
        texts.collect()
    }),
    ("a page of profiles", |ids| {
        serde_json::json!({ "page": 0, "results": named_records(ids), "total": 3 }).to_string()
    }),
    ("a request's body", |ids| {
        format!(
            "{:#}",
            serde_json::json!({ "distinct_ids": ids, "compliance_type": "GDPR" })
        )
    }),
    ("uniq -c", |ids| {
        lines(ids, |n, id| format!("{:>7} {id}", n + 1))
    }),
    ("cat -n", |ids| {
        lines(ids, |n, id| format!("{:>6}\t{id}", n + 1))
    }),
    ("grep -n", |ids| {
        lines(ids, |n, id| format!("{}:{id}", 3 * n + 2))
    }),
    ("grep -H", |ids| lines(ids, |_, id| format!("all.csv:{id}"))),
    ("one line", |ids| ids.join(" ") + "\n"),
    ("SQL", |ids| format!("('{}')\n", ids.join("', '"))),
    ("a total", |ids| {
        format!(
            "distinct_id,n\n{}Total,{}\n",
            lines(ids, |_, id| format!("{id},1")),
            ids.len()
        )
    }),
];

fn ids() -> impl Strategy<Value = Vec<String>> {
    let kind = prop::sample::select(vec![
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "[a-z]{3,8}\\.[a-z]{3,8}@example\\.test",
        "[1-9][0-9]{5,9}",
        "user-[0-9]{1,5}",
        "\\$device:[0-9a-f]{13}-[0-9a-f]{15}",
        "[A-Za-z0-9]{27}7",
        "auth0\\|[0-9a-f]{24}",
        "usr_[a-z]{4}[0-9][a-z]{4}",
    ]);
    kind.prop_flat_map(|kind| prop::collection::btree_set(kind, 1..6))
        .prop_map(|ids| ids.into_iter().collect())
}

/// The ids that would be sent, or why none would be.
fn read_ids(text: &str, extension: &str) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("list{extension}"));
    std::fs::write(&path, text).expect("a file");
    let keep = Keep::Ids(folder.path());
    let options = ReadOptions::default();
    let intake = read(&[Source::File(path)], &[], &options, keep, &mut |_| {});
    let intake = intake.map_err(|error| error.to_string())?;
    let ids = intake.ids.expect("the ids were asked for");
    let batches = ids.batches(NonZeroUsize::MAX);
    let batches: Vec<_> = batches.map(|batch| batch.expect("what was kept")).collect();
    let ids = batches.iter().flat_map(|batch| batch.ids());
    Ok(ids.map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_programs_list_gives_its_ids_or_nothing(ids in ids()) {
        for (style, write) in STYLES {
            let text = write(&ids);
            for extension in [".csv", ".txt", ""] {
                if let Ok(read) = read_ids(&text, extension) {
                    prop_assert_eq!(&read, &ids, "{}, {:?}:\n{}", style, extension, text);
                }
            }
        }
    }
}

#[test]
fn what_people_and_programs_mean_as_lists_is_read() {
    let ids = ["user-17", "user-18"].map(str::to_owned);
    for style in [
        "CSV",
        "CSV, CRLF, quoted, marked",
        "Excel's semicolons",
        "trailing commas",
        "a title",
        "comments",
        "PowerShell",
        "mysql -B",
        "pandas to_csv",
        "R's write.csv",
        "jq's array",
        "jq's objects",
        "a page of profiles",
        "a request's body",
    ] {
        let found = STYLES.iter().find(|(name, _)| *name == style);
        let (_, write) = found.expect("a style");
        for extension in [".csv", ".txt", ""] {
            let read = read_ids(&write(&ids), extension);
            assert_eq!(read.as_deref(), Ok(&ids[..]), "{style}, {extension:?}");
        }
    }
}
