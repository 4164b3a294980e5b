//! Times that are counted back by the calendar, such as `24months`, and the most that may be
//! selected by one.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};

/// How long profiles are kept: calendar days, months or years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionWindow {
    count: u32,
    unit: WindowUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WindowUnit {
    Days,
    Months,
    Years,
}

/// Why a text is not a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give days, months or years, such as 90days, 24months or 2years")]
pub struct WindowError;

impl FromStr for RetentionWindow {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit());
        let (count, unit) = text.split_at(end.ok_or(WindowError)?);
        let count = count.parse().map_err(|_| WindowError)?;
        let unit = match unit.trim() {
            "d" | "day" | "days" => WindowUnit::Days,
            "month" | "months" => WindowUnit::Months,
            "y" | "year" | "years" => WindowUnit::Years,
            _ => return Err(WindowError),
        };
        // Without a window, everybody would be late.
        (count > 0)
            .then_some(Self { count, unit })
            .ok_or(WindowError)
    }
}

impl fmt::Display for RetentionWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            WindowUnit::Days => "day",
            WindowUnit::Months => "month",
            WindowUnit::Years => "year",
        };
        let many = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{many}", self.count)
    }
}

impl RetentionWindow {
    /// The day before which the window ends: so many calendar months before 31 March is the last day
    /// of a shorter month. `None` before the calendar's beginning.
    pub fn limit(self, today: NaiveDate) -> Option<NaiveDate> {
        match self.unit {
            WindowUnit::Days => today.checked_sub_days(Days::new(self.count.into())),
            WindowUnit::Months => today.checked_sub_months(Months::new(self.count)),
            WindowUnit::Years => today.checked_sub_months(Months::new(self.count.checked_mul(12)?)),
        }
    }
}

/// The most profiles that one command may select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MostSelected {
    /// Of all profiles, in hundredths of a percent.
    Share(u32),
    Count(usize),
}

impl MostSelected {
    /// Protects from a wrong property: 5%.
    pub const DEFAULT: Self = Self::Share(500);

    /// Whether so many of so many profiles may be selected.
    pub fn allows(self, selected: usize, of: usize) -> bool {
        match self {
            Self::Share(share) => selected as u128 * 10_000 <= u128::from(share) * of as u128,
            Self::Count(count) => selected <= count,
        }
    }
}

impl FromStr for MostSelected {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str =
            "give a share such as 5% or 0.25%, or a number of profiles such as 2000";
        let text = text.trim();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(percent) = text.strip_suffix('%') else {
            return match digits(text) {
                true => text.parse().map(Self::Count).map_err(|_| FORMS),
                false => Err(FORMS),
            };
        };
        let (whole, part) = percent
            .trim()
            .split_once('.')
            .unwrap_or((percent.trim(), "0"));
        if whole.is_empty() || !digits(whole) || !digits(part) || !(1..=2).contains(&part.len()) {
            return Err(FORMS);
        }
        let share: Result<u32, _> = format!("{whole}{part:0<2}").parse();
        let share = share.ok().filter(|share| *share <= 10_000);
        share.map(Self::Share).ok_or(FORMS)
    }
}

impl fmt::Display for MostSelected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => {
                let (whole, part) = (share / 100, share % 100);
                match part {
                    0 => write!(f, "{whole}%"),
                    part => write!(f, "{}%", format!("{whole}.{part:02}").trim_end_matches('0')),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str, today: &str) -> String {
        let window: RetentionWindow = text.parse().unwrap();
        window.limit(today.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_window_is_counted_back_by_the_calendar() {
        assert_eq!(limit("24months", "2026-12-01"), "2024-12-01");
        assert_eq!(limit("2 years", "2028-02-29"), "2026-02-28");
        assert_eq!(limit("1month", "2027-03-31"), "2027-02-28");
        assert_eq!(limit("90d", "2026-12-01"), "2026-09-02");
        for text in [
            "",
            "24",
            "0days",
            "months",
            "-1year",
            "1.5years",
            "24m",
            "99999999999y",
        ] {
            assert_eq!(text.parse::<RetentionWindow>(), Err(WindowError), "{text}");
        }
        let endless: RetentionWindow = "4294967295years".parse().unwrap();
        assert_eq!(endless.limit("2026-12-01".parse().unwrap()), None);
        let shown = |text: &str| text.parse::<RetentionWindow>().unwrap().to_string();
        assert_eq!([shown("24months"), shown("1y")], ["24 months", "1 year"]);
    }

    #[test]
    fn a_share_is_of_all_and_a_number_is_a_number() {
        let most = |text: &str| text.parse::<MostSelected>().unwrap();
        assert_eq!(most("5%"), MostSelected::Share(500));
        assert!(most("5%").allows(50_000, 1_000_000));
        assert!(!most("5%").allows(50_001, 1_000_000));
        assert!(most("0.25%").allows(25, 10_000) && !most("0.25%").allows(26, 10_000));
        assert!(most("0").allows(0, 9) && !most("0").allows(1, 9));
        assert!(most("2000").allows(2000, 2000) && !most("2000").allows(2001, 9000));
        for text in [
            "",
            "%",
            "101%",
            "-5%",
            "5 percent",
            "0.125%",
            "1e3",
            "5%%",
            ".5%",
            "1.",
        ] {
            assert!(text.parse::<MostSelected>().is_err(), "{text}");
        }
        for text in ["5%", "0.25%", "12.5%", "2000", "100%"] {
            assert_eq!(most(text).to_string(), text);
        }
    }
}
