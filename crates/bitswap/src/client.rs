//! The asking side: sessions, their wants, and the peers that are asked.

mod schedule;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Debug,
    hash::Hash,
    time::Duration,
};

use avocet_dag::{Cid, CidError};
use web_time::Instant;

use crate::{
    CloseReason, Stats,
    holders::{FRESH, Holders},
    patience::Verdict,
    remote::Remote,
    session::{Session, SessionId},
    wants::{Ask, Want, WantId, Wants},
    wire::{Entry, WantKind},
};

/// The most wants at a time. A reader wants a window of blocks ahead, a walk no more than it can
/// name; this is four times what one peer may be asked for.
pub const MAX_WANTS: usize = 4096;
/// The third block that nobody asked for closes its sender: honest peers can send one that
/// crosses with our cancel, and hardly ever two.
pub const STRIKES: u32 = 3;
/// The most CIDs that a peer is asked about for their own sake at a time.
const MOST_PROBES: usize = 64;

/// Why a want was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WantError {
    /// The session is closed, or was never opened.
    #[error("{0} is not open")]
    NoSession(SessionId),
    /// No block can be verified by this CID.
    #[error("{0}")]
    Cid(#[from] CidError),
    /// There are [`MAX_WANTS`] already.
    #[error("more than {MAX_WANTS} wants")]
    TooMany,
}

/// What the asking side wants done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signal<P> {
    Ping(P),
    Close(P, CloseReason),
    NeedProviders(SessionId, Cid),
}

/// What a block turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It was wanted, by these sessions.
    Wanted(Vec<SessionId>),
    /// It was asked of this peer once, and is wanted no more.
    Late,
    /// It was never asked of this peer.
    Unasked,
}

