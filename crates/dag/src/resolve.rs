//! Following a path, one name at a time.

mod ipld;

use crate::{
    Block, Cid, CidError, Payload, code,
    codec::pb::Links,
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
    /// A list or map in a block of DAG-CBOR or DAG-JSON has no such index or key.
    #[error("there is no {segment:?} at {place:?} in {cid}")]
    Missing {
        /// The block.
        cid: Cid,
        /// The list or map, by the names that lead to it, cut short if long.
        place: String,
        /// The name, cut short if long.
        segment: String,
    },
    /// A name was to be followed in a number, text or the like.
    #[error("{segment:?} cannot be looked up at {place:?} in {cid}: that is no list or map")]
    Scalar {
        /// The block.
        cid: Cid,
        /// The value, by the names that lead to it, cut short if long.
        place: String,
        /// The name that was to be followed.
        segment: String,
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
    let (links, place) = match within {
        Some(within) => {
            let part = shard::open_below(block.cid(), block.bytes(), within.place)?;
            (part.node.links(), within.place)
        }
        None => {
            let opened = match unixfs::open(block) {
                // plain DAG-PB: its links have names all the same, and Kubo follows them
                Err(NodeError::NotUnixfs { .. }) => {
                    return named(unixfs::links_of(block)?, here, segment);
                }
                opened => opened?,
            };
            match opened.kind() {
                Type::Directory => return named(opened.links(), here, segment),
                Type::Shard => {
                    let (root, shape) = shard::check(here, opened)?;
                    (root.node.links(), Place::root(shape))
                }
                found => {
                    let (cid, segment) = (here.clone(), name());
                    return Err(ResolveError::NotADirectory { cid, segment, found });
                }
            }
        }
    };
    match shard::find(links, place, segment.as_bytes()) {
        Found::Entry(link) => checked(link.cid, here, segment).map(Step::Entry),
        Found::Shard(cid, below) => checked(cid, here, segment).map(|cid| Step::Shard(cid, below)),
        Found::Nothing => Err(missing(here, segment)),
    }
}

/// The first of the links with this name.
fn named(mut links: Links<'_>, directory: &Cid, segment: &str) -> Result<Step, ResolveError> {
    let link = links.find(|link| link.name.unwrap_or_default() == segment.as_bytes());
    let cid = link.ok_or_else(|| missing(directory, segment))?.cid;
    checked(cid, directory, segment).map(Step::Entry)
}

fn missing(directory: &Cid, segment: &str) -> ResolveError {
    ResolveError::NotFound { directory: directory.clone(), segment: shorten(segment) }
}

fn checked(cid: Cid, directory: &Cid, segment: &str) -> Result<Cid, ResolveError> {
    match cid.check() {
        Ok(()) => Ok(cid),
        Err(source) => {
            let (directory, segment) = (directory.clone(), shorten(segment));
            Err(ResolveError::Link { directory, segment, source })
        }
    }
}

/// The whole of a path, for callers that fetch blocks in between.
///
/// While [`want`](Self::want) names a block, fetch it and [`give`](Self::give) it; when it is
/// `None`, [`cid`](Self::cid) is what the path leads to (that block is not needed for it), unless
/// [`inside`](Self::inside) says that the path ends within that block. Of a sharded directory only
/// the blocks that lead to the name are wanted.
#[derive(Debug, Clone)]
pub struct Resolver {
    cid: Cid,
    /// Set while `cid` is a part of a sharded directory, and not its root.
    within: Option<Within>,
    left: std::vec::IntoIter<String>,
    inside: Vec<String>,
}

impl Resolver {
    /// Follows `segments` from `root`.
    pub fn new(root: Cid, segments: Vec<String>) -> Self {
        Self { cid: root, within: None, left: segments.into_iter(), inside: Vec::new() }
    }

    /// The block that is needed next.
    pub fn want(&self) -> Option<&Cid> {
        (!self.left.as_slice().is_empty()).then_some(&self.cid)
    }

    /// How far the path has been followed.
    pub const fn cid(&self) -> &Cid {
        &self.cid
    }

    /// The names that lead on from the root of the block [`cid`](Self::cid) to a value in it,
    /// when a path ends there: none but in DAG-CBOR and DAG-JSON.
    pub fn inside(&self) -> &[String] {
        &self.inside
    }

    /// Takes the wanted block and looks the next name up in it, or as many as it has an answer
    /// for. A block that is not wanted changes nothing, and gives `false`.
    pub fn give<B: Payload>(&mut self, block: &Block<B>) -> Result<bool, ResolveError> {
        match self.left.as_slice().first() {
            Some(_)
                if *block.cid() == self.cid && self.within.is_none() && is_data(block.cid()) =>
            {
                let ipld::Followed { link, names } = ipld::follow(block, self.left.as_slice())?;
                let names = self.left.by_ref().take(names).collect();
                match link {
                    Some(link) => self.cid = link,
                    None => self.inside = names,
                }
                Ok(true)
            }
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

fn is_data(cid: &Cid) -> bool {
    matches!(cid.codec(), code::DAG_CBOR | code::DAG_JSON)
}
