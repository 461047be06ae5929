//! Following a path, one name at a time.

use crate::{
    Block, Cid, CidError, Payload,
    path::shorten,
    unixfs::{self, NodeError, Type},
};

/// Why a name could not be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The directory has no entry of that name.
    #[error("there is no {segment:?} in directory {directory}")]
    NotFound {
        /// The directory.
        directory: Cid,
        /// The name, cut short if long.
        segment: String,
    },
    /// A name was to be followed in something that has no names.
    #[error("{segment:?} cannot be looked up in {cid}: it is a {found}, not a directory")]
    NotADirectory {
        /// What is no directory.
        cid: Cid,
        /// The name that was to be followed.
        segment: String,
        /// What it is.
        found: Type,
    },
    /// The directory is sharded.
    #[error("{segment:?} cannot be looked up in {directory}: sharded directories are not read")]
    Sharded {
        /// The directory.
        directory: Cid,
        /// The name that was to be followed.
        segment: String,
    },
    /// The entry is there, and its CID names nothing that could be verified.
    #[error("{segment:?} in directory {directory} cannot be followed: {source}")]
    Link {
        /// The directory.
        directory: Cid,
        /// The entry's name.
        segment: String,
        /// What is wrong with its CID.
        source: CidError,
    },
    /// The block cannot be read.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// What `segment` is called in the directory `block`. Of entries with the same name the first
/// counts (UnixFS specification, path resolution).
pub fn step<B: Payload>(block: &Block<B>, segment: &str) -> Result<Cid, ResolveError> {
    let here = block.cid();
    let name = || shorten(segment);
    let node = unixfs::open(block)?;
    match node.kind() {
        Type::Directory => {}
        Type::Shard => {
            return Err(ResolveError::Sharded { directory: here.clone(), segment: name() });
        }
        found => {
            return Err(ResolveError::NotADirectory { cid: here.clone(), segment: name(), found });
        }
    }
    let mut links = node.links();
    let link = links.find(|link| link.name.unwrap_or_default() == segment.as_bytes());
    let Some(link) = link else {
        return Err(ResolveError::NotFound { directory: here.clone(), segment: name() });
    };
    match link.cid.check() {
        Ok(()) => Ok(link.cid),
        Err(source) => Err(ResolveError::Link { directory: here.clone(), segment: name(), source }),
    }
}

/// The whole of a path, for callers that fetch blocks in between.
///
/// While [`want`](Self::want) names a block, fetch it and [`give`](Self::give) it; when it is
/// `None`, [`cid`](Self::cid) is what the path leads to (that block is not needed for it).
#[derive(Debug, Clone)]
pub struct Resolver {
    cid: Cid,
    left: std::vec::IntoIter<String>,
}

impl Resolver {
    /// Follows `segments` from `root`.
    pub fn new(root: Cid, segments: Vec<String>) -> Self {
        Self { cid: root, left: segments.into_iter() }
    }

    /// The block that is needed next.
    pub fn want(&self) -> Option<&Cid> {
        (!self.left.as_slice().is_empty()).then_some(&self.cid)
    }

    /// How far the path has been followed.
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Takes the wanted block and follows one name. A block that is not wanted changes nothing,
    /// and gives `false`.
    pub fn give<B: Payload>(&mut self, block: &Block<B>) -> Result<bool, ResolveError> {
        match self.left.as_slice().first() {
            Some(segment) if *block.cid() == self.cid => {
                self.cid = step(block, segment)?;
                self.left.next();
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
