//! The client's queries: each a lookup, and for a key that is provided the telling after it.

use super::{
    Event, QueryId,
    calls::{Call, Calls, Failed},
    lookup::{K, Lookup},
    servers::Servers,
    wire::{self, Contact, Kind, Reply},
};
use crate::{
    net::{
        dial::{self, Route, Source},
        timer::Alarm,
    },
    platform::{self, Instant},
};
use libp2p::{
    Multiaddr, PeerId,
    swarm::{ExternalAddresses, ToSwarm},
};
use std::time::Duration;

/// A lookup that has not ended by then has met only peers that do not answer.
const QUERY_TIME: Duration = Duration::from_secs(20);
/// Telling the servers that were found, after that.
const TELLING_TIME: Duration = Duration::from_secs(10);

enum Task {
    Find,
    Provide,
    /// The lookup is over; so many are being told, so many have been.
    Telling {
        left: usize,
        told: usize,
    },
}

struct Query {
    id: QueryId,
    key: Vec<u8>,
    lookup: Lookup,
    task: Task,
    ends: Instant,
}

/// A client only: a tab comes and goes too often to hold others' records.
pub struct Dht {
    local: PeerId,
    /// Relays and servers that the person named: taken as they are.
    named: Vec<Multiaddr>,
    servers: Servers,
    pub(super) ours: ExternalAddresses,
    pub(super) calls: Calls,
    /// Bounded by whoever begins them.
    queries: Vec<Query>,
    next: u64,
    pub(super) alarm: Alarm,
}

impl Dht {
    /// A client for the peer of this id. `named` are the addresses that the person gave, each ending with `/p2p/<id>`.
    pub fn new(local: PeerId, named: Vec<Multiaddr>) -> Self {
        let mut servers = Servers::default();
        for addr in &named {
            if let Some(peer) = dial::target(addr).filter(|peer| *peer != local) {
                servers.name(peer, addr.clone());
            }
        }
        Self {
            local,
            named,
            servers,
            ours: ExternalAddresses::default(),
            calls: Calls::default(),
            queries: Vec::new(),
            next: 0,
            alarm: Alarm::default(),
        }
    }

    /// Asks who has what the key stands for. [`Event::Providers`] as they are found, then [`Event::Ended`].
    pub fn find(&mut self, key: Vec<u8>) -> QueryId {
        self.begin(key, Task::Find)
    }

    /// Tells the servers closest to the key that we have it. [`Event::Ended`] says how many took it.
    pub fn provide(&mut self, key: Vec<u8>) -> QueryId {
        self.begin(key, Task::Provide)
    }

    /// What is being told of the key is told no further.
    pub fn unprovide(&mut self, key: &[u8]) {
        let telling = |query: &&Query| query.key == key && !matches!(query.task, Task::Find);
        if let Some(id) = self.queries.iter().find(telling).map(|query| query.id) {
            self.finish(id);
        }
    }

    /// Ends a query, if it has not ended yet.
    pub fn finish(&mut self, id: QueryId) {
        if let Some(at) = self.queries.iter().position(|query| query.id == id) {
            self.end(at);
        }
    }

    fn begin(&mut self, key: Vec<u8>, task: Task) -> QueryId {
        let id = QueryId(self.next);
        self.next += 1;
        let mut lookup = Lookup::new(&key);
        let known = self.servers.closest(lookup.target(), K);
        for peer in known.into_iter().chain(self.calls.speakers()) {
            lookup.hear(peer, self.servers.addrs(&peer).to_vec());
        }
        self.queries.push(Query { id, key, lookup, task, ends: platform::now() + QUERY_TIME });
        id
    }

    fn end(&mut self, at: usize) {
        let query = self.queries.remove(at);
        self.calls.forget(query.id, None);
        let told = match query.task {
            Task::Telling { told, .. } => told,
            Task::Find | Task::Provide => 0,
        };
        self.calls.events.push_back(ToSwarm::GenerateEvent(Event::Ended(query.id, told)));
    }

