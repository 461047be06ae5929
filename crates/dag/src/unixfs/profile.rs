//! The named ways to import, and their parameters (IPIP-499).

use std::str::FromStr;

use crate::{MAX_BLOCK, Version, code};

/// The largest chunk: a block of 2 MiB less room for its envelope (boxo's `ChunkSizeLimit`).
pub const MAX_CHUNK: usize = MAX_BLOCK - 256;
/// The most links that a file's node may be given: at up to 64 bytes a link under SHA-256 such a
/// node still fits a block.
pub const MAX_LINKS: usize = MAX_BLOCK / 64 - 1;

/// Why options make no import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No profile of that name.
    #[error("{0:?} is not a profile: unixfs-v1-2025 and unixfs-v0-2015 are")]
    Profile(String),
    /// No chunker of that name.
    #[error("{0:?} is not a chunker: size-N is one, as in size-1048576")]
    Chunker(String),
    /// A chunk size outside 1 to [`MAX_CHUNK`].
    #[error("a chunk of {0} bytes: between 1 and {MAX_CHUNK} are possible")]
    ChunkSize(usize),
    /// A width outside 2 to [`MAX_LINKS`].
    #[error("{0} links a node: between 2 and {MAX_LINKS} are possible")]
    MaxLinks(usize),
}

/// A named set of parameters: the same profile and content give the same CID everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// CIDs of version 1, raw leaves of 1 MiB, 1024 links a node.
    #[default]
    UnixfsV1_2025,
    /// CIDs of version 0, dag-pb leaves of 256 KiB, 174 links a node.
    UnixfsV0_2015,
}

impl FromStr for Profile {
    type Err = OptionsError;

    fn from_str(name: &str) -> Result<Self, OptionsError> {
        match name {
            "unixfs-v1-2025" => Ok(Self::UnixfsV1_2025),
            "unixfs-v0-2015" => Ok(Self::UnixfsV0_2015),
            _ => Err(OptionsError::Profile(crate::path::shorten(name))),
        }
    }
}

/// Where a file is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Chunking {
    /// Every so many bytes.
    Size(usize),
}

impl FromStr for Chunking {
    type Err = OptionsError;

    fn from_str(name: &str) -> Result<Self, OptionsError> {
        let size = name.strip_prefix("size-").and_then(|size| size.parse().ok());
        size.map(Self::Size).ok_or_else(|| OptionsError::Chunker(crate::path::shorten(name)))
    }
}

/// How a directory is measured against the threshold above which it is sharded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HamtSize {
    /// Bytes of the directory's block.
    Block,
    /// Bytes of its names and CIDs.
    Links,
}

/// All parameters of an import. Start from a [`Profile`] and change what is to differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The version of all CIDs but those of raw leaves, which are always version 1.
    pub cid_version: Version,
    /// Whether chunks become raw blocks, or dag-pb blocks of type file.
    pub raw_leaves: bool,
    /// Where files are cut.
    pub chunking: Chunking,
    /// Links of a file's inner node at most.
    pub max_links: usize,
    /// A directory of more than this many bytes is sharded ("more" is strict).
    pub hamt_threshold: usize,
    /// How they are measured.
    pub hamt_size: HamtSize,
}

impl ImportOptions {
    /// Whether the values are possible.
    pub fn check(&self) -> Result<(), OptionsError> {
        let Chunking::Size(size) = self.chunking;
        if !(1..=MAX_CHUNK).contains(&size) {
            return Err(OptionsError::ChunkSize(size));
        }
        if !(2..=MAX_LINKS).contains(&self.max_links) {
            return Err(OptionsError::MaxLinks(self.max_links));
        }
        Ok(())
    }

    /// The version and codec of a leaf's CID.
    pub const fn leaf_codec(&self) -> (Version, u64) {
        match self.raw_leaves {
            true => (Version::V1, code::RAW),
            false => (self.cid_version, code::DAG_PB),
        }
    }
}

impl Default for ImportOptions {
    fn default() -> Self {
        Profile::default().into()
    }
}

impl From<Profile> for ImportOptions {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::UnixfsV1_2025 => Self {
                cid_version: Version::V1,
                raw_leaves: true,
                chunking: Chunking::Size(1024 * 1024),
                max_links: 1024,
                hamt_threshold: 256 * 1024,
                hamt_size: HamtSize::Block,
            },
            Profile::UnixfsV0_2015 => Self {
                cid_version: Version::V0,
                raw_leaves: false,
                chunking: Chunking::Size(256 * 1024),
                max_links: 174,
                hamt_threshold: 256 * 1024,
                hamt_size: HamtSize::Links,
            },
        }
    }
}
