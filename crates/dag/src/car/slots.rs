//! The parts of an archive that is being written, and what lies below a block.

use std::{ops::Range, vec};

use super::{ByteRange, ExportError};
use crate::{
    Block, Cid, Payload, code,
    codec::{self, CodecError},
    unixfs::{self, Envelope, NodeError, Opened, Shape, Type, file_size},
};

/// A part of an archive that is being written.
#[derive(Debug)]
pub(super) enum Slot<B> {
    /// A block that was asked for.
    Want(Link),
    /// One that is here; its head is not read yet.
    Block(Arrived<B>),
    /// Bytes to be read.
    Bytes(B),
    /// Links left to follow, and what they cost.
    Node(Links, usize),
}

impl<B> Slot<B> {
    /// Whether it is to become other slots, sooner or later.
    pub fn is_unfinished(&self) -> bool {
        match self {
            Self::Node(..) => true,
            Self::Block(arrived) => !arrived.is_open,
            Self::Want(_) | Self::Bytes(_) => false,
        }
    }

    /// The block that it is, or will be, and its part in the archive.
    pub fn block(&self) -> Option<(&Cid, Part)> {
        match self {
            Self::Want(link) => Some((&link.cid, link.part)),
            Self::Block(Arrived { block, part, .. }) => Some((block.cid(), *part)),
            Self::Bytes(_) | Self::Node(..) => None,
        }
    }
}

/// A block that is here.
#[derive(Debug)]
pub(super) struct Arrived<B> {
    pub block: Block<B>,
    pub part: Part,
    /// Whether its links have their slot, or need none.
    pub is_open: bool,
    /// What they would cost, once that was too much.
    pub cost: usize,
}

impl<B: Payload> Arrived<B> {
    pub fn new(block: Block<B>, part: Part) -> Self {
        let cid = block.cid();
        // what stands in its CID is not written: to open it is to remove it
        let is_leaf = cid.codec() == code::RAW || part.below == Below::Nothing;
        let is_open = is_leaf && cid.inline().is_none();
        Self { block, part, is_open, cost: 0 }
    }
}

/// Something that may have to be written.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub cid: Cid,
    pub part: Part,
}

/// What a block is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub below: Below,
    /// Where in the file it begins, for parts of files.
    pub start: u64,
    /// Whether everything below it is written, and not only what a range needs.
    pub is_whole: bool,
}

/// What else has to be written with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing.
    Nothing,
    /// All that it links to.
    All,
    /// What it takes to read the file, or to list the directory, that it is the root of.
    Entity,
    /// The rest of a part of a file.
    File,
    /// The rest of a part of a sharded directory.
    Shard,
}

/// The links of a block that was written, or will be next. A block may have 200,000 of them, so
/// what they share is held once.
#[derive(Debug)]
pub(super) struct Links {
    cids: vec::IntoIter<Cid>,
    /// Where in the file each begins; nothing for what is no part of one.
    starts: vec::IntoIter<u64>,
    below: Below,
    /// Whether of the first only the end is asked for, and of the last only the beginning. Those
    /// between lie inside of what is asked for.
    cut: (bool, bool),
}

impl Links {
    pub fn new(cids: Vec<Cid>, below: Below) -> Self {
        let (cids, starts) = (cids.into_iter(), Vec::new().into_iter());
        Self { cids, starts, below, cut: (false, false) }
    }

    pub fn first(&self) -> Option<Link> {
        let cid = self.cids.as_slice().first()?.clone();
        let start = self.starts.as_slice().first().copied().unwrap_or(0);
        let (first, last) = self.cut;
        // of raw blocks all that there is comes with any byte
        let is_cut = first || (last && self.cids.len() == 1);
        let is_whole = !is_cut || cid.codec() == code::RAW;
        Some(Link { cid, part: Part { below: self.below, start, is_whole } })
    }

    pub fn skip_first(&mut self) {
        self.cut.0 = false;
        self.starts.next();
        self.cids.next();
    }

    pub fn is_empty(&self) -> bool {
        self.cids.len() == 0
    }

    /// Bytes that they take.
    pub fn cost(&self) -> usize {
        size_of_val(self.cids.as_slice()) + size_of_val(self.starts.as_slice())
    }
}

/// What lies below `block`. `range` is what is asked for, and `span` what that means for the file:
/// it is found when the file's root is here.
pub(super) fn below<B: Payload>(
    block: &Block<B>,
    part: Part,
    range: Option<ByteRange>,
    span: &mut Option<Range<u64>>,
) -> Result<Links, ExportError> {
    let nothing = || Links::new(Vec::new(), Below::Nothing);
    Ok(match part.below {
        Below::Nothing => nothing(),
        Below::All => {
            let mut cids = codec::links(block)?;
            cids.retain(|cid| !is_nothing(cid));
            Links::new(cids, Below::All)
        }
        // whatever is no file and no directory is an entity of one block
        Below::Entity if block.cid().codec() != code::DAG_PB => nothing(),
        Below::Entity => match unixfs::open(block) {
            Err(error @ NodeError::Codec(CodecError::NotInMemory(_))) => return Err(error.into()),
            Err(_) => nothing(),
            Ok(opened) if opened.kind() == Type::Shard => shard(opened),
            Ok(opened) if opened.kind() == Type::File => {
                let size = opened.data().and_then(file_size);
                *span = range.map(|range| range.of(size.unwrap_or(0)));
                file(block.cid(), opened, part.start, span.as_ref())?
            }
            Ok(_) => nothing(),
        },
        Below::File => file(block.cid(), unixfs::open(block)?, part.start, span.as_ref())?,
        Below::Shard => shard(unixfs::open(block)?),
    })
}

/// The links to the parts of a file that `span` needs.
fn file(
    cid: &Cid,
    opened: Opened<'_>,
    mut start: u64,
    span: Option<&Range<u64>>,
) -> Result<Links, ExportError> {
    let mut links = Links::new(Vec::new(), Below::File);
    let Some(Envelope { node, data, .. }) = opened.envelope() else { return Ok(links) };
    let Some(span) = span else {
        links.cids = node.links().map(|link| link.cid).collect::<Vec<_>>().into_iter();
        return Ok(links);
    };
    if node.len() != data.blocksizes.len() {
        return Err(ExportError::Sizes { cid: cid.clone() });
    }
    let (mut cids, mut starts) = (Vec::new(), Vec::new());
    start = start.saturating_add(data.data.map_or(0, <[u8]>::len) as u64);
    for (link, size) in node.links().zip(data.blocksizes) {
        let end = start.saturating_add(size);
        if start.max(span.start) < end.min(span.end) {
            links.cut.0 |= start < span.start;
            links.cut.1 |= end > span.end;
            cids.push(link.cid);
            starts.push(start);
        }
        start = end;
    }
    (links.cids, links.starts) = (cids.into_iter(), starts.into_iter());
    Ok(links)
}

/// The links to the other parts of a sharded directory. An entry's name follows the digits of its
/// place; what has a place and no name is a part.
fn shard(opened: Opened<'_>) -> Links {
    let mut cids = Vec::new();
    if let Some(Envelope { node, data, .. }) = opened.envelope() {
        let width = data.fanout.and_then(Shape::new).map(Shape::width);
        let parts = node.links().filter(|link| link.name.map(<[u8]>::len) == width);
        cids.extend(parts.map(|link| link.cid));
    }
    Links::new(cids, Below::Shard)
}

/// Content that stands in the CID itself, and that leads nowhere.
fn is_nothing(cid: &Cid) -> bool {
    cid.inline().is_some() && cid.codec() == code::RAW
}
