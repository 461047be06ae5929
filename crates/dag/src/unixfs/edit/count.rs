//! Whether a sharded directory has become small enough for one block.

use std::collections::VecDeque;

use super::EditError;
use crate::{
    Block, Cid, Payload,
    unixfs::{
        ImportOptions, ListError, MAX_LISTED, Meta,
        folder::{Item, empty_size},
        hamt::shard::{self, Place},
    },
};

/// Blocks that are asked for at once.
const AHEAD: usize = 16;
/// Blocks that are known and not asked for, above which those found last go first: the way that
/// finds the most entries soonest is level by level, and the one that holds the least goes down
/// first.
const KNOWN: usize = 4096;

/// Adds up a sharded directory's entries, level by level, until they are too many for one block.
#[derive(Debug)]
pub struct Count {
    root: Cid,
    /// The entry that is being changed, which does not count.
    name: Box<[u8]>,
    /// What is to be there instead.
    pub new: Option<Item>,
    /// The others so far.
    pub items: Vec<Item>,
    size: usize,
    /// Whether some entry is where no path resolves to it: in one block it would be lost.
    astray: bool,
    known: VecDeque<(Cid, Place)>,
    asked: Vec<(Cid, Place)>,
    /// Links that may still be looked at.
    left: usize,
}

impl Count {
    /// Begins to count the directory `root` with `new` under `name`.
    pub fn new(
        options: &ImportOptions,
        (root, place): (Cid, Place),
        meta: Meta,
        name: &[u8],
        new: Option<Item>,
    ) -> Self {
        let rule = options.hamt_size;
        Self {
            name: name.into(),
            size: empty_size(rule, meta) + new.as_ref().map_or(0, |new| new.size(rule)),
            new,
            items: Vec::new(),
            astray: false,
            known: VecDeque::from([(root.clone(), place)]),
            asked: Vec::new(),
            left: MAX_LISTED,
            root,
        }
    }

    /// Adds the CIDs that are needed next to `wants`.
    pub fn ask<B: Payload>(
        &mut self,
        options: &ImportOptions,
        wants: &mut Vec<Cid>,
    ) -> Result<(), EditError> {
        while self.asked.len() < AHEAD && !self.is_over(options) {
            let next = match self.known.len() > KNOWN {
                true => self.known.pop_back(),
                false => self.known.pop_front(),
            };
            let Some((cid, place)) = next else { break };
            if let Err(source) = cid.check() {
                return Err(ListError::Link { cid, source }.into());
            }
            if let Some(block) = Block::<B>::inline(&cid) {
                self.add(options, &block, place)?;
                continue;
            }
            if !self.asked.iter().any(|(asked, _)| *asked == cid) {
                wants.push(cid.clone());
            }
            self.asked.push((cid, place));
        }
        Ok(())
    }

    /// Takes a block. `false`: it was not asked for.
    pub fn give<B: Payload>(
        &mut self,
        options: &ImportOptions,
        block: &Block<B>,
    ) -> Result<bool, EditError> {
        let mut given = false;
        while let Some(at) = self.asked.iter().position(|(cid, _)| cid == block.cid()) {
            given = true;
            let (_, place) = self.asked.swap_remove(at);
            self.add(options, block, place)?;
        }
        Ok(given)
    }

    /// `true`: all entries fit one block, and are `items` and `new`; `None`: more blocks are
    /// needed to tell.
    pub fn fits(&self, options: &ImportOptions) -> Option<bool> {
        if self.is_over(options) {
            return Some(false);
        }
        (self.known.is_empty() && self.asked.is_empty()).then_some(true)
    }

    fn is_over(&self, options: &ImportOptions) -> bool {
        self.astray || self.size > options.hamt_threshold
    }

    fn add<B: Payload>(
        &mut self,
        options: &ImportOptions,
        block: &Block<B>,
        place: Place,
    ) -> Result<(), EditError> {
        let node = shard::open_below(block.cid(), block.bytes(), place)?.node;
        let left = self.left.checked_sub(node.len());
        self.left = left.ok_or_else(|| ListError::TooMany { cid: self.root.clone() })?;
        for link in node.links() {
            let Some((digit, name)) = place.shape.split(link.name.unwrap_or_default()) else {
                continue; // the node has been checked
            };
            if name.is_empty() {
                self.known.push_back((link.cid, place.below(digit)));
            } else if !place.fits(digit, name) {
                self.astray = true;
            } else if *name != *self.name {
                let item = Item { name: name.into(), cid: link.cid, tsize: link.tsize };
                self.size = self.size.saturating_add(item.size(options.hamt_size));
                self.items.push(item);
            }
            if self.is_over(options) {
                break;
            }
        }
        Ok(())
    }
}
