//! Fetches exports that are done: a fresh link, a whole archive or none, and its hash in the
//! ledger.

use std::io::{self, Seek, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::config::{begin_file, create_private_folder, sweep_unfinished, sync_file};
use crate::domain::{JobState, Kind, link_end, to_hex};
use crate::ledger::{DownloadRecord, JobRecord, Ledger, LedgerError, RequestRecord, Standing};
use crate::mixpanel::{Client, Fetcher, TransferEnd, TransferSink};

use super::archive::{find_before, find_damage, find_other, time_of};
use super::fetched::{
    DownloadError, DownloadOutcome, DownloadReport, Fetching, LinkAge, Untried, in_folder,
};
use crate::workflow::follow::check::{NoAnswer, TaskQuestion, apart, ask};
use crate::workflow::new_file::place;
use crate::workflow::{RefreshTrouble, Run};

/// Receives the bytes so far, and the total if it is known.
pub type OnBytes<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// Fetches each export of the request that is done into `folder`, and creates the folder (0700). An
/// export that was fetched before is only checked, unless `how` has [`Refetch::Yes`].
///
/// # Errors
/// When a file cannot be written, or the ledger cannot be read or written.
pub async fn download(
    run: &mut Run<'_>,
    fetcher: &Fetcher,
    request: &RequestRecord,
    folder: &Path,
    how: Fetching,
    on_bytes: OnBytes<'_>,
) -> Result<DownloadReport, DownloadError> {
    sweep_unfinished(folder);
    let jobs = run.ledger.jobs(&request.id, Standing::Any);
    let jobs: Vec<JobRecord> = jobs.collect::<Result<_, _>>()?;
    let mut done = Vec::with_capacity(jobs.len());
    let mut trouble = None;
    for job in jobs {
        if let Some(trouble) = &trouble {
            let outcome = untried(run.ledger, &job, Untried::because_of(trouble))?;
            done.push((job, outcome));
            continue;
        }
        let tried = match run.interrupt.signal() {
            Some(_) => Err(RefreshTrouble::Interrupted),
            None => download_one(run, fetcher, request, &job, folder, how, on_bytes).await?,
        };
        let outcome = match tried {
            Ok(outcome) => outcome,
            Err(why) => {
                let outcome = untried(run.ledger, &job, Untried::because_of(&why))?;
                trouble = Some(why);
                outcome
            }
        };
        done.push((job, outcome));
    }
    Ok(DownloadReport {
        jobs: done,
        trouble,
        signal: run.interrupt.signal(),
    })
}

/// The exports of a request that dsr does not try, after another failed or was interrupted.
pub fn list_untried(
    ledger: &Ledger,
    request: &RequestRecord,
    why: Untried,
) -> Result<DownloadReport, LedgerError> {
    let jobs = ledger.jobs(&request.id, Standing::Any).map(|job| {
        let job = job?;
        let outcome = untried(ledger, &job, why)?;
        Ok((job, outcome))
    });
    Ok(DownloadReport {
        jobs: jobs.collect::<Result<_, LedgerError>>()?,
        trouble: None,
        signal: None,
    })
}

fn untried(ledger: &Ledger, job: &JobRecord, why: Untried) -> Result<DownloadOutcome, LedgerError> {
    Ok(match job.state {
        JobState::Done => DownloadOutcome::Untried(why, ledger.find_download(&job.id)?),
        state => DownloadOutcome::NotReady(state),
    })
}

async fn download_one(
    run: &mut Run<'_>,
    fetcher: &Fetcher,
    request: &RequestRecord,
    job: &JobRecord,
    folder: &Path,
    how: Fetching,
    on_bytes: OnBytes<'_>,
) -> Result<Result<DownloadOutcome, RefreshTrouble>, DownloadError> {
    if job.state != JobState::Done {
        return Ok(Ok(DownloadOutcome::NotReady(job.state)));
    }
    let path = folder.join(format!("{}.zip", job.id));
    let before = run.ledger.find_download(&job.id)?;
    match find_before(run, before.as_ref(), &path, how) {
        Some(Some(outcome)) => return Ok(Ok(outcome)),
        Some(None) => return Ok(Err(RefreshTrouble::Interrupted)),
        None => {}
    }
    // Checked before the transfer; the move into place decides.
    if path.symlink_metadata().is_ok() {
        let found = match &before {
            Some(_) => None,
            None => find_other(run, job, &path, None).await?,
        };
        return Ok(Ok(found.unwrap_or(DownloadOutcome::InTheWay { path })));
    }
    let clients = run.clients;
    let Some(client) = clients.get(&request.asked.project_key) else {
        let project = request.asked.project.to_string();
        return Ok(Err(RefreshTrouble::NoProject { project }));
    };
    let mut refused = None;
    // A fresh link replaces an expired one, once.
    for _ in 0..2 {
        let link = match apart(find_link(run, client, job).await)? {
            Ok(Some(link)) => link,
            Ok(None) => break,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut part = PartialFile::create(folder, on_bytes)?;
        let fetched = tokio::select! {
            fetched = fetcher.fetch(&link, &mut part) => fetched.map_err(|e| in_folder(folder, e))?,
            _ = run.interrupt.raised() => return Ok(Err(RefreshTrouble::Interrupted)),
        };
        match fetched {
            TransferEnd::Whole => {
                let now = run.clock.now();
                let (file, bytes, sha256) = match part.finish().map_err(|e| in_folder(folder, e))? {
                    Ok(finished) => finished,
                    Err(reason) => return Ok(Ok(DownloadOutcome::NotAnArchive { reason })),
                };
                let record = DownloadRecord {
                    job: job.id.clone(),
                    path: path.clone(),
                    bytes,
                    sha256,
                    fetched_at: now,
                };
                // Without the recorded time, a later check reads the whole file.
                let _ = file.as_file().set_modified(time_of(&record));
                return match place(file, &path) {
                    Ok(()) => {
                        run.ledger.record_download(&record)?;
                        let other = before.filter(|before| before.sha256 != record.sha256);
                        Ok(Ok(DownloadOutcome::Fetched(record, other)))
                    }
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        let found = find_other(run, job, &path, before).await?;
                        Ok(Ok(found.unwrap_or(DownloadOutcome::InTheWay { path })))
                    }
                    Err(error) => Err(in_folder(folder, error)),
                };
            }
            // Asking again would bring the same link.
            TransferEnd::BadLink => {
                let reason = "Mixpanel gave no usable link (not an https address)".to_owned();
                let age = LinkAge::Any;
                return Ok(Ok(DownloadOutcome::NoLink { reason, age }));
            }
            TransferEnd::Refused { http_status } => refused = Some(http_status),
            TransferEnd::NotAnArchive { reason } => {
                let reason = reason.into();
                return Ok(Ok(DownloadOutcome::NotAnArchive { reason }));
            }
            TransferEnd::Broken { reason } => {
                let reason = reason.into();
                return Ok(Ok(DownloadOutcome::Broken { reason }));
            }
        }
    }
    let age = LinkAge::of(job, run.clock.now());
    let reason = match (refused, age) {
        (Some(status), LinkAge::Young) => {
            format!("the link does not work now ({status}); it cannot have expired yet")
        }
        (Some(status), LinkAge::Any) => {
            format!("the link does not work ({status}); links work for 14 to 30 days")
        }
        (None, _) => "Mixpanel names no link for it".to_owned(),
    };
    Ok(Ok(DownloadOutcome::NoLink { reason, age }))
}

impl LinkAge {
    /// A link is never older than the job's submission.
    fn of(job: &JobRecord, now: DateTime<Utc>) -> Self {
        match job.submitted_at {
            Some(at) if now.date_naive() < link_end(at.date_naive()) => Self::Young,
            Some(_) | None => Self::Any,
        }
    }
}

async fn find_link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobRecord,
) -> Result<Option<SecretString>, NoAnswer> {
    let Some(task) = &job.task else {
        return Ok(None);
    };
    let kind = Kind::Export;
    Ok(ask(run, client, &TaskQuestion { task, kind }).await?.link)
}

