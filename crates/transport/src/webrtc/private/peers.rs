//! What is known of each peer: its connections, and which of them have done their work.

use std::{
    collections::{HashMap, HashSet},
    rc::{Rc, Weak},
};

use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};
use web_time::Instant;

use crate::webrtc::{
    Connection,
    connection::{Link, Lost},
    tie,
};

/// All peers that have a connection or a negotiation; the swarm bounds the one, the gate and the
/// dials the other.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: HashMap<PeerId, Peer>,
    /// Relayed connections that this behaviour is dialling.
    dialling: HashSet<ConnectionId>,
}

#[derive(Debug, Default)]
struct Peer {
    relayed: Vec<Relayed>,
    /// The direct connections that the swarm has.
    direct: Vec<ConnectionId>,
    /// Signalling streams in use. The relayed connections are needed as long as there are any.
    signalling: usize,
    /// The direct connection that was made last; the swarm may not have it yet.
    standing: Option<Standing>,
}

#[derive(Debug)]
struct Relayed {
    id: ConnectionId,
    /// The address on our side: it names the relay.
    address: Multiaddr,
    /// Dialled by this behaviour, for signalling alone.
    ours: bool,
}

#[derive(Debug)]
struct Standing {
    link: Weak<Link>,
    offerer: PeerId,
    since: Instant,
}

impl Peers {
    /// This behaviour dials a relayed connection.
    pub(super) fn dialling(&mut self, id: ConnectionId) {
        self.dialling.insert(id);
    }

    /// A dial failed, perhaps one of ours.
    pub(super) fn not_dialled(&mut self, id: ConnectionId) {
        self.dialling.remove(&id);
    }

    /// The swarm has a relayed connection. Whether this behaviour dialled it.
    pub(super) fn relayed(&mut self, peer: PeerId, id: ConnectionId, address: Multiaddr) -> bool {
        let ours = self.dialling.remove(&id);
        self.known.entry(peer).or_default().relayed.push(Relayed { id, address, ours });
        ours
    }

    /// The swarm has a direct one.
    pub(super) fn direct(&mut self, peer: PeerId, id: ConnectionId) {
        self.known.entry(peer).or_default().direct.push(id);
    }

    /// The swarm has one less.
    pub(super) fn closed(&mut self, peer: PeerId, id: ConnectionId) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.relayed.retain(|relayed| relayed.id != id);
            known.direct.retain(|direct| *direct != id);
            if known.is_forgotten() {
                self.known.remove(&peer);
            }
        }
    }

    /// The relayed connection to signal over: the newest, which is the likeliest to work.
    pub(super) fn for_signalling(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.known.get(peer)?.relayed.last().map(|relayed| relayed.id)
    }

    /// The address of a relayed connection.
    pub(super) fn address(&self, peer: &PeerId, id: ConnectionId) -> Option<Multiaddr> {
        let known = self.known.get(peer)?;
        known.relayed.iter().find(|relayed| relayed.id == id).map(|it| it.address.clone())
    }

    /// A signalling stream is in use.
    pub(super) fn signalling(&mut self, peer: PeerId) {
        self.known.entry(peer).or_default().signalling += 1;
    }

    /// It is no more.
    pub(super) fn signalled(&mut self, peer: &PeerId) {
        if let Some(known) = self.known.get_mut(peer) {
            known.signalling = known.signalling.saturating_sub(1);
        }
    }

    /// Whether a direct connection stands.
    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.known.get(peer).is_some_and(Peer::is_connected)
    }

    /// Registers a connection that was just made. Of two with the same peer one goes; `None`
    /// when it is the new one.
    pub(super) fn stand(
        &mut self,
        peer: PeerId,
        offerer: PeerId,
        settles_ties: bool,
        connection: Connection,
    ) -> Option<Connection> {
        let known = self.known.entry(peer).or_default();
        let since = Instant::now();
        if let Some(old) = &known.standing
            && let Some(link) = old.link.upgrade().filter(|link| link.is_alive())
        {
            let apart = since.saturating_duration_since(old.since);
            if !tie::keeps_new(offerer, old.offerer, apart, settles_ties) {
                return None;
            }
            link.lose(Lost::Replaced);
        }
        let link = Rc::downgrade(connection.link());
        known.standing = Some(Standing { link, offerer, since });
        Some(connection)
    }

    /// The relayed connections that have done their work, taken off the list: all when a direct
    /// one stands; ours when there is no dial any more. Forgets a peer of which nothing is left.
    pub(super) fn surplus(&mut self, peer: &PeerId, dial: bool) -> Vec<ConnectionId> {
        let Some(known) = self.known.get_mut(peer) else { return Vec::new() };
        let mut surplus = Vec::new();
        if known.signalling == 0 {
            let direct = !known.direct.is_empty();
            let is_done = |relayed: &mut Relayed| direct || (relayed.ours && !dial);
            surplus.extend(known.relayed.extract_if(.., is_done).map(|relayed| relayed.id));
        }
        if known.is_forgotten() {
            self.known.remove(peer);
        }
        surplus
    }
}

impl Peer {
    fn is_connected(&self) -> bool {
        let link = self.standing.as_ref().and_then(|standing| standing.link.upgrade());
        link.is_some_and(|link| link.is_alive())
    }

    fn is_forgotten(&self) -> bool {
        let idle = self.relayed.is_empty() && self.direct.is_empty() && self.signalling == 0;
        idle && !self.is_connected()
    }
}
