//! Changing one entry of a tree: wants out, blocks in, new blocks and the new root out.

mod count;
mod error;
mod open;
mod steps;

use count::Count;
pub use error::EditError;
use open::Open;

use super::{Entry, ImportOptions, ListedEntry, MAX_DEPTH, folder::Item, hamt::shard::Place};
use crate::{
    Block, Cid, Payload,
    path::{is_plain_name, shorten},
};

/// What is to become of the entry at a path. Of an [`Entry`], the CID and `tsize` matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds it, where there was none.
    Insert(Entry),
    /// Puts it in the place of the one that is there.
    Replace(Entry),
    /// Puts it there, whether there was one or not.
    Put(Entry),
    /// Takes it away.
    Remove,
}

/// A changed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The blocks that were not there before, child before parent, the root last.
    pub blocks: Vec<Block>,
    /// The new root.
    pub cid: Cid,
    /// Bytes of all its blocks, as links announce them.
    pub tsize: u64,
    /// What was at the path before.
    pub before: Option<ListedEntry>,
}

/// Changes one entry of a tree from blocks that somebody else fetches; nothing is overwritten.
///
/// In any order: [`wants`](Self::wants) tells CIDs to fetch, [`give`](Self::give) takes their
/// blocks as they come, until [`is_done`](Self::is_done); then [`finish`](Self::finish) gives the
/// new blocks. Fetched are the directories on the path, of a sharded one only the blocks that
/// lead to the name; and, where a sharded one shrinks, as many others as it takes to tell that it
/// is still above the threshold (all of them where it is not).
///
/// The new tree is the one that a [`Tree`](super::Tree) under the same options would give, if the
/// old one was: a directory is sharded above the threshold, and in one block when it falls to it.
/// A sharded directory keeps its fan-out. Modes and times stay; order and repetitions of names in
/// a changed block do not.
///
/// ```
/// use avocet_dag::unixfs::{Change, Edit, Entry, ImportOptions, Tree, Writer};
/// use avocet_dag::{Block, Cid};
/// use std::collections::HashMap;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = ImportOptions::default();
/// let empty = Tree::new(&options)?.finish()?;
/// let keep = |block: Block| (block.cid().clone(), block);
/// let store: HashMap<Cid, Block> = empty.blocks.into_iter().map(keep).collect();
///
/// let file = Entry::from(Writer::new(&options, Default::default())?.finish()?.root);
/// let put = Change::Put(file);
/// let mut edit = Edit::new(&options, empty.root.cid, "a/b/empty.txt", put, true)?;
/// while !edit.is_done() {
///     for cid in edit.wants() {
///         edit.give(&store[&cid])?; // here a block may come from anywhere
///     }
/// }
/// let edited = edit.finish().ok_or("not done")?;
/// assert_eq!(edited.blocks.len(), 3); // b, a, and the root that holds it
/// # Ok(())
/// # }
/// ```
///
/// Memory: the blocks on the path, of [`MAX_HELD`](super::MAX_HELD) bytes at most, those that are
/// made, and entries up to the threshold.
#[derive(Debug)]
pub struct Edit<B> {
    options: ImportOptions,
    names: Vec<Box<str>>,
    /// What is to be at the path; on the way up, what the last directory is to link to.
    new: Option<Item>,
    /// Whether there may be something at the path.
    may_exist: bool,
    /// Whether there may be nothing.
    may_miss: bool,
    make_parents: bool,
    /// The directories on the path, the root first, as far as they are here.
    open: Vec<Open>,
    /// Bytes of these, and of what they were made of.
    held: usize,
    /// The block that is needed next on the way down, and its place in a sharded directory.
    waits: Option<(Cid, Option<Place>)>,
    /// On the way up: a sharded directory that may have become small.
    count: Option<Count>,
    /// Wants not told yet.
    fresh: Vec<Cid>,
    /// What came inside a CID.
    inline: Option<Block<B>>,
    blocks: Vec<Block>,
    before: Option<ListedEntry>,
    root: Option<(Cid, u64)>,
    failed: Option<EditError>,
}

impl<B: Payload> Edit<B> {
    /// A change of the entry at `path` below the directory `root`: names with single slashes
    /// between them. With `make_parents`, folders that are missing on the path are made where
    /// something is to be put there.
    pub fn new(
        options: &ImportOptions,
        root: Cid,
        path: &str,
        change: Change,
        make_parents: bool,
    ) -> Result<Self, EditError> {
        options.check()?;
        let names: Vec<Box<str>> = path.split('/').take(MAX_DEPTH + 2).map(Box::from).collect();
        if names.len() > MAX_DEPTH + 1 {
            return Err(EditError::TooDeep { path: shorten(path) });
        }
        if !names.iter().all(|name| is_plain_name(name)) {
            return Err(EditError::Name { path: shorten(path) });
        }
        let (entry, may_exist, may_miss) = match change {
            Change::Insert(entry) => (Some(entry), false, true),
            Change::Replace(entry) => (Some(entry), true, false),
            Change::Put(entry) => (Some(entry), true, true),
            Change::Remove => (None, true, false),
        };
        let name: Box<[u8]> = names.last().map(|name| name.as_bytes().into()).unwrap_or_default();
        let new = entry.map(|Entry { cid, tsize, .. }| Item { name, cid, tsize: Some(tsize) });
        let mut edit = Self {
            options: options.clone(),
            names,
            new,
            may_exist,
            may_miss,
            make_parents,
            open: Vec::new(),
            held: 0,
            waits: None,
            count: None,
            fresh: Vec::new(),
            inline: None,
            blocks: Vec::new(),
            before: None,
            root: None,
            failed: None,
        };
        edit.ask(root, None)?;
        edit.take_inline()?;
        Ok(edit)
    }

    /// CIDs to fetch, in the order in which they will be looked at. One may be told again later.
    pub fn wants(&mut self) -> Vec<Cid> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes a block. `false`: the edit does not wait for it (any more).
    pub fn give(&mut self, block: &Block<B>) -> Result<bool, EditError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.take(block).inspect_err(|error| self.failed = Some(error.clone()))
    }

    /// Whether nothing more is wanted.
    pub const fn is_done(&self) -> bool {
        self.root.is_some()
    }

    /// The new tree; `None` unless [`is_done`](Self::is_done).
    pub fn finish(self) -> Option<Edited> {
        let (cid, tsize) = self.root?;
        Some(Edited { blocks: self.blocks, cid, tsize, before: self.before })
    }
}
