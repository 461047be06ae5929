//! A directory on the path of a change, and its blocks there.

use crate::{
    Block, Cid, Payload,
    codec::pb::{Link, Links},
    unixfs::{
        Envelope, HamtSize, ImportOptions, Meta, NodeError, Type,
        folder::{Blocks, Fault, Item},
        hamt::{
            Shape,
            build::{self, Builder},
            hash,
            shard::{self, Place},
        },
        open,
    },
};

/// A directory, as much of it as leads to one name.
#[derive(Debug)]
pub struct Open {
    pub cid: Cid,
    pub meta: Meta,
    /// Where in a sharded one the last part stands.
    place: Option<Place>,
    /// The links of its root; of a sharded one, also of the blocks that lead to the name. Of
    /// these the names begin with their places, in whose order they are.
    parts: Vec<Vec<Item>>,
}

/// Where a name leads from the last block of a directory.
pub enum Next {
    /// To this entry; its name is without its place.
    Entry(Item),
    /// To another block of the directory.
    Shard(Cid, Place),
    /// Nowhere: there is no such entry.
    Nothing,
}

/// Why something is not a directory that can be opened.
pub enum NotOpen {
    /// It is something else.
    Is(Type),
    Node(NodeError),
}

impl From<NodeError> for NotOpen {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

impl Open {
    /// Opens a directory's root.
    pub fn root<B: Payload>(block: &Block<B>) -> Result<Self, NotOpen> {
        let opened = open(block)?;
        let kind = opened.kind();
        let (envelope, place) = match kind {
            Type::Directory => (opened.envelope(), None),
            Type::Shard => {
                let (envelope, shape) = shard::check(block.cid(), opened)?;
                (Some(envelope), Some(Place::root(shape)))
            }
            _ => return Err(NotOpen::Is(kind)),
        };
        let Some(Envelope { node, data, .. }) = envelope else { return Err(NotOpen::Is(kind)) };
        let mut items = items(node.links());
        if place.is_none() {
            // of entries with the same name the first counts
            items.sort_by(|one, other| one.name.cmp(&other.name));
            items.dedup_by(|again, first| again.name == first.name);
        }
        let meta = Meta { mode: data.mode, mtime: data.mtime };
        Ok(Self { cid: block.cid().clone(), meta, place, parts: vec![items] })
    }

    /// Adds a block that [`Next::Shard`] led to.
    pub fn add<B: Payload>(&mut self, block: &Block<B>, place: Place) -> Result<(), NodeError> {
        let envelope = shard::open_below(block.cid(), block.bytes(), place)?;
        self.parts.push(items(envelope.node.links()));
        self.place = Some(place);
        Ok(())
    }

    /// Looks for a name in the last block.
    pub fn find(&self, name: &[u8]) -> Next {
        let Some(items) = self.parts.last() else { return Next::Nothing };
        let Some(place) = self.place else {
            let found = items.binary_search_by(|item| (*item.name).cmp(name));
            return found.map_or(Next::Nothing, |at| Next::Entry(items[at].clone()));
        };
        let digit = place.shape.digit(hash(name), place.level);
        let Ok(at) = find(place.shape, items, digit) else { return Next::Nothing };
        match entry(place.shape, &items[at]) {
            None => Next::Shard(items[at].cid.clone(), place.below(digit)),
            Some(item) if *item.name == *name => Next::Entry(item),
            Some(_) => Next::Nothing,
        }
    }

    /// How many links its last block has.
    pub fn last_len(&self) -> usize {
        self.parts.last().map_or(0, Vec::len)
    }

    /// The shape of a sharded one.
    pub fn shape(&self) -> Option<Shape> {
        self.place.map(|place| place.shape)
    }

