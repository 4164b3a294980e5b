/// The status of the process. Stable: scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    Done,
    /// A bug, or anything not listed here.
    Bug,
    /// Wrong usage, or a confirmation that was refused or impossible.
    Usage,
    /// Mixpanel refused some or all of it; the rest went through.
    Refused,
    /// The token is missing, expired or not allowed.
    Auth,
    /// Bad input file; nothing was sent.
    Input,
    Unknown,
    /// Mixpanel reports a job failed, revoked or not found.
    Failed,
    /// Accepted and still running.
    Running,
    /// A legal deadline has passed.
    Overdue,
    /// Another dsr held the ledger longer than `--lock-timeout`, or its server was unreachable.
    Locked,
    LocalIo,
    /// A rate limit or the network prevented sending.
    Temporary,
    /// SIGHUP.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl ExitStatus {
    pub const ALL: [Self; 16] = [
        Self::Done,
        Self::Bug,
        Self::Usage,
        Self::Refused,
        Self::Auth,
        Self::Input,
        Self::Unknown,
        Self::Failed,
        Self::Running,
        Self::Overdue,
        Self::Locked,
        Self::LocalIo,
        Self::Temporary,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// If several apply, the first of these wins.
    pub const PRECEDENCE: [Self; 7] = [
        Self::Unknown,
        Self::Auth,
        Self::Failed,
        Self::Refused,
        Self::Overdue,
        Self::Temporary,
        Self::Running,
    ];

    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Auth => 4,
            Self::Input => 5,
            Self::Unknown => 6,
            Self::Failed => 7,
            Self::Running => 8,
            Self::Overdue => 9,
            Self::Locked => 11,
            Self::LocalIo => 74,
            Self::Temporary => 75,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Bug => "a bug, or anything not listed",
            Self::Usage => "wrong usage, no confirmation, or the output file already exists",
            Self::Refused => "Mixpanel refused some or all jobs; it accepted the rest",
            Self::Auth => "the token is missing, expired or not allowed",
            Self::Input => "bad input file; nothing was sent",
            Self::Unknown => "an outcome is unknown; Mixpanel may or may not have the job",
            Self::Failed => "Mixpanel reports a job failed, revoked or not found",
            Self::Running => {
                "accepted and still running (from --timeout, and status or verify --exit-status)"
            }
            Self::Overdue => {
                "a legal deadline has passed (from status --exit-status), or is near (with --due-within)"
            }
            Self::Locked => {
                "another dsr held the ledger longer than --lock-timeout, or its server was unreachable: run the same command again"
            }
            Self::LocalIo => "a file problem (disk full, ledger damaged or an older copy)",
            Self::Temporary => {
                "temporary: the rate limit or the network stopped dsr; `dsr resume` sends the rest of a request; run anything else again later"
            }
            Self::HungUp => "interrupted (SIGHUP: the terminal was closed)",
            Self::Interrupted => "interrupted (Ctrl-C)",
            Self::Terminated => "interrupted (SIGTERM)",
        }
    }

    /// The status that wins; `Done` if `statuses` is empty.
    pub fn most_pressing(statuses: impl IntoIterator<Item = Self>) -> Self {
        let rank = |status: &Self| match Self::PRECEDENCE.iter().position(|s| s == status) {
            Some(place) => place + 1,
            None if *status == Self::Done => usize::MAX,
            // An interruption or a local failure concerns the run, not a job: it wins.
            None => 0,
        };
        statuses.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_6_4_7_3_9_75_8_wins() {
        use ExitStatus::{Auth, Done, Failed, Overdue, Refused, Running, Temporary, Unknown};
        let order = [
            Unknown, Auth, Failed, Refused, Overdue, Temporary, Running, Done,
        ];
        for (place, winner) in order.into_iter().enumerate() {
            let mut rest: Vec<_> = order[place..].to_vec();
            rest.reverse();
            assert_eq!(ExitStatus::most_pressing(rest), winner);
        }
        assert_eq!(ExitStatus::most_pressing([]), Done);
    }

    #[test]
    fn each_status_has_a_number_of_its_own() {
        let mut codes: Vec<u8> = ExitStatus::ALL.iter().map(|s| s.code()).collect();
        codes.dedup();
        assert_eq!(
            codes,
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 74, 75, 129, 130, 143]
        );
    }
}
