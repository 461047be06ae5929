//! Received bytes that nobody has read yet.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// What a chunk costs beside its bytes: its place in the queue and its allocation. Without it, a
/// sender of single bytes could hold a hundred times the bound.
pub const CHUNK_COST: usize = 64;

/// A queue of bytes, taken in as chunks and read out in any portions.
#[derive(Debug, Default)]
pub struct ByteQueue {
    chunks: VecDeque<Bytes>,
    /// Sum over `chunks` of what each was charged when it came in.
    cost: usize,
}

impl ByteQueue {
    /// Appends a chunk, unless the queue's cost would pass `limit`; then nothing is taken and the
    /// answer is false. An empty chunk is taken without a trace.
    #[must_use]
    pub fn push(&mut self, chunk: Bytes, limit: usize) -> bool {
        if chunk.is_empty() {
            return true;
        }
        let cost = chunk.len() + CHUNK_COST;
        if self.cost + cost > limit {
            return false;
        }
        self.cost += cost;
        self.chunks.push_back(chunk);
        true
    }

    /// Moves as many bytes as there are, and as `buf` holds, into `buf`; says how many.
    pub fn read(&mut self, buf: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buf.len() {
            let Some(chunk) = self.chunks.front_mut() else { break };
            let take = chunk.len().min(buf.len() - filled);
            chunk.copy_to_slice(&mut buf[filled..filled + take]);
            filled += take;
            self.cost -= take;
            if chunk.is_empty() {
                self.chunks.pop_front();
                self.cost -= CHUNK_COST;
            }
        }
        filled
    }

    /// Throws everything away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// What is held, in bytes and [`CHUNK_COST`] for each chunk.
    pub fn cost(&self) -> usize {
        self.cost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_passes_the_limit_and_keeps_what_it_has() {
        let mut queue = ByteQueue::default();
        assert!(queue.push(Bytes::from_static(b"abc"), 200));
        assert!(!queue.push(Bytes::from(vec![0; 100]), 200));
        let mut buf = [0; 8];
        assert_eq!(queue.read(&mut buf), 3);
        assert_eq!(&buf[..3], b"abc");
        assert_eq!(queue.cost(), 0);
    }

    #[test]
    fn single_bytes_cannot_hold_more_than_the_limit() {
        let mut queue = ByteQueue::default();
        let taken = (0..1000).filter(|_| queue.push(Bytes::from_static(b"x"), 6500)).count();
        assert_eq!(taken, 100);
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            portion in 1usize..70,
        ) {
            let mut queue = ByteQueue::default();
            for chunk in &chunks {
                prop_assert!(queue.push(Bytes::from(chunk.clone()), usize::MAX));
            }
            let mut out = Vec::new();
            let mut buf = vec![0; portion];
            loop {
                let n = queue.read(&mut buf);
                if n == 0 { break }
                out.extend_from_slice(&buf[..n]);
            }
            prop_assert_eq!(out, chunks.concat());
            prop_assert!(queue.is_empty());
            prop_assert_eq!(queue.cost(), 0);
        }
    }
}
