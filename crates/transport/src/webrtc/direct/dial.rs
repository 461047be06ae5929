//! Carries a dial out.

use futures::{
    AsyncWriteExt, FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
    stream::FuturesUnordered,
};
use futures_timer::Delay;
use libp2p::{PeerId, core::upgrade::InboundConnectionUpgrade, noise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{
    AddressError, HEAD_START, TIME_LIMIT, Target,
    attempts::{Attempt, Attempts},
    sdp::{self, Offer, OfferError, Version},
};
use crate::{
    js::{BrowserError, description, sdp_of},
    webrtc::{
        Config,
        connection::{Closer, Connection, Lost},
    },
};

/// Noise's name where protocols are negotiated; here there is no choice.
const NOISE: &str = "/noise";

/// Why a server was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The address cannot be dialled.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The browser refused a description, or to make a connection at all.
    #[error("the browser refused: {0}")]
    Browser(#[from] BrowserError),
    /// The browser's own offer is of no use.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The two did not connect: nobody answers there, or with a certificate of another hash.
    #[error("connecting: {0}")]
    Lost(#[from] Lost),
    /// The server could not prove who it is.
    #[error("the Noise handshake: {0}")]
    Noise(#[from] noise::Error),
    /// Another peer is there.
    #[error("{found} is there, not {expected}")]
    WrongPeer {
        /// Whom the address names.
        expected: PeerId,
        /// Who proved to be there.
        found: PeerId,
    },
    /// It took longer than [`TIME_LIMIT`].
    #[error("no connection within the time limit")]
    TimedOut,
}

impl From<JsValue> for DialError {
    fn from(thrown: JsValue) -> Self {
        Self::Browser(thrown.into())
    }
}

type Dialled = (PeerId, Connection);

/// Dials, by one attempt after another. Dropping it drops them all.
pub(super) async fn dial(
    target: Target,
    noise: noise::Config,
    closer: Closer,
) -> Result<Dialled, DialError> {
    let trying = try_all(&target, &noise, &closer).boxed_local();
    match select(trying, Delay::new(TIME_LIMIT)).await {
        Either::Left((dialled, _)) => dialled,
        Either::Right(_) => Err(DialError::TimedOut),
    }
}

async fn try_all(
    target: &Target,
    noise: &noise::Config,
    closer: &Closer,
) -> Result<Dialled, DialError> {
    let mut attempts = Attempts::new(&target.certificates);
    let mut running: FuturesUnordered<LocalBoxFuture<'_, _>> = FuturesUnordered::new();
    // the first one is by the likeliest way, and says most
    let mut first_error = None;
    loop {
        if let Some(next) = attempts.take() {
            let attempt = attempt(target, next, noise.clone(), closer);
            running.push(attempt.map(move |ended| (next, ended)).boxed_local());
        }
        let head_start = Delay::new(HEAD_START);
        match select(running.next(), head_start).await {
            Either::Left((Some((attempt, ended)), _)) => match ended {
                Ok(dialled) => return Ok(dialled),
                Err(error @ (DialError::WrongPeer { .. } | DialError::Noise(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(%error, ?attempt, "attempt failed");
                    if matches!(error, DialError::Lost(Lost::Certificate)) {
                        attempts.other_certificate(attempt);
                    }
                    first_error.get_or_insert(error);
                }
            },
            Either::Left((None, _)) => return Err(first_error.unwrap_or(DialError::TimedOut)),
            Either::Right(_) => {}
        }
    }
}

async fn attempt(
    target: &Target,
    Attempt { version, certificate }: Attempt,
    noise: noise::Config,
    closer: &Closer,
) -> Result<Dialled, DialError> {
    let mut connection = Connection::new(&Config::default(), closer)?;
    let handshake = connection.agreed_stream()?;
    let pc = connection.pc();

    let created = JsFuture::from(pc.create_offer()).await?;
    let local = match version {
        Version::V2 => created,
        Version::V1 => {
            let sdp = sdp_of(&created)?;
            let user = Offer::read(&sdp)?.server_user(version)?;
            description("offer", &sdp::rewrite(&sdp, &user)).into()
        }
    };
    JsFuture::from(pc.set_local_description(&local)).await?;
    // what the browser goes by, whatever it was given
    let offer = Offer::read(&sdp_of(&pc.local_description())?)?;
    let user = match version {
        Version::V2 => offer.server_user(version)?,
        Version::V1 if offer.user.starts_with(version.prefix()) => offer.user,
        Version::V1 => return Err(OfferError::NotRewritten.into()),
    };
    let answer = sdp::answer(target, certificate, &user, &offer.section);
    pc.set_remote_description("answer", &answer).await?;
    connection.connected().await?;
    connection.watch_transports();

    let noise = noise.with_prologue(sdp::prologue(offer.fingerprint, certificate));
    // the server begins, since it may send first; so our part is the one of who is dialled
    let (found, mut handshake) = noise.upgrade_inbound(handshake, NOISE).await?;
    handshake.close().await.map_err(noise::Error::from)?;
    connection.keep(handshake);
    match target.peer.filter(|expected| *expected != found) {
        Some(expected) => Err(DialError::WrongPeer { expected, found }),
        None => Ok((found, connection)),
    }
}
