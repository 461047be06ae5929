//! What an edit does with a block: down along the path, then up again.

use super::{
    Count, Edit, EditError,
    open::{Next, NotOpen, Open},
};
use crate::{
    Block, Cid, Payload,
    path::shorten,
    unixfs::{
        ImportOptions, ListedEntry, MAX_HELD, Meta,
        folder::{Blocks, Fault, Item},
        hamt::shard::Place,
    },
};

impl<B: Payload> Edit<B> {
    pub(super) fn ask(&mut self, cid: Cid, place: Option<Place>) -> Result<(), EditError> {
        if let Err(source) = cid.check() {
            return Err(EditError::Link { cid, source });
        }
        self.inline = Block::inline(&cid);
        if self.inline.is_none() {
            self.fresh.push(cid.clone());
        }
        self.waits = Some((cid, place));
        Ok(())
    }

    pub(super) fn take(&mut self, block: &Block<B>) -> Result<bool, EditError> {
        if let Some(count) = &mut self.count {
            let given = count.give(&self.options, block)?;
            self.up()?;
            return Ok(given);
        }
        match self.waits.take_if(|(cid, _)| cid == block.cid()) {
            Some((_, place)) => self.down(block, place)?,
            None => return Ok(false),
        }
        self.take_inline()?;
        Ok(true)
    }

    pub(super) fn take_inline(&mut self) -> Result<(), EditError> {
        while let Some(block) = self.inline.take() {
            let place = self.waits.take().and_then(|(_, place)| place);
            self.down(&block, place)?;
        }
        Ok(())
    }

    /// Looks for the next name in a block on the way to the entry.
    fn down(&mut self, block: &Block<B>, place: Option<Place>) -> Result<(), EditError> {
        match (place, self.open.last_mut()) {
            (Some(place), Some(open)) => open.add(block, place)?,
            _ => {
                let open = Open::root(block).map_err(|error| match error {
                    NotOpen::Is(found) => EditError::NotADirectory {
                        cid: block.cid().clone(),
                        path: self.path(self.open.len()),
                        found,
                    },
                    NotOpen::Node(error) => error.into(),
                })?;
                self.open.push(open);
            }
        }
        let depth = self.open.len();
        let links = self.open.last().map_or(0, Open::last_len);
        self.held += block.len() + links * size_of::<Item>();
        if self.held > MAX_HELD {
            return Err(EditError::TooMuchHeld { path: self.path(depth - 1) });
        }
        let is_last = depth == self.names.len();
        match self.next() {
            Next::Shard(cid, place) => self.ask(cid, Some(place)),
            Next::Entry(Item { cid, .. }) if !is_last => self.ask(cid, None),
            Next::Entry(_) if !self.may_exist => Err(EditError::Exists { path: self.path(depth) }),
            Next::Entry(Item { name, cid, tsize }) => {
                self.before = Some(ListedEntry { name, cid, tsize });
                self.up()
            }
            Next::Nothing if self.may_miss && (is_last || self.make_parents) => {
                self.make_parents(depth)?;
                self.up()
            }
            Next::Nothing => Err(EditError::NotFound { path: self.path(depth) }),
        }
    }

    /// Where the name leads that is to be followed in the last directory.
    fn next(&self) -> Next {
        match self.open.last() {
            Some(open) => open.find(self.name()),
            None => Next::Nothing,
        }
    }

    /// The name that is to be followed, or changed, in the last directory.
    fn name(&self) -> &[u8] {
        let at = self.open.len().saturating_sub(1);
        self.names.get(at).map_or(&[], |name| name.as_bytes())
    }

    /// The first `depth` names.
    fn path(&self, depth: usize) -> String {
        shorten(&self.names[..depth].join("/"))
    }

    /// Puts the new entry inside the folders that are missing from the name at `depth` on.
    fn make_parents(&mut self, depth: usize) -> Result<(), EditError> {
        let Some(mut item) = self.new.take() else { return Ok(()) };
        for at in (depth..self.names.len()).rev() {
            let link = Blocks::all(&self.options, vec![item], Meta::default(), &mut self.blocks);
            let link = link.map_err(|fault| fault.at(self.path(at)))?;
            item = Item { name: self.names[at - 1].as_bytes().into(), ..link };
        }
        self.new = Some(item);
        Ok(())
    }

    /// Puts what is new under its name in the last directory, that one under its own, and so on up
    /// to the root; stops where one of them must be measured first.
    fn up(&mut self) -> Result<(), EditError> {
        loop {
            let link = if let Some(count) = &mut self.count {
                count.ask::<B>(&self.options, &mut self.fresh)?;
                let Some(fits) = count.fits(&self.options) else { return Ok(()) };
                self.fresh.clear();
                let Some(Count { mut items, new, .. }) = self.count.take() else { return Ok(()) };
                self.rewrite(|open, options, name, blocks| match fits {
                    true => {
                        items.extend(new);
                        Blocks::all(options, items, open.meta, blocks)
                    }
                    false => open.rewrite(options, name, new, blocks),
                })?
            } else if let Some(open) = self.open.last() {
                let (root, new) = (self.may_fit(open), self.new.take());
                if let Some(place) = root {
                    let (root, name) = ((open.cid.clone(), place), self.name());
                    self.count = Some(Count::new(&self.options, root, open.meta, name, new));
                    continue;
                }
                self.rewrite(|open, options, name, blocks| {
                    open.rewrite(options, name, new, blocks)
                })?
            } else {
                let root = self.new.take();
                self.root = root.map(|Item { cid, tsize, .. }| (cid, tsize.unwrap_or_default()));
                return Ok(());
            };
            self.new = Some(link);
        }
    }

    /// The root's place, if a directory is sharded and shrinks, so that it may have to be so no
    /// longer.
    fn may_fit(&self, open: &Open) -> Option<Place> {
        let (rule, name) = (self.options.hamt_size, self.name());
        let size = |item: Option<&Item>| item.map_or(0, |item| item.size(rule));
        let Next::Entry(old) = open.find(name) else { return None };
        let may = size(self.new.as_ref()) < size(Some(&old))
            && open.known_size(rule, name) <= self.options.hamt_threshold;
        open.shape().filter(|_| may).map(Place::root)
    }

    /// Takes the last directory and makes its new blocks; gives the link to it by its name.
    fn rewrite(
        &mut self,
        make: impl FnOnce(Open, &ImportOptions, &[u8], &mut Vec<Block>) -> Result<Item, Fault>,
    ) -> Result<Item, EditError> {
        let Some(open) = self.open.pop() else {
            return Err(EditError::NotFound { path: self.path(0) });
        };
        let depth = self.open.len();
        let name = self.names[depth].as_bytes();
        let link = make(open, &self.options, name, &mut self.blocks);
        let link = link.map_err(|fault| fault.at(self.path(depth)))?;
        let name = depth.checked_sub(1).map_or(&[][..], |above| self.names[above].as_bytes());
        Ok(Item { name: name.into(), ..link })
    }
}
