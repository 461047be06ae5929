//! Reading a file, or a range of it: wants out, blocks in, bytes out.

use std::{
    collections::VecDeque,
    ops::{Bound, Range, RangeBounds},
    vec,
};

use super::{Data, Envelope, Kind, NodeError, Type, open_bytes};
use crate::{
    Block, Cid, CidError, MAX_BLOCK, Payload,
    codec::pb::{Link, Links, Node as PbNode},
};

/// The most levels of a file. Four levels of 174 links hold 200 TB; a chain of single links could
/// go on for ever.
pub const MAX_FILE_DEPTH: usize = 64;
/// The most bytes of inner nodes that a reader holds at once: room for sixteen nodes of the
/// largest size, where an honest file has one a level.
pub const MAX_HELD: usize = 16 * MAX_BLOCK;

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
    /// Inner nodes of more than [`MAX_HELD`] bytes would have to be held.
    #[error("the file's inner nodes are too large at {cid}")]
    TooMuchHeld {
        /// The node that was too much.
        cid: Cid,
    },
    /// A block is nothing that UnixFS knows.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// How far ahead of what was read a [`Reader`] asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Blocks asked for, or here and not yet read. At least one is always asked for.
    pub blocks: usize,
    /// Their bytes, as the nodes above them announce them.
    pub bytes: usize,
}

impl Default for Window {
    /// 32 blocks, 8 MiB: enough to keep a fast connection busy with blocks of either profile.
    fn default() -> Self {
        Self { blocks: 32, bytes: 8 * 1024 * 1024 }
    }
}

/// Reads a range of a file from blocks that somebody else fetches.
///
/// In any order: [`wants`](Self::wants) tells CIDs not told before, [`give`](Self::give) takes
/// their blocks as they come, [`read`](Self::read) gives the bytes in the order of the file.
/// [`is_done`](Self::is_done) says that all was read. Only blocks that the range needs are asked
/// for; to read elsewhere, make another reader (the inner nodes will be near by now).
///
/// What is read is never short: a file whose sizes lie ends in an error. Bytes of raw blocks and
/// of dag-pb leaves are slices of the blocks that were given. Dag-pb blocks must be in memory.
///
/// Memory: the blocks of the [`Window`], and inner nodes of [`MAX_HELD`] bytes at most.
#[derive(Debug)]
pub struct Reader<B> {
    /// What is still to be read. Its end is known once the root is here.
    range: Range<u64>,
    size: Option<u64>,
    window: Window,
    /// The file from the first unread byte on, as far as it is known, in its order.
    slots: VecDeque<Slot<B>>,
    /// How many slots are not nodes, and what they count for.
    ahead: Window,
    /// Bytes of the slots that are nodes.
    held: usize,
    /// Wants not told yet.
    fresh: Vec<Cid>,
    failed: Option<ReadError>,
}

#[derive(Debug)]
enum Slot<B> {
    /// A block that was asked for.
    Want(Want),
    /// Bytes to be read.
    Bytes(B),
    /// An inner node with links left to follow.
    Node(Node<B>),
}

#[derive(Debug)]
struct Want {
    cid: Cid,
    /// Where in the file it begins.
    start: u64,
    /// How much of the file it was announced to hold; nobody announces the root.
    size: Option<u64>,
    depth: usize,
}

/// What is left of an inner node: its links are decoded one by one as they are needed.
#[derive(Debug)]
struct Node<B> {
    bytes: B,
    links: Range<usize>,
    sizes: vec::IntoIter<u64>,
    /// Where in the file the next link begins.
    start: u64,
    depth: usize,
    /// What it counts for in `held`.
    cost: usize,
}

impl<B: Payload> Reader<B> {
    /// A reader of `range` of the file `root`. What lies past the file's end is left out.
    pub fn new(root: Cid, range: impl RangeBounds<u64>, window: Window) -> Self {
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
        let mut reader = Self {
            range: start..end,
            size: None,
            window,
            slots: VecDeque::new(),
            ahead: Window { blocks: 0, bytes: 0 },
            held: 0,
            fresh: Vec::new(),
            failed: None,
        };
        let root = Want { cid: root, start: 0, size: None, depth: 0 };
        if let Err(error) = reader.ask(0, root).and_then(|()| reader.fill()) {
            reader.fail(error);
        }
        reader
    }

