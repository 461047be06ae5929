//! The bytes of an archive that were pushed and not yet read.

use std::collections::VecDeque;

use crate::{Payload, varint};

/// Pieces one after another.
#[derive(Debug)]
pub(super) struct Pieces<B> {
    queue: VecDeque<B>,
    /// How many bytes there are.
    pub len: usize,
    /// Where in the archive they begin.
    pub at: u64,
    /// The first of them, as far as [`look`](Self::look) was told to look.
    pub seen: Vec<u8>,
}

impl<B: Payload> Pieces<B> {
    pub const fn new() -> Self {
        Self { queue: VecDeque::new(), len: 0, at: 0, seen: Vec::new() }
    }

    pub fn push(&mut self, piece: B) {
        self.len += piece.len();
        self.queue.push_back(piece);
    }

    /// Drops all that is held; where it ended is still known.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.at += self.len as u64;
        self.len = 0;
    }

    /// Copies the first bytes, `most` if there are as many, to `seen`. `None`: they are in memory
    /// that cannot be read.
    pub fn look(&mut self, most: usize) -> Option<()> {
        self.seen.clear();
        for piece in &self.queue {
            let wanted = most - self.seen.len();
            if wanted == 0 {
                break;
            }
            if !piece.copy_to(0..wanted.min(piece.len()), &mut self.seen) {
                return None;
            }
        }
        Some(())
    }

    /// How many bytes the part takes that begins with the length that was looked at: one more than
    /// there are, where not even that is known.
    pub fn need(&self) -> u64 {
        match varint::read(&self.seen) {
            Ok((len, used)) => len.saturating_add(used as u64),
            Err(_) => self.len as u64 + 1,
        }
    }

    /// Passes over as many bytes, which are there.
    pub fn skip(&mut self, mut len: usize) {
        self.len -= len;
        self.at += len as u64;
        while let Some(piece) = self.queue.front_mut() {
            if len < piece.len() {
                *piece = piece.slice(len..piece.len());
                return;
            }
            len -= piece.len();
            self.queue.pop_front();
        }
    }

    /// The next bytes, which are there, in one piece. `None`: they lie in several, in memory that
    /// cannot be read.
    pub fn take(&mut self, len: usize) -> Option<B> {
        let mut parts: Vec<B> = Vec::new();
        let mut left = len;
        for piece in &self.queue {
            let part = left.min(piece.len());
            parts.push(piece.slice(0..part));
            left -= part;
            if left == 0 {
                break;
            }
        }
        self.skip(len);
        if parts.len() == 1 { parts.pop() } else { B::join(&parts) }
    }
}