/// The asking side. `poll_*` hand out what the `handle_*` and the calls of sessions led to.
#[derive(Debug)]
pub(crate) struct Client<P> {
    wants: Wants<P>,
    sessions: BTreeMap<SessionId, Session<P>>,
    next_session: u64,
    remotes: BTreeMap<P, Remote>,
    holders: Holders<P>,
    /// Peers that may have something to be told.
    talkative: BTreeSet<P>,
    signals: VecDeque<Signal<P>>,
    /// Something changed since wants were last given to peers.
    dirty: bool,
    /// When to look again though nothing changed.
    wake: Option<Instant>,
    /// The session that comes first the next time.
    turn: SessionId,
    seed: u64,
    broadcast: usize,
    stats: Stats,
}

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    pub(crate) fn new(broadcast: usize, seed: u64) -> Self {
        Self {
            wants: Wants::new(),
            sessions: BTreeMap::new(),
            next_session: 0,
            remotes: BTreeMap::new(),
            holders: Holders::new(),
            talkative: BTreeSet::new(),
            signals: VecDeque::new(),
            dirty: false,
            wake: None,
            turn: SessionId(0),
            seed,
            broadcast,
            stats: Stats::default(),
        }
    }

    // --- sessions ---

    pub(crate) fn open_session(&mut self) -> SessionId {
        let id = SessionId(self.next_session);
        self.next_session += 1;
        self.sessions.insert(id, Session::new());
        id
    }

    pub(crate) fn close_session(&mut self, id: SessionId, now: Instant) {
        if let Some(session) = self.sessions.remove(&id) {
            for want in session.wants {
                self.release(want, id, now);
            }
        }
    }

    pub(crate) fn add_peer(&mut self, id: SessionId, peer: P) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.member(peer).is_none() {
            let gone = session.members.keys().find(|peer| !self.remotes.contains_key(peer));
            if let Some(gone) = gone.copied() {
                session.members.remove(&gone);
                session.member(peer);
            }
        }
        session.search.relax();
        self.dirty = true;
    }

    pub(crate) fn want(&mut self, id: SessionId, cid: &Cid) -> Result<(), WantError> {
        cid.check()?;
        if self.wants.len() >= MAX_WANTS && self.wants.id(cid).is_none() {
            return Err(WantError::TooMany);
        }
        let session = self.sessions.get_mut(&id).ok_or(WantError::NoSession(id))?;
        let want = self.wants.insert(cid, id, session.next_priority());
        session.wants.insert(want);
        if self.wants.get(want).is_some_and(Want::is_idle) {
            session.idle.insert(want);
        }
        self.dirty = true;
        Ok(())
    }

    pub(crate) fn cancel(&mut self, id: SessionId, cid: &Cid, now: Instant) {
        let Some(want) = self.wants.id(cid) else { return };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.idle.remove(&want);
        if session.wants.remove(&want) {
            self.release(want, id, now);
        }
    }

    pub(crate) fn probe(&mut self, cid: &Cid, now: Instant) {
        let id = self.wants.id(cid);
        for (peer, remote) in &mut self.remotes {
            let stale = |since: &Instant| now.saturating_duration_since(*since) > FRESH;
            let old: Vec<_> = remote
                .probes
                .iter()
                .filter(|(_, since)| stale(since))
                .map(|(cid, _)| cid)
                .collect();
            for cid in old.into_iter().cloned().collect::<Vec<_>>() {
                remote.probes.remove(&cid);
                remote.unlist(&cid, now);
            }
            let asked = id.is_some_and(|id| remote.asks.contains(&id));
            if !asked && remote.probes.len() < MOST_PROBES && remote.has_room() {
                remote.probes.insert(cid.clone(), now);
                remote.list(cid, WantKind::Have, 1);
            }
            self.talkative.insert(*peer);
        }
    }

    pub(crate) fn holders(&self, cid: &Cid, now: Instant) -> impl Iterator<Item = P> {
        self.holders.get(cid, now)
    }

    // --- peers ---

    pub(crate) fn connected(&mut self, peer: P, now: Instant) {
        self.remotes.entry(peer).or_insert_with(|| Remote::new(now));
        for session in self.sessions.values_mut() {
            if let Some(member) = session.members.get_mut(&peer) {
                member.scouted = false;
                member.misses = 0;
                session.search.relax();
            }
        }
        self.dirty = true;
    }

    pub(crate) fn disconnected(&mut self, peer: P) {
        let Some(remote) = self.remotes.remove(&peer) else { return };
        self.talkative.remove(&peer);
        self.holders.forget(peer);
        for id in remote.asks {
            if let Some(want) = self.wants.get_mut(id) {
                want.asks.remove(&peer);
            }
            self.note_idle(id);
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

    /// A verified block came.
    pub(crate) fn block(&mut self, peer: P, cid: &Cid, len: usize, now: Instant) -> Arrival {
        let Some(remote) = self.remotes.get_mut(&peer) else { return Arrival::Unasked };
        if !remote.is_listed(cid) && !remote.excuse(cid, now) {
            return Arrival::Unasked;
        }
        if remote.probes.remove(cid).is_some() {
            self.holders.insert(cid, peer, now);
        }
        remote.answered(cid, now);
        self.recover(peer, now);
        let id = self.wants.id(cid);
        let ask = id.and_then(|id| self.wants.get(id)).and_then(|want| want.asks.get(&peer));
        if ask.is_some_and(|ask| ask.kind == WantKind::Have) {
            self.holders.insert(cid, peer, now); // a small block comes in place of a HAVE
        }
        let Some(id) = id else {
            self.stats.surplus_blocks += 1;
            self.stats.surplus_bytes += len as u64;
            return Arrival::Late;
        };
        self.stats.blocks_received += 1;
        self.stats.bytes_received += len as u64;
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.delivered += len as u64;
        }
        let sessions = self.remove_want(id, Some(peer), now);
        for id in &sessions {
            let Some(session) = self.sessions.get_mut(id) else { continue };
            session.weigh(cid, len);
            session.search.relax();
            if let Some(member) = session.member(peer) {
                member.proven = true;
                member.misses = 0;
            }
        }
        Arrival::Wanted(sessions)
    }

    /// Blocks came that were never asked of this peer. Whether it is closed for that.
    pub(crate) fn strike(&mut self, peer: P, blocks: usize, now: Instant) -> bool {
        self.stats.unasked_blocks += blocks as u64;
        let Some(remote) = self.remotes.get_mut(&peer) else { return true };
        remote.strikes = remote.strikes.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX));
        if remote.strikes >= STRIKES {
            for session in self.sessions.values_mut() {
                if let Some(member) = session.members.get_mut(&peer) {
                    member.banned = true;
                }
            }
            self.close(peer, CloseReason::Unasked);
            return true;
        }
        // what it owes may be what it sent wrongly: others are asked at once
        remote.patience.distrust(now);
        self.stall(peer);
        false
    }

    /// HAVE or DONT_HAVE came. Without meaning when it was not asked for.
    pub(crate) fn presence(&mut self, peer: P, cid: &Cid, have: bool, now: Instant) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        if !remote.was_asked(cid, now) {
            return;
        }
        if have {
            self.holders.insert(cid, peer, now);
        } else {
            self.holders.remove(cid, peer);
        }
        let probed = remote.probes.remove(cid).is_some();
        let id = self.wants.id(cid).filter(|id| remote.asks.contains(id));
        let want = id.and_then(|id| self.wants.get_mut(id).zip(Some(id)));
        let Some((want, id)) = want else {
            match have {
                true => remote.answered(cid, now),
                false if probed => {
                    remote.unlist(cid, now);
                    self.talkative.insert(peer);
                }
                false => {}
            }
            return;
        };
        let Some(ask) = want.asks.get_mut(&peer) else { return };
        if ask.kind == WantKind::Block && have && ask.answer.is_none() {
            return; // the block itself was asked for, and will come or not
        }
        ask.answer = Some(have);
        if !have {
            settle(remote, id, now);
        }
        for session in want.sessions.iter() {
            let Some(session) = self.sessions.get_mut(session) else { continue };
            let member = if have { session.member(peer) } else { session.members.get_mut(&peer) };
            let Some(member) = member else { continue };
            member.proven |= have;
            member.misses = if have { 0 } else { member.misses.saturating_add(1) };
        }
        self.note_idle(id);
        self.dirty = true;
    }

    // --- time ---

    pub(crate) fn timeout(&self) -> Option<Instant> {
        let remotes = self.remotes.values().filter_map(|remote| remote.patience.timeout());
        let searches = self.sessions.values().filter_map(|session| session.search.timeout());
        remotes.chain(searches).chain(self.wake).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let due = |remote: &Remote| remote.patience.timeout().is_some_and(|at| at <= now);
        let peers: Vec<_> =
            self.remotes.iter().filter(|(_, remote)| due(remote)).map(|(peer, _)| *peer).collect();
        for peer in peers {
            while let Some(verdict) =
                self.remotes.get_mut(&peer).and_then(|remote| remote.patience.check(now))
            {
                match verdict {
                    Verdict::Stalled => self.stall(peer),
                    Verdict::Ping => self.signals.push_back(Signal::Ping(peer)),
                    Verdict::GiveUp => self.close(peer, CloseReason::Silent),
                    Verdict::Trickling => self.close(peer, CloseReason::Trickling),
                }
            }
        }
        let searches = self.sessions.values().filter_map(|session| session.search.timeout());
        self.dirty |= searches.chain(self.wake).any(|at| at <= now);
    }

    // --- what came of it ---

    /// Whether [`schedule`](Self::schedule) has something to do.
    pub(crate) const fn is_dirty(&self) -> bool {
        self.dirty
    }

    pub(crate) fn poll_signal(&mut self) -> Option<Signal<P>> {
        self.signals.pop_front()
    }

    /// The next message for a peer that `free` lets have one.
    pub(crate) fn poll_message(
        &mut self,
        free: impl Fn(P) -> bool,
    ) -> Option<(P, Vec<Entry>, bool)> {
        self.talkative.retain(|peer| self.remotes.get(peer).is_some_and(Remote::has_message));
        let peer = self.talkative.iter().copied().find(|peer| free(*peer))?;
        self.talkative.remove(&peer);
        let (entries, full) = self.remotes.get_mut(&peer)?.take_message();
        Some((peer, entries, full))
    }

    pub(crate) const fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(crate) fn wants_len(&self) -> usize {
        self.wants.len()
    }

    pub(crate) fn remote(&self, peer: P) -> Option<&Remote> {
        self.remotes.get(&peer)
    }

    // --- helpers: each keeps wants, remotes and sessions in agreement ---

    fn ask(&mut self, id: WantId, peer: P, kind: WantKind, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        want.asks.insert(peer, Ask { kind, at: now, answer: None, late: false });
        remote.asks.insert(id);
        remote.list(&want.cid, kind, want.priority);
        self.talkative.insert(peer);
        if kind == WantKind::Have {
            return;
        }
        if remote.open.is_empty() {
            remote.patience.asking(now);
            remote.meter.start(now);
        }
        remote.open.insert(id);
        for session in &want.sessions {
            if let Some(session) = self.sessions.get_mut(session) {
                session.idle.remove(&id);
            }
        }
        // who said DONT_HAVE would send it as soon as it has it: by then we have it too
        for (other, _) in want.asks.iter().filter(|(_, ask)| ask.answer == Some(false)) {
            if let Some(remote) = self.remotes.get_mut(other) {
                remote.unlist(&want.cid, now);
                self.talkative.insert(*other);
            }
        }
    }

    /// Takes back what was asked of one peer.
    fn retract(&mut self, id: WantId, peer: P, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        want.asks.remove(&peer);
        if let Some(remote) = self.remotes.get_mut(&peer) {
            remote.asks.remove(&id);
            settle(remote, id, now);
            remote.unlist(&want.cid, now);
            self.talkative.insert(peer);
        }
    }

    /// One session wants it no more.
    fn release(&mut self, id: WantId, session: SessionId, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        want.sessions.remove(&session);
        if want.sessions.is_empty() {
            self.remove_want(id, None, now);
        }
    }

    /// Forgets a want, and takes it back from all but the peer that it came from.
    fn remove_want(&mut self, id: WantId, from: Option<P>, now: Instant) -> Vec<SessionId> {
        let Some(want) = self.wants.remove(id) else { return Vec::new() };
        for peer in want.asks.keys() {
            let Some(remote) = self.remotes.get_mut(peer) else { continue };
            remote.asks.remove(&id);
            settle(remote, id, now);
            if from != Some(*peer) {
                remote.unlist(&want.cid, now);
                self.talkative.insert(*peer);
            }
        }
        for session in &want.sessions {
            if let Some(session) = self.sessions.get_mut(session) {
                session.wants.remove(&id);
                session.idle.remove(&id);
            }
        }
        self.dirty = true;
        want.sessions.into_iter().collect()
    }

    /// Others are to be asked for all that `peer` owes.
    fn stall(&mut self, peer: P) {
        let Some(remote) = self.remotes.get(&peer) else { return };
        let open: Vec<_> = remote.open.iter().copied().collect();
        for id in open {
            if let Some(ask) = self.wants.get_mut(id).and_then(|want| want.asks.get_mut(&peer)) {
                ask.late = true;
            }
            self.note_idle(id);
        }
        self.dirty = true;
    }

    /// `peer` delivers: what it owes need not be asked of others any more.
    fn recover(&mut self, peer: P, now: Instant) {
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        remote.patience.delivered(now);
        for id in &remote.open {
            let Some(want) = self.wants.get_mut(*id) else { continue };
            let Some(ask) = want.asks.get_mut(&peer).filter(|ask| ask.late) else { continue };
            ask.late = false;
            for session in &want.sessions {
                if let Some(session) = self.sessions.get_mut(session) {
                    session.idle.remove(id);
                }
            }
        }
        self.dirty = true;
    }

    fn note_idle(&mut self, id: WantId) {
        let Some(want) = self.wants.get(id).filter(|want| want.is_idle()) else { return };
        for session in &want.sessions {
            if let Some(session) = self.sessions.get_mut(session) {
                session.idle.insert(id);
            }
        }
    }

    fn close(&mut self, peer: P, reason: CloseReason) {
        self.signals.push_back(Signal::Close(peer, reason));
        self.disconnected(peer);
    }
}

/// The want is not open with this peer any more.
fn settle(remote: &mut Remote, id: WantId, now: Instant) {
    if remote.open.remove(&id) && remote.open.is_empty() {
        remote.patience.idle();
        remote.meter.stop(now);
    }
}
