//! One inbound Bitswap stream: bytes in, whole messages out, within a bound and a deadline.

use super::super::timer::Timer;
use avocet_bitswap::wire::{self, Message};
use bytes::{Buf, BytesMut};
use futures::AsyncRead;
use libp2p::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// Bytes asked of the stream at first: most messages are wants, and small.
const FIRST_READ: usize = 4 * 1024;
/// The time that any message has (Helia gives a whole exchange 10 s; a tab in the background is slower).
const MESSAGE_TIME: Duration = Duration::from_secs(30);
/// Whoever sends slower than this holds a stream and a buffer for nothing (bs-08).
const LEAST_BYTES_A_SECOND: u64 = 4 * 1024;

/// What became of a read.
pub enum Event {
    /// A whole message.
    Message(Message),
    /// That many bytes of a message that is still under way.
    Receiving(usize),
    /// The stream broke, or carried what is no message: it is to be dropped.
    Failed {
        /// Why.
        fault: Fault,
        /// Bytes of the message under way that were told by `Receiving`.
        told: usize,
    },
}

/// Why an inbound stream was dropped.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The transport's word.
    #[error("the stream broke: {0}")]
    Io(#[from] std::io::Error),
    /// Not the wire format, or past its limits.
    #[error("not a Bitswap message: {0}")]
    Wire(#[from] wire::DecodeError),
    /// The stream ended inside a message.
    #[error("the stream ended {0} bytes into a message")]
    Truncated(usize),
    /// The deadline passed.
    #[error("a message of {0} bytes took too long")]
    TooSlow(usize),
}

/// An inbound stream and the part of a message that it has brought so far.
pub struct Inbound<S = Stream> {
    stream: S,
    /// What has come, and behind it zeros to read into.
    buffer: BytesMut,
    /// How much of the buffer has come.
    filled: usize,
    /// Length of the message under way, once its prefix is in.
    length: Option<usize>,
    /// Whole messages so far.
    messages: u64,
    /// Whether one of them asked for something.
    asked: bool,
    /// Runs while a message is under way.
    deadline: Option<Timer>,
    /// Bytes of the message under way that were read, and of these, told.
    read: usize,
    told: usize,
}

impl<S: AsyncRead + Unpin> Inbound<S> {
    /// Reads messages from `stream`.
    pub fn new(stream: S) -> Self {
        let buffer = BytesMut::new();
        let (length, deadline) = (None, None);
        Self {
            stream,
            buffer,
            filled: 0,
            length,
            messages: 0,
            asked: false,
            deadline,
            read: 0,
            told: 0,
        }
    }

    /// Whether it is between two messages, as far as it was read.
    pub fn is_idle(&self) -> bool {
        self.length.is_none() && self.filled == 0
    }

    /// Whether it rests after a single message that asked for nothing, as one does that was opened for that message and
    /// left half closed.
    pub fn is_spent(&self) -> bool {
        self.is_idle() && self.messages == 1 && !self.asked
    }

    /// The next event; `None` when the stream ended between two messages. After that, and after `Failed`, it must be
    /// dropped.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        match self.poll_message(cx) {
            Poll::Ready(Ok(Some(message))) => Poll::Ready(Some(Event::Message(message))),
            Poll::Ready(Ok(None)) => Poll::Ready(None),
            Poll::Ready(Err(fault)) => Poll::Ready(Some(Event::Failed { fault, told: self.told })),
            Poll::Pending if self.read > self.told => {
                let news = self.read - self.told;
                self.told = self.read;
                Poll::Ready(Some(Event::Receiving(news)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Fault>> {
        loop {
            if let Some(message) = self.take_message()? {
                return Poll::Ready(Ok(Some(message)));
            }
            if let Some(deadline) = &mut self.deadline
                && deadline.poll(cx).is_ready()
            {
                return Poll::Ready(Err(Fault::TooSlow(self.length.unwrap_or_default())));
            }
            let read = ready!(self.poll_read(cx))?;
            if read == 0 {
                return Poll::Ready(match self.is_idle() {
                    true => Ok(None),
                    false => Err(Fault::Truncated(self.filled)),
                });
            }
            self.read += read;
        }
    }

    /// The message at the front of the buffer, when it is whole.
    fn take_message(&mut self) -> Result<Option<Message>, Fault> {
        if self.length.is_none()
            && let Some((length, prefix)) = wire::read_length(self.come())?
        {
            self.buffer.advance(prefix);
            self.filled -= prefix;
            self.length = Some(length);
            self.deadline = None;
        }
        if self.deadline.is_none() && !self.is_idle() {
            let length = self.length.unwrap_or_default() as u64;
            let moving = Duration::from_secs(length / LEAST_BYTES_A_SECOND);
            self.deadline = Some(Timer::after(MESSAGE_TIME + moving));
        }
        match self.length {
            Some(length) if self.filled >= length => {
                let bytes = self.buffer.split_to(length).freeze();
                self.filled -= length;
                // What is left shares the message's memory, and would keep it.
                self.buffer = BytesMut::from(self.come());
                (self.length, self.deadline) = (None, None);
                self.messages += 1;
                // What was told of the message is said again as a whole by its size; the rest is the next one's.
                (self.read, self.told) = (self.filled, 0);
                let message = wire::decode(bytes)?;
                self.asked |= !message.wants.is_empty();
                Ok(Some(message))
            }
            _ => Ok(None),
        }
    }

    /// What has come of the message under way, or of its prefix.
    fn come(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Appends what the stream has; the buffer doubles as bytes arrive, whatever a prefix claims.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if self.buffer.len() == self.filled {
            let room = match self.length {
                Some(length) => (length - self.filled).min(self.filled.max(FIRST_READ)),
                None => FIRST_READ,
            };
            self.buffer.resize(self.filled + room, 0);
        }
        let target = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, target))?;
        self.filled += read;
        Poll::Ready(Ok(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avocet_bitswap::wire::Outgoing;
    use avocet_dag::{Block, Version, code};
    use bytes::Bytes;

    /// Gives what was written in pieces, and says that there is no more for now after each.
    struct Pieces(Vec<Vec<u8>>, bool);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<std::io::Result<usize>> {
            self.1 = !self.1;
            if self.1 {
                return Poll::Pending;
            }
            let Some(piece) = self.0.first_mut() else { return Poll::Ready(Ok(0)) };
            let take = piece.len().min(buf.len());
            buf[..take].copy_from_slice(&piece[..take]);
            piece.drain(..take);
            if piece.is_empty() {
                self.0.remove(0);
            }
            Poll::Ready(Ok(take))
        }
    }

    fn message(sizes: &[usize]) -> Vec<u8> {
        let block = |size: &usize| {
            let bytes = Bytes::from(vec![7; *size]);
            Block::hash(Version::V1, code::RAW, code::SHA2_256, bytes).unwrap()
        };
        let blocks = sizes.iter().map(block).collect();
        wire::encode(&Outgoing { blocks, ..Outgoing::default() }).unwrap()
    }

    /// The sizes of the blocks of each message, and the bytes told as under way.
    fn read(pieces: Vec<Vec<u8>>) -> (Vec<Vec<usize>>, usize, bool) {
        let mut inbound = Inbound::new(Pieces(pieces, false));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let (mut messages, mut told) = (Vec::new(), 0);
        loop {
            match inbound.poll(&mut cx) {
                Poll::Ready(Some(Event::Message(message))) => {
                    messages.push(message.blocks.iter().map(|raw| raw.data.len()).collect());
                }
                Poll::Ready(Some(Event::Receiving(bytes))) => told += bytes,
                Poll::Ready(None) => return (messages, told, inbound.is_idle()),
                Poll::Ready(Some(Event::Failed { fault, .. })) => panic!("{fault}"),
                Poll::Pending => {}
            }
        }
    }

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let wire = [message(&[]), message(&[10]), message(&[300, 5000]), message(&[1])].concat();
        let whole: Vec<Vec<usize>> = vec![vec![], vec![10], vec![300, 5000], vec![1]];
        for cut in 0..=wire.len() {
            let (front, back) = wire.split_at(cut);
            let pieces = [front, back].map(<[u8]>::to_vec);
            let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
            let (messages, _, idle) = read(pieces);
            assert_eq!((messages, idle), (whole.clone(), true), "cut at {cut}");
        }
    }

    #[test]
    fn large_messages_grow_with_what_comes() {
        let wire = [message(&[1 << 20]), message(&[1 << 20, 1 << 19]), message(&[2])].concat();
        for size in [1000, 16 * 1024, 128 * 1024, 1 << 20, wire.len()] {
            let (messages, told, idle) = read(wire.chunks(size).map(<[u8]>::to_vec).collect());
            assert_eq!(messages, [vec![1 << 20], vec![1 << 20, 1 << 19], vec![2]]);
            assert!(idle && told <= wire.len(), "{told} of {} bytes told", wire.len());
        }
    }

    #[test]
    fn a_stream_that_ends_behind_a_prefix_broke_off() {
        let prefix = message(&[300]).into_iter().take(2).collect();
        let mut inbound = Inbound::new(Pieces(vec![prefix], false));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let ended = loop {
            match inbound.poll(&mut cx) {
                Poll::Ready(Some(Event::Receiving(_))) | Poll::Pending => {}
                Poll::Ready(other) => break other,
            }
        };
        let broke_off = |fault: &Fault| matches!(fault, Fault::Truncated(0));
        assert!(matches!(ended, Some(Event::Failed { fault, told: 2 }) if broke_off(&fault)));
    }
}
