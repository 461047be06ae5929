//! Sharded directories: a trie over the hashes of names, one block a node.
//!
//! A name's place follows from its hash, [`Shape`] by [`Shape`] of bits from the highest on, so
//! that a set of names has one form whatever the order in which they came. [`shard`] reads one
//! block of such a trie, [`build`] writes them.

pub mod build;
mod murmur;
pub mod shard;

pub use murmur::hash;

use super::profile::MAX_FANOUT;

/// The hash function of names: the multicodec number of murmur3-x64-64.
pub const HASH_TYPE: u64 = 0x22;

/// What is wrong with a block of a sharded directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HamtError {
    /// Names are hashed by a function other than murmur3-x64-64, or none is named.
    #[error("names are hashed by function {0:#x}, not by murmur3")]
    HashType(u64),
    /// The fan-out is not a power of two from 8 to [`MAX_FANOUT`].
    #[error("a fan-out of {0}, which is not a power of two from 8 to {MAX_FANOUT}")]
    Fanout(u64),
    /// The fan-out is not that of the directory's root.
    #[error("a fan-out of {found}, where the directory's root has {expected}")]
    Mixed {
        /// The block's.
        found: usize,
        /// The root's.
        expected: usize,
    },
    /// The bitfield is longer than the fan-out.
    #[error("a bitfield of {0} bytes, which is more than the fan-out")]
    Bitfield(usize),
    /// The links are not those that the bitfield announces, in its order.
    #[error("link {0} is not the one that the bitfield announces")]
    Links(usize),
    /// A link's name does not begin with the number of its place in capital hexadecimal digits.
    #[error("the name of link {0} does not begin with its place")]
    Prefix(usize),
    /// It lies deeper than a hash has bits.
    #[error("sharded directory too deep")]
    TooDeep,
    /// It is something else than a part of a sharded directory.
    #[error("a {0} where a part of a sharded directory belongs")]
    NotAShard(super::Type),
}

/// How wide a trie is: how many bits of a hash choose among the links of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    bits: u32,
}

impl Shape {
    /// The shape of a fan-out, if that is a possible one.
    pub fn new(fanout: u64) -> Option<Self> {
        let possible = fanout.is_power_of_two() && (8..=MAX_FANOUT as u64).contains(&fanout);
        possible.then(|| Self { bits: fanout.trailing_zeros() })
    }

    /// How many links a block can have.
    pub const fn fanout(self) -> usize {
        1 << self.bits
    }

    /// How many levels there can be: after these a hash is used up.
    pub const fn levels(self) -> u32 {
        64 / self.bits
    }

    /// How many hexadecimal digits a link's name begins with.
    pub const fn width(self) -> usize {
        self.bits.div_ceil(4) as usize
    }

    /// Which link of a block at `level`, below [`levels`](Self::levels), a hash belongs to.
    pub const fn digit(self, hash: u64, level: u32) -> usize {
        (hash << (level * self.bits) >> (64 - self.bits)) as usize
    }

    /// How many levels two hashes share; [`levels`](Self::levels) when they never part.
    pub fn common(self, a: u64, b: u64) -> u32 {
        ((a ^ b).leading_zeros() / self.bits).min(self.levels())
    }

    /// The beginning of a hash that leads through `digit` of the block at `level` to which
    /// `prefix` leads.
    pub const fn extend(self, prefix: u64, level: u32, digit: usize) -> u64 {
        prefix | (digit as u64) << (64 - (level + 1) * self.bits)
    }

    /// A link's name as it is stored: its place, then the entry's name, or nothing for a shard.
    pub fn join(self, digit: usize, name: &[u8]) -> Box<[u8]> {
        let mut out = Vec::with_capacity(self.width() + name.len());
        for at in (0..self.width()).rev() {
            out.push(b"0123456789ABCDEF"[digit >> (4 * at) & 15]);
        }
        out.extend_from_slice(name);
        out.into()
    }

    /// The reverse of [`join`](Self::join).
    pub fn split(self, name: &[u8]) -> Option<(usize, &[u8])> {
        let (place, rest) = name.split_at_checked(self.width())?;
        let digit = place.iter().try_fold(0, |digit, byte| {
            let value = match byte {
                b'0'..=b'9' => byte - b'0',
                b'A'..=b'F' => byte - b'A' + 10,
                _ => return None,
            };
            Some(digit << 4 | usize::from(value))
        })?;
        (digit < self.fanout()).then_some((digit, rest))
    }
}
