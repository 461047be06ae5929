//! Which of a peer's addresses to dial, and in which order: pure, so that the policy has tests of its own.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one peer that are looked at; js-libp2p announces fewer, and a stranger may send any number.
pub const MAX_ADDRS: usize = 16;

/// What an address leads through, as far as a browser can go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `…/p2p-circuit/webrtc/p2p/<peer>`: a direct connection, signalled over the relay.
    WebRtc,
    /// `/tcp/<port>/ws` or `/wss`: a server. Before [`Route::WebRtcDirect`]: it is faster (32 MiB from Kubo in
    /// 2.3 s, 3.9 s by the other, on one machine), its streams have flow control, where a data channel delivers
    /// whether or not anybody reads, and one that the page may not open, plain from a secure page, fails at once.
    WebSocket,
    /// `/udp/<port>/webrtc-direct/certhash/<hash>`: a server without a certificate that the browser would trust.
    WebRtcDirect,
    /// `/memory/<n>`: within one process. Only native tests have it.
    Memory,
    /// `…/p2p-circuit/p2p/<peer>`: through the relay all the way. Never used for an exchange.
    Circuit,
}

impl Route {
    /// What the address leads through, or `None` where a browser cannot go.
    pub fn of(addr: &Multiaddr) -> Option<Self> {
        let (mut server, mut circuit, mut webrtc) = (None, false, false);
        for part in addr {
            match part {
                Protocol::Ws(_) | Protocol::Wss(_) => server = Some(Self::WebSocket),
                Protocol::WebRTCDirect => server = Some(Self::WebRtcDirect),
                Protocol::P2pCircuit => circuit = true,
                Protocol::WebRTC => webrtc = true,
                Protocol::Memory(_) => return Some(Self::Memory),
                Protocol::Quic | Protocol::QuicV1 => return None,
                _ => {}
            }
        }
        match (circuit, webrtc) {
            (true, true) => server.map(|_| Self::WebRtc),
            (true, false) => server.map(|_| Self::Circuit),
            (false, false) => server,
            (false, true) => None,
        }
    }

    /// The name in `peers()`.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebRtc => "webrtc",
            Self::WebSocket => "websocket",
            Self::WebRtcDirect => "webrtc-direct",
            Self::Memory => "memory",
            Self::Circuit => "circuit",
        }
    }
}

/// The peer that an address ends at: its last `/p2p`, provided no circuit follows it.
pub fn target(addr: &Multiaddr) -> Option<PeerId> {
    match addr.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// The relay that an address goes through.
pub fn relay(addr: &Multiaddr) -> Option<PeerId> {
    let mut last = None;
    for part in addr {
        match part {
            Protocol::P2p(peer) => last = Some(peer),
            Protocol::P2pCircuit => return last,
            _ => {}
        }
    }
    None
}

/// Who told us of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The person, by a link, an option or `connect`: taken as it is.
    Person,
    /// Another peer or a router: never a way into the private network of whoever opened the page.
    Stranger,
}

/// The addresses worth dialling to reach `peer`, best first, each once.
///
/// `known_relays` are relays that we hold a connection to: an address through one of them costs no dial to
/// anywhere, so it is taken from strangers too, whatever its host.
pub fn rank(
    peer: PeerId,
    addrs: impl IntoIterator<Item = Multiaddr>,
    source: Source,
    known_relays: &[PeerId],
) -> Vec<Multiaddr> {
    let mut ranked: Vec<(Route, bool, Multiaddr)> = Vec::new();
    for addr in addrs.into_iter().take(MAX_ADDRS) {
        let Some(addr) = ending_at(addr, peer) else { continue };
        let Some(route) = Route::of(&addr).filter(|r| *r != Route::Circuit) else { continue };
        let strange_relay = !relay(&addr).is_some_and(|relay| known_relays.contains(&relay));
        if source == Source::Stranger && strange_relay && leads_into_private_network(&addr) {
            continue;
        }
        if !ranked.iter().any(|(_, _, known)| *known == addr) {
            ranked.push((route, strange_relay, addr));
        }
    }
    ranked.sort_by_key(|(route, strange_relay, _)| (*route, *strange_relay));
    ranked.into_iter().map(|(_, _, addr)| addr).collect()
}

/// The address with `/p2p/<peer>` at its end, or `None` where it names another peer there.
pub fn ending_at(addr: Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    match target(&addr) {
        Some(named) if named == peer => Some(addr),
        Some(_) => None,
        None => Some(addr.with(Protocol::P2p(peer))),
    }
}

/// Whether the host of the address is one that only the private network of this machine knows.
fn leads_into_private_network(addr: &Multiaddr) -> bool {
    let ip: IpAddr = match addr.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.into(),
        Some(Protocol::Ip6(ip)) => ip.into(),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => {
            return is_private_name(&name);
        }
        _ => return true,
    };
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_private_v4(ip),
            None => is_private_v6(ip),
        },
    }
}

/// Names that never leave a host or a local network (RFC 6761, RFC 6762, RFC 8375), and names without a dot.
fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.')
        || [".localhost", ".local", ".internal", ".home.arpa", ".lan"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

/// RFC 1918, RFC 3927, RFC 6598 (carrier NAT), loopback, unspecified, multicast and broadcast.
fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
}

