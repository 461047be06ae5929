//! The parts of a file: what is wanted of them, and what they must hold.

use std::{cmp::Ordering, ops::Range, vec};

use super::ReadError;
use crate::{
    Cid, MAX_BLOCK, Payload,
    codec::pb::{Link, Links, Node as PbNode},
    unixfs::{Data, Type, file_size},
};

#[derive(Debug)]
pub(super) struct Want {
    pub(super) cid: Cid,
    /// Where in the file it begins.
    pub(super) start: u64,
    /// How much of the file it was announced to hold; nobody announces the root.
    pub(super) size: Option<u64>,
    pub(super) depth: usize,
}

/// What is left of an inner node: its links are decoded one by one as they are needed.
#[derive(Debug)]
pub(super) struct Node<B> {
    pub(super) bytes: B,
    pub(super) links: Range<usize>,
    pub(super) sizes: vec::IntoIter<u64>,
    /// Where in the file the next link begins.
    pub(super) start: u64,
    pub(super) depth: usize,
    /// What it counts for in `held`.
    pub(super) cost: usize,
}

impl<B: Payload> Node<B> {
    /// The first link left that `range` needs, or `None` when there is none. Links to no bytes
    /// are passed over: there is nothing to read there, and a graph of them has no end.
    pub(super) fn peek(&mut self, range: &Range<u64>) -> Option<Want> {
        loop {
            let size = *self.sizes.as_slice().first()?;
            if self.start >= range.end || range.is_empty() {
                return None;
            }
            if size > 0 && self.start + size > range.start {
                let bytes = self.bytes.as_bytes()?;
                let link = Links::resume(bytes, self.links.clone()).next()?;
                let (start, depth) = (self.start, self.depth + 1);
                return Some(Want { cid: link.cid, start, size: Some(size), depth });
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
}

/// What a part of this announced size counts for: its bytes, or those of a whole block if more
/// lies below it.
pub(super) fn charge(size: Option<u64>) -> usize {
    size.unwrap_or(0).min(MAX_BLOCK as u64) as usize
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
