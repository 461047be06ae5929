//! The named ways to import, and their parameters (IPIP-499).

use std::str::FromStr;

use bytes::Bytes;

use super::Chunking;
use crate::{Block, BlockError, MAX_BLOCK, MAX_IDENTITY, Version, code};

/// The largest chunk: a block of 2 MiB less room for its envelope (boxo's `ChunkSizeLimit`).
pub const MAX_CHUNK: usize = MAX_BLOCK - 256;
/// The most links that a file's node may be given: at up to 64 bytes a link under SHA-256 such a
/// node still fits a block.
pub const MAX_LINKS: usize = MAX_BLOCK / 64 - 1;
/// The least a Rabin chunk may be told to hold: the bytes of its window (boxo's chunker).
pub const MIN_RABIN: usize = 16;
/// The most links of a block of a sharded directory (Kubo's `MaxHAMTFanout`, the specification's
/// advice).
pub const MAX_FANOUT: usize = 1024;

/// Why options make no import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No profile of that name.
    #[error("{0:?} is not a profile: unixfs-v1-2025 and unixfs-v0-2015 are")]
    Profile(String),
    /// No chunker of that name.
    #[error("{0:?} is not a chunker: size-N, rabin-MIN-AVG-MAX and buzhash are")]
    Chunker(String),
    /// No layout of that name.
    #[error("{0:?} is not a layout: balanced and trickle are")]
    Layout(String),
    /// No way to measure a directory of that name.
    #[error("{0:?} is not how a directory is measured: block and links are")]
    HamtSize(String),
    /// No hash function of that name, or of that number, that this crate writes by.
    #[error("{0:?} is not a hash function: sha2-256, sha2-512, blake2b-256, blake3, identity are")]
    Hash(String),
    /// A CID of version 0 says nothing of its hash function: it is always SHA-256.
    #[error("a CID of version 0 has no other hash function than sha2-256")]
    Version0,
    /// A chunk size outside 1 to [`MAX_CHUNK`].
    #[error("a chunk of {0} bytes: between 1 and {MAX_CHUNK} are possible")]
    ChunkSize(usize),
    /// Rabin sizes that are not in the order [`MIN_RABIN`] <= min < avg < max <= [`MAX_CHUNK`].
    #[error("rabin-{min}-{avg}-{max}: sizes must grow, from {MIN_RABIN} to {MAX_CHUNK} at most")]
    Rabin {
        /// The least bytes of a chunk.
        min: usize,
        /// The average.
        avg: usize,
        /// The most.
        max: usize,
    },
    /// More than an identity CID holds.
    #[error("blocks of {0} bytes inside their CIDs: {MAX_IDENTITY} are the most")]
    InlineLimit(usize),
    /// Not a power of two from 8 to [`MAX_FANOUT`].
    #[error("a fan-out of {0}: a power of two from 8 to {MAX_FANOUT} is possible")]
    Fanout(usize),
    /// A time with a whole second of nanoseconds or more.
    #[error("a time of {0} nanoseconds: there are fewer than 1000000000")]
    Nanos(u32),
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

/// How a file's leaves are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Layout {
    /// All leaves lie equally deep.
    #[default]
    Balanced,
    /// The first leaves lie near the root, later ones deeper: for reading from the beginning.
    Trickle,
}

impl FromStr for Layout {
    type Err = OptionsError;

    fn from_str(name: &str) -> Result<Self, OptionsError> {
        match name {
            "balanced" => Ok(Self::Balanced),
            "trickle" => Ok(Self::Trickle),
            _ => Err(OptionsError::Layout(crate::path::shorten(name))),
        }
    }
}

/// The number of a hash function that is written by, from its name in the multicodec table.
pub fn hash_code(name: &str) -> Result<u64, OptionsError> {
    HASHES
        .iter()
        .find_map(|(known, code)| (*known == name).then_some(*code))
        .ok_or_else(|| OptionsError::Hash(crate::path::shorten(name)))
}

const HASHES: [(&str, u64); 5] = [
    ("sha2-256", code::SHA2_256),
    ("sha2-512", code::SHA2_512),
    ("blake2b-256", code::BLAKE2B_256),
    ("blake3", code::BLAKE3),
    ("identity", code::IDENTITY),
];

