//! The one loop: it owns the swarm, hears its events and the commands of handles, and keeps the timers.

use super::{
    behaviour::{Behaviour, BehaviourEvent},
    dht,
    dial::{self, Route},
    dials::{self, Dials},
    discovery::{self, Discovery},
    exchange,
    handle::{Command, ConnectError},
    medium,
    relays::Relays,
    start::Event,
    table::{Change, Table},
    timer::Alarm,
};
use crate::platform;
use futures::{StreamExt, channel::mpsc, future::poll_fn};
use libp2p::{
    Multiaddr, PeerId, Swarm, identify, ping, relay,
    swarm::{self, SwarmEvent},
};
use std::{cell::RefCell, collections::HashSet, rc::Rc, task::Poll};

/// The loop's own. Made by `start`.
pub(super) struct Network {
    pub swarm: Swarm<Behaviour>,
    pub relays: Relays,
    pub bootstrap: Vec<Multiaddr>,
    pub dials: Dials,
    /// Dials that wait for a relay, at most [`dials::MAX_WAITERS`]. Each try at one ends within its limit.
    pub parked: Vec<(PeerId, Vec<Multiaddr>, dials::Reply)>,
    pub discovery: Discovery,
    pub table: Rc<RefCell<Table>>,
    pub addrs: Rc<RefCell<Vec<Multiaddr>>>,
    /// Connected servers of the DHT.
    pub dht_servers: HashSet<PeerId>,
    pub online: bool,
    pub on_event: Box<dyn Fn(Event)>,
}

enum Wake {
    Swarm(Box<SwarmEvent<BehaviourEvent>>),
    Command(Command),
    Timer,
    End,
}

