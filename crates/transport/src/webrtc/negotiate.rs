//! Carries a negotiation out: a signalling stream on one side, a connection on the other, and
//! [`Negotiation`] to say what goes where.

mod signalling;
mod talk;

use std::io;

use futures::{
    AsyncRead, AsyncWrite, FutureExt, StreamExt,
    channel::mpsc,
    future::{Either, select},
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

pub(super) use self::signalling::Signalling;
use self::talk::Talk;
use super::{
    Config,
    connection::{Closer, Connection, INIT, Lost},
    signal::{Message, Negotiation, SignalError},
};
use crate::js::{BrowserError, DataChannel, Event, Listener};

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
