//! The files of one run: the events, their review, and the key of the new ids.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::commands::failures::{in_the_way, local_io, new_id_key_failure, usage};
use crate::credentials::{read_ledger_key, write_ledger_key};
use crate::domain::LedgerKey;
use crate::packages::SanitizeReview;
use crate::ui::Failure;
use crate::workflow::NewFile;

use super::SanitizeArgs;

pub(super) struct SanitizeFiles {
    pub(super) events: PathBuf,
    pub(super) page: PathBuf,
    pub(super) key: PathBuf,
    keyed: NewIdKey,
}

enum NewIdKey {
    Read(LedgerKey),
    /// Not on disk yet.
    Made(LedgerKey),
}

impl SanitizeFiles {
    /// Reads the key, or makes one.
    ///
    /// # Errors
    /// When a file is in the way, or the key's file holds no key or is open to others.
    pub(super) fn of(args: &SanitizeArgs) -> Result<Self, Failure> {
        let events = args.output.clone();
        let page = events.with_extension("review.html");
        let key = args.key.clone();
        let key = key.unwrap_or_else(|| events.with_extension("key"));
        if events == Path::new("-") {
            return Err(usage("`--output -` would show events; nothing was read")
                .hint("name a file: `--output events.jsonl`"));
        }
        if key == events || page == events || key == page {
            return Err(usage(
                "the events, their review and the key need files of their own; nothing was read",
            )
            .hint("name the events so: `--output events.jsonl`"));
        }
        for path in [&events, &page] {
            if path.symlink_metadata().is_ok() {
                let hint = "nothing was written; delete the file to run this command again, or name another with `--output` and the same key with `--key`";
                return Err(in_the_way(path, hint));
            }
        }
        if let Some(source) = args
            .sources
            .iter()
            .find(|source| is_inside(&events, source))
        {
            let source = source.display();
            return Err(usage(format!(
                "the output is in the folder `{source}`, which dsr reads; nothing was read"
            ))
            .hint("name a file in another folder with `--output`"));
        }
        let keyed = match key.symlink_metadata() {
            Ok(_) => {
                NewIdKey::Read(read_ledger_key(&key).map_err(|error| new_id_key_failure(&error))?)
            }
            Err(_) => NewIdKey::Made(LedgerKey::random()),
        };
        Ok(Self {
            events,
            page,
            key,
            keyed,
        })
    }

    pub(super) fn key(&self) -> &LedgerKey {
        match &self.keyed {
            NewIdKey::Read(key) | NewIdKey::Made(key) => key,
        }
    }

    pub(super) fn is_key_new(&self) -> bool {
        matches!(self.keyed, NewIdKey::Made(_))
    }

    pub(super) fn begin(&self) -> Result<NewFile, Failure> {
        Ok(NewFile::create(&self.events)?)
    }

    /// Puts the key and the review in their places, and then the events: nobody has events without
    /// them.
    pub(super) fn finish(&self, events: NewFile, review: &SanitizeReview) -> Result<(), Failure> {
        let mut page = NewFile::create(&self.page)?;
        review
            .write_page(&mut page)
            .map_err(|error| local_io(&error))?;
        if let NewIdKey::Made(key) = &self.keyed {
            write_ledger_key(&self.key, key).map_err(|error| new_id_key_failure(&error))?;
        }
        let placed = page.finish().and_then(|_| {
            events
                .finish()
                .inspect_err(|_| drop(fs::remove_file(&self.page)))
        });
        if placed.is_err() && self.is_key_new() {
            drop(fs::remove_file(&self.key));
        }
        placed?;
        Ok(())
    }
}

/// Whether a file to be made is in this folder.
fn is_inside(file: &Path, folder: &Path) -> bool {
    let inside = || -> io::Result<bool> {
        let file = std::path::absolute(file)?;
        let parent = file.parent().unwrap_or(&file).canonicalize()?;
        Ok(folder.is_dir() && parent.starts_with(folder.canonicalize()?))
    };
    inside().unwrap_or_default()
}
