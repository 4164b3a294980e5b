//! Writes a table of made-up distinct_ids to stdout: `generate_ids ROWS [REPEATED] [SEED]`.
//! `REPEATED` of each hundred rows repeat an earlier one. The same arguments give the same table.
//!
//! Of each hundred ids some 30 are UUIDs, 30 e-mail addresses, 20 numbers and 20 `$device:` ids.
//! Each id follows from its number, so the program remembers nothing.

use std::io::{self, BufWriter, Write};

/// One e-mail address in this many has capitals.
const CAPITALS_EVERY: u64 = 1000;

const NAMES: [&str; 16] = [
    "anna", "ben", "carla", "deniz", "emil", "fatima", "greta", "hugo", "ines", "jonas", "kira",
    "liam", "mia", "noah", "olga", "paul",
];

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| match args.next() {
        Some(text) => text.parse().map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "usage: generate_ids ROWS [REPEATED] [SEED]",
            )
        }),
        None => Ok(default),
    };
    let (rows, repeated, seed) = (number(1_000_000)?, number(5)?, number(1)?);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    out.write_all(b"distinct_id\n")?;
    let mut fresh = 0;
    for row in 0..rows {
        let chance = mix(seed ^ mix(row));
        let place = if fresh > 0 && chance % 100 < repeated {
            mix(chance) % fresh
        } else {
            fresh += 1;
            fresh - 1
        };
        write_id(&mut out, seed, place)?;
    }
    out.flush()
}

fn write_id(out: &mut impl Write, seed: u64, place: u64) -> io::Result<()> {
    let one = mix(seed.wrapping_add(place << 1));
    let two = mix(one ^ place);
    match one % 10 {
        0..3 => writeln!(out, "{}", uuid(one, two)),
        3..6 => {
            let name = NAMES[(two % 16) as usize];
            let other = NAMES[(two / 16 % 16) as usize];
            let name = match (two >> 8).is_multiple_of(CAPITALS_EVERY) {
                true => name.to_uppercase(),
                false => name.to_owned(),
            };
            writeln!(out, "{name}.{other}{place}@example.com")
        }
        6..8 => writeln!(out, "{}", 1_000_000_000 + place),
        _ => writeln!(out, "$device:{}", uuid(one, two)),
    }
}

fn uuid(one: u64, two: u64) -> String {
    let (a, b, c) = (one >> 32, (one >> 16) & 0xffff, one & 0xfff);
    let (d, e) = (0x8000 | ((two >> 48) & 0x3fff), two & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
}

/// splitmix64: looks random, and gives the same number for the same input.
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
