//! Fetches finished exports: a fresh link, the archive as a whole or not at all, its hash in the
//! ledger.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::config::{begin_file, create_private_folder, refuse_shared_file, sweep_unfinished};
use crate::domain::{JobState, Kind, to_hex};
use crate::ledger::{DownloadRecord, JobRecord, LedgerError, RequestRecord, Standing};
use crate::mixpanel::{Client, Fetched, Fetcher, Sink};

use super::follow::{Question, ask};
use super::new_file::place;
use super::{Interrupt, RefreshTrouble, Run, Signal};

/// The last bytes of a zip in which its directory's end must stand: 22 bytes and a comment.
const DIRECTORY_END: u64 = 22 + 65_535;

/// Why exports could not be kept. What was fetched before is recorded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("cannot write into `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
    #[error("`{path}` is there already and is not overwritten")]
    Exists { path: PathBuf },
}

/// What became of one job's export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadOutcome {
    Fetched(DownloadRecord),
    /// It was fetched before, and is still there as it was.
    There(DownloadRecord),
    /// It was fetched before, and is not there as it was.
    Lost(DownloadRecord, Loss),
    /// Mixpanel has not finished it, or it has not been asked since.
    NotReady(JobState),
    /// Mixpanel names no link for it, or none that works: links live 14 to 30 days.
    NoLink {
        reason: String,
    },
    /// What came is not the archive.
    NotAnArchive {
        reason: String,
    },
    /// The transfer broke off, again and again.
    Broken {
        reason: String,
    },
}

/// What has happened to a fetched archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    Gone,
    /// It has another length or SHA-256.
    Changed,
    Unreadable,
}

/// What is done about an export that was fetched before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refetch {
    No,
    Yes,
}

/// What came of fetching a request's exports.
#[derive(Debug)]
pub struct DownloadReport {
    pub jobs: Vec<(JobRecord, DownloadOutcome)>,
    /// Why the rest was not tried.
    pub trouble: Option<RefreshTrouble>,
    pub signal: Option<Signal>,
}

/// Hears how much of a file has come, and how much it will be if that is known.
pub type OnBytes<'a> = &'a mut dyn FnMut(u64, Option<u64>);

/// Fetches each finished export of the request into `folder`, which is made (0700) if it is not
/// there; what was fetched before only with [`Refetch::Yes`]. Reads what was fetched before: it may
/// have been lost.
///
/// # Errors
/// When the files cannot be written, or the ledger not be read or written.
pub async fn download(
    run: &mut Run<'_>,
    fetcher: &Fetcher,
    request: &RequestRecord,
    folder: &Path,
    refetch: Refetch,
    on_bytes: OnBytes<'_>,
) -> Result<DownloadReport, DownloadError> {
    let mut report = DownloadReport {
        jobs: Vec::new(),
        trouble: None,
        signal: None,
    };
    sweep_unfinished(folder);
    let jobs = run.ledger.jobs(&request.id, Standing::Any);
    let jobs: Vec<JobRecord> = jobs.collect::<Result<_, _>>()?;
    for job in jobs {
        if run.interrupt.signal().is_some() {
            break;
        }
        if refetch == Refetch::No
            && let Some(record) = run.ledger.find_download(&job.id)?
        {
            match look_at(run, record) {
                Some(outcome) => report.jobs.push((job, outcome)),
                None => break,
            }
            continue;
        }
        match download_one(run, fetcher, request, &job, folder, on_bytes).await? {
            Ok(outcome) => report.jobs.push((job, outcome)),
            Err(trouble) => {
                report.trouble = Some(trouble);
                break;
            }
        }
    }
    report.signal = run.interrupt.signal();
    Ok(report)
}

