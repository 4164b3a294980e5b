//! Opens a source as a stream of its raw bytes.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::intake::IntakeError;
use crate::intake::reader::format::extension_of;
use crate::intake::source::EXTENSIONS_READ;

/// Opens a file, a pipe or a device. Fails when it cannot be opened, or is a folder.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>, IntakeError> {
    // Before it is opened: Windows opens no folder.
    if path.is_dir() {
        return Err(folder(path));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(IntakeError::Open {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The error for a folder: how many of its files the operator could have meant.
fn folder(path: &Path) -> IntakeError {
    let mut extensions: HashMap<String, usize> = HashMap::new();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let readable = extension_of(&name).filter(|e| EXTENSIONS_READ.contains(&e.as_str()));
        let start = readable.and_then(|extension| name.rfind(&format!(".{extension}")));
        if let Some(start) = start
            && entry.path().is_file()
        {
            // With the extension of the packing.
            let whole = name[start + 1..].to_owned();
            *extensions.entry(whole).or_default() += 1;
        }
    }
    let commonest = extensions
        .iter()
        .max_by_key(|(extension, count)| (**count, Reverse(extension.as_str())))
        .map(|(extension, _)| extension.clone());
    IntakeError::Folder {
        path: path.to_owned(),
        readable: extensions.values().sum(),
        extension: commonest,
    }
}
