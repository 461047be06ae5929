//! DAG-PB: a list of named links and some data.
//!
//! Reading is as strict as the specification's decoder: no unknown fields, nothing twice, a
//! link's parts in order, all links together. Links and data may come in either order, and links
//! need not be sorted; that order is kept. Writing gives the one canonical form: links sorted by
//! the bytes of their names, then data.

mod form;

use std::ops::Range;

pub use form::{from_value, to_value};

pub use crate::proto::ProtoError;
use crate::{
    Cid, CidError,
    proto::{Fields, Value},
    varint,
};

/// Why bytes are not a DAG-PB node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PbError {
    /// The bytes are not protobuf.
    #[error(transparent)]
    Proto(#[from] ProtoError),
    /// A field that the node or the link does not have, or one of the wrong wire type.
    #[error("field {0} does not belong there")]
    Field(u64),
    /// Data twice, or links in two places.
    #[error("{0} comes twice")]
    Twice(&'static str),
    /// A link's hash, name and size are in the wrong order, or one comes twice.
    #[error("field {field} of link {link} is out of order")]
    Order {
        /// Which link, from 0.
        link: usize,
        /// Which field of it.
        field: u64,
    },
    /// A link without a CID.
    #[error("link {0} has no hash")]
    NoHash(usize),
    /// A link whose CID is malformed.
    #[error("link {link}: {source}")]
    Cid {
        /// Which link, from 0.
        link: usize,
        /// What is wrong with its CID.
        source: CidError,
    },
    /// A link's name is not UTF-8, and text was asked for.
    #[error("the name of link {0} is not UTF-8")]
    Name(usize),
    /// So many links take too much memory as a [`Value`](super::Value).
    #[error("{0} links are too many to be taken apart")]
    TooMuch(usize),
}

/// A link, its name borrowed from the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    /// What it points to.
    pub cid: Cid,
    /// Its name: any bytes, UTF-8 by custom. `None` and empty are written differently.
    pub name: Option<&'a [u8]>,
    /// The claimed bytes of the whole DAG below. A hint, never to be trusted.
    pub tsize: Option<u64>,
}

/// A node that has been checked as a whole; its links are decoded again when walked over, so
/// that a block of 200,000 links costs no memory beyond its own bytes.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    bytes: &'a [u8],
    links: Range<usize>,
    count: usize,
    data: Option<Range<usize>>,
}

impl<'a> Node<'a> {
    /// Checks `bytes` as a node. Ends within time proportional to their length.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, PbError> {
        let mut node = Self { bytes, links: 0..0, count: 0, data: None };
        let mut fields = Fields::new(bytes);
        loop {
            let start = fields.at;
            let Some((field, value)) = fields.next()? else { return Ok(node) };
            match (field, value) {
                (1, Value::Bytes(range)) => {
                    if node.data.replace(range).is_some() {
                        return Err(PbError::Twice("Data"));
                    }
                }
                (2, Value::Bytes(range)) => {
                    if node.count == 0 {
                        node.links = start..start;
                    } else if node.links.end != start {
                        return Err(PbError::Twice("the list of links"));
                    }
                    decode_link(&bytes[range], node.count)?;
                    node.links.end = fields.at;
                    node.count += 1;
                }
                _ => return Err(PbError::Field(field)),
            }
        }
    }

    /// How many links there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no links.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The links, in the block's order.
    pub fn links(&self) -> Links<'a> {
        Links { fields: Fields { bytes: &self.bytes[..self.links.end], at: self.links.start } }
    }

    /// The data, if the field is there.
    pub fn data(&self) -> Option<&'a [u8]> {
        Some(&self.bytes[self.data.clone()?])
    }

    /// Where in the block the data lies.
    pub fn data_range(&self) -> Option<Range<usize>> {
        self.data.clone()
    }

    /// Where in the block the links lie.
    pub(crate) fn links_range(&self) -> Range<usize> {
        self.links.clone()
    }
}

/// The links of a checked node.
pub struct Links<'a> {
    fields: Fields<'a>,
}

