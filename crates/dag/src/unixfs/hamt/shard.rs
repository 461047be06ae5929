//! Reading one block of a sharded directory.

use super::{HASH_TYPE, HamtError, Shape, hash};
use crate::{
    Cid, Payload,
    codec::pb::{Link, Links},
    unixfs::{Envelope, NodeError, Opened, Type, open_bytes},
};

/// Where a block stands in its trie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The root's shape, which all blocks share.
    pub shape: Shape,
    /// 0 is the root.
    pub level: u32,
    /// The beginning of the hashes that lead here; zeros after it.
    pub prefix: u64,
}

impl Place {
    /// The root of a trie.
    pub const fn root(shape: Shape) -> Self {
        Self { shape, level: 0, prefix: 0 }
    }

    /// What hangs under `digit` of this block.
    pub const fn below(self, digit: usize) -> Self {
        let prefix = self.shape.extend(self.prefix, self.level, digit);
        Self { shape: self.shape, level: self.level + 1, prefix }
    }

    /// Whether `name` belongs to `digit` of this block.
    pub fn fits(self, digit: usize, name: &[u8]) -> bool {
        let below = self.below(digit);
        self.shape.common(below.prefix, hash(name)) >= below.level
    }
}

/// What a name leads to in one block.
pub enum Found<'a> {
    /// The entry itself.
    Entry(Link<'a>),
    /// A block further down, where the name would be.
    Shard(Cid, Place),
    /// Nothing: there is no such entry.
    Nothing,
}

/// Looks for `name` in a block that [`check`] has passed.
pub fn find<'a>(mut links: Links<'a>, place: Place, name: &[u8]) -> Found<'a> {
    let wanted = place.shape.digit(hash(name), place.level);
    let found = links.find_map(|link| {
        let (digit, rest) = place.shape.split(link.name.unwrap_or_default())?;
        (digit == wanted).then_some((link, rest))
    });
    match found {
        Some((link, [])) => Found::Shard(link.cid, place.below(wanted)),
        Some((link, rest)) if rest == name => Found::Entry(Link { name: Some(rest), ..link }),
        _ => Found::Nothing,
    }
}

/// Opens the bytes of a block that stands somewhere below a trie's root.
pub fn open_below<'a, B: Payload>(
    cid: &Cid,
    bytes: &'a B,
    place: Place,
) -> Result<Envelope<'a>, NodeError> {
    let opened = open_bytes(cid, bytes)?;
    match opened.kind() {
        Type::Shard => {}
        found => return Err(wrong(cid, HamtError::NotAShard(found))),
    }
    let (envelope, shape) = check(cid, opened)?;
    if shape != place.shape {
        let (found, expected) = (shape.fanout(), place.shape.fanout());
        return Err(wrong(cid, HamtError::Mixed { found, expected }));
    }
    if place.level >= shape.levels() {
        return Err(wrong(cid, HamtError::TooDeep));
    }
    Ok(envelope)
}

/// Checks a block of [`Type::Shard`] as a whole: after this its links are those that its bitfield
/// announces, in the order of their places, and every name begins with its place.
pub fn check<'a>(cid: &Cid, opened: Opened<'a>) -> Result<(Envelope<'a>, Shape), NodeError> {
    let not_a_shard = || wrong(cid, HamtError::NotAShard(Type::Raw));
    let envelope = opened.envelope().ok_or_else(not_a_shard)?;
    match check_links(&envelope) {
        Ok(shape) => Ok((envelope, shape)),
        Err(source) => Err(wrong(cid, source)),
    }
}

fn wrong(cid: &Cid, source: HamtError) -> NodeError {
    NodeError::Hamt { cid: cid.clone(), source }
}

fn check_links(Envelope { node, data, .. }: &Envelope<'_>) -> Result<Shape, HamtError> {
    let hash_type = data.hash_type.unwrap_or_default();
    if hash_type != HASH_TYPE {
        return Err(HamtError::HashType(hash_type));
    }
    let fanout = data.fanout.unwrap_or_default();
    let shape = Shape::new(fanout).ok_or(HamtError::Fanout(fanout))?;
    let field = data.data.unwrap_or_default();
    if field.len() > shape.fanout() / 8 {
        return Err(HamtError::Bitfield(field.len()));
    }
    let mut announced = bits(field);
    for (index, link) in node.links().enumerate() {
        let split = shape.split(link.name.unwrap_or_default());
        let (digit, _) = split.ok_or(HamtError::Prefix(index))?;
        if announced.next() != Some(digit) {
            return Err(HamtError::Links(index));
        }
    }
    match announced.next() {
        None => Ok(shape),
        Some(_) => Err(HamtError::Links(node.len())),
    }
}

/// The places that a bitfield announces, from the lowest on: those of its last byte come first.
fn bits(field: &[u8]) -> impl Iterator<Item = usize> {
    let bytes = field.iter().rev().enumerate();
    bytes.flat_map(|(at, byte)| {
        (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at * 8 + bit)
    })
}
