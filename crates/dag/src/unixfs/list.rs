//! Listing a directory, in one block or in many: wants out, blocks in, entries out.

mod error;
mod part;

use std::collections::VecDeque;

pub use error::ListError;
pub use part::ListedEntry;
use part::{Part, Want};

use super::{MAX_HELD, Window};
use crate::{Block, Cid, Payload};

/// The most links of one directory that are looked at, those between its own blocks included:
/// ten times the largest directory that is tested, and what a hostile one can make a reader do.
pub const MAX_LISTED: usize = 1024 * 1024;

/// Lists a directory from blocks that somebody else fetches.
///
/// In any order: [`wants`](Self::wants) tells CIDs not told before, [`give`](Self::give) takes
/// their blocks as they come, [`next_entry`](Self::next_entry) gives the entries: of one block in
/// its order, of a sharded directory in the order of the names' hashes.
/// [`is_done`](Self::is_done) says that all were given; as long as a block is missing it does
/// not, and a listing without that block is known to be incomplete.
///
/// A name is given once. Of entries of one block with the same name the first counts, the one
/// that a path resolves to; an entry of a sharded directory that lies where its name does not
/// lead is left out, as no path resolves to it ([`misplaced`](Self::misplaced) counts these).
///
/// ```
/// use avocet_dag::unixfs::{Entry, ImportOptions, Listing, Tree, Window, Writer};
/// use avocet_dag::{Block, Cid};
/// use std::collections::HashMap;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = ImportOptions::default();
/// let file = Entry::from(Writer::new(&options, Default::default())?.finish()?.root);
/// let mut tree = Tree::new(&options)?;
/// for index in 0..10_000 {
///     tree.insert(&format!("file {index}"), file.clone())?;
/// }
/// let mut building = tree.build();
/// let mut store: HashMap<Cid, Block> = HashMap::new();
/// while let Some(block) = building.next_block()? {
///     store.insert(block.cid().clone(), block);
/// }
/// let root = building.into_root().ok_or("not built")?.cid;
///
/// let mut listing = Listing::new(root, Window::default());
/// let mut count = 0;
/// while !listing.is_done() {
///     for cid in listing.wants() {
///         listing.give(&store[&cid])?; // here a block may come from anywhere
///     }
///     while let Some(entry) = listing.next_entry()? {
///         assert!(entry.text().starts_with("file "));
///         count += 1;
///     }
/// }
/// assert_eq!(count, 10_000);
/// # Ok(())
/// # }
/// ```
///
/// Memory: the blocks of the [`Window`], one block a level, and [`MAX_HELD`] bytes at most. A
/// block ahead that finds no room is let go, and asked for again when its turn comes: its CID is told once
/// more.
#[derive(Debug)]
pub struct Listing<B> {
    root: Cid,
    window: Window,
    /// The directory from the first entry not given on, as far as it is known.
    slots: VecDeque<Slot<B>>,
    /// Bytes of the blocks that slots are of, each as often as there are slots of it.
    held: usize,
    /// What wants count for.
    reserved: usize,
    /// Links that may still be looked at.
    left: usize,
    misplaced: u64,
    /// Wants not told yet.
    fresh: Vec<Cid>,
    failed: Option<ListError>,
}

#[derive(Debug)]
enum Slot<B> {
    /// A block that was asked for.
    Want(Want),
    /// Links to be read, among which there is no other block of the directory.
    Run(Part<B>),
    /// A block whose links are still to be told apart.
    Part(Part<B>),
    /// A block that found no room, or had to make some: to be asked for again.
    Later(Want),
}

impl<B: Payload> Listing<B> {
    /// A listing of the directory `root`, which looks at most at the window's blocks ahead.
    pub fn new(root: Cid, window: Window) -> Self {
        let mut listing = Self {
            root: root.clone(),
            window,
            slots: VecDeque::new(),
            held: 0,
            reserved: 0,
            left: MAX_LISTED,
            misplaced: 0,
            fresh: Vec::new(),
            failed: None,
        };
        let root = Want { cid: root, place: None, charge: 0, links: None };
        if let Err(error) = listing.ask(0, root).and_then(|()| listing.fill()) {
            listing.fail(error);
        }
        listing
    }

    /// CIDs to fetch that were not told before, in the order in which they will be listed.
    pub fn wants(&mut self) -> Vec<Cid> {
        std::mem::take(&mut self.fresh)
    }

    /// Takes a block. `false`: the listing does not wait for it (any more).
    pub fn give(&mut self, block: &Block<B>) -> Result<bool, ListError> {
        self.check()?;
        let waits = |slot: &Slot<B>| matches!(slot, Slot::Want(want) if want.cid == *block.cid());
        let mut given = false;
        // what a want becomes takes its place: those behind it do not move
        for at in 0..self.slots.len() {
            if waits(&self.slots[at]) {
                given = true;
                self.arrive(at, block.bytes().clone()).map_err(|error| self.fail(error))?;
            }
        }
        self.fill().map_err(|error| self.fail(error))?;
        Ok(given)
    }

