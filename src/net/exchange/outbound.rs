//! One outbound Bitswap stream: messages written one at a time, the stream opened when one is there and kept.

use bytes::{Buf, Bytes};
use futures::AsyncWrite;
use libp2p::Stream;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

/// After so many bytes it is told that a message moves: a slow link must not look like a stuck one.
const TELL: usize = 128 * 1024;

/// What a poll led to.
pub enum Step {
    /// A stream is needed: answered by `opened` or `refused`.
    Open,
    /// The message moves.
    Sending,
    /// It was taken by the transport.
    Sent,
    /// It was not: the stream broke.
    Failed(io::Error),
}

enum State {
    Closed,
    Opening,
    Idle(Stream),
    Writing { stream: Stream, left: Bytes, untold: usize },
    Flushing(Stream),
}

/// See the module.
pub struct Outbound {
    state: State,
    /// The message that waits for the stream.
    message: Option<Bytes>,
}

impl Outbound {
    /// Nothing to write and no stream yet.
    pub fn new() -> Self {
        Self { state: State::Closed, message: None }
    }

    /// Takes a message. The one before has been sent or has failed.
    pub fn send(&mut self, message: Bytes) {
        self.message = Some(message);
    }

    /// The stream that was asked for.
    pub fn opened(&mut self, stream: Stream) {
        self.state = State::Idle(stream);
    }

    /// There is no stream to be had. Whether a message was waiting for it.
    pub fn refused(&mut self) -> bool {
        self.state = State::Closed;
        self.message.take().is_some()
    }

    /// Moves the message towards the wire.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            match std::mem::replace(&mut self.state, State::Closed) {
                State::Closed if self.message.is_some() => {
                    self.state = State::Opening;
                    return Poll::Ready(Step::Open);
                }
                State::Closed => return Poll::Pending,
                State::Opening => {
                    self.state = State::Opening;
                    return Poll::Pending;
                }
                State::Idle(stream) => match self.message.take() {
                    Some(left) => self.state = State::Writing { stream, left, untold: 0 },
                    None => {
                        self.state = State::Idle(stream);
                        return Poll::Pending;
                    }
                },
                State::Writing { stream, left, .. } if left.is_empty() => {
                    self.state = State::Flushing(stream);
                }
                State::Writing { mut stream, mut left, mut untold } => {
                    match Pin::new(&mut stream).poll_write(cx, &left) {
                        Poll::Ready(Ok(0)) => {
                            return Poll::Ready(Step::Failed(io::ErrorKind::WriteZero.into()));
                        }
                        Poll::Ready(Ok(written)) => {
                            left.advance(written);
                            untold += written;
                            let tell = untold >= TELL;
                            untold = if tell { 0 } else { untold };
                            self.state = State::Writing { stream, left, untold };
                            if tell {
                                return Poll::Ready(Step::Sending);
                            }
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Step::Failed(error)),
                        Poll::Pending => {
                            self.state = State::Writing { stream, left, untold };
                            return Poll::Pending;
                        }
                    }
                }
                State::Flushing(mut stream) => match Pin::new(&mut stream).poll_flush(cx) {
                    Poll::Ready(Ok(())) => {
                        self.state = State::Idle(stream);
                        return Poll::Ready(Step::Sent);
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Step::Failed(error)),
                    Poll::Pending => {
                        self.state = State::Flushing(stream);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}
