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

/// Bytes asked of the stream while no message is under way: most are wants, and small.
const FIRST_READ: usize = 4 * 1024;
/// Bytes asked of it at least for a message: eight frames of a data channel (16 KiB each), as it gathers them.
const READ: usize = 128 * 1024;
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
    /// The stream ended between two messages.
    Ended,
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
pub struct Inbound {
    stream: Stream,
    /// What has come, and behind it zeros to read into.
    buffer: BytesMut,
    /// How much of the buffer has come.
    filled: usize,
    /// Length of the message under way, once its prefix is in.
    length: Option<usize>,
    /// Runs while a message is under way.
    deadline: Option<Timer>,
    /// Bytes of the message under way that were read, and of these, told.
    read: usize,
    told: usize,
}

impl Inbound {
    /// Reads messages from `stream`.
    pub fn new(stream: Stream) -> Self {
        let buffer = BytesMut::new();
        Self { stream, buffer, filled: 0, length: None, deadline: None, read: 0, told: 0 }
    }

    /// Whether it is between two messages, as far as it was read.
    pub fn is_idle(&self) -> bool {
        self.length.is_none() && self.filled == 0
    }

    /// The next event. After `Ended` or `Failed` the stream must be dropped.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        match self.poll_message(cx) {
            Poll::Ready(Ok(Some(message))) => Poll::Ready(Event::Message(message)),
            Poll::Ready(Ok(None)) => Poll::Ready(Event::Ended),
            Poll::Ready(Err(fault)) => Poll::Ready(Event::Failed { fault, told: self.told }),
            Poll::Pending if self.read > self.told => {
                let news = self.read - self.told;
                self.told = self.read;
                Poll::Ready(Event::Receiving(news))
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
                return Poll::Ready(match self.filled {
                    0 => Ok(None),
                    partial => Err(Fault::Truncated(partial)),
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
                // What was told of the message is said again as a whole by its size; the rest is the next one's.
                (self.read, self.told) = (self.filled, 0);
                Ok(Some(wire::decode(bytes)?))
            }
            _ => Ok(None),
        }
    }

    /// What has come of the message under way, or of its prefix.
    fn come(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Appends what the stream has; the buffer grows by what arrives, never by what a prefix claims.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
        if self.buffer.len() == self.filled {
            let room = match self.length {
                Some(length) => (length - self.filled).min(self.filled.max(READ)),
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
