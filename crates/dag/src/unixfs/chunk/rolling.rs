//! Cuts that follow the content: a hash of the last few bytes says where.

use super::Cut;

/// A hash of the last `W` bytes that a byte enters and another one leaves.
pub trait Roll<const W: usize> {
    type State: Copy;

    /// The hash of `W` zeros.
    const ZEROS: Self::State;

    /// The hash after `new` came in and `old`, which came in `W` bytes before, went out.
    fn slide(&self, state: Self::State, old: u8, new: u8) -> Self::State;

    /// Whether a chunk ends after the bytes of this hash.
    fn is_end(&self, state: Self::State) -> bool;

    /// Slides over all of `bytes`, whose first `W` came in before, up to an end. Gives the state
    /// there and, where there is an end, how many of `bytes` it comes after.
    fn scan(&self, state: Self::State, bytes: &[u8]) -> (Self::State, Option<usize>) {
        one_by_one(self, state, bytes)
    }
}

/// [`Roll::scan`], in the plainest way.
pub fn one_by_one<H: Roll<W> + ?Sized, const W: usize>(
    hash: &H,
    mut state: H::State,
    bytes: &[u8],
) -> (H::State, Option<usize>) {
    for (at, (&old, &new)) in bytes.iter().zip(&bytes[W..]).enumerate() {
        state = hash.slide(state, old, new);
        if hash.is_end(state) {
            return (state, Some(W + at + 1));
        }
    }
    (state, None)
}

/// Ends a chunk of `min` bytes or more where the hash of its last `W` bytes says so, and at `max`
/// bytes whatever it says.
#[derive(Debug, Clone)]
pub struct Rolling<H: Roll<W>, const W: usize> {
    hash: H,
    /// `W` or more.
    min: usize,
    max: usize,
    /// Bytes of the current chunk that were looked at; below `max`.
    seen: usize,
    state: H::State,
    /// The last of them, each at its place in the chunk modulo `W`.
    window: [u8; W],
}

impl<H: Roll<W>, const W: usize> Rolling<H, W> {
    pub(super) fn with(hash: H, min: usize, max: usize) -> Self {
        let min = min.max(W);
        Self { hash, min, max: max.max(min), seen: 0, state: H::ZEROS, window: [0; W] }
    }

    /// Looks at so many of `bytes` that all of the window lies in them afterwards.
    fn begin(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &new) in bytes.iter().enumerate().take(W) {
            let old = std::mem::replace(&mut self.window[self.seen % W], new);
            self.state = self.hash.slide(self.state, old, new);
            self.seen += 1;
            let ends = self.seen >= self.min && self.hash.is_end(self.state);
            if ends || self.seen == self.max {
                return Some(at + 1);
            }
        }
        None
    }

    /// Goes on behind the first `W` of `bytes`, which were looked at.
    fn go_on(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = bytes.len().min(W + self.max - self.seen);
        let bytes = &bytes[..end];
        let (state, found) = self.hash.scan(self.state, bytes);
        self.seen += end - W;
        if found.is_some() || self.seen == self.max {
            return found.or(Some(end));
        }
        self.state = state;
        for (at, byte) in (self.seen - W..self.seen).zip(&bytes[end - W..]) {
            self.window[at % W] = *byte;
        }
        None
    }
}

impl<H: Roll<W>, const W: usize> Cut for Rolling<H, W> {
    fn cut(&mut self, bytes: &[u8]) -> Option<usize> {
        // what no window of a possible end covers is not looked at
        let skipped = (self.min - W).saturating_sub(self.seen).min(bytes.len());
        self.seen += skipped;
        let rest = &bytes[skipped..];
        let mut end = self.begin(rest);
        if end.is_none() && rest.len() > W {
            end = self.go_on(rest);
        }
        let end = skipped + end?;
        (self.seen, self.state, self.window) = (0, H::ZEROS, [0; W]);
        Some(end)
    }
}
