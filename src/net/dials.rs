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
    /// Where only a direct connection counts as the outcome.
    direct: bool,
    waiters: Vec<Reply>,
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
            dial.waiters.retain(|waiter| !waiter.is_canceled());
            if dial.waiters.len() < MAX_WAITERS {
                dial.waiters.push(reply);
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
        self.under_way.insert(peer, Dial { left, again, current, direct, waiters: vec![reply] });
        Some(opts)
    }

    /// A connection with the peer stands: whoever waits for it is told.
    pub fn connected(&mut self, table: &Table, peer: PeerId) {
        let Some(info) = table.info(&peer) else { return };
        let enough = |dial: &Dial| info.direct || !dial.direct;
        if self.under_way.get(&peer).is_some_and(enough)
            && let Some(dial) = self.under_way.remove(&peer)
        {
            for waiter in dial.waiters {
                let _ = waiter.send(Ok(info.clone()));
            }
        }
    }

    /// A dial failed. Gives the next one, or tells those who wait that there is none.
    pub fn failed(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        why: String,
    ) -> Option<DialOpts> {
        let dial = self.under_way.get_mut(&peer).filter(|dial| dial.current == connection)?;
        let wanted = dial.waiters.iter().any(|waiter| !waiter.is_canceled());
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
                        let _ = waiter.send(Err(error));
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
