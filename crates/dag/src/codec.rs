//! From a codec's number to the links of a block.

pub mod pb;
pub mod raw;

use crate::{Block, Cid, Payload, code};

/// Why the links of a block cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The block is not in the form that its codec demands.
    #[error("{cid} is not valid dag-pb: {source}")]
    Pb {
        /// The block.
        cid: Cid,
        /// What is wrong with it.
        source: pb::PbError,
    },
    /// The block is in a codec that this crate does not read.
    #[error("{cid} is in codec {codec:#x}, which is not supported")]
    Unsupported {
        /// The block.
        cid: Cid,
        /// The codec's number.
        codec: u64,
    },
    /// The block's bytes are outside memory, and its codec must be read to tell.
    #[error("the bytes of {0} are not in memory")]
    NotInMemory(Cid),
}

/// Every CID that the block links to, in the block's order, repetitions included.
///
/// A raw block has none, so its bytes are not looked at.
pub fn links<B: Payload>(block: &Block<B>) -> Result<Vec<Cid>, CodecError> {
    let cid = block.cid();
    match cid.codec() {
        code::RAW => Ok(raw::links()),
        code::DAG_PB => {
            let bytes =
                block.bytes().as_bytes().ok_or_else(|| CodecError::NotInMemory(cid.clone()))?;
            pb::links(bytes).map_err(|source| CodecError::Pb { cid: cid.clone(), source })
        }
        codec => Err(CodecError::Unsupported { cid: cid.clone(), codec }),
    }
}
