//! Who is connected, by which connections: what `peers()` shows and what dialling asks first.

use super::dial::Route;
use avocet_transport::webrtc::is_direct;
use libp2p::{
    Multiaddr, PeerId,
    core::{ConnectedPoint, Endpoint},
    swarm::ConnectionId,
};
use std::{collections::HashMap, time::Duration};

/// A connected peer as `peers()` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who it is.
    pub id: PeerId,
    /// The remote address of its best connection.
    pub addr: Multiaddr,
    /// `webrtc`, `websocket`, `webrtc-direct`, `circuit`, or `memory` in native tests.
    pub transport: &'static str,
    /// Whether the best connection goes straight to it.
    pub direct: bool,
    /// `outbound` where we dialled, `inbound` where it did.
    pub direction: &'static str,
    /// Round trip of the last ping.
    pub latency: Option<Duration>,
    /// Bytes of blocks sent to it.
    pub sent: u64,
    /// Bytes of blocks received from it.
    pub received: u64,
    /// The name and version that its software gives itself; at most 128 characters.
    pub agent: String,
}

#[derive(Debug)]
struct Link {
    id: ConnectionId,
    addr: Multiaddr,
    direct: bool,
    dialled: bool,
}

#[derive(Debug, Default)]
struct Entry {
    /// Never empty.
    links: Vec<Link>,
    latency: Option<Duration>,
    sent: u64,
    received: u64,
    agent: String,
}

impl Entry {
    fn is_direct(&self) -> bool {
        self.links.iter().any(|link| link.direct)
    }
}

/// Longest agent name that is kept; a stranger may send kilobytes.
const AGENT: usize = 128;

/// All connected peers. Bounded by the limits on connections in `behaviour`.
#[derive(Debug, Default)]
pub struct Table {
    peers: HashMap<PeerId, Entry>,
}

/// What a new or lost connection means for the peer.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that anyone waits for.
    None,
    /// The first connection, or the first direct one.
    Better,
    /// The last connection is gone.
    Gone(Box<PeerInfo>),
}

impl Table {
    /// A connection stands.
    pub fn opened(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) -> Change {
        let entry = self.peers.entry(peer).or_default();
        let direct = is_direct(endpoint);
        let better = entry.links.is_empty() || (direct && !entry.is_direct());
        entry.links.push(Link {
            id,
            addr: endpoint.get_remote_address().clone(),
            direct,
            dialled: endpoint.to_endpoint() == Endpoint::Dialer,
        });
        if better { Change::Better } else { Change::None }
    }

    /// A connection is gone.
    pub fn closed(&mut self, peer: PeerId, id: ConnectionId) -> Change {
        let info = self.info(&peer);
        let Some(entry) = self.peers.get_mut(&peer) else { return Change::None };
        entry.links.retain(|link| link.id != id);
        if !entry.links.is_empty() {
            return Change::None;
        }
        self.peers.remove(&peer);
        info.map_or(Change::None, |info| Change::Gone(Box::new(info)))
    }

    /// A ping came back.
    pub fn pinged(&mut self, peer: &PeerId, round_trip: Duration) {
        if let Some(entry) = self.peers.get_mut(peer) {
            entry.latency = Some(round_trip);
        }
    }

    /// The peer said what software it is. Control characters are left out: this is shown.
    pub fn identified(&mut self, peer: &PeerId, agent: &str) {
        if let Some(entry) = self.peers.get_mut(peer) {
            entry.agent = agent.chars().filter(|c| !c.is_control()).take(AGENT).collect();
        }
    }

    /// Counts bytes of blocks.
    pub fn moved(&mut self, peer: &PeerId, sent: u64, received: u64) {
        if let Some(entry) = self.peers.get_mut(peer) {
            entry.sent += sent;
            entry.received += received;
        }
    }

    /// Whether a direct connection to the peer stands.
    pub fn is_direct(&self, peer: &PeerId) -> bool {
        self.peers.get(peer).is_some_and(Entry::is_direct)
    }

    /// Whether a direct connection to anybody stands.
    pub fn has_direct(&self) -> bool {
        self.peers.values().any(Entry::is_direct)
    }

    /// The peer as `peers()` shows it.
    pub fn info(&self, peer: &PeerId) -> Option<PeerInfo> {
        self.peers.get(peer).and_then(|entry| describe(*peer, entry))
    }

    /// Every connected peer, by id.
    pub fn list(&self) -> Vec<PeerInfo> {
        let mut peers: Vec<_> =
            self.peers.iter().filter_map(|(peer, entry)| describe(*peer, entry)).collect();
        peers.sort_unstable_by_key(|info| info.id);
        peers
    }
}

fn describe(id: PeerId, entry: &Entry) -> Option<PeerInfo> {
    let best = entry.links.iter().max_by_key(|link| link.direct)?;
    Some(PeerInfo {
        id,
        addr: best.addr.clone(),
        transport: transport(best),
        direct: best.direct,
        direction: if best.dialled { "outbound" } else { "inbound" },
        latency: entry.latency,
        sent: entry.sent,
        received: entry.received,
        agent: entry.agent.clone(),
    })
}

fn transport(link: &Link) -> &'static str {
    use libp2p::multiaddr::Protocol;
    match Route::of(&link.addr) {
        Some(route) => route.name(),
        // An inbound connection's remote address may lack the relay's part.
        None if link.addr.iter().any(|part| part == Protocol::WebRTC) => Route::WebRtc.name(),
        None => Route::Circuit.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::transport::PortUse;

    fn dialled(addr: &str) -> ConnectedPoint {
        ConnectedPoint::Dialer {
            address: addr.parse().unwrap(),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        }
    }

    #[test]
    fn the_direct_connection_is_the_one_shown() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let circuit = format!("/ip4/1.2.3.4/tcp/1/ws/p2p/{relay}/p2p-circuit");
        let mut table = Table::default();
        let (first, second) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        assert_eq!(table.opened(peer, first, &dialled(&circuit)), Change::Better);
        assert!(!table.info(&peer).unwrap().direct);
        let direct = dialled(&format!("{circuit}/webrtc/p2p/{peer}"));
        assert_eq!(table.opened(peer, second, &direct), Change::Better);
        let shown = table.info(&peer).unwrap();
        assert!(shown.direct && shown.transport == "webrtc" && shown.direction == "outbound");
        assert_eq!(table.closed(peer, first), Change::None);
        assert!(matches!(table.closed(peer, second), Change::Gone(info) if info.direct));
        assert_eq!(table.info(&peer), None);
    }

    #[test]
    fn net_05_a_long_agent_is_cut_and_cleaned() {
        let peer = PeerId::random();
        let mut table = Table::default();
        table.opened(peer, ConnectionId::new_unchecked(1), &dialled("/ip4/1.2.3.4/tcp/1/ws"));
        table.identified(&peer, &format!("a\u{0}\n{}", "x".repeat(100_000)));
        let agent = table.info(&peer).unwrap().agent;
        assert_eq!(agent.len(), AGENT);
        assert!(agent.starts_with("axx"));
    }

    #[test]
    fn counts_belong_to_the_peer_not_the_connection() {
        let peer = PeerId::random();
        let mut table = Table::default();
        table.opened(peer, ConnectionId::new_unchecked(1), &dialled("/ip4/1.2.3.4/tcp/1/ws"));
        table.moved(&peer, 5, 7);
        table.opened(peer, ConnectionId::new_unchecked(2), &dialled("/ip4/1.2.3.4/tcp/2/ws"));
        table.moved(&peer, 1, 1);
        let info = table.info(&peer).unwrap();
        assert_eq!((info.sent, info.received), (6, 8));
    }
}
