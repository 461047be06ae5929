//! One directory: its links in, its blocks out, in the shape that its size asks for.

use super::{
    Data, DirError, HamtSize, ImportOptions, Kind, Meta,
    hamt::{Shape, build::Builder},
};
use crate::{
    Block, BlockError, Cid, MAX_BLOCK, code,
    codec::pb::{self, Link},
    path::shorten,
};

/// A link of a directory, by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub name: Box<[u8]>,
    pub cid: Cid,
    pub tsize: Option<u64>,
}

impl Item {
    fn link(&self) -> Link<'_> {
        Link { cid: self.cid.clone(), name: Some(&self.name), tsize: self.tsize }
    }

    /// What it adds to a directory's size.
    pub fn size(&self, rule: HamtSize) -> usize {
        match rule {
            HamtSize::Block => pb::encoded_len(&[self.link()], None),
            HamtSize::Links => self.name.len() + self.cid.encoded_len(),
        }
    }
}

/// What a directory's size is without any entry.
pub fn empty_size(rule: HamtSize, meta: Meta) -> usize {
    match rule {
        HamtSize::Block => pb::encoded_len(&[], Some(&plain(meta).encode())),
        HamtSize::Links => 0,
    }
}

/// Why a directory's blocks cannot be made; [`at`](Self::at) says where.
#[derive(Debug)]
pub enum Fault {
    /// A name whose hash others have, too.
    Deep(Box<[u8]>),
    Block(BlockError),
}

impl From<BlockError> for Fault {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}

impl Fault {
    /// The error, of the folder at this path.
    pub fn at(self, path: String) -> DirError {
        match self {
            Self::Deep(name) => {
                DirError::Collision { name: shorten(&String::from_utf8_lossy(&name)), path }
            }
            Self::Block(BlockError::TooLarge(size)) => {
                DirError::TooLarge { path, size, most: MAX_BLOCK }
            }
            Self::Block(error) => error.into(),
        }
    }
}

/// Makes the blocks of one directory one after the other, child before parent.
#[derive(Debug)]
pub enum Blocks {
    /// In one block.
    Plain(Vec<Item>, Meta),
    /// In many.
    Sharded(Builder),
}

impl Blocks {
    /// The blocks of a directory of these entries: of one block, unless that is above the
    /// threshold. The empty directory is always one block.
    pub fn new(options: &ImportOptions, items: Vec<Item>, meta: Meta) -> Result<Self, Fault> {
        let own = empty_size(options.hamt_size, meta);
        let sizes = items.iter().map(|item| item.size(options.hamt_size));
        let size = sizes.fold(own, usize::saturating_add);
        match Shape::new(options.hamt_fanout as u64) {
            Some(shape) if size > options.hamt_threshold && !items.is_empty() => {
                Ok(Self::Sharded(Builder::new(shape, 0, meta, items)?))
            }
            _ => Ok(Self::Plain(items, meta)),
        }
    }

    /// Adds all blocks of such a directory to `blocks`, and gives the link to it.
    pub fn all(
        options: &ImportOptions,
        items: Vec<Item>,
        meta: Meta,
        blocks: &mut Vec<Block>,
    ) -> Result<Item, Fault> {
        Self::new(options, items, meta)?.rest(options, blocks)
    }

    /// Adds all blocks that are left to `blocks`, and gives the link to the root.
    pub fn rest(mut self, options: &ImportOptions, blocks: &mut Vec<Block>) -> Result<Item, Fault> {
        loop {
            let Some((block, link)) = self.next_block(options)? else {
                return Err(Fault::Deep(Box::default())); // the root always comes, with its link
            };
            blocks.push(block);
            if let Some(link) = link {
                return Ok(link);
            }
        }
    }

    /// The next block, and with the last of them, the directory's root, the link to it. Not to
    /// be called after that.
    pub fn next_block(
        &mut self,
        options: &ImportOptions,
    ) -> Result<Option<(Block, Option<Item>)>, Fault> {
        match self {
            Self::Plain(items, meta) => {
                let (block, link) = encode(options, items, &plain(*meta))?;
                Ok(Some((block, Some(link))))
            }
            Self::Sharded(builder) => builder.next_block(options),
        }
    }
}

/// The message of a directory of one block.
const fn plain(meta: Meta) -> Data<'static> {
    let mut data = Data::new(Kind::Directory);
    data.set_meta(meta);
    data
}

/// A block of these links and this message, and the link to it, which has no name yet.
pub fn encode(
    options: &ImportOptions,
    items: &[Item],
    data: &Data<'_>,
) -> Result<(Block, Item), Fault> {
    let links: Vec<_> = items.iter().map(Item::link).collect();
    let data = data.encode();
    let len = pb::encoded_len(&links, Some(&data));
    if len > MAX_BLOCK {
        return Err(BlockError::TooLarge(len).into());
    }
    let block = options.block(code::DAG_PB, pb::encode(&links, Some(&data)).into())?;
    let below = items.iter().filter_map(|item| item.tsize);
    let tsize = below.fold(block.len() as u64, u64::saturating_add);
    let link = Item { name: Box::default(), cid: block.cid().clone(), tsize: Some(tsize) };
    Ok((block, link))
}
