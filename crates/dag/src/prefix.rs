//! CIDs without their digests, as Bitswap sends them with blocks.

use crate::{Cid, CidError, MAX_IDENTITY, Multihash, Version, varint};

/// A CID without its digest: what comes before a block in a Bitswap message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The version.
    pub version: Version,
    /// The codec's number.
    pub codec: u64,
    /// The hash function's number.
    pub hash: u64,
    /// The digest's length in bytes; may cut a hash short.
    pub digest_len: usize,
}

impl Prefix {
    /// Reads four varints and nothing more; whatever they are, nothing is allocated.
    pub fn parse(bytes: &[u8]) -> Result<Self, CidError> {
        let mut rest = bytes;
        let mut next = || -> Result<u64, CidError> {
            let (number, used) = varint::read(rest)?;
            rest = &rest[used..];
            Ok(number)
        };
        let (version, codec, hash, len) = (next()?, next()?, next()?, next()?);
        if !rest.is_empty() {
            return Err(CidError::Trailing(rest.len()));
        }
        let version = match version {
            0 => Version::V0,
            1 => Version::V1,
            other => return Err(CidError::Version(other)),
        };
        match usize::try_from(len) {
            Ok(digest_len) if digest_len <= MAX_IDENTITY => {
                Ok(Self { version, codec, hash, digest_len })
            }
            _ => Err(CidError::DigestLength { code: hash, len }),
        }
    }

    /// The CID that `bytes` have under this prefix: the digest is computed, never claimed.
    pub fn cid(&self, bytes: &[u8]) -> Result<Cid, CidError> {
        let hash = Multihash::hash_to(self.hash, self.digest_len, bytes)?;
        let cid = Cid::new(self.version, self.codec, hash)?;
        cid.check()?;
        Ok(cid)
    }
}
