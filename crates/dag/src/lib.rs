//! IPFS content: CIDs, verified blocks, codecs, UnixFS files and directories, paths.
//!
//! A pure library: no IO, no async, no clock. Blocks go in and CIDs come out, or the other way
//! round; fetching, storing and sending are the caller's. Everything that is read may be hostile:
//! nothing panics, nothing recurses, nothing is allocated because the input says so, and every
//! bound is a constant with its origin beside it.
//!
//! # The calls in order
//!
//! To add a file: cut it ([`unixfs::FixedChunker`]), make a block of each chunk
//! ([`unixfs::leaf`]), push what is known of it ([`unixfs::Leaf`]) to a [`unixfs::Importer`], and
//! store the blocks that come back; `finish` gives the root. The importer never sees a leaf's
//! bytes, so these may be hashed and kept elsewhere ([`Payload`]). To add a folder, put each
//! file's root into a [`unixfs::Tree`] under its path; `build` gives the directories, sharded
//! where they are large.
//!
//! To open something: parse a [`path::Path`], follow its names with a [`resolve::Resolver`], ask
//! [`unixfs::stat`] what is there; then list it with a [`unixfs::Listing`], or read it with a
//! [`unixfs::Reader`]. To keep, count or mark all of a graph: [`walk::Walk`].
//!
//! Blocks that others sent become a [`Block`] by [`Block::verify`], and in no other way.
//!
//! ```
//! use avocet_dag::unixfs::{self, FixedChunker, ImportOptions, Importer, Leaf, Reader, Window};
//! use avocet_dag::{Block, Cid};
//! use std::collections::HashMap;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = ImportOptions::default();
//! let mut store: HashMap<Cid, Block> = HashMap::new();
//! let mut put = |block: Block| store.insert(block.cid().clone(), block);
//!
//! let mut chunker = FixedChunker::with_size(4);
//! chunker.push("hello world".into());
//! let mut importer = Importer::new(&options)?;
//! let mut chunks = Vec::new();
//! while let Some(chunk) = chunker.next_chunk() {
//!     chunks.push(chunk);
//! }
//! chunks.extend(chunker.finish());
//! for chunk in chunks {
//!     let size = chunk.len();
//!     let block = unixfs::leaf(&options, chunk)?;
//!     importer.push(Leaf::new(&block, size))?.into_iter().for_each(|block| drop(put(block)));
//!     put(block);
//! }
//! let file = importer.finish()?;
//! file.blocks.into_iter().for_each(|block| drop(put(block)));
//!
//! let mut reader = Reader::new(file.root.cid, 6.., Window::default());
//! let mut text = Vec::new();
//! while !reader.is_done() {
//!     for cid in reader.wants() {
//!         reader.give(&store[&cid])?; // here a block may come from anywhere
//!     }
//!     while let Some(bytes) = reader.read()? {
//!         text.extend_from_slice(&bytes);
//!     }
//! }
//! assert_eq!(text, b"world");
//! # Ok(())
//! # }
//! ```
//!
//! # Left out
//!
//! - DAG-CBOR and DAG-JSON
//! - writing symbolic links, modes and times of files
//! - the trickle layout, chunkers that follow the content
//! - hash functions other than SHA-256 and identity
//! - changing a tree in place

#![forbid(unsafe_code)]

mod block;
pub mod car;
mod cid;
pub mod code;
pub mod codec;
mod error;
mod multihash;
pub mod path;
mod prefix;
mod proto;
pub mod resolve;
pub mod unixfs;
pub mod varint;
pub mod walk;

pub use block::{Block, BlockError, MAX_BLOCK, Payload};
pub use cid::{Cid, CidError, MAX_CID, Version};
pub use error::{Classify, ErrorKind};
pub use multihash::{MAX_IDENTITY, Multihash};
pub use prefix::Prefix;
