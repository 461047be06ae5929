//! Writing: wants out, blocks in, bytes of an archive out.

mod ahead;

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use bytes::Bytes;

use super::{
    ExportError, ExportOptions, Scope, header, section_head,
    seen::Seen,
    slots::{Arrived, Below, Link, Links, Slot},
};
use crate::{Block, Cid, Payload, resolve::Resolver, unixfs::Window};

/// Writes an archive of version 1 with the one root that a path leads to: first the blocks that
/// it takes to follow the path, then what the [`Scope`] says, depth first, links in their order.
///
/// In any order: [`wants`](Self::wants) tells CIDs, [`give`](Self::give) takes their blocks as
/// they come, [`read`](Self::read) gives the archive's bytes. Blocks on a path are asked for
/// twice: to follow it, and to write them. Raw blocks need not be in memory, others must. What
/// CIDs carry in themselves is followed and not written.
///
/// Memory: the blocks of the window, links of [`MAX_HELD`](crate::unixfs::MAX_HELD) bytes at most on the way to the next
/// block and of a quarter of that ahead of it, and without `dups` about 100 bytes for each block
/// written, [`MAX_VISITED`](crate::walk::MAX_VISITED) of them at most. With `dups` a graph of few
/// blocks may give an archive without end; whoever reads may stop at any time.
#[derive(Debug)]
pub struct Export<B> {
    options: ExportOptions,
    /// Until the end of the path is known.
    resolver: Option<Resolver>,
    /// The blocks that were followed.
    way: Vec<Cid>,
    /// What is asked for of the file that the path leads to.
    span: Option<Range<u64>>,
    /// What was not read yet, in the archive's order, as far as it is known.
    slots: VecDeque<Slot<B>>,
    /// Of the slots: how many are no nodes, and the bytes that are here.
    ahead: Window,
    /// Bytes of the slots that are nodes.
    held: usize,
    /// What was asked for and is not here, and how many slots wait for it.
    asked: HashMap<Cid, usize>,
    /// The size of the last block that came.
    guess: usize,
    seen: Seen,
    fresh: Vec<Cid>,
    failed: Option<ExportError>,
}

impl<B: Payload> Export<B> {
    /// An archive of what `segments` lead to from `root`.
    pub fn new(root: Cid, segments: Vec<String>, mut options: ExportOptions) -> Self {
        if options.range.is_some() {
            options.scope = Scope::Entity;
        }
        let mut export = Self {
            options,
            resolver: Some(Resolver::new(root, segments)),
            way: Vec::new(),
            span: None,
            slots: VecDeque::new(),
            ahead: Window { blocks: 0, bytes: 0 },
            held: 0,
            asked: HashMap::new(),
            guess: 0,
            seen: Seen::default(),
            fresh: Vec::new(),
            failed: None,
        };
        if let Err(error) = export.follow(None).and_then(|()| export.fill()) {
            export.fail(error);
        }
        export
    }

    /// CIDs of blocks to be given, in the order in which they will be read. A CID is told again
    /// when its block is needed again.
    pub fn wants(&mut self) -> Vec<Cid> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes a block. `false`: it is not waited for (any more).
    pub fn give(&mut self, block: &Block<B>) -> Result<bool, ExportError> {
        self.check()?;
        self.accept(block).map_err(|error| self.fail(error))
    }

    /// The archive's next bytes; `None` while a block is missing, and when all was read.
    pub fn read(&mut self) -> Result<Option<B>, ExportError> {
        self.check()?;
        let bytes = self.next_bytes().map_err(|error| self.fail(error))?;
        self.fill().map_err(|error| self.fail(error))?;
        Ok(bytes)
    }

    /// Whether all of the archive was read.
    pub fn is_done(&self) -> bool {
        self.failed.is_none() && self.resolver.is_none() && self.slots.is_empty()
    }

    fn check(&self) -> Result<(), ExportError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: ExportError) -> ExportError {
        self.slots.clear();
        self.fresh.clear();
        self.failed = Some(error.clone());
        error
    }

    /// Goes on along the path; at its end the archive can begin.
    fn follow(&mut self, block: Option<&Block<B>>) -> Result<(), ExportError> {
        let Some(resolver) = &mut self.resolver else { return Ok(()) };
        if let Some(block) = block {
            resolver.give(block)?;
            self.way.push(block.cid().clone());
        }
        while let Some(cid) = resolver.want().cloned() {
            let Some(block) = Block::<B>::inline(&cid) else {
                cid.check().map_err(|source| ExportError::Link { cid: cid.clone(), source })?;
                self.fresh.push(cid);
                return Ok(());
            };
            resolver.give(&block)?;
        }
        let end = resolver.cid().clone();
        self.resolver = None;
        self.put(0, Slot::Bytes(Bytes::from(header(std::slice::from_ref(&end))).into()));
        // a path may end at a value inside of the last block
        let mut way = std::mem::take(&mut self.way);
        way.retain(|cid| *cid != end);
        let below = match self.options.scope {
            Scope::Block => Below::Nothing,
            Scope::Entity => Below::Entity,
            Scope::All => Below::All,
        };
        self.put_node(1, Links::new(vec![end], below));
        self.put_node(1, Links::new(way, Below::Nothing));
        Ok(())
    }

    fn accept(&mut self, block: &Block<B>) -> Result<bool, ExportError> {
        if let Some(wanted) = self.resolver.as_ref().and_then(Resolver::want) {
            let is_wanted = wanted == block.cid();
            if is_wanted {
                self.follow(Some(block))?;
                self.fill()?;
            }
            return Ok(is_wanted);
        }
        let Some(mut waiting) = self.asked.remove(block.cid()) else { return Ok(false) };
        self.guess = block.len();
        let mut places = Vec::new();
        for (place, slot) in self.slots.iter().enumerate() {
            if matches!(slot, Slot::Want(link) if link.cid == *block.cid()) {
                places.push(place);
                waiting -= 1;
                if waiting == 0 {
                    break;
                }
            }
        }
        for place in places {
            let Some(slot) = self.slots.get_mut(place) else { continue };
            let Slot::Want(Link { part, .. }) = *slot else { continue };
            *slot = Slot::Block(Arrived::new(block.clone(), part));
            self.ahead.bytes += block.len();
        }
        self.fill()?;
        Ok(true)
    }

    fn next_bytes(&mut self) -> Result<Option<B>, ExportError> {
        loop {
            match self.slots.front() {
                Some(Slot::Bytes(_) | Slot::Block(_)) => {}
                _ => return Ok(None),
            }
            let Arrived { block, part, .. } = match self.slots.pop_front() {
                Some(Slot::Block(arrived)) => arrived,
                Some(Slot::Bytes(bytes)) => {
                    self.count_out(bytes.len());
                    return Ok(Some(bytes));
                }
                _ => return Ok(None),
            };
            self.count_out(block.len());
            let (cid, bytes) = block.into_parts();
            // it may have come into view before it turned out to be needed earlier
            if !self.options.dups && !self.seen.write(&cid, part)? {
                self.fill()?;
                continue;
            }
            let head = section_head(&cid, bytes.len());
            if !bytes.is_empty() {
                self.put(0, Slot::Bytes(bytes));
            }
            return Ok(Some(Bytes::from(head).into()));
        }
    }
}
