//! What can be wrong with a directory that is listed.

use super::MAX_LISTED;
use crate::{
    Cid, CidError,
    unixfs::{NodeError, Type},
};

/// Why a directory cannot be listed, or not any further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// What was to be listed is no directory.
    #[error("{cid} is a {found}, not a directory")]
    NotADirectory {
        /// What it is called.
        cid: Cid,
        /// What it is.
        found: Type,
    },
    /// A part of the directory has a CID that nothing can be verified by.
    #[error("a part of the directory cannot be fetched: {cid}: {source}")]
    Link {
        /// The part.
        cid: Cid,
        /// What is wrong with its CID.
        source: CidError,
    },
    /// More than [`MAX_LISTED`] links.
    #[error("directory {cid} has more than {MAX_LISTED} entries")]
    TooMany {
        /// The directory.
        cid: Cid,
    },
    /// More than [`MAX_HELD`](crate::unixfs::MAX_HELD) bytes of the directory would have to be held at once.
    #[error("the parts of the directory at {cid} are too large to be read together")]
    TooMuchHeld {
        /// The part that was one too many.
        cid: Cid,
    },
    /// A block is no part of a directory, or a damaged one.
    #[error(transparent)]
    Node(#[from] NodeError),
}
