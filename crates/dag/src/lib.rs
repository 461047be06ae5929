//! IPFS content: CIDs, verified blocks, codecs, UnixFS files and directories, paths.
//!
//! A pure library: no IO, no async, no clock. Blocks go in and CIDs come out, or the other way
//! round; fetching, storing and sending are the caller's. Everything that is read may be hostile:
//! nothing panics, nothing recurses, nothing is allocated because the input says so, and every
//! bound is a constant with its origin beside it.
//!
//! # The calls in order
//!
//! To add a file: push its bytes to a [`unixfs::Writer`] and store the blocks that come back;
//! `finish` gives the root. Where leaves are hashed elsewhere, do as the writer does: cut the file
//! ([`unixfs::Chunker`]), make a block of each chunk ([`unixfs::leaf_bytes`]), push what is known
//! of it ([`unixfs::Leaf`]) to a [`unixfs::Importer`], which never sees a leaf's bytes
//! ([`Payload`]); a file of one chunk may need [`unixfs::single`]. [`unixfs::ImportOptions`] say
//! how all of it is done. To add a folder, put each file's root and each link's block
//! ([`unixfs::symlink`]) into a [`unixfs::Tree`] under its path; `build` gives the directories,
//! sharded where they are large.
//!
//! To open something: parse a [`path::Path`], follow its names with a [`resolve::Resolver`], ask
//! [`unixfs::stat`] what is there; then list it with a [`unixfs::Listing`], or read it with a
//! [`unixfs::Reader`]. To change a tree, entry by entry: [`unixfs::Edit`]. To keep, count or mark
//! all of a graph: [`walk::Walk`].
//!
//! Data that is no file is a [`codec::Value`], from a block by [`codec::decode`] and to the bytes
//! of one by [`codec::encode`]; paths go through it.
//!
//! Archives of blocks come in by [`car::Reader`] and go out by [`car::Export`].
//!
//! Blocks that others sent become a [`Block`] by [`Block::verify`], and in no other way.
//!
//! ```
//! use avocet_dag::unixfs::{Chunking, ImportOptions, Meta, Profile, Reader, Window, Writer};
//! use avocet_dag::{Block, Cid};
//! use std::collections::HashMap;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = ImportOptions {
//!     chunking: Chunking::Size(4), // or "size-4".parse()?
//!     ..Profile::UnixfsV1_2025.into()
//! };
//! let mut store: HashMap<Cid, Block> = HashMap::new();
//! let mut put = |block: Block| drop(store.insert(block.cid().clone(), block));
//!
//! let meta = Meta { mode: Some(0o644), ..Meta::default() };
//! let mut writer = Writer::new(&options, meta)?;
//! for piece in ["hello ", "world"] {
//!     writer.push(piece.into())?.into_iter().for_each(&mut put);
//! }
//! let file = writer.finish()?;
//! file.blocks.into_iter().for_each(&mut put);
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
//! - codecs but raw, DAG-PB, DAG-CBOR and DAG-JSON
//! - hash functions that IPFS trusts and hardly uses: SHA-1, SHA-3, Keccak, BLAKE2s

#![forbid(unsafe_code)]

mod blake3;
mod block;
pub mod car;
mod cid;
pub mod code;
pub mod codec;
mod error;
pub mod limits;
mod multihash;
pub mod path;
mod prefix;
pub mod proto;
pub mod resolve;
pub mod unixfs;
pub mod varint;
pub mod walk;

pub use block::{Block, BlockError, MAX_BLOCK, Payload};
pub use cid::{Cid, CidError, MAX_CID, Version};
pub use error::{Classify, ErrorKind};
pub use multihash::{MAX_IDENTITY, Multihash};
pub use prefix::Prefix;
