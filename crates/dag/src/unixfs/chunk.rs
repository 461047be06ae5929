//! Where to cut.
//!
//! A [`Cut`] looks at bytes in the order of the file and says where the chunk ends; a [`Chunker`]
//! hands out the chunks, however the input was split.

mod buzhash;
mod rabin;
mod rolling;

use std::{collections::VecDeque, str::FromStr};

use buzhash::Buzhash;
use bytes::{Bytes, BytesMut};
use rabin::Rabin;

use super::{MAX_CHUNK, MIN_RABIN, OptionsError};

/// The average that a Rabin chunker has where none is given (boxo's `DefaultBlockSize`).
const RABIN_AVERAGE: usize = 256 * 1024;

/// Where a file is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Chunking {
    /// Every so many bytes.
    Size(usize),
    /// Where the content says so, by a Rabin fingerprint of 16 bytes.
    Rabin {
        /// The least bytes of a chunk but the last.
        min: usize,
        /// What chunks are to hold on average; the power of two below it counts.
        avg: usize,
        /// The most bytes of a chunk.
        max: usize,
    },
    /// Where the content says so, by a hash of 32 bytes: between 128 and 512 KiB.
    Buzhash,
}

impl FromStr for Chunking {
    type Err = OptionsError;

    /// `size-N`, `rabin` (256 KiB on average), `rabin-AVG`, `rabin-MIN-AVG-MAX`, `buzhash`.
    fn from_str(name: &str) -> Result<Self, OptionsError> {
        let wrong = || OptionsError::Chunker(crate::path::shorten(name));
        let mut parts = name.split('-');
        let kind = parts.next();
        let sizes: Result<Vec<usize>, _> = parts.map(str::parse).collect();
        match (kind, sizes.map_err(|_| wrong())?.as_slice()) {
            (Some("size"), &[size]) => Ok(Self::Size(size)),
            (Some("rabin"), []) => Ok(Self::rabin(RABIN_AVERAGE)),
            (Some("rabin"), &[avg]) => Ok(Self::rabin(avg)),
            (Some("rabin"), &[min, avg, max]) => Ok(Self::Rabin { min, avg, max }),
            (Some("buzhash"), []) => Ok(Self::Buzhash),
            _ => Err(wrong()),
        }
    }
}

impl Chunking {
    /// Rabin chunks between a third of `avg` and half as much again.
    const fn rabin(avg: usize) -> Self {
        Self::Rabin { min: avg / 3, avg, max: avg.saturating_add(avg / 2) }
    }

    pub(super) fn check(self) -> Result<(), OptionsError> {
        match self {
            Self::Size(size) if !(1..=MAX_CHUNK).contains(&size) => {
                Err(OptionsError::ChunkSize(size))
            }
            Self::Rabin { min, avg, max }
                if min < MIN_RABIN || min >= avg || avg >= max || max > MAX_CHUNK =>
            {
                Err(OptionsError::Rabin { min, avg, max })
            }
            _ => Ok(()),
        }
    }
}

/// Decides where chunks end.
pub trait Cut {
    /// Looks at `bytes`, which follow all that were looked at before. `Some(n)`: the chunk ends
    /// after the first `n` (at least one) of them, and the rest will be shown again. `None`: the
    /// chunk goes on past all of them.
    fn cut(&mut self, bytes: &[u8]) -> Option<usize>;
}

/// Cuts after every so many bytes.
#[derive(Debug, Clone)]
pub struct Fixed {
    size: usize,
    /// Bytes of the current chunk seen so far; less than `size`.
    seen: usize,
}

impl Fixed {
    /// Chunks of `size` bytes; 0 counts as 1.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), seen: 0 }
    }
}

impl Cut for Fixed {
    fn cut(&mut self, bytes: &[u8]) -> Option<usize> {
        let missing = self.size - self.seen;
        if bytes.len() < missing {
            self.seen += bytes.len();
            return None;
        }
        self.seen = 0;
        Some(missing)
    }
}

/// Cuts as a [`Chunking`] says.
#[derive(Debug, Clone)]
pub struct Cutter(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Fixed(Fixed),
    Rabin(Rabin),
    Buzhash(Buzhash),
}

impl Cutter {
    /// Sizes that [`ImportOptions::check`](super::ImportOptions::check) refuses are taken for the
    /// nearest possible.
    pub fn new(chunking: Chunking) -> Self {
        Self(match chunking {
            Chunking::Size(size) => Kind::Fixed(Fixed::new(size)),
            Chunking::Rabin { min, avg, max } => Kind::Rabin(Rabin::new(min, avg, max)),
            Chunking::Buzhash => Kind::Buzhash(Buzhash::new()),
        })
    }
}

impl Cut for Cutter {
    fn cut(&mut self, bytes: &[u8]) -> Option<usize> {
        match &mut self.0 {
            Kind::Fixed(fixed) => fixed.cut(bytes),
            Kind::Rabin(rabin) => rabin.cut(bytes),
            Kind::Buzhash(buzhash) => buzhash.cut(bytes),
        }
    }
}

/// Bytes in, in pieces of any size; chunks out.
///
/// Holds what was pushed and not taken, and the chunk that is not complete. A chunk that lies
/// within one pushed piece is a slice of it; one that spans pieces is copied together.
#[derive(Debug, Clone)]
pub struct Chunker<C> {
    cut: C,
    /// Pieces that the current chunk begins with, each looked at already.
    begun: Vec<Bytes>,
    /// Pieces not looked at yet.
    fresh: VecDeque<Bytes>,
}

/// A chunker that cuts after every so many bytes.
pub type FixedChunker = Chunker<Fixed>;

impl FixedChunker {
    /// Chunks of `size` bytes, but for the last.
    pub fn with_size(size: usize) -> Self {
        Self::new(Fixed::new(size))
    }
}

impl Chunker<Cutter> {
    /// A chunker that cuts as `chunking` says.
    pub fn of(chunking: Chunking) -> Self {
        Self::new(Cutter::new(chunking))
    }
}

impl<C: Cut> Chunker<C> {
    /// A chunker that cuts where `cut` says.
    pub const fn new(cut: C) -> Self {
        Self { cut, begun: Vec::new(), fresh: VecDeque::new() }
    }

    /// Adds bytes. Take the chunks with [`next_chunk`](Self::next_chunk) before adding more.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.fresh.push_back(bytes);
        }
    }

    /// The next whole chunk, if there is one already.
    pub fn next_chunk(&mut self) -> Option<Bytes> {
        while let Some(mut piece) = self.fresh.pop_front() {
            let Some(end) = self.cut.cut(&piece) else {
                self.begun.push(piece);
                continue;
            };
            let last = piece.split_to(end.clamp(1, piece.len()));
            if !piece.is_empty() {
                self.fresh.push_front(piece);
            }
            self.begun.push(last);
            return self.take();
        }
        None
    }

    /// Ends the input: what is left over, if anything. Take all whole chunks before.
    pub fn finish(mut self) -> Option<Bytes> {
        self.begun.extend(std::mem::take(&mut self.fresh));
        self.take()
    }

    fn take(&mut self) -> Option<Bytes> {
        if self.begun.len() < 2 {
            return self.begun.pop();
        }
        let mut chunk = BytesMut::with_capacity(self.begun.iter().map(Bytes::len).sum());
        self.begun.drain(..).for_each(|piece| chunk.extend_from_slice(&piece));
        Some(chunk.freeze())
    }
}