    /// CIDs to fetch that were not told before, in the order in which they will be read.
    pub fn wants(&mut self) -> Vec<Cid> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes a block. `false`: the reader does not wait for it (any more).
    pub fn give(&mut self, block: &Block<B>) -> Result<bool, ReadError> {
        self.check()?;
        let waits = |slot: &Slot<B>| matches!(slot, Slot::Want(want) if want.cid == *block.cid());
        let places: Vec<usize> =
            (0..self.slots.len()).filter(|place| waits(&self.slots[*place])).collect();
        // from the back, so that what one place unfolds into does not move the others
        for place in places.iter().rev() {
            self.arrive(*place, block.bytes().clone()).map_err(|error| self.fail(error))?;
        }
        self.fill().map_err(|error| self.fail(error))?;
        Ok(!places.is_empty())
    }

    /// The next bytes of the file; `None` while a block is missing, and when all was read.
    pub fn read(&mut self) -> Result<Option<B>, ReadError> {
        self.check()?;
        let Some(Slot::Bytes(_)) = self.slots.front() else { return Ok(None) };
        let Some(Slot::Bytes(bytes)) = self.slots.pop_front() else { return Ok(None) };
        self.count_out(bytes.len());
        self.range.start += bytes.len() as u64;
        self.fill().map_err(|error| self.fail(error))?;
        Ok(Some(bytes))
    }

    /// Whether all of the range was read.
    pub fn is_done(&self) -> bool {
        self.failed.is_none() && self.slots.is_empty()
    }

    /// The size of the whole file, once the root is here.
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// How many bytes are left to read, once the root is here.
    pub fn remaining(&self) -> Option<u64> {
        self.size.map(|_| self.range.end.saturating_sub(self.range.start))
    }

    fn check(&self) -> Result<(), ReadError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: ReadError) -> ReadError {
        self.slots.clear();
        self.fresh.clear();
        self.failed = Some(error.clone());
        error
    }

    /// Asks for as much as the window allows, the earliest parts first.
    fn fill(&mut self) -> Result<(), ReadError> {
        loop {
            let place = self.slots.iter().position(|slot| matches!(slot, Slot::Node(_)));
            let Some(place) = place else { return Ok(()) };
            let Slot::Node(node) = &mut self.slots[place] else { return Ok(()) };
            let Some(want) = node.peek(&self.range) else {
                self.held -= node.cost;
                self.slots.remove(place);
                continue;
            };
            let full = self.ahead.blocks >= self.window.blocks
                || self.ahead.bytes + charge(want.size) > self.window.bytes;
            // what comes next is asked for whatever the window says, or nothing would move
            if full && place > 0 {
                return Ok(());
            }
            node.advance();
            self.ask(place, want)?;
        }
    }

    /// Puts a want before the slot at `place`.
    fn ask(&mut self, place: usize, want: Want) -> Result<(), ReadError> {
        let cid = want.cid.clone();
        if let Err(source) = cid.check() {
            return Err(ReadError::Link { cid, source });
        }
        if want.depth > MAX_FILE_DEPTH {
            return Err(ReadError::TooDeep { cid });
        }
        let waits = |slot: &Slot<B>| matches!(slot, Slot::Want(other) if other.cid == cid);
        let inline = Block::<B>::inline(&cid);
        if inline.is_none() && !self.slots.iter().any(waits) {
            self.fresh.push(cid);
        }
        self.ahead.blocks += 1;
        self.ahead.bytes += charge(want.size);
        self.slots.insert(place, Slot::Want(want));
        match inline {
            Some(block) => self.arrive(place, block.into_parts().1),
            None => Ok(()),
        }
    }

    /// Puts what a block holds in the place of the want for it.
    fn arrive(&mut self, place: usize, bytes: B) -> Result<(), ReadError> {
        let Some(Slot::Want(want)) = self.slots.remove(place) else { return Ok(()) };
        self.count_out(charge(want.size));
        let opened = open_bytes(&want.cid, &bytes)?;
        check_part(&want, opened.kind())?;
        let content = opened.content(bytes.len());
        let own = content.len() as u64;
        let envelope = opened.envelope();
        let actual = match &envelope {
            None => own,
            Some(Envelope { node, data, .. }) => check_node(&want.cid, node, data)?,
        };
        check_size(&want, actual)?;
        if want.size.is_none() {
            self.size = Some(actual);
            self.range.end = self.range.end.min(actual);
        }
        let inner = envelope.filter(|envelope| !envelope.node.is_empty());
        let inner = inner.map(|Envelope { node, data, .. }| Node {
            bytes: bytes.clone(),
            links: node.links_range(),
            cost: bytes.len() + size_of_val(data.blocksizes.as_slice()),
            sizes: data.blocksizes.into_iter(),
            start: want.start + own,
            depth: want.depth,
        });
        if let Some(node) = inner {
            self.held += node.cost;
            if self.held > MAX_HELD {
                return Err(ReadError::TooMuchHeld { cid: want.cid });
            }
            self.slots.insert(place, Slot::Node(node));
        }
        let from = self.range.start.clamp(want.start, want.start + own) - want.start;
        let to = self.range.end.clamp(want.start, want.start + own) - want.start;
        if from < to {
            let first = content.start;
            let slice = bytes.slice(first + from as usize..first + to as usize);
            self.ahead.blocks += 1;
            self.ahead.bytes += slice.len();
            self.slots.insert(place, Slot::Bytes(slice));
        }
        Ok(())
    }

    fn count_out(&mut self, bytes: usize) {
        self.ahead.blocks -= 1;
        self.ahead.bytes -= bytes;
    }
}

