//! What is asked for and unfolded before it is read.

use super::{
    super::slots::{Arrived, Below, Link, Links, Slot, below},
    Export, ExportError,
};
use crate::{
    Block, Cid, Payload,
    unixfs::{MAX_HELD, Window},
};

/// Bytes of links up to which blocks are unfolded before their turn; others wait as they are.
/// A quarter of what the way to one block may take: some nodes of 10,000 links, for their leaves
/// to be asked for in time.
const MAX_AHEAD: usize = MAX_HELD / 4;

impl<B: Payload> Export<B> {
    /// Unfolds what is here and asks for as much as the window allows, in the archive's order.
    /// Afterwards the front is read, or waits for a block.
    pub(super) fn fill(&mut self) -> Result<(), ExportError> {
        while let Some(place) = self.slots.iter().position(Slot::is_unfinished) {
            let Slot::Node(links, cost) = &self.slots[place] else {
                match self.unfold(place)? {
                    true => continue,
                    false => return Ok(()),
                }
            };
            let Some(link) = links.first() else {
                self.held -= cost;
                self.slots.remove(place);
                continue;
            };
            let is_known = self.is_known(place, &link.cid);
            // what comes next is asked for whatever the window says, or nothing would move
            if !is_known && place > 0 && self.is_full() {
                return Ok(());
            }
            if let Some(Slot::Node(links, _)) = self.slots.get_mut(place) {
                links.skip_first();
            }
            if !is_known {
                self.ask(place, link)?;
            }
        }
        Ok(())
    }

    /// Whether the archive has a block, and all that lies below it, before the slot at `place`.
    fn is_known(&self, place: usize, cid: &Cid) -> bool {
        let comes = |slot: &Slot<B>| {
            slot.block().is_some_and(|(other, part)| part.is_whole && other == cid)
        };
        !self.options.dups && (self.seen.has_all_of(cid) || self.slots.range(..place).any(comes))
    }

    fn is_full(&self) -> bool {
        let coming: usize = self.asked.values().sum::<usize>().saturating_mul(self.guess);
        let Window { blocks, bytes } = self.options.window;
        self.ahead.blocks >= blocks || self.ahead.bytes.saturating_add(coming) >= bytes
    }

    /// Puts a want before the slot at `place`.
    fn ask(&mut self, place: usize, link: Link) -> Result<(), ExportError> {
        let cid = &link.cid;
        cid.check().map_err(|source| ExportError::Link { cid: cid.clone(), source })?;
        if let Some(block) = Block::<B>::inline(cid) {
            self.put(place, Slot::Block(Arrived::new(block, link.part)));
            return Ok(());
        }
        let waiting = self.asked.entry(cid.clone()).or_default();
        *waiting += 1;
        if *waiting == 1 {
            self.fresh.push(cid.clone());
        }
        self.put(place, Slot::Want(link));
        Ok(())
    }

    /// Puts what lies below the block at `place` behind it. `false`: there is no room for so many
    /// links before its turn.
    fn unfold(&mut self, place: usize) -> Result<bool, ExportError> {
        let Some(Slot::Block(arrived)) = self.slots.get(place) else { return Ok(true) };
        let Arrived { block, part, cost, .. } = arrived;
        let is_next = place == 0;
        let is_inline = block.cid().inline().is_some();
        // what stands in a CID is looked at whatever is held: mostly nothing lies below it
        if !is_next && !is_inline && self.held + cost > MAX_AHEAD {
            return Ok(false);
        }
        let mut links = Links::new(Vec::new(), Below::Nothing);
        if !self.is_known(place, block.cid()) {
            links = below(block, *part, self.options.range, &mut self.span)?;
        }
        let cost = node_cost::<B>(&links);
        // what was unfolded ahead must not be the reason for which the next block has no room
        if is_next && self.held + cost > MAX_HELD + MAX_AHEAD {
            return Err(ExportError::TooMuchHeld { cid: block.cid().clone() });
        }
        let len = block.len();
        let is_open = is_next || cost == 0 || self.held + cost <= MAX_AHEAD;
        if let Some(Slot::Block(arrived)) = self.slots.get_mut(place) {
            (arrived.is_open, arrived.cost) = (is_open, cost);
        }
        if is_open {
            self.put_node(place + 1, links);
            if is_inline {
                self.slots.remove(place);
                self.count_out(len);
            }
        }
        Ok(is_open)
    }

    pub(super) fn put_node(&mut self, place: usize, links: Links) {
        let cost = node_cost::<B>(&links);
        if cost > 0 {
            self.held += cost;
            self.slots.insert(place, Slot::Node(links, cost));
        }
    }

    /// Puts anything but a node before the slot at `place`.
    pub(super) fn put(&mut self, place: usize, slot: Slot<B>) {
        self.ahead.blocks += 1;
        self.ahead.bytes += match &slot {
            Slot::Block(arrived) => arrived.block.len(),
            Slot::Bytes(bytes) => bytes.len(),
            Slot::Want(_) | Slot::Node(..) => 0,
        };
        self.slots.insert(place, slot);
    }

    pub(super) fn count_out(&mut self, bytes: usize) {
        self.ahead.blocks -= 1;
        self.ahead.bytes -= bytes;
    }
}

/// What links cost that wait to be followed; nothing where there are none.
fn node_cost<B>(links: &Links) -> usize {
    match links.is_empty() {
        true => 0,
        false => size_of::<Slot<B>>() + links.cost(),
    }
}
