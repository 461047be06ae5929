//! What to export, and why it cannot be.

use std::ops::Range;

use crate::{
    Cid, CidError,
    codec::CodecError,
    resolve::ResolveError,
    unixfs::{NodeError, Window},
    walk::MAX_VISITED,
};

/// How much of what a path leads to is written, after the blocks that it takes to follow the path
/// (the trustless gateway specification's `dag-scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Scope {
    /// The one block.
    Block,
    /// What it takes to read the file, or to list the directory: of a directory the blocks of the
    /// directory alone, of anything else the one block.
    Entity,
    /// All that it links to, and what that links to.
    #[default]
    All,
}

/// Bytes of a file, first and last, counted from its end where negative (the trustless gateway
/// specification's `entity-bytes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub from: i64,
    /// The last byte; the file's last one where it is left out.
    pub to: Option<i64>,
}

impl ByteRange {
    /// The same of a file of this size; empty where the two have no byte in common.
    pub(super) fn of(self, size: u64) -> Range<u64> {
        let start = match self.from {
            from @ ..0 => size.saturating_sub(from.unsigned_abs()),
            from => from.unsigned_abs(),
        };
        let end = match self.to {
            None => size,
            Some(to @ ..0) => size.saturating_sub(to.unsigned_abs() - 1),
            Some(to) => to.unsigned_abs() + 1,
        };
        start..end.min(size)
    }
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportOptions {
    /// How much.
    pub scope: Scope,
    /// Only what these bytes of the file take. It makes the scope [`Scope::Entity`], and means
    /// nothing for what is no file.
    pub range: Option<ByteRange>,
    /// Whether a block is written wherever it is linked to, or once.
    pub dups: bool,
    /// How far ahead of what was read blocks are asked for. Sizes of blocks that are not here are
    /// guessed by that of the last one.
    pub window: Window,
}

/// Why no archive can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The path leads nowhere.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// What a block links to cannot be told.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A part of a file or of a sharded directory is something else.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A link leads to something that cannot be verified by its CID.
    #[error("{cid} cannot be exported: {source}")]
    Link {
        /// What is linked to.
        cid: Cid,
        /// What is wrong with its CID.
        source: CidError,
    },
    /// A part of a file does not give one size for each link, so that a range of it is nowhere.
    #[error("a file is damaged: {cid} does not give one size for each link")]
    Sizes {
        /// The part.
        cid: Cid,
    },
    /// More than [`MAX_VISITED`] blocks, of which each has to be remembered.
    #[error("more than {MAX_VISITED} blocks")]
    TooMany,
    /// Links of more than [`MAX_HELD`](crate::unixfs::MAX_HELD) bytes would have to be held: those
    /// of the block that comes next, and those left over on the way to it.
    #[error("too many links wait to be followed at {cid}")]
    TooMuchHeld {
        /// The block whose links were too many.
        cid: Cid,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_files_of_any_announced_size() {
        let of = |from, to, size| ByteRange { from, to }.of(size);
        assert_eq!(of(0, Some(-1), 100), 0..100);
        assert_eq!(of(0, Some(-100), 100), 0..1);
        assert_eq!(of(0, Some(-101), 100), 0..0);
        for size in [u64::MAX, u64::MAX - 1, 1 << 63, i64::MAX as u64] {
            assert_eq!(of(0, Some(-1), size), 0..size);
            assert_eq!(of(-1, Some(-1), size), size - 1..size);
            assert_eq!(of(-1, None, size), size - 1..size);
            assert_eq!(of(-2, Some(-2), size), size - 2..size - 1);
            assert_eq!(of(0, Some(i64::MAX), size), 0..size.min(1 << 63));
        }
        assert_eq!(of(i64::MIN, Some(i64::MIN), u64::MAX), (1 << 63) - 1..1 << 63);
        assert_eq!(of(i64::MIN, Some(i64::MIN), 0), 0..0);
        assert_eq!(of(0, Some(-1), 0), 0..0);
    }
}
