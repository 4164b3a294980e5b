//! Prints reports: as a JSON object, or as the name of the file.

use std::io::{self, IsTerminal, Read, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::report::Digest;
use crate::ui::console::Ui;
use crate::ui::drawing::json as lines;
use crate::ui::drawing::json::SCHEMA;
use crate::ui::drawing::paper::Paper;
use crate::ui::drawing::view::View;
use crate::ui::drawing::words::{number, printable};
use crate::workflow::PlacedFile;

/// A report that was written to a file.
#[derive(Debug)]
pub struct ReportView<'a> {
    /// One line: the subject of the report, and its state.
    pub about: &'a str,
    pub file: &'a PlacedFile,
    pub digest: &'a Digest,
}

/// A report with the keys that every JSON result has.
#[derive(Serialize)]
struct Wrapped<'a, D> {
    schema: u32,
    report: &'a D,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Value>,
}

impl Ui {
    /// Whether stdout is a terminal.
    pub fn is_on_screen(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Writes a report as the JSON object of this run. `file` is the file written beside it.
    pub fn write_report(
        &self,
        out: &mut dyn Write,
        report: &impl Serialize,
        file: Option<&PlacedFile>,
    ) -> io::Result<()> {
        let wrapped = Wrapped {
            schema: SCHEMA,
            report,
            file: file.map(object),
            warnings: self.warnings.take(),
        };
        lines::write(&mut *out, &wrapped)?;
        out.write_all(b"\n")
    }

    /// Writes a prepared report to stdout, byte for byte. A reader that went away is not an error.
    pub fn print_prepared(&self, mut prepared: impl Read) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match io::copy(&mut prepared, &mut stdout).and_then(|_| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

impl View for ReportView<'_> {
    fn human(&self, _: &Paper) -> String {
        let path = printable(&self.file.path.display().to_string());
        format!(
            "{}\n{path}  {} bytes\n  SHA-256 of the file  {}\n  Digest of the facts  {}\n",
            printable(self.about),
            number(self.file.bytes as usize),
            self.file.sha256,
            self.digest.as_str(),
        )
    }

    fn json(&self) -> Value {
        json!({ "file": object(self.file), "digest": self.digest })
    }
}

fn object(file: &PlacedFile) -> Value {
    json!({
        "path": file.path.display().to_string(),
        "bytes": file.bytes,
        "sha256": file.sha256,
    })
}
