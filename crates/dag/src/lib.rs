//! IPFS content: CIDs, verified blocks, codecs and paths. No IO, no async, no clock.

#![forbid(unsafe_code)]

mod block;
mod cid;
pub mod code;
pub mod codec;
mod proto;
pub mod varint;

pub use block::{Block, BlockError, MAX_BLOCK, Payload};
pub use cid::{Cid, CidError, MAX_CID, MAX_IDENTITY, Multihash, Prefix, Version};
