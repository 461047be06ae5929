//! Dials under way: one a peer, address after address, with everyone who waits for the outcome.

use super::{
    dial::{self, Route, Source},
    handle::ConnectError,
    table::{PeerInfo, Table},
};
use futures::channel::oneshot;
use libp2p::{
    Multiaddr, PeerId,
    swarm::{
        ConnectionId,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::collections::{HashMap, VecDeque};

/// Peers dialled at once; js-libp2p's `maxParallelDials` is 100, a browser is slow at more than a few.
const MAX_DIALS: usize = 32;
/// Those who may wait for one dial.
pub const MAX_WAITERS: usize = 256;

/// The answer to a wish for a connection.
pub type Reply = oneshot::Sender<Result<PeerInfo, ConnectError>>;

struct Dial {
    left: VecDeque<Multiaddr>,
    current: ConnectionId,
    /// One that was tried and may be tried a second time: two that share a relay may both lean on a connection
    /// to it that is just being made, or just going.
    again: Option<Multiaddr>,
    waiters: Vec<Waiter>,
}

struct Waiter {
    reply: Reply,
    /// Whether only a direct connection is what it waits for.
    direct: bool,
}

impl Waiter {
    fn is_gone(&self) -> bool {
        self.reply.is_canceled()
    }
}

/// See the module.
#[derive(Default)]
pub struct Dials {
    under_way: HashMap<PeerId, Dial>,
}

/// Addresses for `peer` in the order in which they are to be dialled.
pub fn plan(
    peer: PeerId,
    addrs: Vec<Multiaddr>,
    source: Source,
    relays: &[PeerId],
) -> Vec<Multiaddr> {
    // A person may ask for a plain circuit by name; nobody else gets one.
    if source == Source::Person && addrs.iter().all(|a| Route::of(a) == Some(Route::Circuit)) {
        return addrs.into_iter().take(dial::MAX_ADDRS).collect();
    }
    dial::rank(peer, addrs, source, relays)
}

impl Dials {
    /// Begins a dial or joins the one under way. Gives what is to be dialled now.
    pub fn begin(
        &mut self,
        table: &Table,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        reply: Reply,
    ) -> Option<DialOpts> {
        let direct = addrs.iter().any(|a| Route::of(a) != Some(Route::Circuit));
        if let Some(info) = table.info(&peer).filter(|info| info.direct || !direct) {
            let _ = reply.send(Ok(info));
            return None;
        }
        if let Some(dial) = self.under_way.get_mut(&peer) {
            for addr in addrs {
                if dial.left.len() < dial::MAX_ADDRS && !dial.left.contains(&addr) {
                    dial.left.push_back(addr);
                }
            }
            dial.waiters.retain(|waiter| !waiter.is_gone());
            if dial.waiters.len() < MAX_WAITERS {
                dial.waiters.push(Waiter { reply, direct });
            } else {
                let _ = reply.send(Err(ConnectError::TooManyDials(peer)));
            }
            return None;
        }
        let mut left = VecDeque::from(addrs);
        let Some(first) = left.pop_front() else {
            let _ = reply.send(Err(ConnectError::NoUsableAddress(peer)));
            return None;
        };
        if self.under_way.len() >= MAX_DIALS {
            let _ = reply.send(Err(ConnectError::TooManyDials(peer)));
            return None;
        }
        let again = Some(first.clone()).filter(|addr| Route::of(addr) == Some(Route::WebRtc));
        let opts = options(peer, first);
        let current = opts.connection_id();
        let waiters = vec![Waiter { reply, direct }];
        self.under_way.insert(peer, Dial { left, again, current, waiters });
        Some(opts)
    }

    /// A connection with the peer stands: whoever waits for one of its kind is told. Gives the next dial, if that
    /// connection was the outcome of this one and somebody waits for a better one.
    pub fn connected(
        &mut self,
        table: &Table,
        peer: PeerId,
        connection: ConnectionId,
    ) -> Option<DialOpts> {
        let info = table.info(&peer)?;
        let dial = self.under_way.get_mut(&peer)?;
        for waiter in dial.waiters.extract_if(.., |waiter| info.direct || !waiter.direct) {
            let _ = waiter.reply.send(Ok(info.clone()));
        }
        if dial.waiters.is_empty() {
            self.under_way.remove(&peer);
            return None;
        }
        self.failed(peer, connection, "the connection goes through a relay".to_owned())
    }

    /// A dial failed. Gives the next one, or tells those who wait that there is none.
    pub fn failed(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        why: String,
    ) -> Option<DialOpts> {
        let dial = self.under_way.get_mut(&peer).filter(|dial| dial.current == connection)?;
        let wanted = dial.waiters.iter().any(|waiter| !waiter.is_gone());
        match dial.left.pop_front().or_else(|| dial.again.take()).filter(|_| wanted) {
            Some(next) => {
                let opts = options(peer, next);
                dial.current = opts.connection_id();
                Some(opts)
            }
            None => {
                if let Some(dial) = self.under_way.remove(&peer) {
                    for waiter in dial.waiters {
                        let error = ConnectError::Failed { peer, why: why.clone() };
                        let _ = waiter.reply.send(Err(error));
                    }
                }
                None
            }
        }
    }
}

/// Always, not only when disconnected: a direct connection is dialled while a relayed one stands.
fn options(peer: PeerId, addr: Multiaddr) -> DialOpts {
    DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![addr]).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{ConnectedPoint, Endpoint, transport::PortUse};

    fn connected(address: &Multiaddr) -> ConnectedPoint {
        let (role_override, port_use) = (Endpoint::Dialer, PortUse::New);
        ConnectedPoint::Dialer { address: address.clone(), role_override, port_use }
    }

    #[test]
    fn who_wants_a_direct_connection_is_not_put_off_with_the_circuit_that_another_asked_for() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let circuit: Multiaddr =
            format!("/dns4/a.example/tcp/443/wss/p2p/{relay}/p2p-circuit/p2p/{peer}")
                .parse()
                .unwrap();
        let webrtc: Multiaddr =
            format!("/dns4/a.example/tcp/443/wss/p2p/{relay}/p2p-circuit/webrtc/p2p/{peer}")
                .parse()
                .unwrap();
        let (mut dials, mut table) = (Dials::default(), Table::default());
        let (first, mut any) = oneshot::channel();
        let (second, mut direct) = oneshot::channel();
        let under_way = dials.begin(&table, peer, vec![circuit.clone()], first).unwrap();
        assert!(dials.begin(&table, peer, vec![webrtc.clone()], second).is_none(), "it joins");

        table.opened(peer, under_way.connection_id(), &connected(&circuit));
        let next = dials.connected(&table, peer, under_way.connection_id()).unwrap();
        assert!(!any.try_recv().unwrap().unwrap().unwrap().direct);
        assert!(direct.try_recv().unwrap().is_none(), "it goes on waiting");

        table.opened(peer, next.connection_id(), &connected(&webrtc));
        assert!(dials.connected(&table, peer, next.connection_id()).is_none());
        assert!(direct.try_recv().unwrap().unwrap().unwrap().direct);
        assert!(dials.under_way.is_empty());
    }

    #[test]
    fn who_waits_past_the_limit_is_told_so() {
        let peer = PeerId::random();
        let addr: Multiaddr = "/dns4/a.example/tcp/443/wss".parse().unwrap();
        let (mut dials, table) = (Dials::default(), Table::default());
        let mut replies = Vec::new();
        for _ in 0..=MAX_WAITERS {
            let (reply, told) = oneshot::channel();
            dials.begin(&table, peer, vec![addr.clone()], reply);
            replies.push(told);
        }
        let last = replies.last_mut().unwrap().try_recv().unwrap();
        assert!(matches!(last, Some(Err(ConnectError::TooManyDials(_)))));
    }
}
