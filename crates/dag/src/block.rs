//! Blocks: bytes that are known to be what their CID says.

use std::{fmt, ops::Range};

use bytes::Bytes;

use crate::{Cid, CidError, Multihash, Version, code};

/// The most bytes of a block that are read or written (2 MiB: Bitswap's and UnixFS's bound).
pub const MAX_BLOCK: usize = 2 * 1024 * 1024;

/// What block bytes must offer. [`Bytes`] does; a browser may hold them outside its wasm memory.
///
/// `From<Bytes>` is for content that a CID carries inside itself.
pub trait Payload: Clone + From<Bytes> {
    /// The number of bytes.
    fn len(&self) -> usize;

    /// Part of the bytes, shared and not copied. `range` lies within `0..len()`.
    fn slice(&self, range: Range<usize>) -> Self;

    /// The bytes, where they are in memory that Rust can read.
    fn as_bytes(&self) -> Option<&[u8]>;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends part of the bytes to `out`. `range` lies within `0..len()`. `false`: they are in
    /// memory that cannot be read.
    fn copy_to(&self, range: Range<usize>, out: &mut Vec<u8>) -> bool {
        let bytes = self.as_bytes();
        bytes.map(|bytes| out.extend_from_slice(&bytes[range])).is_some()
    }

    /// The parts in one piece. `None`: they are in memory that cannot be read.
    fn join(parts: &[Self]) -> Option<Self> {
        let mut out = Vec::with_capacity(parts.iter().map(Self::len).sum());
        let copied = parts.iter().all(|part| part.copy_to(0..part.len(), &mut out));
        copied.then(|| Bytes::from(out).into())
    }
}

impl Payload for Bytes {
    fn len(&self) -> usize {
        Bytes::len(self)
    }

    fn slice(&self, range: Range<usize>) -> Self {
        Bytes::slice(self, range)
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        Some(self)
    }
}

/// Why bytes did not become a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// More than [`MAX_BLOCK`] bytes.
    #[error("a block of {0} bytes is over 2 MiB")]
    TooLarge(usize),
    /// The bytes are not what the CID names.
    #[error("the bytes do not hash to {0}")]
    Mismatch(Cid),
    /// No CID can be made of these parts, or not one to verify by.
    #[error("{0}")]
    Cid(#[from] CidError),
}

/// Bytes with the CID that they have been found to hash to.
///
/// A block exists only by hashing or by verifying; there is no other way to make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Block<B = Bytes> {
    cid: Cid,
    bytes: B,
}

impl Block<Bytes> {
    /// Hashes `bytes` and names them.
    pub fn hash(
        version: Version,
        codec: u64,
        hash_code: u64,
        bytes: Bytes,
    ) -> Result<Self, BlockError> {
        check_size(bytes.len())?;
        let cid = Cid::new(version, codec, Multihash::hash(hash_code, &bytes)?)?;
        Ok(Self { cid, bytes })
    }

    /// Takes `bytes` for what `cid` names if they hash to it.
    pub fn verify(cid: Cid, bytes: Bytes) -> Result<Self, BlockError> {
        check_size(bytes.len())?;
        match cid.hash().matches(&bytes)? {
            true => Ok(Self { cid, bytes }),
            false => Err(BlockError::Mismatch(cid)),
        }
    }
}

impl<B: Payload> Block<B> {
    /// The content that `cid` carries in itself, if it is of that kind.
    pub fn inline(cid: &Cid) -> Option<Self> {
        let bytes = Bytes::copy_from_slice(cid.inline()?);
        Some(Self { cid: cid.clone(), bytes: bytes.into() })
    }

    /// Names `bytes` by a SHA-256 digest that the platform computed of them. The caller vouches
    /// for the digest: only code that has just hashed these bytes may call this.
    pub fn from_digest(
        version: Version,
        codec: u64,
        sha256: [u8; 32],
        bytes: B,
    ) -> Result<Self, BlockError> {
        check_size(bytes.len())?;
        let cid = Cid::new(version, codec, Multihash::from_sha256(sha256))?;
        Ok(Self { cid, bytes })
    }

    /// As [`verify`](Block::verify), by a SHA-256 digest that the platform computed of `bytes`.
    /// The caller vouches for the digest, as for [`from_digest`](Self::from_digest).
    pub fn verify_digest(cid: Cid, sha256: [u8; 32], bytes: B) -> Result<Self, BlockError> {
        check_size(bytes.len())?;
        cid.check()?;
        let hash = cid.hash();
        if hash.code() != code::SHA2_256 {
            return Err(CidError::Unsupported(hash.code()).into());
        }
        match sha256.starts_with(hash.digest()) {
            true => Ok(Self { cid, bytes }),
            false => Err(BlockError::Mismatch(cid)),
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl<B> Block<B> {
    /// The same bytes in another kind of memory. The caller vouches that they are the same.
    #[doc(hidden)]
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Block<C> {
        Block { cid: self.cid, bytes: f(self.bytes) }
    }

    /// What the bytes hash to.
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// The bytes.
    pub const fn bytes(&self) -> &B {
        &self.bytes
    }

    /// Both parts.
    pub fn into_parts(self) -> (Cid, B) {
        (self.cid, self.bytes)
    }
}

/// The CID alone: a megabyte of bytes helps nobody in a log.
impl<B> fmt::Debug for Block<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", self.cid)
    }
}

fn check_size(len: usize) -> Result<(), BlockError> {
    if len > MAX_BLOCK { Err(BlockError::TooLarge(len)) } else { Ok(()) }
}
