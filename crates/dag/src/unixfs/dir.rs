//! Directories: what can be wrong with one, and listing one.

use std::{borrow::Cow, collections::HashSet};

use super::{MAX_DEPTH, NodeError, OptionsError, Type, open};
use crate::{
    Block, BlockError, Cid, Payload,
    codec::pb::{Link, Links},
};

/// Why a directory cannot be built or listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirError {
    /// A name that no directory may hold: empty, `.`, `..`, or with a slash or NUL in it.
    #[error("{name:?} cannot be a name in {path:?}")]
    Name {
        /// The name, cut short if long.
        name: String,
        /// The whole path, cut short if long.
        path: String,
    },
    /// Two entries have the same path, or one is a file where another needs a folder.
    #[error("there is already something else at {path:?}")]
    Duplicate {
        /// The path, cut short if long.
        path: String,
    },
    /// More than [`MAX_DEPTH`] folders inside one another.
    #[error("more than {MAX_DEPTH} folders inside one another: {path:?}")]
    TooDeep {
        /// The path, cut short if long.
        path: String,
    },
    /// Something of a folder does not fit a block: all of it, where it may not be sharded, or
    /// names of many thousand bytes.
    #[error("folder {path:?} does not fit its blocks: one is of {size} bytes, {most} are possible")]
    TooLarge {
        /// The folder, cut short if long; empty for the root.
        path: String,
        /// Bytes of the block.
        size: usize,
        /// What that may be.
        most: usize,
    },
    /// Names whose hashes are the same, so that no level of a sharded directory parts them.
    #[error("sharded directory too deep: {name:?} in folder {path:?} has the hash of another name")]
    Collision {
        /// The name, cut short if long.
        name: String,
        /// The folder, cut short if long; empty for the root.
        path: String,
    },
    /// What was to be listed is no directory.
    #[error("{cid} is a {found}, not a directory")]
    NotADirectory {
        /// What it is called.
        cid: Cid,
        /// What it is.
        found: Type,
    },
    /// What was to be listed is a sharded directory, whose entries lie in other blocks, too.
    #[error("{0} is a sharded directory: list it with a Listing")]
    Sharded(Cid),
    /// The options make no import.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A block is nothing that UnixFS knows.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A block could not be made.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// One entry of a directory that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry<'a> {
    /// The name as it is stored: any bytes. It may be `..` or hold slashes; where it becomes a
    /// path or markup, the caller makes it safe.
    pub name: &'a [u8],
    /// What it links to. May be a CID that nothing can be verified by.
    pub cid: Cid,
    /// Bytes of all blocks below, as the link claims.
    pub tsize: Option<u64>,
}

impl DirEntry<'_> {
    /// The name as text, with U+FFFD for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.name)
    }
}

/// The entries of the directory `block`, in its order. Of entries with the same name only the
/// first is given, the one that a path resolves to.
pub fn entries<B: Payload>(block: &Block<B>) -> Result<Entries<'_>, DirError> {
    let opened = open(block)?;
    match opened.kind() {
        Type::Directory => Ok(Entries { links: opened.links(), seen: HashSet::new() }),
        Type::Shard => Err(DirError::Sharded(block.cid().clone())),
        found => Err(DirError::NotADirectory { cid: block.cid().clone(), found }),
    }
}

/// The entries of a directory.
pub struct Entries<'a> {
    links: Links<'a>,
    seen: HashSet<&'a [u8]>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = DirEntry<'a>;

    fn next(&mut self) -> Option<DirEntry<'a>> {
        loop {
            let Link { cid, name, tsize } = self.links.next()?;
            let name = name.unwrap_or_default();
            if self.seen.insert(name) {
                return Some(DirEntry { name, cid, tsize });
            }
        }
    }
}
