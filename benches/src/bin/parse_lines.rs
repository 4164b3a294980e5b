//! The yardstick of `benches/sanitize`: parses each line of a file as JSON with serde_json, and
//! prints how many there are.

#![expect(clippy::print_stdout, reason = "its result")]
#![expect(clippy::disallowed_methods, reason = "it reads its own arguments")]

use std::fs::File;
use std::io::{self, BufRead, BufReader};

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut lines = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut line, mut objects) = (Vec::new(), 0_u64);
    while lines.read_until(b'\n', &mut line)? > 0 {
        let value: serde_json::Value = serde_json::from_slice(&line)?;
        objects += u64::from(value.is_object());
        line.clear();
    }
    println!("{objects}");
    Ok(())
}
