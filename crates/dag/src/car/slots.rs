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
    Block(Cid, B),
    /// Bytes to be read.
    Bytes(B),
    /// Links left to follow, and what they cost.
    Node(Links, usize),
}

/// Something that may have to be written.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub cid: Cid,
    pub below: Below,
    /// Where in the file it begins, for parts of files.
    pub start: u64,
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
}

impl Links {
    pub fn new(cids: Vec<Cid>, below: Below) -> Self {
        Self { cids: cids.into_iter(), starts: Vec::new().into_iter(), below }
    }

    pub fn first(&self) -> Option<&Cid> {
        self.cids.as_slice().first()
    }

    pub fn next(&mut self) -> Option<Link> {
        let start = self.starts.next().unwrap_or(0);
        self.cids.next().map(|cid| Link { cid, below: self.below, start })
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
    link: &Link,
    range: Option<ByteRange>,
    span: &mut Option<Range<u64>>,
) -> Result<Links, ExportError> {
    let nothing = || Links::new(Vec::new(), Below::Nothing);
    Ok(match link.below {
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
                file(block.cid(), opened, link.start, span.as_ref())?
            }
            Ok(_) => nothing(),
        },
        Below::File => file(block.cid(), unixfs::open(block)?, link.start, span.as_ref())?,
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
