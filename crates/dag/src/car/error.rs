//! What can be wrong with an archive.

use std::fmt;

use super::HeaderError;
use crate::{BlockError, CidError, varint::VarintError};

/// A part of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The list of roots, or what says that an archive is of version 2.
    Header,
    /// The 40 bytes of version 2 that say where the data lies.
    Prelude,
    /// What an archive of version 2 holds: an archive of version 1.
    Data,
    /// A CID and its block.
    Section,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Prelude => "version 2 header",
            Self::Data => "data",
            Self::Section => "section",
        })
    }
}

/// Why an archive cannot be read on. Every error names the byte of the archive, from 0, where the
/// part begins that is wrong. Blocks that were given before stay valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarError {
    /// The archive is incomplete.
    #[error(
        "the archive is incomplete: it ends at byte {end}, the {part} at byte {at} takes {need} bytes"
    )]
    Truncated {
        /// What is incomplete.
        part: Part,
        /// Where it begins.
        at: u64,
        /// How many bytes it takes, as far as that is known.
        need: u64,
        /// Where the archive ends.
        end: u64,
    },
    /// A part runs past the end of the data that a version 2 header announced.
    #[error("the {part} at byte {at} takes {need} bytes, and the data ends at byte {end}")]
    PastEnd {
        /// The part.
        part: Part,
        /// Where it begins.
        at: u64,
        /// How many bytes it takes.
        need: u64,
        /// Where the data ends.
        end: u64,
    },
    /// A length is no varint.
    #[error("the {part} at byte {at} has no length: {source}")]
    Length {
        /// The part.
        part: Part,
        /// Where it begins.
        at: u64,
        /// What is wrong with its length.
        source: VarintError,
    },
    /// A header above [`MAX_HEADER`](super::MAX_HEADER) or a section above
    /// [`MAX_SECTION`](super::MAX_SECTION).
    #[error("the {part} at byte {at} claims {len} bytes: {most} are the most")]
    TooLarge {
        /// The part.
        part: Part,
        /// Where it begins.
        at: u64,
        /// The length that it claims.
        len: u64,
        /// The most.
        most: usize,
    },
    /// The header is not what a header has to be.
    #[error("invalid CAR header at byte {at}: {source}")]
    Header {
        /// Where it begins.
        at: u64,
        /// What is wrong with it.
        source: HeaderError,
    },
    /// A version that does not exist, or that may not be there.
    #[error("invalid CAR version: {found} (expected {expected})")]
    Version {
        /// The version.
        found: u64,
        /// What it may be.
        expected: &'static str,
    },
    /// A version 2 header whose data lies inside the header, or outside of the archive.
    #[error("the version 2 header says that {size} bytes of data begin at byte {offset}")]
    Data {
        /// Where the data is said to begin.
        offset: u64,
        /// How long it is said to be.
        size: u64,
    },
    /// A section without anything in it, though null padding was not asked for.
    #[error("the section at byte {at} is empty")]
    Empty {
        /// Where it begins.
        at: u64,
    },
    /// A section begins with something that is no CID.
    #[error("the section at byte {at} has no valid CID: {source}")]
    Cid {
        /// Where it begins.
        at: u64,
        /// What is wrong with it.
        source: CidError,
    },
    /// A section's bytes are not the block that its CID names.
    #[error("the section at byte {at}: {source}")]
    Block {
        /// Where it begins.
        at: u64,
        /// What is wrong, with the CID where it is known.
        source: BlockError,
    },
    /// The archive's bytes are of a kind that cannot be read: a mistake in the program.
    #[error("the archive's bytes are not in memory")]
    NotInMemory,
}
