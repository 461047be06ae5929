//! From a codec's number to what a block holds: its links, or the whole of it as a [`Value`].

pub mod cbor;
mod encode;
pub mod json;
pub mod pb;
pub mod raw;
mod token;
mod value;

pub use encode::{EncodeError, Unfit};
pub use token::{DecodeError, Fault, MAX_DEPTH, MAX_TREE, Token, Tokens};
pub use value::Value;
pub(crate) use value::index;

use crate::{Block, Cid, Payload, code};

/// Why a block cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The block is not in the form that DAG-PB demands.
    #[error("{cid} is not valid dag-pb: {source}")]
    Pb {
        /// The block.
        cid: Cid,
        /// What is wrong with it.
        source: pb::PbError,
    },
    /// The block is not in the form that DAG-CBOR demands.
    #[error("{cid} is not valid dag-cbor: {source}")]
    Cbor {
        /// The block.
        cid: Cid,
        /// What is wrong with it, and where.
        source: DecodeError,
    },
    /// The block is not in the form that DAG-JSON demands.
    #[error("{cid} is not valid dag-json: {source}")]
    Json {
        /// The block.
        cid: Cid,
        /// What is wrong with it, and where.
        source: DecodeError,
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

impl CodecError {
    /// What is wrong in a block of DAG-CBOR or DAG-JSON.
    pub(crate) fn of(cid: &Cid, source: DecodeError) -> Self {
        let cid = cid.clone();
        match cid.codec() {
            code::DAG_JSON => Self::Json { cid, source },
            _ => Self::Cbor { cid, source },
        }
    }
}

/// Every CID that the block links to, in the block's order, repetitions included. No value is
/// built.
///
/// A raw block has none, so its bytes are not looked at.
pub fn links<B: Payload>(block: &Block<B>) -> Result<Vec<Cid>, CodecError> {
    let cid = block.cid();
    if cid.codec() == code::RAW {
        return Ok(raw::links());
    }
    let bytes = bytes(block)?;
    match cid.codec() {
        code::DAG_PB => {
            pb::links(bytes).map_err(|source| CodecError::Pb { cid: cid.clone(), source })
        }
        _ => token::links(tokens(cid, bytes)?).map_err(|error| CodecError::of(cid, error)),
    }
}

/// The whole of a block. Raw blocks are bytes, DAG-PB nodes `{ Data?, Links: [{ Hash, Name?,
/// Tsize? }] }`. At most about [`MAX_TREE`] bytes of memory.
pub fn decode<B: Payload>(block: &Block<B>) -> Result<Value, CodecError> {
    let cid = block.cid();
    let bytes = bytes(block)?;
    match cid.codec() {
        code::RAW => Ok(Value::Bytes(bytes.to_vec())),
        code::DAG_PB => {
            pb::to_value(bytes).map_err(|source| CodecError::Pb { cid: cid.clone(), source })
        }
        _ => token::build(tokens(cid, bytes)?).map_err(|error| CodecError::of(cid, error)),
    }
}

/// The bytes of `value` in a codec: the reverse of [`decode`].
pub fn encode(codec: u64, value: &Value) -> Result<Vec<u8>, EncodeError> {
    match (codec, value) {
        (code::RAW, Value::Bytes(bytes)) => Ok(bytes.clone()),
        (code::RAW, _) => Err(Unfit::Shape("bytes").at(String::new())),
        (code::DAG_PB, _) => pb::from_value(value),
        (code::DAG_CBOR, _) => cbor::encode(value),
        (code::DAG_JSON, _) => json::encode(value),
        _ => Err(Unfit::Codec(codec).at(String::new())),
    }
}

/// The parts of a block in DAG-CBOR or DAG-JSON.
pub(crate) fn tokens<'a>(cid: &Cid, bytes: &'a [u8]) -> Result<Tokens<'a>, CodecError> {
    let codec = cid.codec();
    Tokens::new(codec, bytes).ok_or_else(|| CodecError::Unsupported { cid: cid.clone(), codec })
}

pub(crate) fn bytes<B: Payload>(block: &Block<B>) -> Result<&[u8], CodecError> {
    block.bytes().as_bytes().ok_or_else(|| CodecError::NotInMemory(block.cid().clone()))
}
