//! Where a stream stands.

use std::{collections::VecDeque, io, task::Waker, time::Duration};

use web_time::Instant;

use super::MAX_UNREAD;
use crate::{
    queue::{ByteQueue, CHUNK_COST},
    webrtc::{
        closing::{Closing, Write},
        flow::Window,
        framing::{Decoder, Filling, PAYLOAD},
    },
};

/// Unread bytes for which a reader is woken while full frames come: eight of them. Each wake-up
/// runs through the connection and the swarm, which costs more than the frame.
const GATHER: usize = 8 * PAYLOAD;

/// The longest that full frames gather: the next one on a path of 3 MB/s has come by then.
pub(super) const GATHERING: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) closing: Closing,
    pub(super) decoder: Decoder,
    pub(super) unread: ByteQueue,
    pub(super) filling: Filling,
    /// Full and flushed frames that the window holds back.
    pub(super) waiting: Waiting,
    pub(super) window: Window,
    /// Whether something that was written will never go: then nothing can be written any more.
    pub(super) cut: bool,
    /// Bytes of payload that have come.
    pub(super) received: u64,
    /// Whether the other side asked how many, and was not answered yet.
    pub(super) asked: bool,
    /// Why the stream broke, when we know better than "reset".
    pub(super) fault: Option<Fault>,
    /// The owner is gone: what comes is thrown away.
    pub(super) left: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    pub(super) lingerer: Option<Waker>,
    /// Whether the channel takes bytes, as its events say: asking the browser costs a string.
    pub(super) open: bool,
    /// Since when frames gather, while a timer runs that wakes the reader for them.
    pub(super) gathering: Option<Instant>,
}

/// Frames that wait for their turn, in order; [`Core::room`](super::Core::room) bounds them.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    frames: VecDeque<Filling>,
    /// Payload of `frames`.
    bytes: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, frame: Filling) {
        self.bytes += frame.payload_len();
        self.frames.push_back(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Filling> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.payload_len();
        Some(frame)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// In bytes, and [`CHUNK_COST`] for each frame.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.frames.len() * CHUNK_COST
    }
}

/// When the reader hears of a full frame.
pub(super) enum Waking {
    /// At once.
    Now,
    /// By a timer that has still to be set, for [`GATHERING`].
    Later,
    /// By the timer that runs.
    Awaited,
}

/// What we found wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0}")]
    Frame(String),
    #[error("a text message on a channel for bytes")]
    Text,
    #[error("more than {MAX_UNREAD} bytes unread on the stream, or its connection's bound reached")]
    Unread,
}

impl State {
    pub(super) fn writable(&self) -> io::Result<()> {
        match self.closing.write() {
            Write::Open => Ok(()),
            Write::Finishing | Write::Finished => Err(io::ErrorKind::WriteZero.into()),
            Write::Refused => Err(io::ErrorKind::BrokenPipe.into()),
            Write::Broken => Err(self.broken()),
        }
    }

    /// What was written and has not gone will not go.
    pub(super) fn end_writing(&mut self) {
        self.cut |= !self.waiting.is_empty() || !self.filling.is_empty();
        self.waiting = Waiting::default();
        self.filling = Filling::default();
    }

    pub(super) fn broken(&self) -> io::Error {
        match &self.fault {
            Some(fault) => io::Error::new(io::ErrorKind::InvalidData, fault.clone()),
            None => io::ErrorKind::ConnectionReset.into(),
        }
    }

    /// A full frame came, so that more are on their way: they are read together, not one by one.
    pub(super) fn gather(&mut self, now: Instant) -> Waking {
        if self.unread.cost() >= GATHER {
            return Waking::Now;
        }
        match self.gathering {
            None => {
                self.gathering = Some(now);
                Waking::Later
            }
            Some(since) if now.duration_since(since) < GATHERING => Waking::Awaited,
            // A hidden tab's timer is late.
            Some(_) => {
                self.gathering = Some(now);
                Waking::Now
            }
        }
    }

    pub(super) fn wakers(&mut self) -> [Option<Waker>; 3] {
        [self.reader.take(), self.writer.take(), self.lingerer.take()]
    }
}
