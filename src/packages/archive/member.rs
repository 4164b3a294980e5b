//! Reads one member: detects its content and passes it to the matching reader.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::content::{self, MemberContent, Window};
use super::documented::{MemberForm, RecordedNames};
use super::encoding::Encoding;
use super::sink::{self, MemberFault, MemberSink};
use crate::packages::record::{document, lines, table};

/// How much of a member's beginning decides its content.
const WINDOW_BYTES: u64 = 64 * 1024;
const BUFFER_BYTES: usize = 128 * 1024;

/// How deep archives inside archives are opened.
pub(crate) const MOST_PACKED: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberPacking {
    Zip,
    Gzip,
}

impl MemberPacking {
    pub(crate) fn of(window: &[u8]) -> Option<Self> {
        match window {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Gzip => "gzip",
        }
    }
}

/// A member that is itself an archive, copied to a file unchanged.
pub(crate) struct PackedMember {
    pub(crate) kind: MemberPacking,
    pub(crate) file: File,
}

/// Reads a member to its end, which verifies its checksum. Returns an inner archive for its own
/// members to be read; `depth` counts the archives around it.
pub(crate) fn read(
    name: &str,
    depth: usize,
    bytes: &mut dyn Read,
    sink: &mut dyn MemberSink,
) -> Result<Option<PackedMember>, MemberFault> {
    let mut bytes = BufReader::with_capacity(BUFFER_BYTES, bytes);
    let mut window = Vec::new();
    bytes.by_ref().take(WINDOW_BYTES).read_to_end(&mut window)?;
    let extent = match (window.len() as u64) < WINDOW_BYTES {
        true => Window::Whole,
        false => Window::Beginning,
    };
    let encoding = Encoding::of(&window);
    let content = content::recognise(&encoding.decoded(&window), extent);
    let form = MemberForm::of(name, content);
    let packing = MemberPacking::of(&window).filter(|_| depth < MOST_PACKED);
    let mut whole = Cursor::new(window).chain(bytes);
    if let Some(kind) = packing {
        sink.begin_member(name, kind.as_str());
        let file = sink::put_down(sink.root(), &mut whole)?;
        return Ok(Some(PackedMember { kind, file }));
    }
    if content == MemberContent::Unknown && form == MemberForm::Records {
        sink.begin_member(name, content.as_str());
        sink.keep_member(&mut whole)?;
    } else {
        let mut text = encoding.reader(&mut whole)?;
        read_text(name, form, content, &mut *text, sink)?;
    }
    io::copy(&mut whole, &mut io::sink())?;
    Ok(None)
}

fn read_text(
    name: &str,
    form: MemberForm,
    content: MemberContent,
    text: &mut dyn BufRead,
    sink: &mut dyn MemberSink,
) -> Result<(), MemberFault> {
    let limit = sink.record_limit();
    let MemberForm::OfTheJob(list) = form else {
        sink.begin_member(name, content.as_str());
        return read_records(form, content, text, sink);
    };
    // A member about the whole job is short enough to read whole.
    let mut whole = Vec::new();
    text.take(limit as u64 + 1).read_to_end(&mut whole)?;
    match RecordedNames::of(list, &whole).filter(|_| whole.len() <= limit) {
        Some(facts) => {
            sink.begin_member(name, list.as_str());
            Ok(sink.add_job_facts(list, facts, &whole)?)
        }
        None => {
            sink.begin_member(name, content.as_str());
            let mut text = Cursor::new(whole).chain(text);
            match content {
                MemberContent::Unknown => Ok(sink.keep_member(&mut text)?),
                _ => read_records(MemberForm::Records, content, &mut text, sink),
            }
        }
    }
}

fn read_records(
    form: MemberForm,
    content: MemberContent,
    text: &mut dyn BufRead,
    sink: &mut dyn MemberSink,
) -> Result<(), MemberFault> {
    let limit = sink.record_limit();
    match content {
        MemberContent::Lines => lines::read(text, limit, sink),
        MemberContent::Document => document::read(text, limit, sink),
        MemberContent::Table { delimiter } => table::read(text, delimiter, form, limit, sink),
        MemberContent::Empty | MemberContent::Unknown => Ok(()),
    }
}
