//! The timeline of one request, from receipt to due date, as SVG and as a table.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use maud::{Markup, html};

use crate::document::chart::percent;
use crate::document::text::{counted, day, moment};
use crate::domain::{JobState, Passage};

use super::super::answer::Timing;
use super::super::facts::{Made, RequestFacts};
use super::super::words;
use super::{changed, count};

/// In CSS pixels: above the first lane, of a lane, and of its bar.
const TOP: u32 = 46;
const LANE: u32 = 60;
const BAR: u32 = 12;
/// Below the last lane, for the dates.
const FOOT: u32 = 24;

struct TimelineLane {
    title: &'static str,
    when: String,
    class: &'static str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

struct PictureSpan {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl PictureSpan {
    /// The position of a moment, in percent of the width.
    fn place(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.to - self.from).num_milliseconds().max(1) as f64;
        let part = (time - self.from).num_milliseconds() as f64;
        (part / whole * 100.0).clamp(0.0, 100.0)
    }
}

pub(super) fn section(request: &RequestFacts, made: &Made) -> Markup {
    html! {
        section aria-labelledby="timeline" {
            h2 #timeline { "When it happened" }
            figure.chart { (picture(request)) }
            (table(request, made))
        }
    }
}

fn picture(request: &RequestFacts) -> Markup {
    let asked = &request.asked;
    let lanes = lanes(request);
    let moments = lanes.iter().map(|lane| lane.to);
    let due = end_of(asked.due);
    let span = PictureSpan {
        from: start_of(asked.received).min(asked.created),
        to: moments.chain([due]).max().unwrap_or(due),
    };
    let base = TOP + LANE * lanes.len() as u32;
    let marks = [("Due", asked.due, end_of(asked.due), 14, "mark due")];
    let answered = request.answer.day;
    html! {
        svg role="img" aria-labelledby="timeline-title timeline-desc" width="100%" height=(base + FOOT) {
            title #timeline-title { "Time of request " (request.id) }
            desc #timeline-desc {
                "Received " (day(asked.received)) ", due " (day(asked.due)) ". "
                @for lane in &lanes { (lane.title) ": " (lane.when) ". " }
            }
            @for (name, date, at, y, class) in marks {
                (mark(&span, &format!("{name} {}", day(date)), at, (y, base), class))
            }
            @if let Some(on) = answered {
                (mark(&span, &format!("Answered {}", day(on)), end_of(on).min(span.to), (32, base), "mark now"))
            }
            @for (place, lane) in lanes.iter().enumerate() { (lane_of(lane, &span, TOP + LANE * place as u32)) }
            line.base x1="0" x2="100%" y1=(base) y2=(base) {}
            text.label x="0" y=(base + 17) { (day(span.from.date_naive())) }
            text.label x="100%" y=(base + 17) text-anchor="end" { (day((span.to - TimeDelta::milliseconds(1)).date_naive())) }
        }
    }
}

fn lane_of(lane: &TimelineLane, span: &PictureSpan, top: u32) -> Markup {
    let (from, to) = (span.place(lane.from), span.place(lane.to));
    let bar = top + 34;
    let middle = bar + BAR / 2;
    html! {
        text.lane.name x="0" y=(top + 13) { (lane.title) }
        text.lane x="0" y=(top + 28) { (lane.when) }
        line.track x1="0" x2="100%" y1=(middle) y2=(middle) {}
        rect class=(lane.class) x=(percent(from)) width=(percent(to - from)) y=(bar) height=(BAR) rx="2" {}
        // Makes a period of no length visible.
        circle class=(lane.class) cx=(percent(from)) cy=(middle) r="6" {}
        circle class=(lane.class) cx=(percent(to)) cy=(middle) r="6" {}
    }
}

fn mark(
    span: &PictureSpan,
    text: &str,
    at: DateTime<Utc>,
    (y, base): (u32, u32),
    class: &str,
) -> Markup {
    let place = span.place(at);
    let anchor = match place {
        0.0..25.0 => "start",
        25.0..75.0 => "middle",
        _ => "end",
    };
    html! {
        line class=(class) x1=(percent(place)) x2=(percent(place)) y1=(y + 3) y2=(base) {}
        text.label x=(percent(place)) y=(y) text-anchor=(anchor) { (text) }
    }
}

