//! What the content benchmark measures, in one place for both worlds: the program beside this file
//! runs it natively, and `bench/content.mjs` calls [`prepare`] and [`run`] of the same code in wasm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark fails so")]

mod work;

use std::cell::RefCell;

use work::Work;

thread_local! {
    static WORK: RefCell<Option<Work>> = const { RefCell::new(None) };
}

/// Makes what is measured: so many MiB of content, and a directory of so many entries.
#[allow(
    unsafe_code,
    reason = "the plainest way to be called from outside; no other export has its name"
)]
#[unsafe(no_mangle)]
pub extern "C" fn prepare(mib: u32, entries: u32) {
    let work = Work::new(mib as usize, entries as usize);
    WORK.with_borrow_mut(|place| *place = Some(work));
}

/// Does the work of this number, in the order of [`NAMES`], once; gives how much came of it, so that
/// none of it is left out.
#[allow(unsafe_code, reason = "as above")]
#[unsafe(no_mangle)]
pub extern "C" fn run(number: u32) -> u32 {
    WORK.with_borrow_mut(|work| work.as_mut().expect("prepared").run(number as usize))
}

/// Every kind of work, in the order of its numbers.
pub const NAMES: &[&str] = &[
    "hash sha2-256",
    "cut rabin",
    "cut buzhash",
    "add size-1048576",
    "add rabin",
    "add buzhash",
    "directory: build",
    "directory: read one",
    "directory: read all",
];
