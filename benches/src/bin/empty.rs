//! Does nothing: the time that starting any Rust program takes.

fn main() {}
