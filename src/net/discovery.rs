//! The DHT's queries and who waits for their answers.

use super::handle::Provider;
use avocet_dag::Cid;
use futures::channel::{mpsc, oneshot};
use libp2p::{
    PeerId,
    core::Endpoint,
    kad::{self, QueryId, QueryResult},
    swarm::{ConnectionId, NetworkBehaviour},
};
use std::collections::{HashMap, HashSet};

/// The DHT as this peer has it: a client with a store for its own keys.
pub type Dht = kad::Behaviour<kad::store::MemoryStore>;

/// Queries under way at once; whoever asks for more is refused. Kubo's client runs as many.
const MAX_QUERIES: usize = 128;
/// Providers handed out of one query. The DHT's servers answer with at most 20 each.
const MAX_PROVIDERS: usize = 100;

struct Find {
    providers: mpsc::Sender<Provider>,
    seen: HashSet<PeerId>,
}

/// See the module.
#[derive(Default)]
pub struct Discovery {
    finds: HashMap<QueryId, Find>,
    provides: HashMap<QueryId, oneshot::Sender<usize>>,
}

/// The DHT's key of a CID: its multihash, so that every CID of the same bytes finds them.
pub fn key(cid: &Cid) -> kad::RecordKey {
    kad::RecordKey::new(&cid.hash().to_bytes())
}

impl Discovery {
    /// Looks for providers and sends each once. The sender's end says that the query has ended.
    pub fn find(&mut self, dht: &mut Dht, cid: &Cid, providers: mpsc::Sender<Provider>) {
        self.finds.retain(|_, find| !find.providers.is_closed());
        if self.finds.len() + self.provides.len() < MAX_QUERIES {
            let id = dht.get_providers(key(cid));
            self.finds.insert(id, Find { providers, seen: HashSet::new() });
        }
    }

    /// Says that we have it; the answer is how many servers took the record.
    pub fn provide(&mut self, dht: &mut Dht, cid: &Cid, told: oneshot::Sender<usize>) {
        if self.finds.len() + self.provides.len() >= MAX_QUERIES {
            return;
        }
        match dht.start_providing(key(cid)) {
            Ok(id) => drop(self.provides.insert(id, told)),
            Err(error) => tracing::warn!(%cid, %error, "not provided"),
        }
    }

    /// Takes in what a query has brought.
    pub fn progressed(
        &mut self,
        dht: &mut Dht,
        id: QueryId,
        result: QueryResult,
        successes: u32,
        last: bool,
    ) {
        match result {
            QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders {
                providers,
                ..
            })) => self.found(dht, id, providers),
            QueryResult::StartProviding(outcome) => {
                if let Some(told) = self.provides.remove(&id) {
                    let peers = if outcome.is_ok() { successes as usize } else { 0 };
                    // Whoever asked may have gone.
                    let _ = told.send(peers);
                }
            }
            _ => {}
        }
        if last {
            self.finds.remove(&id);
        }
    }

    fn found(&mut self, dht: &mut Dht, id: QueryId, providers: HashSet<PeerId>) {
        let Some(find) = self.finds.get_mut(&id) else { return };
        for peer in providers {
            if find.seen.len() >= MAX_PROVIDERS || !find.seen.insert(peer) {
                continue;
            }
            let provider = Provider { id: peer, addrs: addresses(dht, peer) };
            if find.providers.try_send(provider).is_err() && find.providers.is_closed() {
                if let Some(mut query) = dht.query_mut(&id) {
                    query.finish();
                }
                return;
            }
        }
    }
}

/// What the DHT knows of a peer's addresses. Those of a provider live in the query while it runs and have no
/// way out of it but the one by which a dial asks for them, so a dial's question is put here without the dial.
fn addresses(dht: &mut Dht, peer: PeerId) -> Vec<libp2p::Multiaddr> {
    let nobody = ConnectionId::new_unchecked(usize::MAX);
    dht.handle_pending_outbound_connection(nobody, Some(peer), &[], Endpoint::Dialer)
        .unwrap_or_default()
}