impl<'a> Links<'a> {
    /// Goes on at `range.start` of a block whose links end at `range.end`: see
    /// [`at`](Self::at).
    pub(crate) fn resume(bytes: &'a [u8], range: Range<usize>) -> Self {
        Links { fields: Fields { bytes: &bytes[..range.end], at: range.start } }
    }

    /// The links of a block that can have none.
    pub(crate) fn none() -> Self {
        Links { fields: Fields::new(&[]) }
    }

    /// Passes over a link without decoding it.
    pub(crate) fn skip_one(&mut self) {
        let _ = self.fields.next();
    }

    /// Where in the block the next link begins.
    pub(crate) fn at(&self) -> usize {
        self.fields.at
    }
}

impl<'a> Iterator for Links<'a> {
    type Item = Link<'a>;

    fn next(&mut self) -> Option<Link<'a>> {
        // the node has been checked: an error here cannot happen, and would end the list
        match self.fields.next() {
            Ok(Some((2, Value::Bytes(range)))) => decode_link(&self.fields.bytes[range], 0).ok(),
            _ => None,
        }
    }
}

/// The CIDs that the node in `bytes` links to.
pub fn links(bytes: &[u8]) -> Result<Vec<Cid>, PbError> {
    Ok(Node::decode(bytes)?.links().map(|link| link.cid).collect())
}

/// Encodes a node canonically. Links are sorted by name; equal names keep their order.
pub fn encode(links: &[Link<'_>], data: Option<&[u8]>) -> Vec<u8> {
    let mut sorted: Vec<&Link<'_>> = links.iter().collect();
    sorted.sort_by_key(|link| link.name.unwrap_or_default());
    let mut out = Vec::with_capacity(encoded_len(links, data));
    for link in sorted {
        varint_field(2, 2, link_len(link) as u64, &mut out);
        bytes_field(1, &link.cid.to_bytes(), &mut out);
        if let Some(name) = link.name {
            bytes_field(2, name, &mut out);
        }
        if let Some(tsize) = link.tsize {
            varint_field(3, 0, tsize, &mut out);
        }
    }
    if let Some(data) = data {
        bytes_field(1, data, &mut out);
    }
    out
}

/// How many bytes [`encode`] gives.
pub fn encoded_len(links: &[Link<'_>], data: Option<&[u8]>) -> usize {
    let links: usize = links.iter().map(|link| field_len(link_len(link))).sum();
    links + data.map_or(0, |data| field_len(data.len()))
}

fn link_len(link: &Link<'_>) -> usize {
    field_len(link.cid.encoded_len())
        + link.name.map_or(0, |name| field_len(name.len()))
        + link.tsize.map_or(0, |tsize| 1 + varint::len(tsize))
}

fn field_len(len: usize) -> usize {
    1 + varint::len(len as u64) + len
}

/// A key, then a number: a whole field (wire type 0), or the head of one (wire type 2).
fn varint_field(field: u8, wire: u8, value: u64, out: &mut Vec<u8>) {
    out.push(field << 3 | wire);
    varint::write(value, out);
}

fn bytes_field(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    varint_field(field, 2, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn decode_link(bytes: &[u8], link: usize) -> Result<Link<'_>, PbError> {
    let (mut cid, mut name, mut tsize) = (None, None, None);
    let mut last = 0;
    let mut fields = Fields::new(bytes);
    while let Some((field, value)) = fields.next()? {
        if field <= last {
            return Err(PbError::Order { link, field });
        }
        last = field;
        match (field, value) {
            (1, Value::Bytes(range)) => {
                let parsed = Cid::from_bytes(&bytes[range]);
                cid = Some(parsed.map_err(|source| PbError::Cid { link, source })?);
            }
            (2, Value::Bytes(range)) => name = Some(&bytes[range]),
            (3, Value::Varint(value)) => tsize = Some(value),
            _ => return Err(PbError::Field(field)),
        }
    }
    Ok(Link { cid: cid.ok_or(PbError::NoHash(link))?, name, tsize })
}
