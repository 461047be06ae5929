//! Following a path, one name at a time.

use crate::{
    Block, Cid, CidError, Payload,
    path::shorten,
    unixfs::{
        self, NodeError, Type,
        shard::{self, Found, Place},
    },
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
    /// The directory is sharded, and the entry would be in another of its blocks: a
    /// [`Resolver`] finds it.
    #[error("{segment:?} cannot be looked up in {directory} alone: it is sharded")]
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
/// counts (UnixFS specification, path resolution). Of a sharded directory only the one block is
/// looked at.
pub fn step<B: Payload>(block: &Block<B>, segment: &str) -> Result<Cid, ResolveError> {
    match look(block, None, segment)? {
        Step::Entry(cid) => Ok(cid),
        Step::Shard(..) => {
            Err(ResolveError::Sharded { directory: block.cid().clone(), segment: shorten(segment) })
        }
    }
}

/// Where a name leads from one block.
enum Step {
    /// To an entry.
    Entry(Cid),
    /// To another block of the same directory.
    Shard(Cid, Place),
}

/// A sharded directory that a path has come into, and how far.
#[derive(Debug, Clone)]
struct Within {
    directory: Cid,
    place: Place,
}

/// Looks for a name in one block: a directory, or a part of a sharded one.
fn look<B: Payload>(
    block: &Block<B>,
    within: Option<&Within>,
    segment: &str,
) -> Result<Step, ResolveError> {
    let here = within.map_or(block.cid(), |within| &within.directory);
    let name = || shorten(segment);
    let missing = || ResolveError::NotFound { directory: here.clone(), segment: name() };
    let (links, place) = match within {
        Some(within) => {
            let part = shard::open_below(block.cid(), block.bytes(), within.place)?;
            (part.node.links(), Some(within.place))
        }
        None => {
            let opened = unixfs::open(block)?;
            match opened.kind() {
                Type::Directory => (opened.links(), None),
                Type::Shard => {
                    let (root, shape) = shard::check(here, opened)?;
                    (root.node.links(), Some(Place::root(shape)))
                }
                found => {
                    let (cid, segment) = (here.clone(), name());
                    return Err(ResolveError::NotADirectory { cid, segment, found });
                }
            }
        }
    };
    let (cid, below) = match place {
        Some(place) => match shard::find(links, place, segment.as_bytes()) {
            Found::Entry(link) => (link.cid, None),
            Found::Shard(cid, below) => (cid, Some(below)),
            Found::Nothing => return Err(missing()),
        },
        None => {
            let mut links = links;
            let link = links.find(|link| link.name.unwrap_or_default() == segment.as_bytes());
            (link.ok_or_else(missing)?.cid, None)
        }
    };
    match (cid.check(), below) {
        (Ok(()), None) => Ok(Step::Entry(cid)),
        (Ok(()), Some(below)) => Ok(Step::Shard(cid, below)),
        (Err(source), _) => {
            Err(ResolveError::Link { directory: here.clone(), segment: name(), source })
        }
    }
}

/// The whole of a path, for callers that fetch blocks in between.
///
/// While [`want`](Self::want) names a block, fetch it and [`give`](Self::give) it; when it is
/// `None`, [`cid`](Self::cid) is what the path leads to (that block is not needed for it). Of a
/// sharded directory only the blocks that lead to the name are wanted.
#[derive(Debug, Clone)]
pub struct Resolver {
    cid: Cid,
    /// Set while `cid` is a part of a sharded directory, and not its root.
    within: Option<Within>,
    left: std::vec::IntoIter<String>,
}

impl Resolver {
    /// Follows `segments` from `root`.
    pub fn new(root: Cid, segments: Vec<String>) -> Self {
        Self { cid: root, within: None, left: segments.into_iter() }
    }

    /// The block that is needed next.
    pub fn want(&self) -> Option<&Cid> {
        (!self.left.as_slice().is_empty()).then_some(&self.cid)
    }

    /// How far the path has been followed.
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Takes the wanted block and looks the next name up in it. A block that is not wanted
    /// changes nothing, and gives `false`.
    pub fn give<B: Payload>(&mut self, block: &Block<B>) -> Result<bool, ResolveError> {
        match self.left.as_slice().first() {
            Some(segment) if *block.cid() == self.cid => {
                match look(block, self.within.as_ref(), segment)? {
                    Step::Entry(cid) => {
                        (self.cid, self.within) = (cid, None);
                        self.left.next();
                    }
                    Step::Shard(cid, place) => {
                        let root = std::mem::replace(&mut self.cid, cid);
                        let directory = self.within.take().map_or(root, |within| within.directory);
                        self.within = Some(Within { directory, place });
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