    /// The next entry; `None` while a block is missing, and after the last.
    pub fn next_entry(&mut self) -> Result<Option<ListedEntry>, ListError> {
        self.check()?;
        loop {
            let Some(Slot::Run(part)) = self.slots.front_mut() else { return Ok(None) };
            if let Some(entry) = part.next_entry(&mut self.misplaced) {
                return Ok(Some(entry));
            }
            self.held -= part.len();
            self.slots.pop_front();
            self.fill().map_err(|error| self.fail(error))?;
        }
    }

    /// Whether all entries were given.
    pub fn is_done(&self) -> bool {
        self.failed.is_none() && self.slots.is_empty()
    }

    /// How many entries were left out so far because no path resolves to them.
    pub const fn misplaced(&self) -> u64 {
        self.misplaced
    }

    fn check(&self) -> Result<(), ListError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: ListError) -> ListError {
        self.slots.clear();
        self.fresh.clear();
        self.failed = Some(error.clone());
        error
    }

    /// Tells links to entries from links to further blocks, and asks for as many of these as the
    /// window and the room allow, the earliest first.
    fn fill(&mut self) -> Result<(), ListError> {
        loop {
            let unfolds = |slot: &Slot<B>| matches!(slot, Slot::Part(_) | Slot::Later(_));
            let Some(at) = self.slots.iter().position(unfolds) else { return Ok(()) };
            let takes = match &self.slots[at] {
                Slot::Part(part) => 2 * part.len(), // for a run, and for a want
                Slot::Later(want) => want.charge,
                Slot::Want(_) | Slot::Run(_) => return Ok(()),
            };
            // what comes next is asked for whatever the window says, or nothing would move
            if at > 0 && self.is_full(takes) {
                return Ok(());
            }
            if let Slot::Later(want) = &self.slots[at] {
                let want = want.clone();
                self.slots.remove(at);
                self.ask(at, want)?;
                continue;
            }
            let Slot::Part(part) = &mut self.slots[at] else { return Ok(()) };
            let charge = part.len();
            let (run, shard) = part.until_shard();
            match shard {
                Some((cid, place)) => {
                    self.ask(at, Want { cid, place: Some(place), charge, links: None })?;
                }
                None => {
                    self.held -= charge;
                    self.slots.remove(at);
                }
            }
            if let Some(run) = run {
                self.held += charge;
                self.slots.insert(at, Slot::Run(run));
            }
        }
    }

    /// Whether what is here and asked for leaves no place for this many bytes more.
    fn is_full(&self, takes: usize) -> bool {
        let taken = self.held + self.reserved;
        self.slots.len() >= self.window.blocks
            || taken >= self.window.bytes
            || taken + takes > MAX_HELD
    }

    /// Puts a want before the slot at `at`.
    fn ask(&mut self, at: usize, want: Want) -> Result<(), ListError> {
        let cid = want.cid.clone();
        if let Err(source) = cid.check() {
            return Err(ListError::Link { cid, source });
        }
        let waits = |slot: &Slot<B>| matches!(slot, Slot::Want(other) if other.cid == cid);
        let inline = Block::<B>::inline(&cid);
        if inline.is_none() && !self.slots.iter().any(waits) {
            self.fresh.push(cid);
        }
        self.reserved += want.charge;
        self.slots.insert(at, Slot::Want(want));
        match inline {
            Some(block) => self.arrive(at, block.into_parts().1),
            None => Ok(()),
        }
    }

    /// Puts a block in the place of the want for it.
    fn arrive(&mut self, at: usize, bytes: B) -> Result<(), ListError> {
        let Some(slot) = self.slots.get_mut(at) else { return Ok(()) };
        let Slot::Want(want) = slot else { return Ok(()) };
        let want = want.clone();
        self.reserved -= want.charge;
        let len = bytes.len();
        if !self.make_room(at, &want, len)? {
            self.slots[at] = Slot::Later(Want { charge: len, ..want });
            return Ok(());
        }
        let again = want.links.is_some();
        let (part, links) = Part::open(want, bytes)?;
        if !again {
            let left = self.left.checked_sub(links);
            self.left = left.ok_or_else(|| ListError::TooMany { cid: self.root.clone() })?;
        }
        self.held += len;
        self.slots[at] = Slot::Part(part);
        Ok(())
    }

    /// Whether there is room for a block of this length at `at`. What is listed next gets that of
    /// blocks further on; only those above it must have room beside it.
    fn make_room(&mut self, at: usize, want: &Want, len: usize) -> Result<bool, ListError> {
        if at > 0 {
            return Ok(self.held + self.reserved + len <= MAX_HELD);
        }
        for slot in self.slots.iter_mut().rev() {
            if self.held + len <= MAX_HELD {
                return Ok(true);
            }
            let part = match slot {
                Slot::Part(part) if !part.is_above(want) => part,
                Slot::Run(part) => part,
                _ => continue,
            };
            self.held -= part.len();
            *slot = Slot::Later(part.rest());
        }
        match self.held + len <= MAX_HELD {
            true => Ok(true),
            false => Err(ListError::TooMuchHeld { cid: want.cid.clone() }),
        }
    }
}
