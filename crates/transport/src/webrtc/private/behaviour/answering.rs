//! Attempts of the other side.

use futures::{
    FutureExt,
    future::{Either, select},
};
use futures_timer::Delay;
use libp2p::{Multiaddr, PeerId, Stream, swarm::ConnectionId};
use web_time::Instant;

use super::{Behaviour, Done};
use crate::webrtc::{
    Connection, NegotiationError,
    address::webrtc_of,
    negotiate::{self, Signalling},
    private::{Incoming, TIME_LIMIT, dials::Stage},
    tie::{self, Ours, Verdict},
};

/// An inbound stream, and what goes with it.
pub(super) struct Inbound {
    pub(super) peer: PeerId,
    relayed: Multiaddr,
    signalling: Signalling,
    limit: Delay,
    /// Said by the offer.
    settles_ties: bool,
}

impl Behaviour {
    /// The other side opened a signalling stream.
    pub(super) fn on_inbound(&mut self, peer: PeerId, connection: ConnectionId, stream: Stream) {
        let Some(relayed) = self.peers.address(&peer, connection) else { return };
        if !self.board.borrow().listening {
            return;
        }
        if let Err(refused) = self.gate.enter(peer, Instant::now()) {
            tracing::debug!(%peer, %refused, "offer refused");
            return;
        }
        self.peers.signalling(peer);
        let (signalling, limit) = (Signalling::new(stream), Delay::new(TIME_LIMIT));
        let mut inbound = Inbound { peer, relayed, signalling, limit, settles_ties: false };
        let task = async move {
            let offer = within(&mut inbound.limit, inbound.signalling.offer()).await;
            match offer {
                Ok((sdp, settles_ties)) => Done::Offer(Inbound { settles_ties, ..inbound }, sdp),
                Err(error) => Done::NoInbound(peer, error),
            }
        };
        self.tasks.push(task.boxed_local());
    }

    /// The other side made an offer.
    pub(super) fn on_offer(&mut self, mut inbound: Inbound, offer: String) {
        let peer = inbound.peer;
        let ours = self.dials.get_mut(&peer);
        let stage = ours.as_ref().map_or(Ours::None, |dial| dial.ours());
        let verdict = tie::judge(self.local, peer, stage, inbound.settles_ties);
        tracing::debug!(%peer, ?verdict, "offer");
        let held = match (verdict, ours) {
            (Verdict::Hold, Some(dial)) => Some(dial.end()),
            (Verdict::AcceptInstead, Some(dial)) => {
                dial.adopt();
                None
            }
            _ => None,
        };
        let (config, closer) = (self.config.clone(), self.closer.clone());
        let task = async move {
            let Inbound { signalling, limit, .. } = &mut inbound;
            let answer = async {
                if let Some(held) = held
                    && held.await == Ok(true)
                {
                    return Err(NegotiationError::Superseded);
                }
                negotiate::answer(signalling, offer, &config, &closer).await
            };
            match within(limit, answer).await {
                Ok(connection) => Done::Inbound(inbound, connection),
                Err(error) => Done::NoInbound(peer, error),
            }
        };
        self.tasks.push(task.boxed_local());
    }

    pub(super) fn on_inbound_connection(&mut self, inbound: Inbound, connection: Connection) {
        let Inbound { peer, relayed, signalling, settles_ties, .. } = inbound;
        let farewell = signalling.await_farewell();
        self.tasks.push(farewell.map(move |()| Done::Farewell(peer)).boxed_local());
        let Some(connection) = self.peers.stand(peer, peer, settles_ties, connection) else {
            return self.fail_adopting(peer, NegotiationError::Superseded);
        };
        let connection = match self.dials.get_mut(&peer).map(|dial| &dial.stage) {
            Some(Stage::Adopting) => self.dials.succeed(&peer, connection),
            _ => Some(connection),
        };
        let local_addr = webrtc_of(&relayed, self.local);
        let send_back_addr = webrtc_of(&relayed, peer);
        if let (Some(connection), Some(local_addr), Some(send_back_addr)) =
            (connection, local_addr, send_back_addr)
        {
            let incoming = Incoming { peer, connection, local_addr, send_back_addr };
            self.board.borrow_mut().deliver(incoming);
        }
    }

    /// The dial that waited for the peer's own attempt fails with it.
    pub(super) fn fail_adopting(&mut self, peer: PeerId, error: NegotiationError) {
        let dial = self.dials.get_mut(&peer);
        if dial.is_some_and(|dial| matches!(dial.stage, Stage::Adopting)) {
            self.fail(peer, error.into());
        }
    }
}

/// Runs a future until the time is over.
async fn within<T>(
    limit: &mut Delay,
    work: impl Future<Output = Result<T, NegotiationError>>,
) -> Result<T, NegotiationError> {
    match select(work.boxed_local(), limit).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(NegotiationError::TimedOut),
    }
}
