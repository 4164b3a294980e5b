//! Shows plan files.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::domain::Kind;
use crate::plan_file::{Approval, Header, PlanFile};
use crate::ui::drawing::json::time;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{duration, number, plural, printable, rate_text};
use crate::ui::request::dates::{Dates, NOT_ADVICE};
use crate::ui::request::plan::{approval, signed};

use crate::ui::people::sources::exclusion_text;

use super::view::{PlanView, counts_text};

/// Whether the approvals in a file are known to be genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Genuine,
    /// No ledger key is available here to check them.
    No,
}

/// What a look without the key leaves open.
const NOT_CHECKED: &str = "NOT CHECKED: this host does not have the ledger key that sealed the plan. The ids, the approvals and every line here may be forged";

/// A plan file to look at.
pub struct PlanFileView<'a> {
    pub file: &'a PlanFile,
    pub approvals: Checked,
    /// How many approvals its project needs, if the project is known here.
    pub needed: Option<usize>,
    pub today: NaiveDate,
}

/// A plan that was just written to a file.
pub struct WrittenView<'a> {
    pub plan: PlanView<'a>,
    pub file: PlanFileView<'a>,
}

impl View for PlanFileView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let header = self.file.header();
        let heading = format!(
            "{}: {} {} under {}, project {} ({})",
            self.title(),
            match header.operation.kind() {
                Kind::Export => "export of",
                Kind::Delete => "deletion of",
            },
            plural(header.unique, "id", "ids"),
            header.operation.law().title(),
            header.project,
            header.region.as_str(),
        );
        let mut facts = paper.facts(2, 10);
        let mut lines = self.approvals_text().into_iter();
        facts.add("Approvals", &one_line(&lines.next().unwrap_or_default()));
        for line in lines {
            facts.add_below("Approved by", &one_line(&line));
        }
        let mut add = |label: &str, line: &str| facts.add(label, &one_line(line));
        if self.approvals == Checked::No {
            add("Checked", NOT_CHECKED);
        }
        add("Created", &created_text(header));
        if let Some(reference) = &header.reference {
            add("Ref", reference);
        }
        if let Some(disclosure) = header.operation.disclosure() {
            add("Discloses", disclosure.as_str());
        }
        for (label, line) in contents(header) {
            add(label, &line);
        }
        let mut text = paper.wrapped("", &heading);
        text.push_str(&facts.into_text());
        text.push_str(&Dates::of_plan_file(header).lines(self.today, paper));
        text.push_str(&digest_line(&self.file.digest().to_string(), paper));
        text + &paper.wrapped("", NOT_ADVICE)
    }

    fn json(&self) -> Value {
        json!({ "plan": self.object() })
    }
}

impl PlanFileView<'_> {
    /// `Plan 3f2a91cc07deb1a4`: what people compare comes first.
    fn title(&self) -> String {
        format!("Plan {}", self.file.digest().short())
    }

    fn approvals_text(&self) -> Vec<String> {
        let approvals = self.file.approvals();
        let needed = match self.needed {
            Some(0) => " (the project needs none)".to_owned(),
            Some(needed) => format!(" of {needed} needed"),
            None => " so far".to_owned(),
        };
        let mut lines = vec![match approvals.len() {
            0 => format!("none{needed}"),
            given => format!("{given}{needed}"),
        }];
        lines.extend(
            approvals
                .iter()
                .map(|approval| self.approval_text(approval)),
        );
        lines
    }

    fn approval_text(&self, approval: &Approval) -> String {
        let text = signed(&approval.by, approval.at);
        match approval.digest == *self.file.digest() {
            true => text,
            false => format!("{text}: for ANOTHER PLAN, {}", approval.digest.short()),
        }
    }

    fn object(&self) -> Value {
        let (file, header) = (self.file, self.file.header());
        let approvals = file.approvals().iter();
        let value = json!({
            "file": file.path().display().to_string(),
            "digest": file.digest().to_string(),
            "kind": header.operation.kind(),
            "law": header.operation.law(),
            "disclosure": header.operation.disclosure(),
            "project": header.project.as_str(),
            "region": header.region,
            "service": header.service,
            "ref": header.reference,
            "received": header.received.to_string(),
            "due": header.due.to_string(),
            "source": header.source,
            "excluded_source": header.excluded_source,
            "exclusions": header.exclusions,
            "ids": {
                "read": header.read,
                "unique": header.unique,
                "duplicates": header.duplicates(),
                "excluded": header.excluded,
            },
            "people": file.people(),
            "hashing": header.hashed,
            "suspicious": header.warnings,
            "limits": {
                "batch": header.batch,
                "rate": header.rate.per_second(),
                "jobs": header.jobs(),
            },
            "created": time(header.created),
            "created_by": header.created_by,
            "expires": time(header.expires()),
            "dsr": header.version,
            "ledger_key": file.ledger_key(),
            "approvals": approvals.map(|a| approval(&a.by, a.at)).collect::<Vec<_>>(),
            "approvals_checked": self.approvals == Checked::Genuine,
            "approvals_needed": self.needed,
        });
        Dates::of_plan_file(header)
            .added_to(value, self.today)
            .into()
    }
}

impl View for WrittenView<'_> {
    fn human(&self, paper: &Paper) -> String {
        let plan = self.plan.human(paper);
        let name = printable(&self.file.file.path().display().to_string());
        let (title, digest) = (self.file.title(), self.file.file.digest());
        let digest = digest_line(&digest.to_string(), paper);
        format!("{plan}\n{title} is in {name}\n{digest}")
    }

    fn json(&self) -> Value {
        let mut value = self.plan.json();
        value["plan"] = self.file.object();
        value
    }
}

fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

fn digest_line(digest: &str, paper: &Paper) -> String {
    let mut facts = paper.facts(2, 10);
    facts.add("Digest", digest);
    facts.into_text()
}

fn created_text(header: &Header) -> String {
    format!(
        "{}, with dsr {}; can be applied until {}",
        signed(&header.created_by, header.created),
        header.version,
        header.expires().date_naive()
    )
}

fn contents(header: &Header) -> Vec<(&'static str, String)> {
    let mut lines = vec![(
        "Ids",
        format!(
            "{} read from {}: {}",
            number(header.read),
            header.source,
            counts_text(header.unique, header.duplicates(), header.excluded)
        ),
    )];
    if !header.excluded_source.is_empty() {
        let ids = plural(header.excluded, "id", "ids");
        lines.push(("Excluded", format!("{ids}, by {}", header.excluded_source)));
        let exclusions = header.exclusions.iter().map(exclusion_text);
        lines.extend(exclusions.map(|text| ("Exclusion", text)));
    }
    if let Some(hashed) = &header.hashed {
        let case = if hashed.lowercase {
            ", lower-cased"
        } else {
            ""
        };
        let prefix = match hashed.prefix.as_str() {
            "" => String::new(),
            prefix => format!(", after `{prefix}`"),
        };
        let function = &hashed.function;
        lines.push(("Hashed", format!("{function} of each value{case}{prefix}")));
    }
    for warned in &header.warnings {
        let ids = plural(warned.count, "id", "ids");
        lines.push(("Warning", format!("{ids} {}", warned.message)));
    }
    let limit = plural(header.batch.get(), "id", "ids");
    let jobs = plural(header.jobs(), "job", "jobs");
    lines.push(("Jobs", format!("{jobs} of at most {limit}")));
    let rate = rate_text(header.rate.per_second());
    let duration = duration(header.rate.time_for(header.jobs()));
    lines.push(("Time", format!("{duration} at {rate} a second")));
    lines
}
