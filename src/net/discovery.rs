//! The DHT's queries and who waits for their answers.

use super::{dht::Dht, handle::Provider};
use avocet_dag::Cid;
use futures::channel::{mpsc, oneshot};
use libp2p::{
    PeerId,
    kad::{self, QueryId, QueryResult},
};
use std::collections::{HashMap, HashSet};

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
            let id = dht.client().get_providers(key(cid));
            self.finds.insert(id, Find { providers, seen: HashSet::new() });
        }
    }

    /// Says that we have it; the answer is how many servers took the record.
    pub fn provide(&mut self, dht: &mut Dht, cid: &Cid, told: oneshot::Sender<usize>) {
        if self.finds.len() + self.provides.len() >= MAX_QUERIES {
            return;
        }
        match dht.client().start_providing(key(cid)) {
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
            let provider = Provider { id: peer, addrs: dht.addresses(peer) };
            if find.providers.try_send(provider).is_err() && find.providers.is_closed() {
                if let Some(mut query) = dht.client().query_mut(&id) {
                    query.finish();
                }
                return;
            }
        }
    }
}