async fn download_one(
    run: &mut Run<'_>,
    fetcher: &Fetcher,
    request: &RequestRecord,
    job: &JobRecord,
    folder: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<Result<DownloadOutcome, RefreshTrouble>, DownloadError> {
    if job.state != JobState::Done {
        return Ok(Ok(DownloadOutcome::NotReady(job.state)));
    }
    let path = folder.join(format!("{}.zip", job.id));
    // Looked at before anything is fetched; what decides is the moment it is put there.
    if path.symlink_metadata().is_ok() {
        if let Some(record) = run.ledger.find_download(&job.id)?
            && record.path == path
            && let Some(outcome @ DownloadOutcome::There(_)) = look_at(run, record)
        {
            return Ok(Ok(outcome));
        }
        return match find_unrecorded(run, job, &path).map_err(|e| in_folder(folder, e))? {
            Some(record) => {
                run.ledger.record_download(&record)?;
                Ok(Ok(DownloadOutcome::There(record)))
            }
            None => Err(DownloadError::Exists { path }),
        };
    }
    let clients = run.clients;
    let Some(client) = clients.get(&request.asked.project_key) else {
        let project = request.asked.project.to_string();
        return Ok(Err(RefreshTrouble::NoProject { project }));
    };
    let mut refused = None;
    // A link that has expired is replaced by a fresh one, once.
    for _ in 0..2 {
        let link = match find_link(run, client, job).await? {
            Ok(Some(link)) => link,
            Ok(None) => break,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut part = Part::create(folder, on_bytes)?;
        let fetched = tokio::select! {
            fetched = fetcher.fetch(&link, &mut part) => fetched.map_err(|e| in_folder(folder, e))?,
            _ = run.interrupt.raised() => return Ok(Err(RefreshTrouble::Interrupted)),
        };
        match fetched {
            Fetched::Whole => {
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
                put(file, &path, folder)?;
                run.ledger.record_download(&record)?;
                return Ok(Ok(DownloadOutcome::Fetched(record)));
            }
            // Asking again would bring the same one.
            Fetched::BadLink => {
                let reason = "Mixpanel gave no usable link (not an https address)".to_owned();
                return Ok(Ok(DownloadOutcome::NoLink { reason }));
            }
            Fetched::Refused { http_status } => refused = Some(http_status),
            Fetched::NotAnArchive { reason } => {
                let reason = reason.into();
                return Ok(Ok(DownloadOutcome::NotAnArchive { reason }));
            }
            Fetched::Broken { reason } => {
                let reason = reason.into();
                return Ok(Ok(DownloadOutcome::Broken { reason }));
            }
        }
    }
    let reason = match refused {
        Some(status) => format!("the link does not work ({status}); links live 14 to 30 days"),
        None => "Mixpanel names no link for it".to_owned(),
    };
    Ok(Ok(DownloadOutcome::NoLink { reason }))
}

/// What a dsr put in its place that died before it could record it: a whole archive under the name
/// that only this job's has, and nobody else's to write.
fn find_unrecorded(
    run: &Run<'_>,
    job: &JobRecord,
    path: &Path,
) -> io::Result<Option<DownloadRecord>> {
    let is_ours = path.symlink_metadata()?.is_file() && refuse_shared_file(path).is_ok();
    let is_unrecorded = run
        .ledger
        .find_download(&job.id)
        .is_ok_and(|it| it.is_none());
    if !is_ours || !is_unrecorded {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if find_damage(&mut file, bytes)?.is_some() {
        return Ok(None);
    }
    file.rewind()?;
    let sha256 = hash_of(file, run.interrupt)?;
    Ok(sha256.map(|sha256| DownloadRecord {
        job: job.id.clone(),
        path: path.to_owned(),
        bytes,
        sha256,
        fetched_at: run.clock.now(),
    }))
}

/// Compares a fetched archive with its record; `None` where somebody interrupts it.
fn look_at(run: &Run<'_>, record: DownloadRecord) -> Option<DownloadOutcome> {
    let found = std::fs::metadata(&record.path).and_then(|found| {
        match found.is_file() && found.len() == record.bytes {
            true => hash_of(File::open(&record.path)?, run.interrupt),
            false => Ok(Some(String::new())),
        }
    });
    let loss = match found {
        Ok(None) => return None,
        Ok(Some(sha256)) if sha256 == record.sha256 => return Some(DownloadOutcome::There(record)),
        Ok(Some(_)) => Loss::Changed,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Loss::Gone,
            _ => Loss::Unreadable,
        },
    };
    Some(DownloadOutcome::Lost(record, loss))
}

/// The SHA-256 of all that follows in the file; `None` where somebody interrupts it.
fn hash_of(mut file: File, interrupt: &Interrupt) -> io::Result<Option<String>> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    while interrupt.signal().is_none() {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(to_hex(&hash.finalize()))),
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(None)
}

async fn find_link(
    run: &mut Run<'_>,
    client: &Client,
    job: &JobRecord,
) -> Result<Result<Option<SecretString>, RefreshTrouble>, LedgerError> {
    let Some(task) = &job.task else {
        return Ok(Ok(None));
    };
    let project = client.project().key();
    let question = Question {
        task,
        kind: Kind::Export,
        project: &project,
    };
    let answer = ask(run, client, &question).await?;
    Ok(answer.map(|answer| answer.link))
}

fn in_folder(folder: &Path, source: io::Error) -> DownloadError {
    DownloadError::Folder {
        folder: folder.to_owned(),
        source,
    }
}

/// Puts a whole file in its place, which must be free.
fn put(file: NamedTempFile, path: &Path, folder: &Path) -> Result<(), DownloadError> {
    place(file, path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => DownloadError::Exists {
            path: path.to_owned(),
        },
        _ => in_folder(folder, error),
    })
}

/// A file that is being fetched: under a name of its own, readable by its owner alone, and gone
/// with this value unless it is finished.
struct Part<'a> {
    file: NamedTempFile,
    hash: Sha256,
    taken: u64,
    expected: Option<u64>,
    on_bytes: OnBytes<'a>,
}

impl<'a> Part<'a> {
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

    /// The file, its length and hash, once it is on the disk; or why it is no whole archive.
    fn finish(mut self) -> io::Result<Result<(NamedTempFile, u64, String), String>> {
        if self.expected.is_some_and(|expected| expected != self.taken) {
            return Ok(Err("it ended too early".to_owned()));
        }
        if let Some(reason) = find_damage(self.file.as_file_mut(), self.taken)? {
            return Ok(Err(reason));
        }
        self.file.as_file().sync_all()?;
        let sha256 = to_hex(&self.hash.finalize());
        Ok(Ok((self.file, self.taken, sha256)))
    }
}

impl Sink for Part<'_> {
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

/// What shows that this is no zip from its beginning to its end.
fn find_damage(file: &mut File, length: u64) -> io::Result<Option<String>> {
    let mut beginning = Vec::new();
    file.rewind()?;
    Read::by_ref(file).take(4).read_to_end(&mut beginning)?;
    if beginning != b"PK\x03\x04" && beginning != b"PK\x05\x06" {
        return Ok(Some("what came is no zip archive".to_owned()));
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(DIRECTORY_END)))?;
    file.read_to_end(&mut end)?;
    let is_whole = end.windows(4).any(|bytes| bytes == b"PK\x05\x06");
    Ok((!is_whole).then(|| "the archive is cut off".to_owned()))
}