impl<B: Payload> Node<B> {
    /// The first link left that `range` needs, or `None` when there is none. Links to no bytes
    /// are passed over: there is nothing to read there, and a graph of them has no end.
    fn peek(&mut self, range: &Range<u64>) -> Option<Want> {
        loop {
            let size = *self.sizes.as_slice().first()?;
            if self.start >= range.end {
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
    fn advance(&mut self) {
        let Some(bytes) = self.bytes.as_bytes() else { return };
        let mut links = Links::resume(bytes, self.links.clone());
        links.skip_one();
        self.links.start = links.at();
        self.start += self.sizes.next().unwrap_or(0);
    }
}

/// What a part of this announced size counts for: its bytes, or those of a whole block if more
/// lies below it.
fn charge(size: Option<u64>) -> usize {
    size.unwrap_or(0).min(MAX_BLOCK as u64) as usize
}

fn check_part(want: &Want, found: Type) -> Result<(), ReadError> {
    let cid = || want.cid.clone();
    match (found, want.size) {
        (Type::File | Type::Raw, _) => Ok(()),
        (_, None) => Err(ReadError::NotAFile { cid: cid(), found }),
        (_, Some(_)) => Err(ReadError::Part { cid: cid(), found }),
    }
}

/// The size of the file below a dag-pb node, if all that the node says of it agrees.
fn check_node(cid: &Cid, node: &PbNode<'_>, data: &Data<'_>) -> Result<u64, ReadError> {
    let (links, sizes) = (node.len(), data.blocksizes.len());
    if links != sizes {
        return Err(ReadError::Sizes { cid: cid.clone(), links, sizes });
    }
    let named = |link: Link<'_>| link.name.is_some_and(|name| !name.is_empty());
    if let Some(link) = node.links().position(named) {
        return Err(ReadError::LinkName { cid: cid.clone(), link });
    }
    let own = data.data.map_or(0, <[u8]>::len) as u64;
    let claimed = match (data.filesize, data.kind) {
        (Some(size), _) => size,
        // a leaf of type raw says what it holds by holding it; a file's absent size means zero
        (None, Kind::Raw) if sizes == 0 => own,
        (None, _) => 0,
    };
    match data.blocksizes.iter().try_fold(own, |sum, size| sum.checked_add(*size)) {
        Some(sum) if sum == claimed => Ok(sum),
        _ => Err(ReadError::FileSize { cid: cid.clone(), claimed }),
    }
}

fn check_size(want: &Want, actual: u64) -> Result<(), ReadError> {
    let Some(claimed) = want.size else { return Ok(()) };
    let cid = want.cid.clone();
    match actual.cmp(&claimed) {
        std::cmp::Ordering::Less => Err(ReadError::UnderRead { cid, claimed, actual }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(ReadError::OverRead { cid, claimed, actual }),
    }
}
