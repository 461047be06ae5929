//! Carries a negotiation out: a signalling stream on one side, a connection on the other, and
//! [`Negotiation`] to say what goes where.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{
    AsyncRead, AsyncWrite, AsyncWriteExt, FutureExt, StreamExt,
    channel::mpsc,
    future::{Either, select},
};
use futures_timer::Delay;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{
    Config,
    connection::{Closer, Connection, INIT, Lost},
    signal::{Action, Decoder, MAX_CANDIDATES, Message, Negotiation, SignalError},
};
use crate::js::{
    BrowserError, CandidateEvent, DataChannel, Event, Listener, PeerConnection, sdp_of,
};

/// How long the browsers may go on trying when the signalling stream has broken after the
/// descriptions: the candidates may all have come, but whoever failed resets the stream too.
const WITHOUT_SIGNALLING: Duration = Duration::from_secs(5);

/// How long the other side may take to close its half of the stream when all is done.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why two browsers did not connect.
#[derive(Debug, thiserror::Error)]
pub enum NegotiationError {
    /// The other side sent what it must not, or stopped too early.
    #[error("signalling: {0}")]
    Signal(#[from] SignalError),
    /// The signalling stream broke.
    #[error("the signalling stream: {0}")]
    Stream(#[from] io::Error),
    /// The connection ended while it was made.
    #[error("connecting: {0}")]
    Lost(#[from] Lost),
    /// The browser refused a description, or to make a connection at all.
    #[error("the browser refused: {0}")]
    Browser(#[from] BrowserError),
    /// It took too long.
    #[error("no connection within the time limit")]
    TimedOut,
    /// Our own attempt to reach the same peer came first.
    #[error("another attempt with the same peer came first")]
    Superseded,
}

impl From<JsValue> for NegotiationError {
    fn from(thrown: JsValue) -> Self {
        Self::Browser(thrown.into())
    }
}

/// A signalling stream, read message by message.
#[derive(Debug)]
pub(super) struct Signalling<S = libp2p::Stream> {
    stream: S,
    decoder: Decoder,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Signalling<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, decoder: Decoder::default() }
    }

    /// Reads the offer that an inbound stream begins with: its text, and whether its sender
    /// settles ties.
    pub(super) async fn offer(&mut self) -> Result<(String, bool), NegotiationError> {
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
    pub(super) async fn farewell(mut self) {
        let both = async {
            let _ = self.stream.close().await;
            while let Ok(Some(_)) = poll_fn(|cx| self.poll_message(cx)).await {}
        };
        select(both.boxed_local(), Delay::new(FAREWELL)).await;
    }

    /// Waits for the other side to close the stream, then closes it too.
    pub(super) async fn await_farewell(mut self) {
        let both = async {
            while let Ok(Some(_)) = poll_fn(|cx| self.poll_message(cx)).await {}
            let _ = self.stream.close().await;
        };
        select(both.boxed_local(), Delay::new(FAREWELL)).await;
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next message; `None` at the end of the stream.
    fn poll_message(
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

/// The dialler's side. `offering` is called right before the offer is sent.
pub(super) async fn dial<S: AsyncRead + AsyncWrite + Unpin>(
    signalling: &mut Signalling<S>,
    config: &Config,
    closer: &Closer,
    offering: impl FnOnce(),
) -> Result<Connection, NegotiationError> {
    let connection = Connection::new(config, closer)?;
    let init = connection.pc().create_data_channel(INIT)?;
    let description = JsFuture::from(connection.pc().create_offer()).await?;
    let mut talk = Talk::new(Negotiation::offer(), connection);
    offering();
    talk.describe(signalling, description).await?;
    talk.until_connected(signalling).await?;
    close_init(&init, &talk.connection).await?;
    Ok(talk.connected())
}

/// The listener's side, from the offer on.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    signalling: &mut Signalling<S>,
    offer: String,
    config: &Config,
    closer: &Closer,
) -> Result<Connection, NegotiationError> {
    let mut talk = Talk::new(Negotiation::answer(), Connection::new(config, closer)?);
    talk.take(signalling, Message::Offer { sdp: offer, settles_ties: false }).await?;
    talk.until_connected(signalling).await?;
    Ok(talk.connected())
}

/// Closes `init` and waits until it is closed on both sides: then the other side's channels
/// work too, and it takes streams.
async fn close_init(init: &DataChannel, connection: &Connection) -> Result<(), Lost> {
    let (closed, mut is_closed) = mpsc::channel(1);
    let _on_close = Listener::new(init, "close", {
        let mut closed = closed.clone();
        move |_: Event| drop(closed.try_send(()))
    });
    let _on_open = Listener::new(init, "open", {
        let init = init.clone();
        move |_: Event| init.close()
    });
    match init.ready_state().as_str() {
        "open" => init.close(),
        "closed" => return Ok(()),
        _ => {}
    }
    let lost = connection.lost().boxed_local();
    match select(is_closed.next(), lost).await {
        Either::Left(_) => Ok(()),
        Either::Right((lost, _)) => Err(lost),
    }
}

/// A negotiation with its connection and what the browser finds for it.
struct Talk {
    negotiation: Negotiation,
    connection: Connection,
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
    fn new(negotiation: Negotiation, connection: Connection) -> Self {
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

    fn connected(mut self) -> Connection {
        self.connection.watch_transports();
        self.connection
    }

    async fn until_connected<S: AsyncRead + AsyncWrite + Unpin>(
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

    async fn take<S: AsyncRead + AsyncWrite + Unpin>(
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

    async fn describe<S: AsyncRead + AsyncWrite + Unpin>(
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
