/// What an entry tells of. Verification reads some of them; one that it does not know is held
/// against its hash alone, so there may be more of them with each dsr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditEvent {
    /// The first entry: what the ledger held before there was a trail.
    TrailStarted,
    /// A request and its jobs, all planned.
    RequestRecorded,
    /// A job has another state.
    JobMoved,
    /// Something else about a job changed than its state.
    JobNoted,
    /// A job was left with fewer ids, and jobs with the others stand behind the last.
    JobCut,
    /// The operator gave up on a job of unknown outcome.
    JobAbandoned,
    /// The operator said that a job of unknown outcome is to be sent again.
    SendAgainAsked,
    /// The operator said that a request, or a task of it, is to be cancelled.
    CancellationAsked,
    RequestExtended,
    /// The operator said when the person was told.
    AnswerRecorded,
    /// An export was fetched.
    ExportFetched,
    /// A fetched export was split into packages.
    PackagesMade,
    /// Keyed hashes took the place of the ids of jobs that had ended.
    IdsHashed,
    /// The key under which people are hashed, by its fingerprint.
    LedgerKeyRecorded,
    /// A closed request was removed with all that belongs to it.
    RequestPurged,
    /// A purge, and how much it removed.
    RecordsPurged,
    /// The operator goes on with a ledger that lacks what this host had seen of it.
    SetBackAccepted,
    SetBackReviewed,
}

impl AuditEvent {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrailStarted => "trail_started",
            Self::RequestRecorded => "request_recorded",
            Self::JobMoved => "job_moved",
            Self::JobNoted => "job_noted",
            Self::JobCut => "job_cut",
            Self::JobAbandoned => "job_abandoned",
            Self::SendAgainAsked => "send_again_asked",
            Self::CancellationAsked => "cancellation_asked",
            Self::RequestExtended => "request_extended",
            Self::AnswerRecorded => "answer_recorded",
            Self::ExportFetched => "export_fetched",
            Self::PackagesMade => "packages_made",
            Self::IdsHashed => "ids_hashed",
            Self::LedgerKeyRecorded => "ledger_key_recorded",
            Self::RequestPurged => "request_purged",
            Self::RecordsPurged => "records_purged",
            Self::SetBackAccepted => "set_back_accepted",
            Self::SetBackReviewed => "set_back_reviewed",
        }
    }
}
