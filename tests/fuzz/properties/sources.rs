//! Files of ids in any format, packing and encoding. The first line is the file's name and how to
//! read it: `column=NAME`, `delimiter=C`, `encoding=NAME`, `format=WORD`, `no-header`.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::num::NonZeroUsize;

use dsr::domain::IdLines;
use dsr::intake::{
    Encoding, Format, HeaderRow, IntakeError, Keep, Packing, ReadOptions, Reading, Source,
    parse_encoding, read, read_bytes,
};
use serde_json::Value;

/// In bytes. No source here is larger when unpacked; a small file must not become a large one.
const UNPACKED: u64 = 1 << 20;

/// Everything that is read is in the source, nothing is left out, and damage gives no id.
pub(crate) fn plain(bytes: &[u8]) {
    let (input, content) = Input::read(bytes);
    let outcome = input.values_of(content);
    assert_eq!(
        outcome,
        input.values_of(content),
        "the same bytes, read twice"
    );
    let ids = input.ids_of(content);
    if let (Ok(ids), Err(_)) = (&ids, &outcome) {
        panic!("{} ids of a damaged source", ids.len());
    }
    let Ok((values, reading)) = &outcome else {
        return;
    };
    assert!(!values.is_empty() || ids.is_err(), "nothing is no list");
    assert_eq!(reading.values, values.len());
    if let Ok(ids) = ids {
        let distinct: HashSet<&[u8]> = values.iter().map(Vec::as_slice).collect();
        assert_eq!(ids.len(), distinct.len(), "ids are lost or come twice");
        for id in &ids {
            assert!(distinct.contains(id.as_bytes()), "an id from nowhere");
            assert!(!id.contains(['\n', '\r', '\0']) && id.trim() == id);
        }
    }
    let as_it_is = is_plain(reading);
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if as_it_is {
        let text = str::from_utf8(text).expect("what is no text is damage");
        assert!(!text.contains('\0'), "what is no text is damage");
        check_all_is_there(text, values, reading);
    }
}

/// Whether it is plain, unencoded text.
fn is_plain(reading: &Reading) -> bool {
    reading.packing == Packing::None
        && reading.encoding == "UTF-8"
        && reading.format != Format::Spreadsheet
}

/// The values of a plain text: each of them, and no other.
fn check_all_is_there(text: &str, values: &[Vec<u8>], reading: &Reading) {
    let lines: Vec<&str> = lines(text).collect();
    let strings = || {
        values
            .iter()
            .map(|value| str::from_utf8(value).expect("text"))
    };
    match reading.format {
        Format::List => {
            let is_filled = |line: &&str| !line.trim_ascii().is_empty();
            let wanted: Vec<&str> = lines.into_iter().filter(is_filled).collect();
            assert!(strings().eq(wanted));
        }
        Format::JsonLines | Format::JsonArray | Format::JsonDocument => {
            // Between lines there may be characters that JSON does not count as white space.
            let is_blank = |line: &&str| line.trim_ascii().is_empty();
            let texts: Vec<&str> = match reading.format {
                Format::JsonLines => lines.into_iter().filter(|l| !is_blank(l)).collect(),
                _ => vec![text],
            };
            let documents = texts
                .into_iter()
                .flat_map(|text| serde_json::Deserializer::from_str(text).into_iter::<Value>());
            let documents: Vec<Value> = documents.map(|d| d.expect("JSON")).collect();
            let mut said = Vec::new();
            let mut records = 0;
            for document in &documents {
                all_said(document, &mut said);
                records += document.as_array().map_or(1, Vec::len);
            }
            let mut said = said.into_iter();
            assert!(
                strings().all(|id| said.any(|text| text == id)),
                "an id from nowhere"
            );
            // A page has several records, and the text beside a stream has none.
            let is_flat = |column: &String| {
                documents
                    .iter()
                    .all(|d| d.get(column).is_none_or(|v| !v.is_array()))
            };
            let is_page = reading
                .column
                .as_ref()
                .is_some_and(|column| column.contains('.') || !is_flat(column));
            assert!(
                is_page || records == values.len() || text.contains("\"type\""),
                "ids are left out"
            );
        }
        Format::Spreadsheet => {}
        Format::Table if text.contains('"') => {
            // A field of several lines, or with doubled quotes.
            let unified = lines.join("\n");
            let undoubled = unified.replace("\"\"", "\"");
            let is_there = |id: &str| unified.contains(id) || undoubled.contains(id);
            assert!(strings().all(is_there), "an id from nowhere");
        }
        Format::Table => {
            // Except for a heading, a title above it and a line that names the delimiter.
            let others = lines.len() - reading.blank_lines - values.len();
            assert!(others <= 21, "{others} lines are left out");
            let mut fields = lines.iter().filter(|line| !line.is_empty());
            let is_next = |id: &str| fields.any(|line| line.contains(id));
            assert!(strings().all(is_next), "an id from nowhere");
        }
    }
}

/// Lines end in LF, CRLF or a lone CR; the last end may be missing.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        let behind = behind.strip_prefix("\r\n").or(behind.get(1..));
        rest = behind.unwrap_or_default();
        Some(line)
    })
}

