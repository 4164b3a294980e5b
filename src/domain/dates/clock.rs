use chrono::{DateTime, NaiveDate, Utc};

/// The only source of the present moment.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// The operator's local day. Laws count local days, and a Californian evening is tomorrow in
    /// UTC.
    fn today(&self) -> NaiveDate;
}
