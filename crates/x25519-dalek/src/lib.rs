//! X25519, in wasm without tables.
//!
//! Stands in for version 3 of the crate of the same name, by `[patch.crates-io]` of this workspace, and is its
//! version 2, for the reason that `crates/ed25519-dalek` gives: both share one arithmetic, and its tables.

pub use published::{X25519_BASEPOINT_BYTES, x25519};
