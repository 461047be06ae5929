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
    webrtc::connection::{Closer, Connection, Lost},
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

impl DialError {
    /// Whether no other attempt would fare better: who is there is known, or we want no more.
    fn is_final(&self) -> bool {
        matches!(self, Self::WrongPeer { .. } | Self::Noise(_) | Self::Lost(Lost::Closed))
    }
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
                Err(error) if error.is_final() => return Err(error),
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
    let mut connection = Connection::to_server(closer)?;
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

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests, which clippy knows by #[test] alone"
    )]

    use std::time::Duration;

    use futures::future::poll_immediate;
    use libp2p::identity::Keypair;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::webrtc::direct::sdp::Fingerprint;

    const CERTIFICATE: Fingerprint = Fingerprint([1; 32]);

    /// A server that is not there.
    fn target(host: &str) -> Target {
        let hash = "uEiABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
        let address = format!("{host}/udp/9/webrtc-direct/certhash/{hash}");
        Target::parse(&address.parse().unwrap()).unwrap()
    }

    fn noise() -> noise::Config {
        noise::Config::new(&Keypair::generate_ed25519()).unwrap()
    }

    #[wasm_bindgen_test]
    async fn the_browser_takes_the_descriptions_of_both_versions() {
        let closer = Closer::new();
        for host in ["/ip4/127.0.0.1", "/ip6/::1"] {
            for version in [Version::V1, Version::V2] {
                let attempt = Attempt { version, certificate: CERTIFICATE };
                let target = target(host);
                let trying = super::attempt(&target, attempt, noise(), &closer).boxed_local();
                match select(trying, Delay::new(Duration::from_secs(1))).await {
                    // it looks for the server, or has found out that there is none
                    Either::Right(_) | Either::Left((Err(DialError::Lost(Lost::Path)), _)) => {}
                    Either::Left((ended, _)) => panic!("{host} {version:?}: {ended:?}"),
                }
            }
        }
        assert_eq!(closer.open(), 0);
    }

    #[wasm_bindgen_test]
    async fn a_dial_dropped_anywhere_on_the_way_leaves_nothing_behind() {
        let closer = Closer::new();
        for steps in 0..12 {
            let mut dialling =
                dial(target("/ip4/127.0.0.1"), noise(), closer.clone()).boxed_local();
            for _ in 0..steps {
                assert!(poll_immediate(&mut dialling).await.is_none());
                Delay::new(Duration::from_millis(3)).await;
            }
        }
        // whatever the browser still had to say to a closure that is gone would throw here
        Delay::new(Duration::from_millis(200)).await;
        assert_eq!(closer.open(), 0);
    }

    #[wasm_bindgen_test]
    async fn the_closer_ends_a_dial_with_all_its_attempts() {
        let closer = Closer::new();
        let dialling = dial(target("/ip4/127.0.0.1"), noise(), closer.clone()).boxed_local();
        let after = HEAD_START + Duration::from_millis(500);
        let Either::Right((_, dialling)) = select(dialling, Delay::new(after)).await else {
            panic!("nobody is there")
        };
        closer.close_all();
        assert!(matches!(dialling.await, Err(DialError::Lost(Lost::Closed))));
        assert_eq!(closer.open(), 0);
    }
}
