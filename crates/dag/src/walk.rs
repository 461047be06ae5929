//! Everything that some roots lead to: blocks in, wanted CIDs out.
//!
//! A [`Walk`] is what pinning (fetch it all), marking (keep it all) and counting (how much of it
//! is here) have in common. Every CID is told once however often it is linked to, so that a graph
//! of many paths costs no more than its blocks.

use std::collections::HashSet;

use crate::{
    Block, Cid, Multihash, Payload, code,
    codec::{self, CodecError},
};

/// A bound on the CIDs of a walk that fits a browser tab: about 200 MiB when it is reached, and
/// 2 TiB of content in chunks of 1 MiB.
pub const MAX_VISITED: usize = 2 * 1024 * 1024;

/// Why a walk cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// The roots lead to more CIDs than the walk was told to remember.
    #[error("more than {0} blocks")]
    TooMany(usize),
    /// A block's links cannot be told.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// Something that the roots lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// A block with links: must be given back, or skipped.
    Node(Cid),
    /// A raw block: nothing lies behind it, so its bytes need not be read. Not given back.
    Leaf(Cid),
    /// A block whose codec is not known here, or whose hash proves nothing. It is part of the
    /// graph, and what lies behind it cannot be told. Not given back.
    Opaque(Cid),
}

impl Want {
    /// The CID, whichever it is.
    pub const fn cid(&self) -> &Cid {
        match self {
            Self::Node(cid) | Self::Leaf(cid) | Self::Opaque(cid) => cid,
        }
    }
}

/// A walk over all that its roots lead to, depth first when blocks are given as they are wanted.
///
/// Memory: about 100 bytes for each CID of the graph, and `limit` CIDs at most.
#[derive(Debug)]
pub struct Walk {
    /// Every CID that was ever added to `next`. Hash and codec: the same bytes linked to as raw
    /// and as dag-pb are a leaf there and a node here, and the node's links must not be lost.
    visited: HashSet<(u64, Multihash)>,
    limit: usize,
    /// Found and not yet told; the last goes first.
    next: Vec<Cid>,
    /// Told as `Node` and not yet given.
    asked: HashSet<(u64, Multihash)>,
}

impl Walk {
    /// A walk from `roots` that remembers at most `limit` CIDs, such as [`MAX_VISITED`].
    pub fn new(roots: impl IntoIterator<Item = Cid>, limit: usize) -> Result<Self, WalkError> {
        let (visited, asked) = (HashSet::new(), HashSet::new());
        let mut walk = Self { visited, limit, next: Vec::new(), asked };
        walk.add(roots.into_iter().collect())?;
        Ok(walk)
    }

    /// The next CID, each once. `None` while there is nothing to tell: either
    /// [`is_done`](Self::is_done), or a block that was told has to be given first.
    ///
    /// The caller may take several before it gives any.
    pub fn next_want(&mut self) -> Option<Want> {
        let cid = self.next.pop()?;
        Some(match cid.codec() {
            _ if cid.check().is_err() => Want::Opaque(cid),
            code::RAW => Want::Leaf(cid),
            _ if is_node(&cid) => {
                self.asked.insert(key(&cid));
                Want::Node(cid)
            }
            _ => Want::Opaque(cid),
        })
    }

    /// Takes a block that was told as [`Want::Node`]; `false` if it was not, or was given before.
    pub fn give<B: Payload>(&mut self, block: &Block<B>) -> Result<bool, WalkError> {
        if !self.asked.remove(&key(block.cid())) {
            return Ok(false);
        }
        self.add(codec::links(block)?)?;
        Ok(true)
    }

    /// Leaves out what lies behind a node that cannot be had.
    pub fn skip(&mut self, cid: &Cid) {
        self.asked.remove(&key(cid));
    }

    /// Whether everything was told and given.
    pub fn is_done(&self) -> bool {
        self.next.is_empty() && self.asked.is_empty()
    }

    /// How many CIDs have been found so far.
    pub fn visited(&self) -> usize {
        self.visited.len()
    }

    /// Notes new CIDs so that the first of them goes first. What a CID carries inside itself is
    /// no want: its links take its place.
    fn add(&mut self, mut found: Vec<Cid>) -> Result<(), WalkError> {
        while let Some(cid) = found.pop() {
            if self.visited.contains(&key(&cid)) {
                continue;
            }
            if self.visited.len() == self.limit {
                return Err(WalkError::TooMany(self.limit));
            }
            self.visited.insert(key(&cid));
            match Block::<bytes::Bytes>::inline(&cid) {
                Some(block) if is_node(&cid) => found.extend(codec::links(&block)?),
                Some(_) if cid.codec() == code::RAW => {}
                _ => self.next.push(cid),
            }
        }
        Ok(())
    }
}

/// Whether the block of this CID may have links that this crate can tell.
fn is_node(cid: &Cid) -> bool {
    matches!(cid.codec(), code::DAG_PB | code::DAG_CBOR | code::DAG_JSON)
}

fn key(cid: &Cid) -> (u64, Multihash) {
    (cid.codec(), cid.hash().clone())
}