    /// Asks whom the query wants to ask now, and ends it when there is nothing left to do.
    fn advance(&mut self, at: usize, now: Instant) {
        let Some(query) = self.queries.get_mut(at) else { return };
        let Query { id, key, lookup, task, ends } = query;
        let kind = match task {
            Task::Find => Kind::GetProviders,
            Task::Provide => Kind::FindNode,
            Task::Telling { left, .. } => {
                if *left == 0 || now >= *ends {
                    self.end(at);
                }
                return;
            }
        };
        for peer in lookup.expire(now) {
            self.servers.failed(&peer);
            self.calls.forget(*id, Some(peer));
        }
        while let Some((peer, addrs)) = lookup.next(now) {
            let message = wire::request(kind, key, None);
            if !self.calls.ask(Call { query: *id, peer, addrs, message, awaits: true }) {
                lookup.failed(&peer);
            }
        }
        if lookup.is_done() || now >= *ends {
            match task {
                Task::Provide => self.tell(at, now),
                _ => self.end(at),
            }
        }
    }

    /// The lookup is over: those that were found are told.
    fn tell(&mut self, at: usize, now: Instant) {
        let Query { id, key, lookup, task, ends } = &mut self.queries[at];
        self.calls.forget(*id, None);
        let us = Contact { id: self.local, addrs: self.ours.iter().cloned().collect() };
        let message = wire::request(Kind::AddProvider, key, Some(&us));
        let mut left = 0;
        for (peer, addrs) in lookup.closest() {
            let (addrs, message) = (addrs.to_vec(), message.clone());
            left += usize::from(self.calls.ask(Call {
                query: *id,
                peer,
                addrs,
                message,
                awaits: false,
            }));
        }
        *task = Task::Telling { left, told: 0 };
        *ends = now + TELLING_TIME;
        if left == 0 {
            self.end(at);
        }
    }

    pub(super) fn answered(&mut self, id: QueryId, peer: PeerId, reply: Reply) {
        let Some(at) = self.queries.iter().position(|query| query.id == id) else { return };
        let query = &mut self.queries[at];
        if let Task::Telling { left, told } = &mut query.task {
            (*left, *told) = (left.saturating_sub(1), *told + 1);
            return;
        }
        if !query.lookup.answered(&peer) {
            return;
        }
        self.servers.useful(peer, query.lookup.addrs(&peer));
        for Contact { id, addrs } in reply.closer {
            let mut addrs = self.allowed(id, addrs);
            if addrs.is_empty() {
                addrs = self.servers.addrs(&id).to_vec();
            }
            // Whom a browser cannot reach is not in the way of those that it can.
            if id != self.local && (!addrs.is_empty() || self.calls.is_connected(&id)) {
                self.queries[at].lookup.hear(id, addrs);
            }
        }
        let mut providers = reply.providers;
        if !providers.is_empty() && matches!(self.queries[at].task, Task::Find) {
            for provider in &mut providers {
                if provider.addrs.is_empty() {
                    provider.addrs = self.servers.addrs(&provider.id).to_vec();
                }
            }
            let event = Event::Providers(id, providers);
            self.calls.events.push_back(ToSwarm::GenerateEvent(event));
        }
    }

    pub(super) fn failed(&mut self, failed: Failed) {
        for (id, peer) in failed {
            self.servers.failed(&peer);
            let Some(query) = self.queries.iter_mut().find(|query| query.id == id) else {
                continue;
            };
            match &mut query.task {
                Task::Telling { left, .. } => *left = left.saturating_sub(1),
                Task::Find | Task::Provide => query.lookup.failed(&peer),
            }
        }
    }

    /// Those of `addrs` that may be dialled.
    fn allowed(&self, peer: PeerId, addrs: Vec<Multiaddr>) -> Vec<Multiaddr> {
        let complete = addrs.into_iter().filter_map(|addr| dial::ending_at(addr, peer));
        let (mut allowed, strange): (Vec<_>, Vec<_>) =
            complete.partition(|addr| self.named.contains(addr));
        // Of the many that servers have, most are of no use to a browser.
        let usable = strange.into_iter().filter(|addr| Route::of(addr).is_some());
        allowed.extend(dial::rank(peer, usable, Source::Stranger, &[]));
        allowed
    }

    /// Does what is to be done now.
    pub(super) fn advance_all(&mut self, now: Instant) {
        // From the last, since one that ends goes.
        for at in (0..self.queries.len()).rev() {
            self.advance(at, now);
        }
    }

    /// When a query is to be looked at, though nothing has come.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let due = |query: &Query| match query.task {
            Task::Telling { .. } => query.ends,
            _ => query.lookup.due(now).map_or(query.ends, |due| due.min(query.ends)),
        };
        self.queries.iter().map(due).min()
    }
}
