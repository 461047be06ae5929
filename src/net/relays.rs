//! The reservations on the relays that we were given, kept up by themselves.

use super::{behaviour::Behaviour, dial, reserve::Reservation};
use crate::platform::{self, Instant};
use libp2p::{Multiaddr, PeerId, Swarm, core::transport::ListenerId, multiaddr::Protocol};
use std::collections::HashSet;

/// Relays that one peer reserves on: each costs a WebSocket that is open for good.
pub const MAX_RELAYS: usize = 8;

struct Relay {
    id: PeerId,
    /// Ends with `/p2p/<id>`.
    addr: Multiaddr,
    listener: Option<ListenerId>,
    reservation: Reservation,
}

/// See the module.
pub struct Relays {
    relays: Vec<Relay>,
}

impl Relays {
    /// Reservations on these, each address ending with the relay's id; the first tries are due at once.
    pub fn new(addrs: &[Multiaddr], now: Instant) -> Self {
        let relay = |addr: &Multiaddr| {
            Some(Relay {
                id: dial::target(addr)?,
                addr: addr.clone(),
                listener: None,
                reservation: Reservation::new(now),
            })
        };
        // One reservation a relay, at the first of its addresses: a second one would end the first.
        let mut seen = HashSet::new();
        let relays = addrs.iter().filter_map(relay).filter(|relay| seen.insert(relay.id));
        Self { relays: relays.take(MAX_RELAYS).collect() }
    }

    /// Begins the tries that are due and ends those that take too long.
    pub fn tick(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) {
        for relay in &mut self.relays {
            if relay.reservation.is_overdue(now) {
                if let Some(listener) = relay.listener.take() {
                    swarm.remove_listener(listener);
                }
                relay.reservation.lost(now, jitter());
            }
            if relay.reservation.begin_if_due(now) {
                match swarm.listen_on(relay.addr.clone().with(Protocol::P2pCircuit)) {
                    Ok(listener) => relay.listener = Some(listener),
                    Err(error) => {
                        tracing::warn!(relay = %relay.addr, %error, "no reservation");
                        relay.reservation.lost(now, jitter());
                    }
                }
            }
        }
    }

    /// Whether a reservation on this relay is being asked for.
    pub fn is_trying(&self, id: &PeerId) -> bool {
        self.relays.iter().any(|relay| relay.id == *id && relay.reservation.is_trying())
    }

    /// When `tick` wants to be called next.
    pub fn due(&self) -> Option<Instant> {
        self.relays.iter().filter_map(|relay| relay.reservation.due()).min()
    }

    /// A relay holds a place for us.
    pub fn accepted(&mut self, id: &PeerId) {
        // What comes for a try that was given up belongs to a listener that is gone.
        let asked = |relay: &&mut Relay| relay.id == *id && relay.listener.is_some();
        for relay in self.relays.iter_mut().filter(asked) {
            relay.reservation.accepted();
        }
    }

    /// A listener is gone: if it was a reservation, it will be asked for again.
    pub fn listener_closed(&mut self, listener: ListenerId, now: Instant) {
        if let Some(relay) = self.relays.iter_mut().find(|r| r.listener == Some(listener)) {
            relay.listener = None;
            relay.reservation.lost(now, jitter());
        }
    }

    /// The browser is online again.
    pub fn hurry(&mut self, now: Instant) {
        self.relays.iter_mut().for_each(|relay| relay.reservation.hurry(now));
    }

    /// The relays' ids.
    pub fn ids(&self) -> Vec<PeerId> {
        self.relays.iter().map(|relay| relay.id).collect()
    }
}

fn jitter() -> f64 {
    let mut byte = [0];
    platform::random_bytes(&mut byte);
    f64::from(byte[0]) / 255.0
}
