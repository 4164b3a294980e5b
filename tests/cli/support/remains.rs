//! Keeps a ledger key, and searches the files of a home for people, in any encoding, packed or not.

use std::path::PathBuf;

use super::Operator;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

impl Operator {
    /// Keeps a ledger key in a file, so that ids of ended jobs are hashed.
    pub(crate) fn with_ledger_key(mut self) -> Self {
        if self.variable("DSR_LEDGER_KEY_FILE").is_some() {
            return self;
        }
        let path = self.key_path().display().to_string();
        self.run(&["auth", "ledger-key", "--to", &path])
            .exits_with(0);
        self.set("DSR_LEDGER_KEY_FILE", &path);
        self
    }

    /// Outside dsr's home and the working folder.
    pub(crate) fn key_path(&self) -> PathBuf {
        self.work().with_file_name("home").join("ledger.key")
    }

    /// Every file of dsr's home, and the ledger's server, that has one of the ids, and in which form.
    pub(crate) fn remains_of(&self, ids: &[String]) -> Vec<(PathBuf, &'static str)> {
        let mut found = Vec::new();
        let mut files = self.files();
        if self.is_on_server() {
            files.push((PathBuf::from("the server"), self.ledger_bytes()));
        }
        for (path, content) in files {
            let unpacked = unpack_all(&content);
            for id in ids {
                for (form, needle) in forms(id) {
                    if holds(&content, &needle) {
                        found.push((path.clone(), form));
                    }
                    if unpacked.iter().any(|text| holds(text, &needle)) {
                        found.push((path.clone(), "packed"));
                    }
                }
            }
        }
        found
    }
}

/// Unpacks at every place where a frame may begin, as far as possible.
fn unpack_all(content: &[u8]) -> Vec<Vec<u8>> {
    let places = content.windows(4).enumerate();
    let places = places.filter(|(_, bytes)| *bytes == ZSTD);
    let texts = places.map(|(place, _)| {
        let mut text = Vec::new();
        let frame = zstd::Decoder::with_buffer(&content[place..]).map(|zstd| zstd.single_frame());
        if let Ok(mut frame) = frame {
            // Text before damage counts as well.
            std::io::Read::read_to_end(&mut frame, &mut text).ok();
        }
        text
    });
    texts.collect()
}

fn forms(id: &str) -> [(&'static str, Vec<u8>); 5] {
    let hex = |upper: bool| {
        let digits = id.bytes().map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        digits.collect::<String>().into_bytes()
    };
    let wide = |bytes: fn(u16) -> [u8; 2]| id.encode_utf16().flat_map(bytes).collect();
    [
        ("UTF-8", id.as_bytes().to_vec()),
        ("UTF-16LE", wide(u16::to_le_bytes)),
        ("UTF-16BE", wide(u16::to_be_bytes)),
        ("hex", hex(false)),
        ("HEX", hex(true)),
    ]
}

fn holds(content: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(content, needle).is_some()
}
