use std::fs::File;
use std::io::{self, Seek, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

use crate::config::{create_private_folder, private_file, sync_file, sync_folder_of};
use crate::domain::{JobId, JobState, RequestId, TaskId};

use super::attempts::{finish_attempt, sender_of};
use super::row::{note_doubt, note_reason, read_to_change, set};
use super::word::withdraw_called_off;
use crate::ledger::audit::{self, Why};
use crate::ledger::columns::format_time;
use crate::ledger::engine::params;
use crate::ledger::open::sender;
use crate::ledger::owed::{Owed, append};
use crate::ledger::{Ledger, LedgerError, Outcome, Write};

/// The folder of receipts, beside the ledger.
pub(crate) const FOLDER: &str = "receipts";
/// Bytes for the task ids of one process, which stops sending after the first failure to record.
const RESERVED: usize = 4096;

/// Takes task ids that the ledger cannot record: one JSON line each, then blank lines. It is
/// created with its full size before anything is sent, so that it works on a full disk.
pub(crate) struct ReceiptFile {
    path: PathBuf,
    file: File,
    is_used: bool,
}

impl ReceiptFile {
    /// Named after the sender, so that others read it only once the sender has ended.
    pub(crate) fn create(ledger: &Path, sender: &str) -> io::Result<Self> {
        let folder = ledger.with_file_name(FOLDER);
        create_private_folder(&folder)?;
        let path = folder.join(format!("{sender}.jsonl"));
        let mut options = private_file();
        options.write(true).create_new(true);
        let mut receipts = Self {
            file: options.open(&path)?,
            path,
            is_used: false,
        };
        receipts.file.write_all(&[b'\n'; RESERVED])?;
        receipts.file.rewind()?;
        sync_file(&receipts.file)?;
        // The file's name must survive a power cut too.
        sync_folder_of(&receipts.path)?;
        Ok(receipts)
    }

    fn append(&mut self, receipt: &Receipt) -> io::Result<()> {
        // Even a partial receipt on disk is worth keeping.
        self.is_used = true;
        append(&mut self.file, &serde_json::to_string(receipt)?)?;
        Ok(())
    }
}

impl Drop for ReceiptFile {
    fn drop(&mut self) {
        if !self.is_used {
            // A file left behind is empty, and the next dsr removes it.
            drop(std::fs::remove_file(&self.path));
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    request: String,
    job: u32,
    /// The task that Mixpanel made; `None` if the POST never left.
    task_id: Option<String>,
    /// When Mixpanel accepted it, or when dsr gave it up.
    accepted_at: DateTime<Utc>,
}

impl Receipt {
    fn of(job: &JobId, task: Option<&TaskId>, now: DateTime<Utc>) -> Self {
        Self {
            request: job.request.to_string(),
            job: job.number,
            task_id: task.map(TaskId::to_string),
            accepted_at: now,
        }
    }
}

/// The result of reading the receipts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReceiptsReport {
    /// Tasks that only a receipt had, and the ledger has now.
    pub recorded: usize,
    /// Receipts that the ledger cannot take, described for the operator. They stay on disk.
    pub left: Vec<String>,
}

impl Ledger {
    /// Keeps a task id that could not be recorded, for the next dsr to record.
    ///
    /// # Errors
    /// When it cannot be kept either, or nothing was sent yet.
    pub fn record_receipt(
        &mut self,
        job: &JobId,
        task: &TaskId,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        match self.opening.owed.is_written() {
            // The wait for the ledger wrote it.
            true => {
                self.opening.owed.owed().take();
                Ok(())
            }
            false => self.append_receipt(job, Some(task), now),
        }
    }

    /// Keeps for the next dsr that a claimed job was not sent. A ledger in a file needs no such
    /// receipt: its claim is there or not.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn record_unsent(&mut self, job: &JobId, now: DateTime<Utc>) -> Result<(), LedgerError> {
        match self.conn.is_shared() {
            true => self.append_receipt(job, None, now),
            false => Ok(()),
        }
    }

    fn append_receipt(
        &mut self,
        job: &JobId,
        task: Option<&TaskId>,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let Some(receipts) = &mut self.receipts else {
            return Err(LedgerError::Receipt(io::ErrorKind::NotFound.into()));
        };
        let receipt = Receipt::of(job, task, now);
        receipts.append(&receipt).map_err(LedgerError::Receipt)
    }

    /// From now on a wait for the ledger writes the receipt of this task first.
    pub(crate) fn owe_receipt(&mut self, job: &JobId, task: &TaskId, now: DateTime<Utc>) {
        let receipts = self.receipts.as_ref();
        let file = receipts.and_then(|receipts| receipts.file.try_clone().ok());
        let line = serde_json::to_string(&Receipt::of(job, Some(task), now)).ok();
        let owed = file.zip(line).map(|(file, line)| Owed {
            file,
            line,
            place: None,
        });
        *self.opening.owed.owed() = owed;
    }

    /// Ends what `owe_receipt` began. A receipt stays if the ledger could not be written.
    pub(crate) fn settle_receipt(&mut self, is_recorded: bool) {
        if is_recorded {
            if let Err(error) = self.opening.owed.settle() {
                tracing::info!(%error, "a receipt stays, and the ledger has its task");
            }
        } else if let Some(receipts) = &mut self.receipts {
            receipts.is_used |= self.opening.owed.is_written();
        }
    }

    /// Records the tasks in receipts of senders that have ended, and removes those receipts.
    pub fn record_receipts(&mut self, now: DateTime<Utc>) -> Result<ReceiptsReport, LedgerError> {
        let mut report = ReceiptsReport::default();
        for (path, sender) in list_files(&self.path).map_err(LedgerError::Receipt)? {
            let own = self.sender.as_ref().is_some_and(|own| own.id() == sender);
            if own || sender::is_alive(&self.path, &sender).map_err(LedgerError::Sender)? {
                continue;
            }
            let text = match std::fs::read(&path) {
                // A receipt damaged by a failing disk must not stop dsr.
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                // Another dsr was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(LedgerError::Receipt(error)),
            };
            let left = report.left.len();
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            if !lines.is_empty() {
                let tx = self.write()?;
                for line in lines {
                    match settle(&tx, &sender, line, now)? {
                        Settled::Recorded => report.recorded += 1,
                        Settled::Known => {}
                        Settled::Left(why) => {
                            let path = path.display();
                            report.left.push(format!("{why}; it stays in `{path}`"));
                        }
                    }
                }
                tx.commit()?;
            }
            if report.left.len() == left {
                // If it stays, the next dsr finds all of it in the ledger.
                drop(std::fs::remove_file(&path));
            }
        }
        Ok(report)
    }
}

enum Settled {
    Recorded,
    Known,
    Left(String),
}

fn settle(
    tx: &Write<'_>,
    sender: &str,
    line: &str,
    now: DateTime<Utc>,
) -> Result<Settled, LedgerError> {
    let receipt: Option<Receipt> = serde_json::from_str(line).ok();
    // The ledger's RFC 3339 has no other years.
    let receipt = receipt.filter(|receipt| (0..=9999).contains(&receipt.accepted_at.year()));
    let unreadable = || Settled::Left("a receipt cannot be read".to_owned());
    let Some(receipt) = receipt else {
        return Ok(unreadable());
    };
    let job = JobId {
        request: RequestId::restore(receipt.request),
        number: receipt.job,
    };
    let Some(task) = receipt.task_id else {
        return settle_unsent(tx, sender, &job, now);
    };
    let Some(task) = TaskId::new(&task) else {
        return Ok(unreadable());
    };
    let record = match read_to_change(tx, &job) {
        Err(LedgerError::NoJob(_)) => {
            return Ok(Settled::Left(format!(
                "Mixpanel accepted job {job} as task `{task}`, and the ledger has no such job"
            )));
        }
        record => record?,
    };
    if record.task.as_ref() == Some(&task) {
        return Ok(Settled::Known);
    }
    // Another host took it for lost meanwhile and sent it again.
    if let Some(own) = &record.task {
        let double = format!("possible duplicate: Mixpanel also accepted it as task {task}");
        let is_said = record
            .reason
            .as_deref()
            .unwrap_or_default()
            .contains(&double);
        if tx.is_shared() && !is_said {
            let reason = match &record.reason {
                Some(reason) => format!("{reason}; {double}"),
                None => double,
            };
            note_doubt(tx, &job)?;
            note_reason(tx, &job, &reason)?;
            audit::note(tx, &job, Why::Receipt, now)?;
            tracing::info!(%job, %own, %task, "a second task");
        }
        if tx.is_shared() {
            return Ok(Settled::Recorded);
        }
    }
    let is_open = matches!(record.state, JobState::Sending | JobState::Unknown);
    // If another sender has the job now, the receipt is for a different attempt.
    if !is_open || sender_of(tx, &job)? != sender {
        return Ok(Settled::Left(format!(
            "Mixpanel accepted job {job} as task `{task}`, too, and the ledger has it as {}",
            record.state.as_str()
        )));
    }
    let reason = Some("recorded from a receipt");
    let moved = finish_attempt(tx, &record, &Outcome::Accepted(task), reason, now)?;
    set(
        tx,
        &job,
        "submitted_at = $1",
        params![format_time(receipt.accepted_at)],
    )?;
    moved.tell(tx, Why::Receipt)?;
    Ok(Settled::Recorded)
}

/// Plans a claimed job again that never left. If another host has called it unknown meanwhile, it
/// stays so unless that was its only POST.
fn settle_unsent(
    tx: &Write<'_>,
    sender: &str,
    job: &JobId,
    now: DateTime<Utc>,
) -> Result<Settled, LedgerError> {
    let record = match read_to_change(tx, job) {
        Err(LedgerError::NoJob(_)) => return Ok(Settled::Known),
        record => record?,
    };
    let is_open = matches!(record.state, JobState::Sending | JobState::Unknown);
    if !is_open || record.abandoned_at.is_some() || sender_of(tx, job)? != sender {
        return Ok(Settled::Known);
    }
    let reason = Some("dsr stopped before it sent the job");
    finish_attempt(tx, &record, &Outcome::NotCreated, reason, now)?.tell(tx, Why::Receipt)?;
    withdraw_called_off(tx, job, now)?;
    Ok(Settled::Recorded)
}

/// The receipt files, not empty, of senders that have ended.
pub(crate) fn list_ended(ledger: &Path) -> io::Result<Vec<PathBuf>> {
    let mut ended = Vec::new();
    for (path, sender) in list_files(ledger)? {
        // If the file is gone, another dsr has recorded it.
        let bytes = std::fs::read(&path).unwrap_or_default();
        if !bytes.trim_ascii().is_empty() && !sender::is_alive(ledger, &sender)? {
            ended.push(path);
        }
    }
    Ok(ended)
}

fn list_files(ledger: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(ledger.with_file_name(FOLDER)) {
        // The first send reports a file in the folder's place.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(files);
        }
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let is_receipt = path
            .extension()
            .is_some_and(|extension| extension == "jsonl");
        let sender = path.file_stem().and_then(|stem| stem.to_str());
        if let (true, Some(sender)) = (is_receipt, sender) {
            let sender = sender.to_owned();
            files.push((path, sender));
        }
    }
    Ok(files)
}