/// How a directory is measured against the threshold above which it is sharded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HamtSize {
    /// Bytes of the directory's block.
    Block,
    /// Bytes of its names and CIDs.
    Links,
}

impl FromStr for HamtSize {
    type Err = OptionsError;

    fn from_str(name: &str) -> Result<Self, OptionsError> {
        match name {
            "block" => Ok(Self::Block),
            "links" => Ok(Self::Links),
            _ => Err(OptionsError::HamtSize(crate::path::shorten(name))),
        }
    }
}

/// All parameters of an import. Start from a [`Profile`] and change what is to differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// The version of all CIDs but those of raw leaves and of inlined blocks, which are always
    /// version 1.
    pub cid_version: Version,
    /// The hash function: a number of [`code`](crate::code). Identity puts every block into its
    /// CID, and so fails where one is over [`MAX_IDENTITY`] bytes.
    pub hash: u64,
    /// Whether chunks become raw blocks, or dag-pb blocks of type file.
    pub raw_leaves: bool,
    /// Where files are cut.
    pub chunking: Chunking,
    /// How their leaves are put together.
    pub layout: Layout,
    /// Links of a file's inner node at most; in a trickle, leaves of one.
    pub max_links: usize,
    /// Blocks of so many bytes or fewer are put into their CIDs; 0 for none.
    pub inline_limit: usize,
    /// A directory of more than this many bytes is sharded ("more" is strict).
    pub hamt_threshold: usize,
    /// How they are measured.
    pub hamt_size: HamtSize,
    /// Places of a sharded directory's block.
    pub hamt_fanout: usize,
}

impl ImportOptions {
    /// Whether the values are possible, each alone and all together.
    pub fn check(&self) -> Result<(), OptionsError> {
        self.chunking.check()?;
        if !(2..=MAX_LINKS).contains(&self.max_links) {
            return Err(OptionsError::MaxLinks(self.max_links));
        }
        if !HASHES.iter().any(|(_, code)| *code == self.hash) {
            return Err(OptionsError::Hash(self.hash.to_string()));
        }
        if self.cid_version == Version::V0 && self.hash != code::SHA2_256 {
            return Err(OptionsError::Version0);
        }
        if self.inline_limit > MAX_IDENTITY {
            return Err(OptionsError::InlineLimit(self.inline_limit));
        }
        let fanout = self.hamt_fanout;
        match fanout.is_power_of_two() && (8..=MAX_FANOUT).contains(&fanout) {
            true => Ok(()),
            false => Err(OptionsError::Fanout(fanout)),
        }
    }

    /// The block of these bytes: named as the options say, inside its CID where it is small
    /// enough for that.
    pub fn block(&self, codec: u64, bytes: Bytes) -> Result<Block, BlockError> {
        let (version, hash) = self.naming(codec, bytes.len());
        Block::hash(version, codec, hash, bytes)
    }

    /// The CID version and hash function of a block of this codec and length, for those who hash
    /// elsewhere.
    pub const fn naming(&self, codec: u64, len: usize) -> (Version, u64) {
        match codec {
            _ if self.inline_limit > 0 && len <= self.inline_limit => (Version::V1, code::IDENTITY),
            code::DAG_PB => (self.cid_version, self.hash),
            _ => (Version::V1, self.hash),
        }
    }

    /// The codec of leaves.
    pub const fn leaf_codec(&self) -> u64 {
        match self.raw_leaves {
            true => code::RAW,
            false => code::DAG_PB,
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
        let (cid_version, raw_leaves, size, max_links, hamt_size) = match profile {
            Profile::UnixfsV1_2025 => (Version::V1, true, 1024 * 1024, 1024, HamtSize::Block),
            Profile::UnixfsV0_2015 => (Version::V0, false, 256 * 1024, 174, HamtSize::Links),
        };
        Self {
            cid_version,
            hash: code::SHA2_256,
            raw_leaves,
            chunking: Chunking::Size(size),
            layout: Layout::Balanced,
            max_links,
            inline_limit: 0,
            hamt_threshold: 256 * 1024,
            hamt_size,
            hamt_fanout: 256,
        }
    }
}