    /// What the entries of a sharded directory that are here, but for `name`, add to its size.
    pub fn known_size(&self, rule: HamtSize, name: &[u8]) -> usize {
        let Some(Place { shape, .. }) = self.place else { return 0 };
        let entries = self.parts.iter().flatten().filter_map(|item| entry(shape, item));
        let others = entries.filter(|item| *item.name != *name);
        others.fold(0, |sum, item| sum.saturating_add(item.size(rule)))
    }

    /// The directory with `new` under `name`, or nothing: adds its new blocks, and gives the link
    /// to it.
    pub fn rewrite(
        mut self,
        options: &ImportOptions,
        name: &[u8],
        new: Option<Item>,
        blocks: &mut Vec<Block>,
    ) -> Result<Item, Fault> {
        let Some(place) = self.place else {
            let mut items = self.parts.pop().unwrap_or_default();
            items.retain(|item| *item.name != *name);
            items.extend(new);
            return Blocks::all(options, items, self.meta, blocks);
        };
        let (shape, hash) = (place.shape, hash(name));
        let mut slot = match new {
            Some(new) => Some(self.beside(options, place, new, blocks)?),
            None => None,
        };
        // from the name's block up; what a slot holds is named without its place, a block by nothing
        let mut level = place.level;
        while let Some(mut items) = self.parts.pop() {
            let digit = shape.digit(hash, level);
            let item = slot.map(|item| Item { name: shape.join(digit, &item.name), ..item });
            match (find(shape, &items, digit), item) {
                (Ok(at), Some(item)) => items[at] = item,
                (Ok(at), None) => drop(items.remove(at)),
                (Err(at), Some(item)) => items.insert(at, item),
                (Err(_), None) => {}
            }
            if self.parts.is_empty() {
                return match items.is_empty() {
                    true => Blocks::all(options, items, self.meta, blocks),
                    false => Ok(written(build::write(options, shape, &items, self.meta)?, blocks)),
                };
            }
            level -= 1;
            // a lone entry needs no block of its own
            slot = match items.as_slice() {
                [] => None,
                [only] => entry(shape, only),
                _ => None,
            };
            if slot.is_none() && !items.is_empty() {
                let block = build::write(options, shape, &items, Meta::default())?;
                slot = Some(written(block, blocks));
            }
        }
        Blocks::all(options, Vec::new(), self.meta, blocks) // there is always a root
    }

    /// What its slot in the last part is to hold for `new`: itself, or a block where another name
    /// is there already.
    fn beside(
        &self,
        options: &ImportOptions,
        place: Place,
        new: Item,
        blocks: &mut Vec<Block>,
    ) -> Result<Item, Fault> {
        let Place { shape, level, .. } = place;
        let items = self.parts.last().map_or(&[][..], Vec::as_slice);
        let digit = shape.digit(hash(&new.name), level);
        let there = find(shape, items, digit).ok().and_then(|at| entry(shape, &items[at]));
        match there {
            Some(other) if other.name != new.name => {
                let both = Builder::new(shape, level + 1, Meta::default(), vec![other, new])?;
                Blocks::Sharded(both).rest(options, blocks)
            }
            _ => Ok(new),
        }
    }
}

fn written((block, link): (Block, Item), blocks: &mut Vec<Block>) -> Item {
    blocks.push(block);
    link
}

/// A link of a sharded directory's block without its place; `None` if it leads to another block.
fn entry(shape: Shape, item: &Item) -> Option<Item> {
    let name = &item.name[shape.width()..];
    (!name.is_empty()).then(|| Item { name: name.into(), ..item.clone() })
}

/// Where in a block's links the one with this place is, or would be.
fn find(shape: Shape, items: &[Item], digit: usize) -> Result<usize, usize> {
    items.binary_search_by_key(&Some(digit), |item| shape.split(&item.name).map(|(at, _)| at))
}

fn items(links: Links<'_>) -> Vec<Item> {
    let item = |link: Link<'_>| Item {
        name: link.name.unwrap_or_default().into(),
        cid: link.cid,
        tsize: link.tsize,
    };
    links.map(item).collect()
}
