//! The addresses of `/webrtc`: `<relay>/p2p-circuit/webrtc/p2p/<peer>`.

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, multiaddr::Protocol};

/// Whether this is an address of a browser reached by way of a relay: a circuit, then `/webrtc`.
pub fn is_webrtc(address: &Multiaddr) -> bool {
    parts(address).is_some_and(|(_, webrtc, _)| webrtc)
}

/// Whether bytes of this connection pass no relay. [`ConnectedPoint::is_relayed`] looks for a
/// circuit alone, and a `/webrtc` address has one.
pub fn is_direct(point: &ConnectedPoint) -> bool {
    !is_relayed(own_side(point))
}

/// The address that says how the connection was made: the dialled one, or the one listened on.
pub(super) fn own_side(point: &ConnectedPoint) -> &Multiaddr {
    match point {
        ConnectedPoint::Dialer { address, .. } => address,
        ConnectedPoint::Listener { local_addr, .. } => local_addr,
    }
}

/// Whether connections by this address go through a relay: a circuit without `/webrtc`.
pub fn is_relayed(address: &Multiaddr) -> bool {
    parts(address).is_some_and(|(_, webrtc, _)| !webrtc)
}

/// What dialling a `/webrtc` address needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whom to dial.
    pub peer: PeerId,
    /// The relayed address by which to signal: the same without `/webrtc`.
    pub relayed: Multiaddr,
}

impl Target {
    /// Reads `<relay>/p2p-circuit/webrtc/p2p/<peer>`; `None` for any other address.
    pub fn parse(address: &Multiaddr) -> Option<Self> {
        let (circuit, webrtc, peer) = parts(address)?;
        let peer = peer.filter(|_| webrtc)?;
        Some(Self { peer, relayed: circuit.with(Protocol::P2p(peer)) })
    }
}

/// The `/webrtc` address of `peer` by the relay of `relayed`, a relayed address; `None` when it
/// is none.
pub fn webrtc_of(relayed: &Multiaddr, peer: PeerId) -> Option<Multiaddr> {
    let (circuit, _, _) = parts(relayed)?;
    Some(circuit.with(Protocol::WebRTC).with(Protocol::P2p(peer)))
}

/// Splits a circuit address: everything to `/p2p-circuit` and with it, whether `/webrtc` follows,
/// and the peer at its end. `None` without a circuit, or with anything else behind it.
fn parts(address: &Multiaddr) -> Option<(Multiaddr, bool, Option<PeerId>)> {
    let mut protocols = address.iter();
    let mut circuit = Multiaddr::empty();
    loop {
        let protocol = protocols.next()?;
        let is_circuit = protocol == Protocol::P2pCircuit;
        circuit.push(protocol);
        if is_circuit {
            break;
        }
    }
    let mut next = protocols.next();
    let webrtc = next == Some(Protocol::WebRTC);
    if webrtc {
        next = protocols.next();
    }
    let peer = match next {
        None => None,
        Some(Protocol::P2p(peer)) if protocols.next().is_none() => Some(peer),
        Some(_) => return None,
    };
    Some((circuit, webrtc, peer))
}

#[cfg(test)]
mod tests {
    use libp2p::core::{Endpoint, transport::PortUse};

    use super::*;

    const RELAY: &str =
        "/ip4/10.0.0.1/tcp/4001/ws/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    const PEER: &str = "12D3KooWH3uVF6wv47WnArKHk5p6cvgCJEb74UTmxztmQDc298L3";

    fn address(tail: &str) -> Multiaddr {
        format!("{RELAY}{tail}").parse().unwrap()
    }

    #[test]
    fn a_webrtc_address_names_its_peer_and_its_relayed_twin() {
        let target = Target::parse(&address(&format!("/p2p-circuit/webrtc/p2p/{PEER}"))).unwrap();
        assert_eq!(target.peer.to_string(), PEER);
        assert_eq!(target.relayed, address(&format!("/p2p-circuit/p2p/{PEER}")));
    }

    #[test]
    fn other_addresses_are_no_target() {
        for tail in ["", "/p2p-circuit", "/p2p-circuit/webrtc", "/webrtc"] {
            assert_eq!(Target::parse(&address(tail)), None, "{tail}");
        }
        assert_eq!(Target::parse(&address(&format!("/p2p-circuit/p2p/{PEER}"))), None);
        let nested = format!("/p2p-circuit/webrtc/p2p/{PEER}/p2p-circuit");
        assert_eq!(Target::parse(&address(&nested)), None);
        assert_eq!(Target::parse(&Multiaddr::empty()), None);
    }

    #[test]
    fn the_webrtc_address_by_a_relay_is_made_of_its_circuit() {
        let made = webrtc_of(&address("/p2p-circuit"), PEER.parse().unwrap()).unwrap();
        assert_eq!(made, address(&format!("/p2p-circuit/webrtc/p2p/{PEER}")));
        assert_eq!(webrtc_of(&address(""), PEER.parse().unwrap()), None);
    }

    #[test]
    fn direct_is_what_has_no_circuit_or_a_circuit_before_webrtc() {
        let dialled = |tail: &str| ConnectedPoint::Dialer {
            address: address(tail),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        };
        let heard = |tail: &str| ConnectedPoint::Listener {
            local_addr: address(tail),
            send_back_addr: Multiaddr::empty(),
        };
        let webrtc = format!("/p2p-circuit/webrtc/p2p/{PEER}");
        let circuit = format!("/p2p-circuit/p2p/{PEER}");
        assert!(is_direct(&dialled("")) && is_direct(&heard("")));
        assert!(is_direct(&dialled(&webrtc)) && is_direct(&heard(&webrtc)));
        assert!(!is_direct(&dialled(&circuit)) && !is_direct(&heard("/p2p-circuit")));
        assert!(is_webrtc(&address(&webrtc)) && !is_webrtc(&address(&circuit)));
    }
}
