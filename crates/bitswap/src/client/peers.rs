//! Peers that come, go, and show that they live.

use std::{fmt::Debug, hash::Hash, time::Duration};

use web_time::Instant;

use super::Client;
use crate::{remote::Remote, wire::WantKind};

/// Of how many peers that went it is remembered what they were asked. Those that come back at
/// once are few: their connection was replaced by another.
const MOST_PARTED: usize = 32;

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    pub(crate) fn connected(&mut self, peer: P, now: Instant) {
        let parted = self.parted.remove(&peer).filter(|parted| !parted.is_over(now));
        self.remotes.entry(peer).or_insert_with(|| match parted {
            Some(parted) => Remote::again(parted, now),
            None => Remote::new(now),
        });
        self.talkative.insert(peer);
        for session in self.sessions.values_mut() {
            if let Some(member) = session.members.get_mut(&peer) {
                member.scouted = false;
                member.misses = 0;
                session.search.relax();
            }
        }
        self.dirty = true;
    }

    pub(crate) fn disconnected(&mut self, peer: P, now: Instant) {
        let Some(remote) = self.remotes.remove(&peer) else { return };
        self.talkative.remove(&peer);
        self.holders.forget(peer);
        for id in &remote.asks {
            if let Some(want) = self.wants.get_mut(*id) {
                want.asks.remove(&peer);
            }
            self.note_idle(*id);
        }
        self.parted.retain(|_, parted| !parted.is_over(now));
        if let Some(parted) = remote.part(now).filter(|_| self.parted.len() < MOST_PARTED) {
            self.parted.insert(peer, parted);
        }
        self.dirty = true;
    }

    pub(crate) fn receiving(&mut self, peer: P, bytes: usize, now: Instant) {
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.patience.receiving(bytes, now);
            remote.meter.add(bytes, now);
        }
    }

    pub(crate) fn received(&mut self, peer: P, size: usize, now: Instant) {
        if let Some(remote) = self.remotes.get_mut(&peer) {
            let untold = remote.patience.received(size, now);
            remote.meter.add(untold, now);
        }
    }

    pub(crate) fn broke_off(&mut self, peer: P, bytes: usize, now: Instant) {
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.patience.forget(bytes, now);
        }
    }

    pub(crate) fn alive(&mut self, peer: P, now: Instant) {
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.patience.alive(now);
        }
    }

    pub(crate) fn taking(&mut self, peer: P, now: Instant) {
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.patience.taking(now);
        }
    }

    /// A message may or may not have arrived: the next one says everything.
    pub(crate) fn send_failed(&mut self, peer: P, now: Instant) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        let mut again = Vec::new();
        for want in remote.asks.iter().filter_map(|id| self.wants.get(*id)) {
            let Some(ask) = want.asks.get(&peer) else { continue };
            if ask.answer != Some(false) || remote.is_listed(&want.cid) {
                again.push((want.cid.clone(), ask.kind, want.priority));
            }
        }
        again.extend(remote.probes.keys().map(|cid| (cid.clone(), WantKind::Have, 1)));
        remote.start_over(now);
        for (cid, kind, priority) in again {
            remote.list(&cid, kind, priority);
        }
        self.talkative.insert(peer);
    }

    pub(crate) fn slept(&mut self, gap: Duration) {
        self.remotes.values_mut().for_each(|remote| remote.shift(gap));
    }
}
