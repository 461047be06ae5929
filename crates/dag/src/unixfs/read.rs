//! Reading a file, or a range of it: wants out, blocks in, bytes out.

mod error;
mod part;

use std::{
    collections::VecDeque,
    ops::{Range, RangeBounds},
};

pub use error::ReadError;
use part::{Node, Want, charge, check_node, check_part, check_size, trim};

use super::{Envelope, open_bytes};
use crate::{Block, Cid, MAX_BLOCK, Payload};

/// The most levels of a file. Four levels of 174 links hold 200 TB; a chain of single links could
/// go on for ever.
pub const MAX_FILE_DEPTH: usize = 64;
/// The most bytes of inner nodes that a reader holds at once: room for sixteen nodes of the
/// largest size, where an honest file has one a level.
pub const MAX_HELD: usize = 16 * MAX_BLOCK;

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
/// of dag-pb leaves are slices of the blocks that were given, unless these hold little else of the
/// file. Dag-pb blocks must be in memory.
///
/// Memory: twice the bytes of the [`Window`] at most where blocks are half empty, and inner nodes
/// of [`MAX_HELD`] bytes at most. An inner node ahead that finds no room is let go, and asked for
/// again when its turn comes: its CID is told once more.
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
    /// What wants keep free of the room for nodes.
    reserved: usize,
    /// Wants not told yet.
    fresh: Vec<Cid>,
    failed: Option<ReadError>,
}

#[derive(Debug)]
enum Slot<B> {
    /// A block that was asked for.
    Want(Want),
    /// Bytes to be read, and what they count for in `ahead`.
    Bytes(B, usize),
    /// An inner node with links left to follow.
    Node(Node<B>),
    /// An inner node that found no room, or had to make some: to be asked for again.
    Later(Want),
}

impl<B: Payload> Reader<B> {
    /// A reader of `range` of the file `root`. What lies past the file's end is left out.
    pub fn new(root: Cid, range: impl RangeBounds<u64>, window: Window) -> Self {
        let mut reader = Self {
            range: part::bounds(&range),
            size: None,
            window,
            slots: VecDeque::new(),
            ahead: Window { blocks: 0, bytes: 0 },
            held: 0,
            reserved: 0,
            fresh: Vec::new(),
            failed: None,
        };
        let root = Want { cid: root, start: 0, size: None, depth: 0, from: 0, reserve: 0 };
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
        // counted from the end, as what a place unfolds into moves those behind it; the first ones
        // first, as they need the room most
        let len = self.slots.len();
        let places: Vec<usize> = (0..len).filter(|place| waits(&self.slots[*place])).collect();
        for place in &places {
            let place = self.slots.len() - (len - place);
            self.arrive(place, block.bytes().clone()).map_err(|error| self.fail(error))?;
        }
        self.fill().map_err(|error| self.fail(error))?;
        Ok(!places.is_empty())
    }

    /// The next bytes of the file; `None` while a block is missing, and when all was read.
    pub fn read(&mut self) -> Result<Option<B>, ReadError> {
        self.check()?;
        let Some(Slot::Bytes(..)) = self.slots.front() else { return Ok(None) };
        let Some(Slot::Bytes(bytes, charge)) = self.slots.pop_front() else { return Ok(None) };
        self.count_out(charge);
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

    /// Asks for as much as the window and the room for nodes allow, the earliest parts first.
    fn fill(&mut self) -> Result<(), ReadError> {
        loop {
            let unfolds = |slot: &Slot<B>| matches!(slot, Slot::Node(_) | Slot::Later(_));
            let Some(place) = self.slots.iter().position(unfolds) else { return Ok(()) };
            let want = match &mut self.slots[place] {
                Slot::Node(node) => node.peek(&self.range),
                Slot::Later(want) => Some(want.clone()),
                Slot::Want(_) | Slot::Bytes(..) => return Ok(()),
            };
            // what comes next is asked for whatever the window says, or nothing would move
            if place > 0 && want.as_ref().is_some_and(|want| self.is_full(want)) {
                return Ok(());
            }
            match (&mut self.slots[place], &want) {
                (Slot::Node(node), Some(_)) => node.advance(),
                (slot, _) => {
                    if let Slot::Node(node) = slot {
                        self.held -= node.cost;
                    }
                    self.slots.remove(place);
                }
            }
            if let Some(want) = want {
                self.ask(place, want)?;
            }
        }
    }

    /// Whether what is here and asked for leaves no place for this want.
    fn is_full(&self, want: &Want) -> bool {
        self.ahead.blocks >= self.window.blocks
            || self.ahead.bytes.saturating_add(charge(want.size)) > self.window.bytes
            || self.held + self.reserved + want.reserve > MAX_HELD
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
        self.reserved += want.reserve;
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
        self.reserved -= want.reserve;
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
            want: want.clone(),
        });
        if let Some(node) = inner {
            if !self.make_room(place, &node)? {
                let want = Want { reserve: node.cost, ..want };
                self.slots.insert(place, Slot::Later(want));
                return Ok(());
            }
            self.held += node.cost;
            self.slots.insert(place, Slot::Node(node));
        }
        let within = |at: u64| at.clamp(want.start, want.start + own) - want.start;
        let (from, to) = (within(self.range.start.max(want.from)), within(self.range.end));
        if from < to {
            let first = content.start;
            let (bytes, charge) = trim(&bytes, first + from as usize..first + to as usize);
            self.ahead.blocks += 1;
            self.ahead.bytes += charge;
            self.slots.insert(place, Slot::Bytes(bytes, charge));
        }
        Ok(())
    }

    /// Whether there is room for a node at `place`. What is read next gets that of nodes further
    /// on; only the nodes above it must have room beside it.
    fn make_room(&mut self, place: usize, node: &Node<B>) -> Result<bool, ReadError> {
        if place > 0 {
            return Ok(self.held + self.reserved + node.cost <= MAX_HELD);
        }
        for slot in self.slots.iter_mut().rev() {
            if self.held + node.cost <= MAX_HELD {
                return Ok(true);
            }
            if let Slot::Node(other) = slot
                && other.want.start > node.want.start
            {
                self.held -= other.cost;
                *slot = Slot::Later(other.rest());
            }
        }
        match self.held + node.cost <= MAX_HELD {
            true => Ok(true),
            false => Err(ReadError::TooMuchHeld { cid: node.want.cid.clone() }),
        }
    }

    fn count_out(&mut self, bytes: usize) {
        self.ahead.blocks -= 1;
        self.ahead.bytes -= bytes;
    }
}
