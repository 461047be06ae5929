//! The DHT's servers that we know of, with their addresses: what a lookup begins with.
//!
//! A list, not buckets: a tab that lives for an hour meets few servers, and those that answered last are the likeliest
//! to answer again.

use super::lookup::{Place, distance, place};
use libp2p::{Multiaddr, PeerId};

/// Servers kept beside those that the person named: some dozen lookups meet as many.
const MAX_SERVERS: usize = 256;

struct Server {
    id: PeerId,
    place: Place,
    addrs: Vec<Multiaddr>,
    named: bool,
}

/// See the module.
#[derive(Default)]
pub struct Servers {
    /// Last the one that was useful last.
    known: Vec<Server>,
}

impl Servers {
    /// The person named it: it is never forgotten.
    pub fn name(&mut self, id: PeerId, addr: Multiaddr) {
        let mut server = self.take(id);
        server.named = true;
        server.addrs.push(addr);
        self.known.push(server);
    }

    /// It speaks the protocol, or has answered.
    pub fn useful(&mut self, id: PeerId, addrs: &[Multiaddr]) {
        let mut server = self.take(id);
        if server.addrs.is_empty() {
            server.addrs = addrs.to_vec();
        }
        self.known.push(server);
        if self.known.iter().filter(|server| !server.named).count() > MAX_SERVERS
            && let Some(oldest) = self.known.iter().position(|server| !server.named)
        {
            self.known.remove(oldest);
        }
    }

    /// It has not answered. It will be heard of again if that was chance.
    pub fn failed(&mut self, id: &PeerId) {
        self.known.retain(|server| server.named || server.id != *id);
    }

    /// The servers closest to the place, at most `most`.
    pub fn closest(&self, to: &Place, most: usize) -> Vec<PeerId> {
        let mut near: Vec<_> =
            self.known.iter().map(|server| (distance(&server.place, to), server.id)).collect();
        near.sort_unstable();
        near.into_iter().take(most).map(|(_, id)| id).collect()
    }

    /// Where it is.
    pub fn addrs(&self, id: &PeerId) -> &[Multiaddr] {
        self.known.iter().find(|server| server.id == *id).map_or(&[], |server| &server.addrs)
    }

    fn take(&mut self, id: PeerId) -> Server {
        match self.known.iter().position(|server| server.id == id) {
            Some(at) => self.known.remove(at),
            None => Server { id, place: place(&id.to_bytes()), addrs: Vec::new(), named: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u64) -> PeerId {
        let digest = libp2p::multihash::Multihash::wrap(0, &number.to_be_bytes()).unwrap();
        PeerId::from_multihash(digest).unwrap()
    }

    #[test]
    fn the_list_is_bounded_and_what_the_person_named_stays() {
        let addr: Multiaddr = "/dns4/a.example/tcp/443/wss".parse().unwrap();
        let mut servers = Servers::default();
        servers.name(peer(0), addr.clone());
        for number in 1..1000 {
            servers.useful(peer(number), std::slice::from_ref(&addr));
            servers.useful(peer(1), &[]);
        }
        assert_eq!(servers.known.len(), MAX_SERVERS + 1);
        for (number, kept) in [(0, true), (1, true), (2, false), (999, true)] {
            assert_eq!(!servers.addrs(&peer(number)).is_empty(), kept, "{number}");
        }
        servers.failed(&peer(0));
        servers.failed(&peer(1));
        assert_eq!(servers.addrs(&peer(0)), [addr]);
        assert!(servers.addrs(&peer(1)).is_empty());
    }

    #[test]
    fn the_closest_come_first() {
        let mut servers = Servers::default();
        (0..50).for_each(|number| servers.useful(peer(number), &[]));
        let to = place(&peer(7).to_bytes());
        let closest = servers.closest(&to, 5);
        assert_eq!((closest.len(), closest[0]), (5, peer(7)));
    }
}
