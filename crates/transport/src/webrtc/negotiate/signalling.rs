//! The signalling stream.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt, FutureExt, future::select};
use futures_timer::Delay;

use super::NegotiationError;
use crate::webrtc::signal::{Decoder, Message, Negotiation, SignalError};

/// How long the other side may take to close its half of the stream when all is done.
const FAREWELL: Duration = Duration::from_secs(3);

/// A signalling stream, read message by message.
#[derive(Debug)]
pub(crate) struct Signalling<S = libp2p::Stream> {
    stream: S,
    decoder: Decoder,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Signalling<S> {
    pub(in crate::webrtc) fn new(stream: S) -> Self {
        Self { stream, decoder: Decoder::default() }
    }

    /// Reads the offer that an inbound stream begins with: its text, and whether its sender
    /// settles ties.
    pub(in crate::webrtc) async fn offer(&mut self) -> Result<(String, bool), NegotiationError> {
        match poll_fn(|cx| self.poll_message(cx)).await? {
            Some(Message::Offer { sdp, settles_ties }) => Ok((sdp, settles_ties)),
            Some(other) => match Negotiation::answer().handle(other) {
                Err(error) => Err(error.into()),
                // a candidate ahead of every description belongs to nothing
                Ok(_) => {
                    let error =
                        SignalError::OutOfOrder { came: "a candidate", expected: "an offer" };
                    Err(error.into())
                }
            },
            None => Err(SignalError::Ended.into()),
        }
    }

    /// Closes the stream once both sides have said all.
    pub(in crate::webrtc) async fn farewell(mut self) {
        let both = async {
            let _ = self.stream.close().await;
            while let Ok(Some(_)) = poll_fn(|cx| self.poll_message(cx)).await {}
        };
        select(both.boxed_local(), Delay::new(FAREWELL)).await;
    }

    /// Waits for the other side to close the stream, then closes it too.
    pub(in crate::webrtc) async fn await_farewell(mut self) {
        let both = async {
            while let Ok(Some(_)) = poll_fn(|cx| self.poll_message(cx)).await {}
            let _ = self.stream.close().await;
        };
        select(both.boxed_local(), Delay::new(FAREWELL)).await;
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next message; `None` at the end of the stream.
    pub(super) fn poll_message(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, NegotiationError>> {
        // what comes behind one message stays small, so that the decoder does
        let mut bytes = [0; 2048];
        loop {
            if let Some(message) = self.decoder.message().map_err(SignalError::from)? {
                return Poll::Ready(Ok(Some(message)));
            }
            match futures::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut bytes))? {
                0 => return Poll::Ready(Ok(None)),
                read => self.decoder.feed(&bytes[..read]),
            }
        }
    }
}
