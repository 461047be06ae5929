//! One block of a directory that is listed.

use std::ops::Range;

use super::{ListError, ListedEntry};
use crate::{
    Cid, Payload,
    codec::pb::{Link, Links},
    unixfs::{
        Type,
        hamt::shard::{self, Place},
        open_bytes,
    },
};

/// Some of a block's links.
#[derive(Debug)]
pub struct Part<B> {
    bytes: B,
    links: Range<usize>,
    /// Where the block stands; `None` of a directory of one block.
    place: Option<Place>,
    /// Where links begin whose names have come before, sorted.
    repeated: Vec<usize>,
}

impl<B: Payload> Part<B> {
    /// All links of a block, and how many there are. Without a place it is a directory's root.
    pub fn open(cid: &Cid, bytes: B, place: Option<Place>) -> Result<(Self, usize), ListError> {
        let (node, place, repeated) = match place {
            Some(place) => (shard::open_below(cid, &bytes, place)?.node, Some(place), Vec::new()),
            None => {
                let opened = open_bytes(cid, &bytes)?;
                match (opened.kind(), opened) {
                    (Type::Directory, opened) => {
                        let repeated = repeated(|| opened.links());
                        let envelope = opened.envelope();
                        let not =
                            || ListError::NotADirectory { cid: cid.clone(), found: Type::Raw };
                        (envelope.ok_or_else(not)?.node, None, repeated)
                    }
                    (Type::Shard, opened) => {
                        let (envelope, shape) = shard::check(cid, opened)?;
                        (envelope.node, Some(Place::root(shape)), Vec::new())
                    }
                    (found, _) => {
                        return Err(ListError::NotADirectory { cid: cid.clone(), found });
                    }
                }
            }
        };
        let (links, count) = (node.links_range(), node.len());
        Ok((Self { bytes, links, place, repeated }, count))
    }

    /// Bytes of the block.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next entry; one that no path resolves to is counted instead.
    pub fn next_entry(&mut self, misplaced: &mut u64) -> Option<ListedEntry> {
        let mut links = self.links();
        let entry = loop {
            let at = links.at();
            let Some(Link { cid, name, tsize }) = links.next() else { break None };
            let name = name.unwrap_or_default();
            let name = match self.place {
                None => self.repeated.binary_search(&at).is_err().then_some(name),
                Some(place) => {
                    let split = place.shape.split(name);
                    let name = split.filter(|(digit, name)| place.fits(*digit, name));
                    *misplaced += u64::from(name.is_none());
                    name.map(|(_, name)| name)
                }
            };
            if let Some(name) = name {
                break Some(ListedEntry { name: name.into(), cid, tsize });
            }
        };
        self.links.start = links.at();
        entry
    }

    /// Goes on past the next link to another block of the directory: gives the links before it,
    /// and where it leads. Without such a link these are all that are left.
    pub fn until_shard(&mut self) -> (Option<Self>, Option<(Cid, Place)>) {
        let mut found = None;
        let mut end = self.links.end;
        let mut links = self.links();
        if let Some(place) = self.place {
            loop {
                let at = links.at();
                let Some(link) = links.next() else { break };
                if let Some((digit, [])) = place.shape.split(link.name.unwrap_or_default()) {
                    found = Some((link.cid, place.below(digit)));
                    end = at;
                    break;
                }
            }
        }
        let next = links.at();
        let run = (self.links.start < end).then(|| Self {
            bytes: self.bytes.clone(),
            links: self.links.start..end,
            place: self.place,
            repeated: std::mem::take(&mut self.repeated),
        });
        self.links.start = next;
        (run, found)
    }

    fn links(&self) -> Links<'_> {
        match self.bytes.as_bytes() {
            Some(bytes) => Links::resume(bytes, self.links.clone()),
            None => Links::none(), // it has been opened: it is in memory
        }
    }
}

/// Where links begin that have the name of one before them, sorted.
fn repeated<'a>(links: impl Fn() -> Links<'a>) -> Vec<usize> {
    let mut last = None;
    let mut ascending = true;
    for link in links() {
        let name = link.name.unwrap_or_default();
        ascending &= last.is_none_or(|last| last < name);
        last = Some(name);
    }
    if ascending {
        return Vec::new();
    }
    let mut links = links();
    let mut names = Vec::new();
    loop {
        let at = links.at();
        let Some(link) = links.next() else { break };
        names.push((link.name.unwrap_or_default(), at));
    }
    names.sort_unstable();
    let again = names.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
    let mut repeated: Vec<usize> = again.collect();
    repeated.sort_unstable();
    repeated
}
