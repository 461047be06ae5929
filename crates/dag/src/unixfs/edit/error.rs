//! What can be wrong with a change.

use crate::{
    Cid, CidError,
    unixfs::{DirError, ListError, NodeError, OptionsError, Type},
};

/// Why a tree cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A name that no directory may hold: empty, `.`, `..`, or with a slash or NUL in it.
    #[error("{path:?} is not a path to change")]
    Name {
        /// The path, cut short if long.
        path: String,
    },
    /// More than [`MAX_DEPTH`](crate::unixfs::MAX_DEPTH) folders inside one another.
    #[error("too many folders inside one another: {path:?}")]
    TooDeep {
        /// The path, cut short if long.
        path: String,
    },
    /// There is an entry where one was to be added.
    #[error("there is already something at {path:?}")]
    Exists {
        /// The path, cut short if long.
        path: String,
    },
    /// There is no entry, or no folder on the way to it.
    #[error("there is nothing at {path:?}")]
    NotFound {
        /// How far the path was followed, cut short if long.
        path: String,
    },
    /// Something on the path is no directory.
    #[error("{cid}, at {path:?}, is a {found}, not a directory")]
    NotADirectory {
        /// What is no directory.
        cid: Cid,
        /// Where it is, cut short if long; empty for the root.
        path: String,
        /// What it is.
        found: Type,
    },
    /// Something on the path has a CID that nothing can be verified by.
    #[error("{cid} cannot be fetched: {source}")]
    Link {
        /// The CID.
        cid: Cid,
        /// What is wrong with it.
        source: CidError,
    },
    /// The directories on the path would take more than
    /// [`MAX_HELD`](crate::unixfs::MAX_HELD) bytes.
    #[error("the folders on the way to {path:?} are too large to be changed together")]
    TooMuchHeld {
        /// How far the path was followed, cut short if long.
        path: String,
    },
    /// The options are not possible.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The changed directory cannot be built.
    #[error(transparent)]
    Directory(#[from] DirError),
    /// A sharded directory cannot be measured.
    #[error(transparent)]
    List(#[from] ListError),
    /// A block is no directory, or a damaged one.
    #[error(transparent)]
    Node(#[from] NodeError),
}
