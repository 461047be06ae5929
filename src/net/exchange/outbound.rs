//! One outbound Bitswap stream: messages written one at a time, the stream opened when one is there and kept.

use bytes::{Buf, Bytes};
use futures::AsyncWrite;
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

enum State<S> {
    Closed,
    Opening,
    Idle(S),
    /// `rested`: the stream lay idle before, and nothing of this message is written yet.
    Writing {
        stream: S,
        left: Bytes,
        untold: usize,
        rested: bool,
    },
    Flushing(S),
}

/// See the module.
pub struct Outbound<S> {
    state: State<S>,
    /// The message that waits for the stream.
    message: Option<Bytes>,
}

impl<S: AsyncWrite + Unpin> Outbound<S> {
    /// Nothing to write and no stream yet.
    pub fn new() -> Self {
        Self { state: State::Closed, message: None }
    }

    /// Takes a message. The one before has been sent or has failed.
    pub fn send(&mut self, message: Bytes) {
        self.message = Some(message);
    }

    /// The stream that was asked for, for the message that waits.
    pub fn opened(&mut self, stream: S) {
        let left = self.message.take().unwrap_or_default();
        self.state = State::Writing { stream, left, untold: 0, rested: false };
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
                    Some(left) => {
                        self.state = State::Writing { stream, left, untold: 0, rested: true };
                    }
                    None => {
                        self.state = State::Idle(stream);
                        return Poll::Pending;
                    }
                },
                State::Writing { stream, left, .. } if left.is_empty() => {
                    self.state = State::Flushing(stream);
                }
                State::Writing { mut stream, left, untold, rested } => {
                    match Pin::new(&mut stream).poll_write(cx, &left) {
                        Poll::Ready(Ok(0)) => {
                            return Poll::Ready(Step::Failed(io::ErrorKind::WriteZero.into()));
                        }
                        Poll::Ready(Ok(written)) => {
                            if self.wrote(stream, left, untold, written) {
                                return Poll::Ready(Step::Sending);
                            }
                        }
                        // Helia resets a stream 10 s after its last message: that is no failure, a new one will do.
                        Poll::Ready(Err(_)) if rested => self.message = Some(left),
                        Poll::Ready(Err(error)) => return Poll::Ready(Step::Failed(error)),
                        Poll::Pending => {
                            self.state = State::Writing { stream, left, untold, rested };
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

    /// So many more bytes are out. Whether that is to be told.
    fn wrote(&mut self, stream: S, mut left: Bytes, untold: usize, written: usize) -> bool {
        left.advance(written);
        let tell = untold + written >= TELL;
        let untold = if tell { 0 } else { untold + written };
        self.state = State::Writing { stream, left, untold, rested: false };
        tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::task::noop_waker;
    use std::{cell::RefCell, rc::Rc};

    /// The other end of a stream: what came out, and after how many bytes it breaks.
    #[derive(Clone, Default)]
    struct Pipe(Rc<RefCell<(Vec<u8>, Option<usize>)>>);

    impl AsyncWrite for Pipe {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let (out, breaks) = &mut *self.0.borrow_mut();
            let room = breaks.map_or(usize::MAX, |breaks| breaks - out.len());
            if room == 0 {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let taken = bytes.len().min(room);
            out.extend(bytes.iter().take(taken));
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn step(outbound: &mut Outbound<Pipe>) -> Poll<Step> {
        outbound.poll(&mut Context::from_waker(&noop_waker()))
    }

    /// An outbound that has sent "one", and the other end.
    fn used() -> (Outbound<Pipe>, Pipe) {
        let (mut outbound, pipe) = (Outbound::new(), Pipe::default());
        outbound.send(Bytes::from_static(b"one"));
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Open)));
        outbound.opened(pipe.clone());
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Sent)));
        assert!(step(&mut outbound).is_pending());
        (outbound, pipe)
    }

    #[test]
    fn a_stream_is_kept_for_the_next_message() {
        let (mut outbound, pipe) = used();
        outbound.send(Bytes::from_static(b"two"));
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Sent)));
        assert_eq!(pipe.0.borrow().0, b"onetwo");
    }

    #[test]
    fn a_stream_that_was_reset_while_it_rested_is_replaced_at_once() {
        let (mut outbound, pipe) = used();
        pipe.0.borrow_mut().1 = Some(3);
        outbound.send(Bytes::from_static(b"two"));
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Open)));
        let other = Pipe::default();
        outbound.opened(other.clone());
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Sent)));
        assert_eq!(other.0.borrow().0, b"two");
    }

    #[test]
    fn a_break_within_a_message_or_on_a_new_stream_is_a_failure() {
        let (mut outbound, pipe) = used();
        pipe.0.borrow_mut().1 = Some(4);
        outbound.send(Bytes::from_static(b"two"));
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Failed(_))));

        outbound.send(Bytes::from_static(b"three"));
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Open)));
        let broken = Pipe::default();
        broken.0.borrow_mut().1 = Some(0);
        outbound.opened(broken);
        assert!(matches!(step(&mut outbound), Poll::Ready(Step::Failed(_))));
    }
}
