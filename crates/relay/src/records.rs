//! Who has what: the provider records of the DHT, bounded in every direction.
//!
//! libp2p's own store refuses the 1025th key whoever sent it, so one peer could shut out all others.
//! Here a peer has its own share, the fullest pays when the whole is full, and the addresses belong
//! to the peer, not to each key: the newest ones serve for all that it provides.
//!
//! Values (`PUT_VALUE`) are not kept: the relay is a meeting point, no storage. There is no clock
//! here: a record's own expiry, `ttl` after its arrival, tells how late it is.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use libp2p::{
    Multiaddr, PeerId,
    kad::{
        ProviderRecord, Record, RecordKey,
        store::{Error, RecordStore, Result},
    },
    multiaddr::Protocol,
};
use tokio::time::Instant;

use crate::limits;

/// What the store holds at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Records, all together.
    pub records: usize,
    /// Peers with records.
    pub providers: usize,
    /// Keys of one peer.
    pub keys_per_peer: usize,
    /// Peers of one key.
    pub providers_per_key: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            records: limits::RECORDS,
            providers: limits::PROVIDERS,
            keys_per_peer: limits::KEYS_PER_PEER,
            providers_per_key: limits::PROVIDERS_PER_KEY,
        }
    }
}

/// The provider records.
#[derive(Debug, Default)]
pub struct Records {
    bounds: Bounds,
    peers: HashMap<PeerId, Provider>,
    /// The inverse of `Provider::keys`; no key without a peer.
    holders: HashMap<RecordKey, HashSet<PeerId>>,
    /// How many pairs of key and peer both maps hold.
    count: usize,
    /// Who is connected now: they are named first.
    here: HashSet<PeerId>,
}

/// One peer and what it provides; never without a key.
#[derive(Debug, Default)]
struct Provider {
    addresses: Vec<Multiaddr>,
    keys: HashMap<RecordKey, Instant>,
}

impl Provider {
    /// When it was last heard of, on the scale of expiries.
    fn newest(&self) -> Option<Instant> {
        self.keys.values().max().copied()
    }
}

impl Records {
    /// An empty store with bounds of its own.
    #[cfg(test)]
    pub fn with_bounds(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// `peer` is connected now, or no longer.
    pub fn set_here(&mut self, peer: PeerId, here: bool) {
        if here {
            self.here.insert(peer);
        } else {
            self.here.remove(&peer);
        }
    }

    /// Forgets what has expired at `now`.
    pub fn sweep(&mut self, now: Instant) {
        let expired: Vec<_> = self
            .peers
            .iter()
            .flat_map(|(peer, p)| p.keys.iter().map(move |(key, expires)| (key, peer, expires)))
            .filter(|(_, _, expires)| **expires <= now)
            .map(|(key, peer, _)| (key.clone(), *peer))
            .collect();
        for (key, peer) in expired {
            self.remove_provider(&key, &peer);
        }
    }

    /// Makes room for one more record of `peer`, which must not evict itself for others.
    fn make_room(&mut self, peer: &PeerId, key: &RecordKey) -> Result<()> {
        if self.peers.get(peer).is_some_and(|p| p.keys.len() >= self.bounds.keys_per_peer) {
            return Err(Error::MaxProvidedKeys);
        }
        if self.holders.get(key).is_some_and(|h| h.len() >= self.bounds.providers_per_key) {
            self.drop_oldest_holder(key);
        }
        if !self.peers.contains_key(peer) && self.peers.len() >= self.bounds.providers {
            self.drop_oldest_peer();
        }
        if self.count >= self.bounds.records {
            self.drop_of_the_fullest(peer)?;
        }
        Ok(())
    }

    /// Twenty are enough for a key: the one not heard of for longest goes.
    fn drop_oldest_holder(&mut self, key: &RecordKey) {
        let Some(holders) = self.holders.get(key) else { return };
        let expiry = |peer: &PeerId| self.peers.get(peer).and_then(|p| p.keys.get(key)).copied();
        let oldest = holders.iter().min_by_key(|peer| (self.here.contains(peer), expiry(peer)));
        if let Some(oldest) = oldest.copied() {
            self.remove_provider(key, &oldest);
        }
    }

    fn drop_oldest_peer(&mut self) {
        let oldest = self.peers.iter().min_by_key(|(id, p)| (self.here.contains(id), p.newest()));
        let Some((oldest, provider)) = oldest else { return };
        let (oldest, keys) = (*oldest, provider.keys.keys().cloned().collect::<Vec<_>>());
        for key in keys {
            self.remove_provider(&key, &oldest);
        }
    }

    /// Whoever has the most records loses its oldest; the asker, when that is itself, is refused.
    fn drop_of_the_fullest(&mut self, asker: &PeerId) -> Result<()> {
        let Some((fullest, provider)) = self.peers.iter().max_by_key(|(_, p)| p.keys.len()) else {
            return Err(Error::MaxProvidedKeys);
        };
        if self.peers.get(asker).is_some_and(|p| p.keys.len() >= provider.keys.len()) {
            return Err(Error::MaxProvidedKeys);
        }
        let fullest = *fullest;
        let oldest = provider.keys.iter().min_by_key(|(_, expires)| **expires);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.remove_provider(&key, &fullest);
        }
        Ok(())
    }
}

