//! Others who gather the same: each fetches its part from those who have all, and they give each other the rest.
//!
//! Who wants of us what we want too gathers the same. It is asked what it has of that before it is asked for it, and
//! stays asked: a HAVE comes as soon as it gets something. A block that several want of each other falls to one of them,
//! by a hash that all of them can work out; the others leave it until there is nothing else to ask for.

use std::{fmt::Debug, hash::Hash, time::Duration};

use avocet_dag::Cid;
use web_time::Instant;

use super::Client;
use crate::{
    candidate::GUESS, lot::lot, member::Member, patience::STALL, remote::Remote,
    session::SessionId, wants::WantId, wire::WantKind,
};

/// So many others are asked what they have, and are left a part: with eight the part that one fetches itself is a ninth.
const GATHERERS: usize = 8;
/// A block is left to another, though it was asked for, if so many seconds pass before it would be sent to us: what takes
/// it back has to be there before.
const YIELDED: f64 = 0.4;
/// Of how many wants at a time: half of the 1024 that Kubo keeps of a peer.
const MOST_HEARD: usize = 512;

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// `peer` wants this of us. If we want it too, both gather the same. What it wants no more it has, mostly, and says so
    /// next.
    pub(crate) fn overhear(&mut self, peer: P, cid: &Cid, now: Instant) {
        if !self.remotes.contains_key(&peer) {
            return;
        }
        let Some(want) = self.wants.id(cid).and_then(|id| self.wants.get_mut(id)) else { return };
        if want.rivals.len() >= GATHERERS {
            want.rivals.retain(|rival| self.remotes.contains_key(rival));
        }
        if want.rivals.len() >= GATHERERS || want.rivals.contains(&peer) {
            return;
        }
        let mut known = false;
        for session in want.sessions.iter() {
            let Some(session) = self.sessions.get_mut(session) else { continue };
            let member = session.overheard(peer, GATHERERS, |peer| self.remotes.contains_key(peer));
            known |= member.is_some();
            self.dirty |= member.is_some_and(|member| member.wants_too(now));
        }
        if !known {
            return;
        }
        want.rivals.insert(peer);
        if let Some((id, owner)) = self.yields(peer, cid, now) {
            self.retract(id, owner, now);
            self.note_idle(id);
            self.dirty = true;
        }
    }

    /// `peer` has something of what it gathers.
    pub(super) fn heard(&mut self, peer: P, now: Instant) {
        let members = self.sessions.values_mut().filter_map(|s| s.members.get_mut(&peer));
        members.for_each(|member| member.heard(now));
    }

    /// The want and whom it was asked of, if it falls to `peer`, is worth being left to it, and is not about to be sent to
    /// us.
    fn yields(&self, peer: P, cid: &Cid, now: Instant) -> Option<(WantId, P)> {
        let id = self.wants.id(cid)?;
        self.remotes.get(&peer).filter(|remote| remote.patience.is_reliable(now))?;
        let want = self.wants.get(id).filter(|_| lot(peer, cid) > lot(self.local, cid))?;
        let owner = want.asks.iter().find(|(_, ask)| ask.is_open()).map(|(owner, _)| *owner)?;
        let (remote, session) = (self.remotes.get(&owner)?, want.sessions.first()?);
        let session = self.sessions.get(session)?;
        session.members.get(&peer).and_then(Member::gathered)?;
        let ahead = remote.open.range(..id).count();
        let bytes = ahead.saturating_mul(session.typical(cid));
        let queued = bytes.saturating_sub(remote.patience.under_way()) as f64;
        (queued > YIELDED * remote.meter.rate().unwrap_or(GUESS)).then_some((id, owner))
    }

    /// Asks those who gather the same what they have of it. Whether there are any.
    pub(super) fn listen(&mut self, session: SessionId, now: Instant) -> bool {
        let Some(session) = self.sessions.get(&session) else { return false };
        let mut peers: Vec<_> = session
            .members
            .iter()
            .filter(|(peer, member)| member.gathers() && self.remotes.contains_key(peer))
            .map(|(peer, _)| *peer)
            .collect();
        if peers.is_empty() {
            return false;
        }
        peers.sort_by_key(|peer| self.shuffle(peer));
        let wants: Vec<_> = session.wants.iter().copied().collect();
        for peer in peers.iter().take(GATHERERS) {
            for id in &wants {
                let Some(want) = self.wants.get(*id) else { continue };
                let room = |remote: &Remote| remote.asks.len() < MOST_HEARD && remote.has_room();
                if !want.asks.contains_key(peer) && self.remotes.get(peer).is_some_and(room) {
                    self.ask(*id, *peer, WantKind::Have, now);
                }
            }
        }
        true
    }

    /// Nobody that was asked has this: others who gather the same are asked too, so many at a time. One of them may have all
    /// but what it once lacked.
    pub(super) fn listen_further(&mut self, session: SessionId, id: WantId, now: Instant) {
        let (Some(session), Some(want)) = (self.sessions.get(&session), self.wants.get(id)) else {
            return;
        };
        let gathers = |peer: &P| session.members.get(peer).is_some_and(Member::gathers);
        let fresh = want.asks.iter().filter(|(peer, ask)| gathers(peer) && ask.is_fresh(now));
        let fresh: Vec<_> = fresh.map(|(_, ask)| ask.at + STALL).collect();
        let mut peers: Vec<_> = self
            .remotes
            .iter()
            .filter(|(peer, remote)| {
                gathers(peer) && !want.asks.contains_key(peer) && remote.has_room()
            })
            .map(|(peer, _)| *peer)
            .collect();
        if let Some(at) = fresh.iter().min().filter(|_| !peers.is_empty()) {
            self.wake_at(*at);
        }
        peers.sort_by_key(|peer| self.shuffle(peer));
        for peer in peers.into_iter().take(GATHERERS.saturating_sub(fresh.len())) {
            self.ask(id, peer, WantKind::Have, now);
        }
    }

    /// Whether a want falls to another who gathers the same, and is left to it: as long as there is something else to ask
    /// for (not `spare`), and beyond that as long as it gets something. What comes first of all is waited for only so long
    /// as a block takes: whoever reads waits too.
    pub(super) fn is_left(
        &mut self,
        (session, id): (SessionId, WantId),
        block: Duration,
        spare: bool,
        now: Instant,
    ) -> bool {
        let (Some(want), Some(record)) = (self.wants.get(id), self.sessions.get_mut(&session))
        else {
            return false;
        };
        let wait = STALL + 2 * block;
        let mine = lot(self.local, &want.cid);
        // who stalls may well say that it gets something
        let reliable = |remote: &Remote| remote.patience.is_reliable(now);
        let theirs = |peer: &&P| {
            self.remotes.get(*peer).is_some_and(reliable) && lot(**peer, &want.cid) > mine
        };
        let gets = |peer: &P| record.members.get(peer).and_then(Member::gathered);
        let until = want.rivals.iter().filter(theirs).filter_map(gets).max().map(|at| at + wait);
        let Some(mut until) = until.filter(|until| now < *until) else { return false };
        if record.wants.first() == Some(&id) {
            let since = match record.first {
                Some((first, since)) if first == id => since,
                _ => record.first.insert((id, now)).1,
            };
            if now >= since + wait {
                for peer in want.rivals.iter().filter(theirs) {
                    if let Some(member) = record.members.get_mut(peer) {
                        member.vain();
                    }
                }
                return false;
            }
            until = until.min(since + wait);
        } else if !spare {
            return true;
        }
        self.wake_at(until);
        true
    }
}
