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

    /// What the next stream brings that brings anything. Streams that end or fail are dropped.
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
                // Between two messages, so it was none of those that have begun.
                Poll::Ready(None) => drop(self.all.swap_remove(index)),
                Poll::Ready(Some(event)) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use avocet_bitswap::wire::{self, Outgoing};
    use avocet_dag::{Block, Version, code};
    use bytes::Bytes;
    use std::{cell::RefCell, pin::Pin, rc::Rc, task::Waker};

    /// What has come by a stream and was not read; more may come.
    #[derive(Clone, Default)]
    struct Wire(Rc<RefCell<Vec<u8>>>);

    impl AsyncRead for Wire {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<std::io::Result<usize>> {
            let mut bytes = self.0.borrow_mut();
            let take = bytes.len().min(buf.len());
            buf.iter_mut().zip(bytes.drain(..take)).for_each(|(to, byte)| *to = byte);
            if take == 0 { Poll::Pending } else { Poll::Ready(Ok(take)) }
        }
    }

    /// Polls until nothing is left to read: how many messages came.
    fn messages(streams: &mut Streams<Wire>) -> usize {
        let mut cx = Context::from_waker(Waker::noop());
        let mut messages = 0;
        while let Poll::Ready(event) = streams.poll(&mut cx) {
            messages += usize::from(matches!(event, Event::Message(_)));
        }
        messages
    }

    #[test]
    fn a_stream_waits_while_too_many_others_are_in_the_middle_of_a_message() {
        let block = Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::from(vec![7; 100]));
        let message = Outgoing { blocks: vec![block.unwrap()], ..Outgoing::default() };
        let whole = wire::encode(&message).unwrap();
        let (front, back) = whole.split_at(50);
        let mut streams = Streams::new();
        let mut open = |bytes: &[u8]| {
            let wire = Wire(Rc::new(RefCell::new(bytes.to_vec())));
            streams.accept(wire.clone());
            wire
        };
        let begun: Vec<_> = (0..MAX_BEGUN).map(|_| open(front)).collect();
        let last = open(&whole);
        assert_eq!(messages(&mut streams), 0);
        assert_eq!(last.0.borrow().len(), whole.len(), "it was not read");
        begun[3].0.borrow_mut().extend(back);
        assert_eq!(messages(&mut streams), 2);
        assert_eq!(last.0.borrow().len(), 0);
    }
}