/// Every text and number in a JSON value, in order.
fn all_said(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::String(text) => said.push(text.clone()),
        Value::Number(number) => said.push(number.to_string()),
        Value::Object(members) => members.values().for_each(|member| all_said(member, said)),
        Value::Array(elements) => elements.iter().for_each(|element| all_said(element, said)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A packed or encoded source has the same values as before; one that is cut has none.
///
/// The first byte says how: packed as `g` or `z`, encoded as `l` or `b`, or unchanged as `r`. The
/// second byte says how much of the packed end is cut off.
pub(crate) fn packed(bytes: &[u8]) {
    let [how, cut, rest @ ..] = bytes else {
        return;
    };
    let (input, content) = Input::read(rest);
    if *how == b'r' {
        return check_garbage(&input, content);
    }
    // Input that is packed or encoded already would be another kind of source.
    let plain = input.values_of(content);
    let Some((values, _)) = plain.ok().filter(|(_, reading)| is_plain(reading)) else {
        return;
    };
    let text = String::from_utf8_lossy(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content));
    let (mut wrapped, packing, encoding) = match how {
        b'z' => (zstd(content), Packing::Zstd, "UTF-8"),
        b'l' => (utf16(&text, u16::to_le_bytes), Packing::None, "UTF-16LE"),
        b'b' => (utf16(&text, u16::to_be_bytes), Packing::None, "UTF-16BE"),
        _ => (gzip(content), Packing::Gzip, "UTF-8"),
    };
    let (again, reading) = input
        .values_of(&wrapped)
        .expect("what can be read unpacked");
    assert_eq!(again, values, "other values");
    assert_eq!((reading.packing, reading.encoding), (packing, encoding));
    if packing != Packing::None && *cut > 0 {
        // Keeps the first four bytes, which say what it is.
        let left = wrapped.len().saturating_sub((*cut).into());
        wrapped.truncate(left.max(4));
        let result = input.values_of(&wrapped);
        assert!(result.is_err(), "what is cut off is not missed");
    }
}

/// A packed source gives what another program unpacks, to its end.
fn check_garbage(input: &Input, content: &[u8]) {
    let Ok((values, reading)) = input.values_of(content) else {
        return;
    };
    let mut unpacked = Vec::new();
    let result = match reading.packing {
        Packing::None => return,
        Packing::Gzip => flate2::bufread::MultiGzDecoder::new(content)
            .take(UNPACKED)
            .read_to_end(&mut unpacked),
        Packing::Zstd => zstd::Decoder::new(content)
            .and_then(|decoder| decoder.take(UNPACKED).read_to_end(&mut unpacked)),
    };
    let size = result.expect("another program unpacks it");
    if (size as u64) < UNPACKED {
        let (again, _) = input.values_of(&unpacked).expect("what can be read packed");
        assert_eq!(again, values, "other values");
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("memory takes all")
}

/// With a byte order mark.
fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(to_bytes).collect()
}

struct Input {
    name: String,
    options: ReadOptions,
}

/// The values of an undamaged source in order, and how it was read.
type Values = Result<(Vec<Vec<u8>>, Reading), String>;

impl Input {
    fn read(bytes: &[u8]) -> (Self, &[u8]) {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (head, content) = match end {
            Some(end) => (&bytes[..end], &bytes[end + 1..]),
            None => (&[][..], bytes),
        };
        let head = String::from_utf8_lossy(head);
        let mut words = head.split(' ');
        let name = words.next().unwrap_or_default().chars();
        let is_usual = |c: &char| c.is_ascii_alphanumeric() || *c == '.';
        let name = name.filter(is_usual).take(40).collect();
        let mut options = ReadOptions::default();
        for word in words {
            match word.split_once('=') {
                Some(("column", name)) => options.column = Some(name.to_owned()),
                Some(("delimiter", text)) => options.delimiter = delimiter(text),
                Some(("encoding", name)) => options.encoding = encoding(name),
                Some(("format", word)) => options.format = format(word),
                None if word == "no-header" => options.header = HeaderRow::Absent,
                _ => {}
            }
        }
        (Self { name, options }, content)
    }

    fn values_of(&self, content: &[u8]) -> Values {
        let mut values = Vec::new();
        let mut keep = |_: dsr::intake::Place<'_>, value: &[u8]| values.push(value.to_owned());
        let name = format!("x{}", self.name);
        let read = read_bytes(content, &name, &self.options, &mut keep);
        let (reading, problems) = read.map_err(|error| check_silence(&error, content))?;
        match problems.count() {
            0 => Ok((values, reading)),
            _ => Err(problems.to_string()),
        }
    }

    /// Reads as a command reads a file.
    fn ids_of(&self, content: &[u8]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(format!("x{}", self.name));
        std::fs::write(&path, content).expect("a file");
        let keep = Keep::Ids(folder.path());
        let intake = read(&[Source::File(path)], &[], &self.options, keep, &mut |_| {});
        let intake = intake.map_err(|error| check_silence(&error, content))?;
        let ids = intake.ids.expect("the ids were asked for");
        let batches = ids.batches(NonZeroUsize::MAX);
        let batches = batches.map(|batch| batch.expect("what was kept of the ids"));
        let batches: Vec<IdLines> = batches.collect();
        let ids = batches.iter().flat_map(IdLines::ids);
        Ok(ids.map(str::to_owned).collect())
    }
}

/// The error's message, which may name a heading but no person's address.
fn check_silence(error: &IntakeError, content: &[u8]) -> String {
    let message = error.to_string();
    if let IntakeError::Damaged { .. } = error {
        let text = String::from_utf8_lossy(content);
        let words = text.split(|c: char| c.is_whitespace() || c == '"');
        for word in words.filter(|word| word.len() >= 12 && word.contains('@')) {
            assert!(!message.contains(word), "a value leaks");
        }
    }
    message
}

fn delimiter(text: &str) -> Option<u8> {
    text.bytes()
        .find(|byte| byte.is_ascii() && !b"\"\n\r".contains(byte))
}

fn encoding(name: &str) -> Option<&'static Encoding> {
    parse_encoding(name).ok()
}

fn format(word: &str) -> Option<Format> {
    match word {
        "table" => Some(Format::Table),
        "lines" => Some(Format::JsonLines),
        "array" => Some(Format::JsonArray),
        "list" => Some(Format::List),
        _ => None,
    }
}
