//! What can be wrong with a file.

use super::MAX_FILE_DEPTH;
use crate::{
    Cid, CidError,
    unixfs::{NodeError, Type},
};

/// Why a file cannot be read. After any of these the reader gives nothing more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The root is something else than a file.
    #[error("{cid} is a {found}, not a file")]
    NotAFile {
        /// The root.
        cid: Cid,
        /// What it is.
        found: Type,
    },
    /// A part of the file cannot be verified by its CID.
    #[error("the file links to {cid}: {source}")]
    Link {
        /// The part.
        cid: Cid,
        /// What is wrong with its CID.
        source: CidError,
    },
    /// A part of the file is something else than a file.
    #[error("a file is damaged: its part {cid} is a {found}")]
    Part {
        /// The part.
        cid: Cid,
        /// What it is.
        found: Type,
    },
    /// A node does not give one size for each link.
    #[error("a file is damaged: {cid} gives {sizes} sizes for {links} links")]
    Sizes {
        /// The node.
        cid: Cid,
        /// How many links it has.
        links: usize,
        /// How many sizes it gives.
        sizes: usize,
    },
    /// A node's size is not the sum of its parts, or exceeds 64 bits.
    #[error("a file is damaged: {cid} claims {claimed} bytes, its parts do not add up to that")]
    FileSize {
        /// The node.
        cid: Cid,
        /// What it claims.
        claimed: u64,
    },
    /// A part holds fewer bytes than the node above it said.
    #[error("a file is damaged: part {cid} holds {actual} bytes where {claimed} were announced")]
    UnderRead {
        /// The part.
        cid: Cid,
        /// What it was to hold.
        claimed: u64,
        /// What it holds.
        actual: u64,
    },
    /// A part holds more bytes than the node above it said.
    #[error("a file is damaged: part {cid} holds {actual} bytes where {claimed} were announced")]
    OverRead {
        /// The part.
        cid: Cid,
        /// What it was to hold.
        claimed: u64,
        /// What it holds.
        actual: u64,
    },
    /// A link inside a file has a name.
    #[error("a file is damaged: link {link} of {cid} has a name")]
    LinkName {
        /// The node.
        cid: Cid,
        /// Which link, from 0.
        link: usize,
    },
    /// More than [`MAX_FILE_DEPTH`] levels.
    #[error("the file is more than {MAX_FILE_DEPTH} levels deep at {cid}")]
    TooDeep {
        /// The part that lies too deep.
        cid: Cid,
    },
    /// Inner nodes of more than [`MAX_HELD`](super::MAX_HELD) bytes would have to be held.
    #[error("the file's inner nodes are too large at {cid}")]
    TooMuchHeld {
        /// The node that was too much.
        cid: Cid,
    },
    /// A block is nothing that UnixFS knows.
    #[error(transparent)]
    Node(#[from] NodeError),
}
