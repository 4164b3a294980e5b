//! Packs an archive: members in any order and encoding, some of them packed twice.

use std::io::{Cursor, Write};

use dsr::domain::{Disclosure, RetrievalScope};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::chance::Chance;
use crate::people::{Kind, World, Written};
use crate::writing::{as_json, as_table, lists, summary};

pub(crate) fn pack(world: &World, chance: &mut Chance) -> Vec<u8> {
    let mut members: Vec<(String, Vec<u8>)> = texts(world, chance)
        .into_iter()
        .map(|(name, text)| (name, encode(text, chance)))
        .collect();
    for place in 0..members.len() {
        let other = chance.below(members.len());
        members.swap(place, other);
    }
    if chance.one_in(4) {
        // All members in one inner zip, as when a browser packs a download.
        let inner = zip_of(&members);
        members = vec![("export.zip".to_owned(), inner)];
    } else {
        for (name, bytes) in &mut members {
            match chance.below(6) {
                0 => {
                    *bytes = gzip(bytes);
                    name.push_str(".gz");
                }
                1 => {
                    *bytes = zip_of(&[(name.clone(), bytes.clone())]);
                    name.push_str(".zip");
                }
                2 => *name = format!("data/{name}"),
                _ => {}
            }
        }
    }
    zip_of(&members)
}

fn texts(world: &World, chance: &mut Chance) -> Vec<(String, String)> {
    let of = |kind: Kind| -> Vec<&Written> {
        let records = world.written.iter();
        records.filter(|record| record.kind == kind).collect()
    };
    let (events, profiles) = (of(Kind::Event), of(Kind::Profile));
    match world.scope {
        RetrievalScope::Gdpr => vec![
            ("events.json".to_owned(), as_json(&events, chance)),
            ("people.json".to_owned(), as_json(&profiles, chance)),
            ("summary.json".to_owned(), summary(world)),
        ],
        RetrievalScope::Ccpa(Disclosure::Categories) => lists(world),
        RetrievalScope::Ccpa(Disclosure::Data | Disclosure::Sources) => {
            let tables = [
                ("events.csv", as_table(&events, Kind::Event, chance)),
                ("profiles.csv", as_table(&profiles, Kind::Profile, chance)),
            ];
            let tables = tables.map(|(name, text)| (name.to_owned(), text));
            tables.into_iter().chain(lists(world)).collect()
        }
    }
}

fn encode(text: String, chance: &mut Chance) -> Vec<u8> {
    let marked = |unit: fn(u16) -> [u8; 2]| {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    match chance.below(8) {
        0 => marked(u16::to_le_bytes),
        1 => marked(u16::to_be_bytes),
        2 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        _ => text.into_bytes(),
    }
}

fn zip_of(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name.as_str(), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