/// A file during its transfer: under a temporary name, readable only by its owner, and removed with
/// this value unless it is finished.
struct PartialFile<'a> {
    file: NamedTempFile,
    hash: Sha256,
    taken: u64,
    expected: Option<u64>,
    on_bytes: OnBytes<'a>,
}

impl<'a> PartialFile<'a> {
    fn create(folder: &Path, on_bytes: OnBytes<'a>) -> Result<Self, DownloadError> {
        let file = create_private_folder(folder).and_then(|()| begin_file(folder));
        Ok(Self {
            file: file.map_err(|error| in_folder(folder, error))?,
            hash: Sha256::new(),
            taken: 0,
            expected: None,
            on_bytes,
        })
    }

    /// The file, its length and hash, once it is on disk; or why it is not a whole archive.
    fn finish(mut self) -> io::Result<Result<(NamedTempFile, u64, String), String>> {
        if self.expected.is_some_and(|expected| expected != self.taken) {
            return Ok(Err("the download ended too early".to_owned()));
        }
        if let Some(reason) = find_damage(self.file.as_file_mut())? {
            return Ok(Err(reason));
        }
        sync_file(self.file.as_file())?;
        let sha256 = to_hex(&self.hash.finalize());
        Ok(Ok((self.file, self.taken, sha256)))
    }
}

impl TransferSink for PartialFile<'_> {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.taken += bytes.len() as u64;
        (self.on_bytes)(self.taken, self.expected);
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.as_file_mut().set_len(0)?;
        self.file.rewind()?;
        self.hash = Sha256::new();
        self.taken = 0;
        Ok(())
    }

    fn expect(&mut self, bytes: u64) {
        self.expected = Some(bytes);
    }
}