/// The addresses worth keeping: the first few, not too long, and not another peer's.
fn acceptable(addresses: Vec<Multiaddr>, provider: PeerId) -> Vec<Multiaddr> {
    let is_its_own = |addr: &Multiaddr| match addr.iter().last() {
        Some(Protocol::P2p(id)) => id == provider,
        Some(_) => true,
        None => false,
    };
    addresses
        .into_iter()
        .filter(|addr| addr.len() <= limits::ADDRESS_BYTES && is_its_own(addr))
        .take(limits::ADDRESSES_PER_PEER)
        .collect()
}

impl RecordStore for Records {
    type RecordsIter<'a> = std::iter::Empty<Cow<'a, Record>>;
    type ProvidedIter<'a> = std::iter::Empty<Cow<'a, ProviderRecord>>;

    fn get(&self, _: &RecordKey) -> Option<Cow<'_, Record>> {
        None
    }

    fn put(&mut self, _: Record) -> Result<()> {
        Err(Error::MaxRecords)
    }

    fn remove(&mut self, _: &RecordKey) {}

    fn records(&self) -> Self::RecordsIter<'_> {
        std::iter::empty()
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        let ProviderRecord { key, provider: peer, expires, addresses } = record;
        if key.as_ref().len() > limits::KEY_BYTES {
            return Err(Error::ValueTooLarge);
        }
        // Only the relay's own records would have none, and it provides nothing.
        let Some(expires) = expires.map(Instant::from_std) else {
            return Err(Error::MaxProvidedKeys);
        };
        if !self.peers.get(&peer).is_some_and(|p| p.keys.contains_key(&key)) {
            self.make_room(&peer, &key)?;
        }
        let provider = self.peers.entry(peer).or_default();
        let addresses = acceptable(addresses, peer);
        if !addresses.is_empty() {
            provider.addresses = addresses;
        }
        if provider.keys.insert(key.clone(), expires).is_none() {
            self.holders.entry(key).or_default().insert(peer);
            self.count += 1;
        }
        Ok(())
    }

    /// Those connected now first, then those heard of last.
    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        let holders = self.holders.get(key).into_iter().flatten();
        let mut records: Vec<_> = holders
            .filter_map(|peer| {
                let provider = self.peers.get(peer)?;
                Some(ProviderRecord {
                    key: key.clone(),
                    provider: *peer,
                    expires: provider.keys.get(key).map(|expires| expires.into_std()),
                    addresses: provider.addresses.clone(),
                })
            })
            .collect();
        records.sort_by_key(|r| std::cmp::Reverse((self.here.contains(&r.provider), r.expires)));
        records
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        std::iter::empty()
    }

    fn remove_provider(&mut self, key: &RecordKey, peer: &PeerId) {
        let Some(provider) = self.peers.get_mut(peer) else { return };
        if provider.keys.remove(key).is_none() {
            return;
        }
        self.count -= 1;
        if provider.keys.is_empty() {
            self.peers.remove(peer);
        }
        if let Some(holders) = self.holders.get_mut(key) {
            holders.remove(peer);
            if holders.is_empty() {
                self.holders.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
