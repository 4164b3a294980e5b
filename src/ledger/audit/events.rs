use crate::domain::words;

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

words!(AuditEvent {
    TrailStarted => "trail_started",
    RequestRecorded => "request_recorded",
    JobMoved => "job_moved",
    JobNoted => "job_noted",
    JobCut => "job_cut",
    JobAbandoned => "job_abandoned",
    SendAgainAsked => "send_again_asked",
    CancellationAsked => "cancellation_asked",
    RequestExtended => "request_extended",
    AnswerRecorded => "answer_recorded",
    ExportFetched => "export_fetched",
    PackagesMade => "packages_made",
    IdsHashed => "ids_hashed",
    LedgerKeyRecorded => "ledger_key_recorded",
    RequestPurged => "request_purged",
    RecordsPurged => "records_purged",
    SetBackAccepted => "set_back_accepted",
    SetBackReviewed => "set_back_reviewed",
});
