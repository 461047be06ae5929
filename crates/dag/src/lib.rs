//! IPFS content: CIDs, verified blocks, codecs, UnixFS and paths. No IO, no async, no clock.

#![forbid(unsafe_code)]

mod block;
mod cid;
pub mod code;
pub mod codec;
mod error;
pub mod path;
mod proto;
pub mod resolve;
pub mod unixfs;
pub mod varint;
pub mod walk;

pub use block::{Block, BlockError, MAX_BLOCK, Payload};
pub use cid::{Cid, CidError, MAX_CID, MAX_IDENTITY, Multihash, Prefix, Version};
pub use error::{Classify, ErrorKind};
