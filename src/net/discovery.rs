//! The DHT's queries and who waits for their answers.

use super::{
    dht::{Contact, Dht, Event, QueryId},
    handle::Provider,
};
use avocet_dag::Cid;
use futures::channel::{mpsc, oneshot};
use libp2p::{Multiaddr, PeerId};
use std::collections::{HashMap, HashSet};

/// Queries under way at once; whoever asks for more is refused. Kubo's client runs as many.
const MAX_QUERIES: usize = 128;
/// Providers handed out of one query. The DHT's servers answer with at most 20 each.
const MAX_PROVIDERS: usize = 100;

struct Find {
    providers: mpsc::Sender<Provider>,
    seen: HashSet<PeerId>,
    /// Told without an address so far: another server may know one.
    bare: Vec<PeerId>,
}

/// See the module.
#[derive(Default)]
pub struct Discovery {
    finds: HashMap<QueryId, Find>,
    provides: HashMap<QueryId, oneshot::Sender<usize>>,
}

/// The DHT's key of a CID: its multihash, so that every CID of the same bytes finds them.
pub fn key(cid: &Cid) -> Vec<u8> {
    cid.hash().to_bytes()
}

impl Discovery {
    /// Looks for providers and sends each once. The sender's end says that the query has ended.
    pub fn find(&mut self, dht: &mut Dht, cid: &Cid, providers: mpsc::Sender<Provider>) {
        self.finds.retain(|id, find| {
            let gone = find.providers.is_closed();
            if gone {
                dht.finish(*id);
            }
            !gone
        });
        if self.finds.len() + self.provides.len() < MAX_QUERIES {
            let id = dht.find(key(cid));
            let (seen, bare) = (HashSet::new(), Vec::new());
            self.finds.insert(id, Find { providers, seen, bare });
        }
    }

    /// Says that we have it; the answer is how many servers took the record.
    pub fn provide(&mut self, dht: &mut Dht, cid: &Cid, told: oneshot::Sender<usize>) {
        if self.finds.len() + self.provides.len() < MAX_QUERIES {
            self.provides.insert(dht.provide(key(cid)), told);
        }
    }

    /// Takes in what a query has brought.
    pub fn progressed(&mut self, dht: &mut Dht, event: Event) {
        match event {
            Event::Providers(id, providers) => {
                if self.finds.get_mut(&id).is_some_and(|find| !find.found(providers)) {
                    self.finds.remove(&id);
                    dht.finish(id);
                }
            }
            Event::Ended(id, servers) => {
                if let Some(told) = self.provides.remove(&id) {
                    // Whoever asked may have gone.
                    let _ = told.send(servers);
                }
                if let Some(mut find) = self.finds.remove(&id) {
                    for id in std::mem::take(&mut find.bare) {
                        find.send(id, Vec::new());
                    }
                }
            }
        }
    }
}

impl Find {
    /// Hands on those that are new. Whether somebody wants more of them.
    fn found(&mut self, providers: Vec<Contact>) -> bool {
        for Contact { id, addrs } in providers {
            if !addrs.is_empty() {
                self.send(id, addrs);
            } else if self.bare.len() < MAX_PROVIDERS && !self.bare.contains(&id) {
                self.bare.push(id);
            }
        }
        self.seen.len() < MAX_PROVIDERS && !self.providers.is_closed()
    }

    /// Where nobody takes it, `found` or the end of the query notices.
    fn send(&mut self, id: PeerId, addrs: Vec<Multiaddr>) {
        if self.seen.len() < MAX_PROVIDERS && self.seen.insert(id) {
            let _ = self.providers.try_send(Provider { id, addrs });
        }
    }
}
