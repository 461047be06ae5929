//! What the fuzzer runs, and what the tests replay its corpus with: one function a parser, and one
//! for sequences of edits.
//!
//! Each takes any bytes, must not panic, and must stay within [`MAX_MEMORY`]. Where a parser
//! accepts its input, the function also asks of the result what must hold of it: written again it
//! is the same, however the input was split it is the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target fails so")]

mod car;
mod cbor;
mod cid;
mod edits;
mod json;
mod memory;
mod path;
mod pb;
mod unixfs;
mod wire;

/// The most memory that any input may cost: the bound of every parser here.
pub const MAX_MEMORY: usize = 32 * 1024 * 1024;

/// A target: any bytes, and no panic.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder of the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("car", car::run),
    ("cbor", cbor::run),
    ("cid", cid::run),
    ("edits", edits::run),
    ("json", json::run),
    ("path", path::run),
    ("pb", pb::run),
    ("unixfs", unixfs::run),
    ("wire", wire::run),
];

/// Runs the target of this name, and holds it to its bound of memory.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a known target");
    let peak = memory::peak(|| target(bytes));
    assert!(peak <= MAX_MEMORY, "{name}: {} bytes of input cost {peak}", bytes.len());
}
