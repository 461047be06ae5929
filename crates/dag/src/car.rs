//! CAR archives: blocks one after another behind a list of roots.
//!
//! Reading: [`Reader`] takes the bytes of an archive of version 1 or 2 in pieces of any size and
//! gives its blocks, verified ([`Reader::next_block`]), or [`Section`]s that somebody else has to
//! verify, such as the platform's own hash ([`Reader::next_section`]).
//!
//! Writing: [`Export`] says which blocks it needs and gives the bytes of an archive of version 1,
//! depth first. [`header`] and [`section_head`] are what such an archive is made of.
//!
//! ```
//! use avocet_dag::car::{Export, ExportOptions, Options, Reader};
//! use avocet_dag::{Block, Cid, Version, code};
//! use std::collections::HashMap;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let block = Block::hash(Version::V1, code::RAW, code::SHA2_256, "hello".into())?;
//! let root = block.cid().clone();
//! let store = HashMap::from([(root.clone(), block.clone())]);
//!
//! let mut export = Export::new(root, Vec::new(), ExportOptions::default());
//! let mut archive = Vec::new();
//! while !export.is_done() {
//!     for cid in export.wants() {
//!         export.give(&store[&cid])?; // here a block may come from anywhere
//!     }
//!     while let Some(bytes) = export.read()? {
//!         archive.extend_from_slice(&bytes);
//!     }
//! }
//!
//! let mut reader = Reader::new(Options::default());
//! let mut blocks: Vec<Block> = Vec::new();
//! for piece in archive.chunks(7) {
//!     reader.push(piece.to_vec().into());
//!     while let Some(block) = reader.next_block()? {
//!         blocks.push(block);
//!     }
//! }
//! reader.finish()?;
//! assert_eq!(blocks, [block]);
//! # Ok(())
//! # }
//! ```
//!
//! # What is accepted
//!
//! A header is DAG-CBOR of `roots` and `version` and nothing else, in either order, in the
//! shortest form; `roots` has to be there, and may be empty (the specification demands it, and
//! some writers leave it out: their archives are refused). Of version 2 the data's place is
//! respected, its flags and its index are not looked at: an index is a hint that would have to be
//! verified, and a stream reaches it last. What follows the data is ignored.
//!
//! CIDs of any sort may be in the list of roots. A section's block has to be verified by its CID,
//! so the hash must be one that this crate trusts and computes. A section whose CID carries its
//! content (identity) is valid if it holds that content; it need not be stored.
//!
//! An archive of version 1 has no end mark: one that was cut exactly between two sections cannot
//! be told from a whole one.

mod error;
mod export;
mod header;
mod options;
mod pieces;
mod reader;
mod section;
mod seen;
mod slots;

pub use error::{CarError, Part};
pub use export::Export;
pub use header::{HeaderError, header};
pub use options::{ByteRange, ExportError, ExportOptions, Scope};
pub use reader::Reader;
pub use section::{Header, Options, Section};

use crate::{Cid, MAX_BLOCK, MAX_CID, varint};

/// The most bytes of a header: some 20,000 roots (go-car takes 32 MiB, far more than a tab should
/// give for a list of roots).
pub const MAX_HEADER: usize = 1024 * 1024;
/// The most bytes of a section: a block and its CID.
pub const MAX_SECTION: usize = MAX_BLOCK + MAX_CID;

/// What stands before a block of `len` bytes: the section's length and the CID.
pub fn section_head(cid: &Cid, len: usize) -> Vec<u8> {
    let cid = cid.to_bytes();
    let mut out = Vec::with_capacity(varint::MAX_LEN + cid.len());
    varint::write((cid.len() + len) as u64, &mut out);
    out.extend_from_slice(&cid);
    out
}
