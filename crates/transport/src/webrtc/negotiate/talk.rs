//! One negotiation: what the stream, the browser and the rules say to each other.

use std::{future::poll_fn, task::Poll, time::Duration};

use futures::{AsyncRead, AsyncWrite, FutureExt, StreamExt, channel::mpsc};
use futures_timer::Delay;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{NegotiationError, signalling::Signalling};
use crate::{
    js::{CandidateEvent, Listener, PeerConnection, sdp_of},
    webrtc::{
        connection::Connection,
        signal::{Action, MAX_CANDIDATES, Message, Negotiation},
    },
};

/// How long the browsers may go on trying when the signalling stream has broken after the
/// descriptions: the candidates may all have come, but whoever failed resets the stream too.
const WITHOUT_SIGNALLING: Duration = Duration::from_secs(5);

/// A negotiation with its connection and what the browser finds for it.
pub(super) struct Talk {
    negotiation: Negotiation,
    pub(super) connection: Connection,
    /// Our own description, until it is set.
    local: JsValue,
    found: mpsc::Receiver<String>,
    _on_candidate: Listener,
}

/// What a negotiation waits for.
enum Next {
    Connected,
    Found(String),
    Came(Message),
    Ended,
}

impl Talk {
    pub(super) fn new(negotiation: Negotiation, connection: Connection) -> Self {
        let (mut finds, found) = mpsc::channel(MAX_CANDIDATES);
        let pc: &PeerConnection = connection.pc();
        let on_candidate = Listener::new(pc, "icecandidate", move |event: CandidateEvent| {
            if let Some(json) = event.json() {
                // one too many is one that the other side would refuse
                let _ = finds.try_send(json);
            }
        });
        let local = JsValue::UNDEFINED;
        Self { negotiation, connection, local, found, _on_candidate: on_candidate }
    }

    pub(super) fn connected(mut self) -> Connection {
        self.connection.watch_transports();
        self.connection
    }

    pub(super) async fn until_connected<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        signalling: &mut Signalling<S>,
    ) -> Result<(), NegotiationError> {
        let mut alone: Option<Delay> = None;
        loop {
            let next = {
                let connected = self.connection.connected();
                futures::pin_mut!(connected);
                poll_fn(|cx| {
                    if let Poll::Ready(done) = connected.as_mut().poll(cx) {
                        return Poll::Ready(done.map(|()| Next::Connected).map_err(Into::into));
                    }
                    if let Some(alone) = &mut alone {
                        return alone.poll_unpin(cx).map(|()| Err(NegotiationError::TimedOut));
                    }
                    if let Poll::Ready(Some(json)) = self.found.poll_next_unpin(cx) {
                        return Poll::Ready(Ok(Next::Found(json)));
                    }
                    signalling.poll_message(cx).map(|came| match came {
                        Ok(message) => Ok(message.map_or(Next::Ended, Next::Came)),
                        Err(NegotiationError::Stream(_)) => Ok(Next::Ended),
                        Err(error) => Err(error),
                    })
                })
                .await?
            };
            match next {
                Next::Connected => return Ok(()),
                Next::Found(json) => {
                    let action = self.negotiation.found(json);
                    if self.perform(signalling, action).await.is_err() {
                        self.negotiation.ended()?;
                        alone = Some(Delay::new(WITHOUT_SIGNALLING));
                    }
                }
                Next::Came(message) => self.take(signalling, message).await?,
                Next::Ended => {
                    self.negotiation.ended()?;
                    alone = Some(Delay::new(WITHOUT_SIGNALLING));
                }
            }
        }
    }

    pub(super) async fn take<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        signalling: &mut Signalling<S>,
        message: Message,
    ) -> Result<(), NegotiationError> {
        let is_offer = matches!(message, Message::Offer { .. });
        for action in self.negotiation.handle(message)? {
            self.perform(signalling, action).await?;
        }
        if is_offer {
            let description = JsFuture::from(self.connection.pc().create_answer()).await?;
            self.describe(signalling, description).await?;
        }
        Ok(())
    }

    pub(super) async fn describe<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        signalling: &mut Signalling<S>,
        description: JsValue,
    ) -> Result<(), NegotiationError> {
        let actions = self.negotiation.described(sdp_of(&description)?);
        self.local = description;
        for action in actions {
            self.perform(signalling, action).await?;
        }
        Ok(())
    }

    async fn perform<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        signalling: &mut Signalling<S>,
        action: Action,
    ) -> Result<(), NegotiationError> {
        let pc = self.connection.pc();
        match action {
            Action::Send(bytes) => signalling.send(&bytes).await?,
            Action::SetLocal => {
                let local = std::mem::take(&mut self.local);
                JsFuture::from(pc.set_local_description(&local)).await?;
            }
            Action::SetRemote(sdp) => {
                let kind = if self.negotiation.offers() { "answer" } else { "offer" };
                pc.set_remote_description(kind, &sdp).await?;
            }
            Action::AddCandidate(json) => {
                if let Err(error) = pc.add_ice_candidate(&json).await {
                    tracing::debug!(%error, "candidate skipped");
                }
            }
        }
        Ok(())
    }
}
