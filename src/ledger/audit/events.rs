use crate::domain::words;

/// What an entry records. Verification reads some events; of unknown ones it checks only the hash,
/// so a newer dsr can add events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditEvent {
    /// The first entry, made with the ledger.
    TrailStarted,
    /// A new request and its jobs, all planned.
    RequestRecorded,
    JobMoved,
    /// A change to a job that keeps its state.
    JobNoted,
    /// A job lost some ids to new jobs at the end of its request.
    JobCut,
    JobAbandoned,
    /// The operator asked to send an unknown job again.
    SendAgainAsked,
    /// The operator asked to cancel a request or one of its tasks.
    CancellationAsked,
    RequestExtended,
    AnswerRecorded,
    ExportFetched,
    PackagesMade,
    /// Keyed hashes replaced the ids of jobs in a final state.
    IdsHashed,
    /// The fingerprint of the key that hashes people.
    LedgerKeyRecorded,
    RequestPurged,
    RecordsPurged,
    /// The operator continues with a ledger older than this host had seen.
    SetBackAccepted,
    SetBackReviewed,
    /// The ledger went from a file to a server.
    LedgerMoved,
    /// On a server a request's ids have another digest than in a file.
    IdsResealed,
    /// dsr was about to ask Mixpanel which of some people have a profile.
    ProfilesAsked,
    /// dsr was about to ask Mixpanel for all events of some days.
    EventsAsked,
    /// dsr was about to ask Mixpanel which profiles have one of some values.
    ValuesAsked,
    /// Events were searched for the people of a deletion.
    ErasureChecked,
    /// The operator dealt with copies of the data, or withdrew some that were recorded by mistake.
    CopiesRecorded,
    /// Mixpanel is about to be asked for all profiles of a project.
    AllProfilesAsked,
    /// Which profiles a retention window ends for, by counts.
    ProfilesSelected,
    /// A new ingestion and its batches, all planned.
    IngestionRecorded,
    BatchMoved,
    /// Mixpanel found a batch too large, so its second half is a batch of its own now.
    BatchCut,
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
    LedgerMoved => "ledger_moved",
    IdsResealed => "ids_resealed",
    ProfilesAsked => "profiles_asked",
    EventsAsked => "events_asked",
    ValuesAsked => "values_asked",
    ErasureChecked => "erasure_checked",
    CopiesRecorded => "copies_recorded",
    AllProfilesAsked => "all_profiles_asked",
    ProfilesSelected => "profiles_selected",
    IngestionRecorded => "ingestion_recorded",
    BatchMoved => "batch_moved",
    BatchCut => "batch_cut",
});
