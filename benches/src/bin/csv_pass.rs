//! The yardstick: copies the first column of the table on stdin to stdout, in batches, repeated ids
//! included: `csv_pass [BATCH]`. No program that cuts a table into batches in one pass can do less.

use std::io::{self, BufWriter, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let batch: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 500,
    };
    let mut reader = csv::Reader::from_reader(io::stdin().lock());
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut row = csv::ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut row)? {
        out.write_all(row.get(0).unwrap_or_default())?;
        count += 1;
        // A blank line ends a batch.
        out.write_all(if count % batch == 0 { b"\n\n" } else { b"\n" })?;
    }
    out.flush()?;
    Ok(())
}
