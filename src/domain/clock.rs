use chrono::{DateTime, NaiveDate, Utc};

/// The one source of the present moment, passed in wherever a time is recorded or shown.
pub trait Clock: Send + Sync {
    /// The present moment in UTC.
    fn now(&self) -> DateTime<Utc>;

    /// The present day in UTC.
    fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }
}
