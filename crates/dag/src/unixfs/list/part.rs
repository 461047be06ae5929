//! One block of a directory that is listed.

use std::{borrow::Cow, ops::Range};

use super::ListError;
use crate::{
    Cid, Payload,
    codec::pb::{Link, Links},
    unixfs::{
        Type,
        hamt::shard::{self, Place},
        open_bytes,
    },
};

/// One entry of a directory that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// The name as it is stored: any bytes. It may be `..` or hold slashes; where it becomes a
    /// path or markup, the caller makes it safe.
    pub name: Box<[u8]>,
    /// What it links to. May be a CID that nothing can be verified by.
    pub cid: Cid,
    /// Bytes of all blocks below, as the link claims.
    pub tsize: Option<u64>,
}

impl ListedEntry {
    /// The name as text, with U+FFFD for what is not UTF-8.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }
}

/// A block of the directory that is asked for.
#[derive(Debug, Clone)]
pub struct Want {
    pub cid: Cid,
    /// Where in a sharded directory it stands; the root does not know yet.
    pub place: Option<Place>,
    /// What it counts for until it is here: its length once that was seen, before that the length
    /// of the block that links to it.
    pub charge: usize,
    /// Of a block that was here before: where the links lie that are still to be looked at.
    pub links: Option<Range<usize>>,
}

/// Some of a block's links.
#[derive(Debug)]
pub struct Part<B> {
    cid: Cid,
    bytes: B,
    links: Range<usize>,
    /// Where the block stands; `None` of a directory of one block.
    place: Option<Place>,
    /// Where links begin whose names have come before, sorted.
    repeated: Vec<usize>,
}

impl<B: Payload> Part<B> {
    /// The links of a block that are wanted, and how many it has in all. Without a place it is a
    /// directory's root.
    pub fn open(want: Want, bytes: B) -> Result<(Self, usize), ListError> {
        let cid = &want.cid;
        let (node, place, repeated) = match want.place {
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
        let (all, count) = (node.links_range(), node.len());
        let links = want.links.unwrap_or(all);
        Ok((Self { cid: want.cid, bytes, links, place, repeated }, count))
    }

    /// Whether the block stands above the one that is wanted.
    pub fn is_above(&self, want: &Want) -> bool {
        self.place.zip(want.place).is_some_and(|(above, below)| {
            above.level < below.level
                && above.shape.common(above.prefix, below.prefix) >= above.level
        })
    }

    /// What to ask for to go on where this part is now.
    pub fn rest(&self) -> Want {
        let (cid, links) = (self.cid.clone(), Some(self.links.clone()));
        Want { cid, place: self.place, charge: self.len(), links }
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
            cid: self.cid.clone(),
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