impl Network {
    /// Runs until it is stopped, or the last handle is gone.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        self.listen();
        let mut alarm = Alarm::default();
        let ended = loop {
            self.relays.tick(&mut self.swarm, platform::now());
            self.unpark();
            let due = self.relays.due();
            let wake = poll_fn(|cx| {
                if let Poll::Ready(Some(event)) = self.swarm.poll_next_unpin(cx) {
                    return Poll::Ready(Wake::Swarm(Box::new(event)));
                }
                if let Poll::Ready(command) = inbox.poll_next_unpin(cx) {
                    return Poll::Ready(command.map_or(Wake::End, Wake::Command));
                }
                alarm.poll(due, platform::now(), cx).map(|_| Wake::Timer)
            });
            match wake.await {
                Wake::Swarm(event) => self.on_swarm_event(*event),
                Wake::Command(Command::Stop(reply)) => break Some(reply),
                Wake::End => break None,
                Wake::Command(command) => self.on_command(command),
                Wake::Timer => {}
            }
        };
        // With the swarm go its connections; only then is nobody there any more by our name.
        drop(self);
        if let Some(ended) = ended {
            let _ = ended.send(());
        }
    }

    fn listen(&mut self) {
        for addr in medium::listen_addrs() {
            if let Err(error) = self.swarm.listen_on(addr) {
                tracing::warn!(%error, "not listening");
            }
        }
        for addr in std::mem::take(&mut self.bootstrap) {
            let Some(peer) = dial::target(&addr) else { continue };
            // A relay that is a server of the DHT too is dialled by the reservation.
            if !self.relays.ids().contains(&peer)
                && let Err(error) = self.swarm.dial(addr.clone())
            {
                tracing::warn!(%addr, %error, "no bootstrap");
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connect { peer, addrs, source, reply } => {
                if self.parked.len() >= dials::MAX_WAITERS {
                    let _ = reply.send(Err(ConnectError::TooManyDials(peer)));
                    return;
                }
                let addrs = dials::plan(peer, addrs, source, &self.relays.ids());
                self.parked.push((peer, addrs, reply));
            }
            Command::Disconnect(peer, reply) => {
                let _ = reply.send(self.swarm.disconnect_peer_id(peer).is_ok());
            }
            Command::Find(cid, found) => {
                self.discovery.find(&mut self.swarm.behaviour_mut().dht, &cid, found);
            }
            Command::Provide(cid, told) => {
                self.discovery.provide(&mut self.swarm.behaviour_mut().dht, &cid, told);
            }
            Command::Unprovide(cid) => {
                self.swarm.behaviour_mut().dht.unprovide(&discovery::key(&cid));
            }
            Command::Online => self.relays.hurry(platform::now()),
            // Taken by `run`.
            Command::Stop(_) => {}
        }
    }

    /// Begins the dials that were asked for. One by way of a relay that is just being connected to waits for that:
    /// a second connection to it, for the circuit alone, would be closed as soon as the first stands.
    fn unpark(&mut self) {
        for (peer, addrs, reply) in std::mem::take(&mut self.parked) {
            let way = addrs.first().and_then(dial::relay);
            let on_its_way = |relay: &PeerId| {
                self.relays.is_trying(relay) && self.table.borrow().info(relay).is_none()
            };
            if way.as_ref().is_some_and(on_its_way) {
                self.parked.push((peer, addrs, reply));
                continue;
            }
            let next = self.dials.begin(&self.table.borrow(), peer, addrs, reply);
            self.dial(next);
        }
    }

    fn dial(&mut self, mut next: Option<swarm::dial_opts::DialOpts>) {
        while let Some(opts) = next.take() {
            let (peer, connection) = (opts.get_peer_id(), opts.connection_id());
            if let Err(error) = self.swarm.dial(opts)
                && let Some(peer) = peer
            {
                next = self.dials.failed(peer, connection, error.to_string());
            }
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let change = self.table.borrow_mut().opened(peer_id, connection_id, &endpoint);
                let next = self.dials.connected(&self.table.borrow(), peer_id, connection_id);
                self.dial(next);
                let info = self.table.borrow().info(&peer_id);
                if let (Change::Better, Some(info)) = (change, info) {
                    self.set_online(true);
                    (self.on_event)(Event::Connected(info));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(%peer_id, ?cause, "connection closed");
                let change = self.table.borrow_mut().closed(peer_id, connection_id);
                if let Change::Gone(info) = change {
                    self.dht_servers.remove(&peer_id);
                    (self.on_event)(Event::Disconnected(*info));
                    let anybody = self.swarm.connected_peers().next().is_some();
                    self.set_online(anybody);
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), connection_id, error } => {
                let next = self.dials.failed(peer, connection_id, describe(&error));
                self.dial(next);
            }
            SwarmEvent::NewListenAddr { address, .. } => self.on_listen_addr(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_addrs_gone(&[address]),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                tracing::debug!(?reason, "listener closed");
                self.relays.listener_closed(listener_id, platform::now());
                self.on_addrs_gone(&addresses);
            }
            _ => {}
        }
    }

    /// Only addresses by which others come straight to us are told; a circuit carries no exchange.
    fn on_listen_addr(&mut self, addr: Multiaddr) {
        let usable = matches!(Route::of(&addr), Some(Route::WebRtc | Route::Memory));
        let Some(addr) = dial::ending_at(addr, *self.swarm.local_peer_id()) else { return };
        if usable && !self.addrs.borrow().contains(&addr) {
            self.swarm.add_external_address(addr.clone());
            self.addrs.borrow_mut().push(addr);
            (self.on_event)(Event::Addrs(self.addrs.borrow().clone()));
        }
    }

    fn on_addrs_gone(&mut self, gone: &[Multiaddr]) {
        let before = self.addrs.borrow().len();
        let local = *self.swarm.local_peer_id();
        let gone: Vec<_> =
            gone.iter().filter_map(|addr| dial::ending_at(addr.clone(), local)).collect();
        self.addrs.borrow_mut().retain(|addr| !gone.contains(addr));
        gone.iter().for_each(|addr| self.swarm.remove_external_address(addr));
        if self.addrs.borrow().len() != before {
            (self.on_event)(Event::Addrs(self.addrs.borrow().clone()));
        }
    }

    fn set_online(&mut self, online: bool) {
        if self.online != online {
            self.online = online;
            (self.on_event)(if online { Event::Online } else { Event::Offline });
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Relay(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                ..
            }) => self.relays.accepted(&relay_peer_id),
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.table.borrow_mut().identified(&peer_id, &info.agent_version);
                if info.protocols.contains(&dht::PROTOCOL) && self.dht_servers.insert(peer_id) {
                    (self.on_event)(Event::DhtReady);
                }
            }
            BehaviourEvent::Ping(ping::Event { peer, connection, result }) => match result {
                Ok(round_trip) => self.table.borrow_mut().pinged(&peer, round_trip),
                // The second in a row: libp2p forgives the first itself.
                Err(ping::Failure::Timeout) => drop(self.swarm.close_connection(connection)),
                Err(_) => {}
            },
            BehaviourEvent::Dht(event) => {
                self.discovery.progressed(&mut self.swarm.behaviour_mut().dht, event);
            }
            BehaviourEvent::Exchange(event) => {
                if let exchange::Event::Moved { peer, sent, received, .. } = &event {
                    self.table.borrow_mut().moved(peer, *sent, *received);
                }
                (self.on_event)(Event::Exchange(event));
            }
            _ => {}
        }
    }
}

/// The innermost reason: what is around it names layers that say nothing to whoever reads it.
fn describe(error: &swarm::DialError) -> String {
    let mut reason: &dyn std::error::Error = error;
    if let swarm::DialError::Transport(tried) = error
        && let Some((_, last)) = tried.last()
    {
        reason = last;
    }
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}