/// RFC 4193 (fc00::/7), link-local (fe80::/10), loopback, unspecified and multicast.
fn is_private_v6(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn through(host: &str, relay: PeerId, rest: &str) -> Multiaddr {
        addr(&format!("{host}/p2p/{relay}/p2p-circuit{rest}"))
    }

    #[test]
    fn webrtc_is_asked_first_and_a_plain_circuit_never() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let host = "/dns4/relay.example/tcp/443/wss";
        let circuit = through(host, relay, "");
        let webrtc = through(host, relay, "/webrtc");
        let server = addr("/dns4/peer.example/tcp/443/wss");
        let ranked = rank(peer, [server, circuit, webrtc.clone()], Source::Stranger, &[]);
        assert_eq!(ranked.len(), 2);
        assert_eq!(ranked[0], webrtc.with(Protocol::P2p(peer)));
        assert_eq!(Route::of(&ranked[1]), Some(Route::WebSocket));
    }

    /// A certificate's hash as addresses have it.
    const HASH: &str = "/webrtc-direct/certhash/uEiABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";

    #[test]
    fn a_server_s_websocket_comes_before_its_webrtc_direct() {
        let peer = PeerId::random();
        let direct = addr(&format!("/ip4/93.184.216.34/udp/4001{HASH}"));
        let websocket = addr("/dns4/peer.example/tcp/443/tls/ws");
        let quic = addr("/ip4/93.184.216.34/udp/4001/quic-v1");
        let given = [quic, direct.clone(), websocket.clone()];
        let ranked = rank(peer, given, Source::Stranger, &[]);
        assert_eq!(ranked, [websocket, direct].map(|addr| addr.with(Protocol::P2p(peer))));
        assert_eq!(Route::of(&ranked[1]).map(Route::name), Some("webrtc-direct"));
    }

    #[test]
    fn a_relay_may_be_reached_by_webrtc_direct() {
        let (peer, relay_id) = (PeerId::random(), PeerId::random());
        let given = through(&format!("/ip4/93.184.216.34/udp/4001{HASH}"), relay_id, "/webrtc");
        assert_eq!(Route::of(&given), Some(Route::WebRtc));
        assert_eq!(rank(peer, [given], Source::Stranger, &[]).len(), 1);
        let plain = through(&format!("/ip4/93.184.216.34/udp/4001{HASH}"), relay_id, "");
        assert_eq!(Route::of(&plain), Some(Route::Circuit));
    }

    #[test]
    fn http_02_private_hosts_from_strangers_are_not_dialled() {
        let peer = PeerId::random();
        for host in [
            "/ip4/127.0.0.1",
            "/ip4/10.1.2.3",
            "/ip4/169.254.169.254",
            "/ip4/100.64.0.1",
            "/ip6/::1",
            "/ip6/fd00::1",
            "/ip6/::ffff:192.168.0.1",
            "/dns4/localhost",
            "/dns4/printer.local",
        ] {
            for way in ["/tcp/80/ws", &format!("/udp/80{HASH}")] {
                let given = addr(&format!("{host}{way}"));
                assert!(rank(peer, [given.clone()], Source::Stranger, &[]).is_empty(), "{given}");
                assert_eq!(rank(peer, [given.clone()], Source::Person, &[]).len(), 1, "{given}");
            }
        }
        let public = addr("/ip4/93.184.216.34/tcp/443/wss");
        assert_eq!(rank(peer, [public], Source::Stranger, &[]).len(), 1);
    }

    #[test]
    fn a_relay_we_are_connected_to_may_have_any_host() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let given = through("/ip4/192.168.1.5/tcp/8081/ws", relay, "/webrtc");
        assert!(rank(peer, [given.clone()], Source::Stranger, &[]).is_empty());
        assert_eq!(rank(peer, [given], Source::Stranger, &[relay]).len(), 1);
    }

    #[test]
    fn an_address_that_names_another_peer_is_left_out() {
        let (peer, other) = (PeerId::random(), PeerId::random());
        let given = addr(&format!("/dns4/a.example/tcp/443/wss/p2p/{other}"));
        assert!(rank(peer, [given], Source::Person, &[]).is_empty());
    }

    #[test]
    fn net_05_only_the_first_addresses_are_looked_at() {
        let peer = PeerId::random();
        let many = (0..10_000).map(|n| addr(&format!("/dns4/h{n}.example/tcp/443/wss")));
        assert_eq!(rank(peer, many, Source::Stranger, &[]).len(), MAX_ADDRS);
    }

    #[test]
    fn the_relay_is_the_peer_before_the_circuit() {
        let (peer, relay_id) = (PeerId::random(), PeerId::random());
        let given = through("/ip4/1.2.3.4/tcp/1/ws", relay_id, &format!("/webrtc/p2p/{peer}"));
        assert_eq!(relay(&given), Some(relay_id));
        assert_eq!(target(&given), Some(peer));
        assert_eq!(relay(&addr(&format!("/ip4/1.2.3.4/tcp/1/ws/p2p/{peer}"))), None);
    }
}
