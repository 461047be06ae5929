//! Writing sharded directories: entries in, blocks out, child before parent, the root last.

use std::{iter::Peekable, vec};

use super::{HASH_TYPE, Shape, hash};
use crate::{
    Block,
    unixfs::{
        Data, ImportOptions, Kind, Meta,
        folder::{Fault, Item, encode},
    },
};

/// Makes the blocks of a trie one after the other.
///
/// Memory: the entries that are left, and the links of one unfinished block a level.
#[derive(Debug)]
pub struct Builder {
    shape: Shape,
    /// The level of the block that is made last; 0 where that is a whole directory's root.
    top: u32,
    meta: Meta,
    /// Sorted by hash, so that what shares a block comes together.
    left: Peekable<vec::IntoIter<(u64, Item)>>,
    /// The blocks that the last entry lies in, from the top on.
    open: Vec<Vec<Item>>,
    /// The last entry's hash.
    last: u64,
}

impl Builder {
    /// A trie of `items`, which share the hash's first `top` digits. Errors where names have the
    /// same hash, or nearly: no level would part them.
    pub fn new(shape: Shape, top: u32, meta: Meta, items: Vec<Item>) -> Result<Self, Fault> {
        let mut left: Vec<_> = items.into_iter().map(|item| (hash(&item.name), item)).collect();
        left.sort_unstable_by_key(|(hash, _)| *hash);
        let alike = |pair: &&[(u64, Item)]| shape.common(pair[0].0, pair[1].0) == shape.levels();
        if let Some(pair) = left.windows(2).find(alike) {
            return Err(Fault::Deep(pair[1].1.name.clone()));
        }
        let last = left.first().map_or(0, |(hash, _)| *hash);
        let left = left.into_iter().peekable();
        Ok(Self { shape, top, meta, left, open: vec![Vec::new()], last })
    }

    /// The next block, and with the last of them the link to it.
    pub fn next_block(
        &mut self,
        options: &ImportOptions,
    ) -> Result<Option<(Block, Option<Item>)>, Fault> {
        while !self.open.is_empty() {
            let next = self.left.peek().map(|(hash, _)| *hash);
            let shared = next.map_or(self.top, |next| self.shape.common(self.last, next));
            let level = self.level();
            if level > shared || next.is_none() {
                return self.close(options, level).map(Some);
            }
            let Some((hash, mut item)) = self.left.next() else { break };
            let after = self.left.peek().map_or(0, |(next, _)| self.shape.common(hash, *next));
            // the first has itself for its neighbour before, with which it would share all
            let before = if self.last == hash { 0 } else { self.shape.common(self.last, hash) };
            let own = before.max(after).max(self.top);
            self.open.resize_with((own - self.top) as usize + 1, Vec::new);
            item.name = self.shape.join(self.shape.digit(hash, own), &item.name);
            self.last = hash;
            if let Some(links) = self.open.last_mut() {
                links.push(item);
            }
        }
        Ok(None)
    }

    /// The level of the lowest open block.
    fn level(&self) -> u32 {
        self.top + self.open.len() as u32 - 1
    }

    fn close(
        &mut self,
        options: &ImportOptions,
        level: u32,
    ) -> Result<(Block, Option<Item>), Fault> {
        let links = self.open.pop().unwrap_or_default();
        let meta = if level == 0 { self.meta } else { Meta::default() };
        let (block, link) = write(options, self.shape, &links, meta)?;
        let Some(above) = self.open.last_mut() else { return Ok((block, Some(link))) };
        let digit = self.shape.digit(self.last, level - 1);
        above.push(Item { name: self.shape.join(digit, &[]), ..link });
        Ok((block, None))
    }
}

/// One block of a trie, whose links are sorted and begin with their places, and the link to it.
pub fn write(
    options: &ImportOptions,
    shape: Shape,
    links: &[Item],
    meta: Meta,
) -> Result<(Block, Item), Fault> {
    let mut field = vec![0; shape.fanout() / 8];
    for (digit, _) in links.iter().filter_map(|link| shape.split(&link.name)) {
        let at = field.len() - 1 - digit / 8;
        field[at] |= 1 << (digit % 8);
    }
    // leading zeros are not written, and a field of nothing else is left out
    let first = field.iter().position(|byte| *byte != 0);
    let mut data = Data::new(Kind::HamtShard);
    data.data = first.map(|first| &field[first..]);
    data.hash_type = Some(HASH_TYPE);
    data.fanout = Some(shape.fanout() as u64);
    data.set_meta(meta);
    encode(options, links, &data)
}
