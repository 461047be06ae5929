//! What an archive is read into.

use std::ops::Range;

use bytes::Bytes;

use super::CarError;
use crate::{Block, Cid};

/// How to read an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether an empty section ends the archive, as in files that are padded with zeros, or is
    /// an error.
    pub null_padding: bool,
    /// The archive's length where it is known: what lies beyond it is then found at once.
    pub len: Option<u64>,
}

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// 1 or 2.
    pub version: u64,
    /// Where whoever made the archive would begin. They need not be in it.
    pub roots: Vec<Cid>,
    /// Where in an archive of version 2 the data lies.
    pub data: Option<Range<u64>>,
}

/// A CID and bytes that have *not* been verified: a [`Block`] by [`verify`](Self::verify), or by
/// whoever else hashes [`into_parts`](Self::into_parts).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section<B> {
    pub(super) cid: Cid,
    pub(super) bytes: B,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl<B> Section<B> {
    /// What the bytes are said to be.
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Where in the archive the section begins.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Where in the archive the section ends.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The CID, and bytes that may be anything.
    pub fn into_parts(self) -> (Cid, B) {
        (self.cid, self.bytes)
    }
}

impl Section<Bytes> {
    /// The block, if the bytes are what the CID names.
    pub fn verify(self) -> Result<Block, CarError> {
        let at = self.at;
        Block::verify(self.cid, self.bytes).map_err(|source| CarError::Block { at, source })
    }
}
