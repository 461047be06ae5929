//! The inbound streams of one connection: how many there may be, and which of them are read.

use super::inbound::{Event, Inbound};
use futures::AsyncRead;
use libp2p::Stream;
use std::task::{Context, Poll};

/// Inbound streams of one peer (bs-09). One is all that a peer needs, but Kubo opens one for each message, and as many
/// wait to be read as messages are on their way: the 8 MiB that are asked of a peer ahead, in blocks of 64 KiB.
const MAX_STREAMS: usize = 128;
/// Of these, those in the middle of a message, each of which may hold one of 4 MiB; the others are not read meanwhile.
const MAX_BEGUN: usize = 16;

/// See the module.
pub struct Streams<S = Stream> {
    all: Vec<Inbound<S>>,
}

impl<S: AsyncRead + Unpin> Streams<S> {
    /// None yet.
    pub fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// Takes a stream that the peer opened.
    ///
    /// Where there are too many, one that served its single message makes way; else the new one is refused. Never one
    /// by which more came, nor one that was not read yet: Kubo, by WebRTC, does not notice that a stream which it only
    /// writes to was reset, and would ask by it for ever.
    pub fn accept(&mut self, stream: S) {
        let full = self.all.len() >= MAX_STREAMS;
        let spent = self.all.iter().position(Inbound::is_spent);
        if let (true, Some(at)) = (full, spent) {
            drop(self.all.remove(at));
        }
        if self.all.len() < MAX_STREAMS {
            self.all.push(Inbound::new(stream));
        }
    }

    /// What the next stream brings that brings anything. Streams that end or fail are dropped; `Ended` is not told.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut begun = self.all.iter().filter(|stream| !stream.is_idle()).count();
        let mut index = 0;
        while let Some(stream) = self.all.get_mut(index) {
            let rested = stream.is_idle();
            if rested && begun >= MAX_BEGUN {
                index += 1;
                continue;
            }
            match stream.poll(cx) {
                Poll::Pending => {
                    begun += usize::from(rested && !stream.is_idle());
                    index += 1;
                }
                Poll::Ready(Event::Ended) => drop(self.all.swap_remove(index)),
                Poll::Ready(event) => {
                    if matches!(event, Event::Failed { .. }) {
                        drop(self.all.swap_remove(index));
                    }
                    return Poll::Ready(event);
                }
            }
        }
        Poll::Pending
    }
}
