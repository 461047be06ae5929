//! Requests to servers: over the connection that there is, else over one that is dialled for them.

use super::{
    Event, QueryId,
    handler::{Ask, Command},
};
use bytes::Bytes;
use libp2p::{
    Multiaddr, PeerId,
    swarm::{
        ConnectionId, NotifyHandler, ToSwarm,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::collections::VecDeque;

/// One request.
pub struct Call {
    /// For which query.
    pub query: QueryId,
    /// To whom.
    pub peer: PeerId,
    /// Where the peer is, if it has to be dialled.
    pub addrs: Vec<Multiaddr>,
    /// What is asked, with its length before it.
    pub message: Bytes,
    /// Whether an answer is awaited.
    pub awaits: bool,
}

struct Link {
    id: ConnectionId,
    peer: PeerId,
    speaks: bool,
}

struct UnderWay {
    id: u64,
    call: Call,
    /// Over which connection; none while one is dialled.
    link: Option<ConnectionId>,
}

/// See the module.
#[derive(Default)]
pub struct Calls {
    /// Every connection of the swarm, whose limits bound it.
    links: Vec<Link>,
    /// Bounded by the queries, and what each has under way.
    under_way: Vec<UnderWay>,
    /// Dials of ours.
    dials: Vec<(PeerId, ConnectionId)>,
    next: u64,
    /// What the swarm is to do.
    pub events: VecDeque<ToSwarm<Event, Command>>,
}

/// Requests that have failed: for which query, of whom.
pub type Failed = Vec<(QueryId, PeerId)>;

impl Calls {
    /// Asks. Whether there is a way to that peer.
    pub fn ask(&mut self, call: Call) -> bool {
        let link = self.link(&call.peer);
        if link.is_none() && !self.dial(call.peer, &call.addrs) {
            return false;
        }
        let id = self.next;
        self.next += 1;
        self.under_way.push(UnderWay { id, call, link: None });
        if let Some(link) = link {
            self.send(self.under_way.len() - 1, link);
        }
        true
    }

    /// A request has been answered or has failed: which.
    pub fn settled(&mut self, id: u64) -> Option<Call> {
        let at = self.under_way.iter().position(|one| one.id == id)?;
        Some(self.under_way.swap_remove(at).call)
    }

    /// Nobody waits any more for what the query asks, or asks of that peer.
    pub fn forget(&mut self, query: QueryId, peer: Option<PeerId>) {
        let ours = |one: &mut UnderWay| {
            one.call.query == query && peer.is_none_or(|peer| peer == one.call.peer)
        };
        for one in self.under_way.extract_if(.., ours) {
            if let Some(link) = one.link {
                self.events.push_back(notify(one.call.peer, link, Command::Forget(one.id)));
            }
        }
    }

    /// A connection has come: what waits for it goes.
    pub fn opened(&mut self, peer: PeerId, id: ConnectionId) {
        self.links.push(Link { id, peer, speaks: false });
        self.dials.retain(|(dialled, _)| *dialled != peer);
        for at in 0..self.under_way.len() {
            if self.under_way[at].call.peer == peer && self.under_way[at].link.is_none() {
                self.send(at, id);
            }
        }
    }

    /// A connection has gone: what was under way goes over another with the same peer, or fails.
    pub fn closed(&mut self, id: ConnectionId) -> Failed {
        self.links.retain(|link| link.id != id);
        let mut failed = Failed::new();
        let mut at = 0;
        while let Some(one) = self.under_way.get(at) {
            match (one.link == Some(id)).then(|| self.link(&one.call.peer)) {
                Some(None) => {
                    let call = self.under_way.swap_remove(at).call;
                    failed.push((call.query, call.peer));
                    continue;
                }
                Some(Some(other)) => self.send(at, other),
                None => {}
            }
            at += 1;
        }
        failed
    }

    /// A dial has failed, ours or another's. `other` says that it was not begun since another is under way.
    pub fn dial_failed(&mut self, peer: PeerId, id: ConnectionId, other: bool) -> Failed {
        let ours = self.dials.extract_if(.., |(_, dial)| *dial == id).next().is_some();
        if other || self.link(&peer).is_some() {
            return Failed::new();
        }
        let waits = |one: &UnderWay| one.call.peer == peer && one.link.is_none();
        // Another's dial that we waited for may have gone to other addresses than ours.
        if !ours
            && let Some(one) = self.under_way.iter().find(|one| waits(one))
            && let addrs = one.call.addrs.clone()
            && self.dial(peer, &addrs)
        {
            return Failed::new();
        }
        let failed = self.under_way.extract_if(.., |one| waits(one));
        failed.map(|one| (one.call.query, one.call.peer)).collect()
    }

    /// Whether the peer is a server, by its own word.
    pub fn speaks(&mut self, id: ConnectionId, speaks: bool) {
        self.links.iter_mut().filter(|link| link.id == id).for_each(|link| link.speaks = speaks);
    }

    /// Servers that are connected.
    pub fn speakers(&self) -> impl Iterator<Item = PeerId> {
        self.links.iter().filter(|link| link.speaks).map(|link| link.peer)
    }

    /// Whether there is a connection with the peer.
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.link(peer).is_some()
    }

    fn link(&self, peer: &PeerId) -> Option<ConnectionId> {
        let links = self.links.iter().filter(|link| link.peer == *peer);
        links.max_by_key(|link| link.speaks).map(|link| link.id)
    }

    fn dial(&mut self, peer: PeerId, addrs: &[Multiaddr]) -> bool {
        if self.dials.iter().any(|(dialled, _)| *dialled == peer) {
            return true;
        }
        if addrs.is_empty() {
            return false;
        }
        let opts = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addrs.to_vec())
            .build();
        self.dials.push((peer, opts.connection_id()));
        self.events.push_back(ToSwarm::Dial { opts });
        true
    }

    fn send(&mut self, at: usize, link: ConnectionId) {
        let UnderWay { id, call, link: over } = &mut self.under_way[at];
        *over = Some(link);
        let ask = Ask { id: *id, message: call.message.clone(), awaits: call.awaits };
        self.events.push_back(notify(call.peer, link, Command::Ask(ask)));
    }
}

fn notify(peer_id: PeerId, link: ConnectionId, event: Command) -> ToSwarm<Event, Command> {
    ToSwarm::NotifyHandler { peer_id, handler: NotifyHandler::One(link), event }
}
