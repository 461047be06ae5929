//! The parts of a file: what is wanted of them, and what they must hold.

use std::{
    cmp::Ordering,
    ops::{Bound, Range, RangeBounds},
    vec,
};

use super::ReadError;
use crate::{
    Cid, MAX_BLOCK, Payload,
    codec::pb::{Link, Links, Node as PbNode},
    unixfs::{Data, MAX_BLOCKSIZES, Type, file_size},
};

/// The most that an inner node can cost: its block, and the sizes of as many links as fit there.
const MAX_COST: usize = MAX_BLOCK + MAX_BLOCKSIZES * size_of::<u64>();
/// Blocks up to this length are kept for a slice however short: a copy would save nothing that
/// counts.
const SMALL: usize = 4096;

#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) cid: Cid,
    /// Where in the file it begins.
    pub(super) start: u64,
    /// How much of the file it was announced to hold; nobody announces the root.
    pub(super) size: Option<u64>,
    pub(super) depth: usize,
    /// Where in the file begins what is still to be read of it.
    pub(super) from: u64,
    /// What is kept free for it of the room for inner nodes.
    pub(super) reserve: usize,
}

/// What is left of an inner node: its links are decoded one by one as they are needed.
#[derive(Debug)]
pub(super) struct Node<B> {
    pub(super) bytes: B,
    pub(super) links: Range<usize>,
    pub(super) sizes: vec::IntoIter<u64>,
    /// Where in the file the next link begins.
    pub(super) start: u64,
    /// What it was asked for with.
    pub(super) want: Want,
    /// What it counts for in `held`.
    pub(super) cost: usize,
}

impl<B: Payload> Node<B> {
    /// The first link left that `range` needs, or `None` when there is none. Links to no bytes
    /// are passed over: there is nothing to read there, and a graph of them has no end.
    pub(super) fn peek(&mut self, range: &Range<u64>) -> Option<Want> {
        let first = range.start.max(self.want.from);
        loop {
            let size = *self.sizes.as_slice().first()?;
            if self.start >= range.end || range.is_empty() {
                return None;
            }
            if size > 0 && self.start + size > first {
                let bytes = self.bytes.as_bytes()?;
                let link = Links::resume(bytes, self.links.clone()).next()?;
                let (start, depth) = (self.start, self.want.depth + 1);
                // more than a block can hold lies in several: this will be an inner node
                let inner = size > MAX_BLOCK as u64;
                let reserve = if inner { MAX_COST } else { 0 };
                let (cid, size) = (link.cid, Some(size));
                return Some(Want { cid, start, size, depth, from: start, reserve });
            }
            self.advance();
        }
    }

    /// Passes over a link.
    pub(super) fn advance(&mut self) {
        let Some(bytes) = self.bytes.as_bytes() else { return };
        let mut links = Links::resume(bytes, self.links.clone());
        links.skip_one();
        self.links.start = links.at();
        self.start += self.sizes.next().unwrap_or(0);
    }

    /// What to ask for to go on where this node is now.
    pub(super) fn rest(&self) -> Want {
        Want { from: self.start, reserve: self.cost, ..self.want.clone() }
    }
}

/// The bytes that a range of a file asks for, its size not being known.
pub(super) fn bounds(range: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

/// What a part of this announced size counts for: its bytes, or those of a whole block if more
/// lies below it.
pub(super) fn charge(size: Option<u64>) -> usize {
    size.unwrap_or(0).min(MAX_BLOCK as u64) as usize
}

/// Part of a block, and how many bytes it keeps in memory: those of the block, unless so much of
/// it is something else that a copy is better.
pub(super) fn trim<B: Payload>(block: &B, range: Range<usize>) -> (B, usize) {
    let slice = block.slice(range);
    if block.len() > SMALL
        && slice.len() < block.len() / 2
        && let Some(copy) = B::join(std::slice::from_ref(&slice))
    {
        let len = copy.len();
        return (copy, len);
    }
    (slice, block.len())
}

pub(super) fn check_part(want: &Want, found: Type) -> Result<(), ReadError> {
    let cid = || want.cid.clone();
    match (found, want.size) {
        (Type::File | Type::Raw, _) => Ok(()),
        (_, None) => Err(ReadError::NotAFile { cid: cid(), found }),
        (_, Some(_)) => Err(ReadError::Part { cid: cid(), found }),
    }
}

/// The size of the file below a dag-pb node, if all that the node says of it agrees.
pub(super) fn check_node(cid: &Cid, node: &PbNode<'_>, data: &Data<'_>) -> Result<u64, ReadError> {
    let (links, sizes) = (node.len(), data.blocksizes.len());
    if links != sizes {
        return Err(ReadError::Sizes { cid: cid.clone(), links, sizes });
    }
    let named = |link: Link<'_>| link.name.is_some_and(|name| !name.is_empty());
    if let Some(link) = node.links().position(named) {
        return Err(ReadError::LinkName { cid: cid.clone(), link });
    }
    file_size(data).ok_or_else(|| ReadError::FileSize {
        cid: cid.clone(),
        claimed: data.filesize.unwrap_or(0),
    })
}

pub(super) fn check_size(want: &Want, actual: u64) -> Result<(), ReadError> {
    let Some(claimed) = want.size else { return Ok(()) };
    let cid = want.cid.clone();
    match actual.cmp(&claimed) {
        Ordering::Less => Err(ReadError::UnderRead { cid, claimed, actual }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(ReadError::OverRead { cid, claimed, actual }),
    }
}
