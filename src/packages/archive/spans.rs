//! Checks that every byte of a zip belongs to a member, the directory or its end. Other bytes may
//! be records that no reader sees, for example when two archives are joined.

use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipResult;

/// The longest end of a directory, in bytes: with a comment and the 64-bit forms.
const MOST_BYTES: u64 = 22 + 65_535 + 20 + 56;
/// Possible lengths of the data descriptor after a member: with and without a signature, 32 or 64
/// bits.
const DESCRIPTORS: [u64; 5] = [0, 12, 16, 20, 24];

pub(crate) struct Tail {
    start: u64,
    bytes: Vec<u8>,
}

impl Tail {
    /// Reads the tail and rewinds the file.
    pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let start = length.saturating_sub(MOST_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        file.rewind()?;
        Ok(Self { start, bytes })
    }

    /// Where the directory begins; `None` if it and its end do not reach to the end of the file.
    fn directory_start(&self, comment: usize) -> Option<u64> {
        let end = self.bytes.len().checked_sub(22 + comment)?;
        self.is_marked(end, b"PK\x05\x06")?;
        if self.number(end + 20, 2)? != comment as u64 {
            return None;
        }
        let locator = end.checked_sub(20);
        let locator = locator.filter(|place| self.is_marked(*place, b"PK\x06\x07").is_some());
        let (start, size, end) = match locator {
            None => (self.number(end + 16, 4)?, self.number(end + 12, 4)?, end),
            Some(locator) => {
                let record = self.number(locator + 8, 8)?.checked_sub(self.start)?;
                let record = usize::try_from(record).ok()?;
                self.is_marked(record, b"PK\x06\x06")?;
                if self
                    .number(record + 4, 8)?
                    .checked_add(record as u64 + 12)?
                    != locator as u64
                {
                    return None;
                }
                (
                    self.number(record + 48, 8)?,
                    self.number(record + 40, 8)?,
                    record,
                )
            }
        };
        (start.checked_add(size)? == self.start + end as u64).then_some(start)
    }

    fn is_marked(&self, place: usize, mark: &[u8; 4]) -> Option<()> {
        (self.bytes.get(place..place.checked_add(4)?)? == mark).then_some(())
    }

    fn number(&self, place: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(place..place.checked_add(length)?)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }
}

pub(crate) fn account_for_all<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    tail: &Tail,
) -> ZipResult<bool> {
    let Some(directory) = tail.directory_start(zip.comment().len()) else {
        return Ok(false);
    };
    let mut spans = Vec::with_capacity(zip.len());
    for place in 0..zip.len() {
        let member = zip.by_index_raw(place)?;
        let data = member.data_start().unwrap_or(u64::MAX);
        spans.push((
            member.header_start(),
            data.saturating_add(member.compressed_size()),
        ));
    }
    spans.sort_unstable();
    let first = spans.first().map_or(directory, |(start, _)| *start);
    let next = spans.iter().skip(1).map(|(start, _)| *start);
    let next = next.chain([directory]);
    let is_followed = |(end, next): (u64, u64)| {
        let gap = next.checked_sub(end);
        gap.is_some_and(|gap| DESCRIPTORS.contains(&gap))
    };
    let mut pairs = spans.iter().map(|(_, end)| *end).zip(next);
    Ok(first == 0 && pairs.all(is_followed))
}
