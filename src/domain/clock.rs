use chrono::{DateTime, NaiveDate, Utc};

/// The one source of the present moment, passed in wherever a time is recorded or shown.
pub trait Clock: Send + Sync {
    /// The present moment in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// The present day where the operator is: laws count the days of a place, and in California
    /// the evening is tomorrow in UTC.
    fn today(&self) -> NaiveDate;
}