fn lanes(request: &RequestFacts) -> Vec<TimelineLane> {
    let asked = &request.asked;
    let mut lanes = vec![lane(
        "Time allowed",
        "span law",
        format!("{} to {}", day(asked.received), day(asked.due)),
        (start_of(asked.received), end_of(asked.due)),
    )];
    let passed = |state| moment_of(request, state);
    let accepted = passed(JobState::Accepted);
    let sending = passed(JobState::Sending);
    lanes.extend(stretch(
        "Sent",
        "span own",
        sending.map(|sent| sent.first),
        accepted.or(sending).map(|taken| taken.last),
    ));
    let ended = [JobState::Done, JobState::Failed, JobState::Revoked];
    let ended = ended.into_iter().filter_map(passed).map(|ended| ended.last);
    match (request.has_followed(), ended.max()) {
        (true, _) => lanes.extend(accepted.map(|taken| TimelineLane {
            title: "With Mixpanel",
            when: format!("since {}, in progress", moment(taken.first)),
            class: "span theirs",
            from: taken.first,
            // To the end of the chart, which must not depend on today.
            to: end_of(asked.due).max(taken.last),
        })),
        (false, ended) => lanes.extend(stretch(
            "With Mixpanel",
            "span theirs",
            accepted.map(|taken| taken.first),
            ended,
        )),
    }
    for (state, title) in [
        (JobState::Refused, "Refused"),
        (JobState::Unknown, "Outcome unknown"),
    ] {
        let passed = passed(state);
        lanes.extend(stretch(
            title,
            "span trouble",
            passed.map(|moment| moment.first),
            passed.map(|moment| moment.last),
        ));
    }
    let fetched = request
        .fetching
        .as_ref()
        .and_then(|fetching| fetching.last_fetched_at);
    lanes.extend(stretch("Fetched", "span own", fetched, fetched));
    lanes
}

fn stretch(
    title: &'static str,
    class: &'static str,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Option<TimelineLane> {
    let (from, to) = from.zip(to)?;
    let when = match moment(from) == moment(to) {
        true => moment(from),
        false => format!("{} to {}", moment(from), moment(to)),
    };
    Some(lane(title, class, when, (from, to)))
}

/// Says so if a period ends before it begins: its dates contradict each other.
fn lane(
    title: &'static str,
    class: &'static str,
    when: String,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> TimelineLane {
    let when = match from <= to {
        true => when,
        false => format!("{when}: the dates contradict each other"),
    };
    TimelineLane {
        title,
        when,
        class,
        from: from.min(to),
        to: from.max(to),
    }
}

fn moment_of(request: &RequestFacts, state: JobState) -> Option<&Passage> {
    request.moments.iter().find(|moment| moment.to == state)
}

fn table(request: &RequestFacts, made: &Made) -> Markup {
    let asked = &request.asked;
    html! {
        table.moments.cards {
            thead { tr { th scope="col" { "What" } th.number scope="col" { "Jobs" } th scope="col" { "First" } th scope="col" { "Last" } } }
            tbody {
                tr { th scope="row" { "The request was recorded" } td.number data-label="Jobs" { (count(request.jobs_count)) }
                     td.time data-label="First" { (moment(asked.created)) } td.time data-label="Last" { (moment(asked.created)) } }
                @for passed in &request.moments {
                    tr {
                        th scope="row" { (words::step(passed.to)) }
                        td.number data-label="Jobs" { (count(passed.jobs)) }
                        td.time data-label="First" { (moment(passed.first)) }
                        td.time data-label="Last" { (moment(passed.last)) }
                    }
                }
                @if let Some((fetching, at)) = request.fetching.as_ref().and_then(|f| Some((f, f.last_fetched_at?))) {
                    tr { th scope="row" { "The data was fetched" } td.number data-label="Jobs" { (count(fetching.fetched_jobs)) }
                         td data-label="First" { "–" } td.time data-label="Last" { (moment(at)) } }
                }
            }
        }
        @if let (Some(answered), Timing::DatesContradict) = (request.answer.day, request.answer.timing) {
            p.note { "The request was received on " (day(asked.received)) ", but its answer is dated " (day(answered)) ". These dates contradict each other. " (changed(made)) }
        } @else if let (Some(answered), Some(days)) = (request.answer.day, request.answer.days) {
            p.note { "The person was answered on " (day(answered)) ", " (counted(days.unsigned_abs(), "day", "days")) " after receipt. The answer was due on " (day(asked.due)) " (" (asked.due_rule) ")." }
        }
    }
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The whole last day counts.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    start_of(day.checked_add_days(Days::new(1)).unwrap_or(day))
}
