//! The asking side: sessions, their wants, and the peers that are asked.

mod answers;
mod asks;
mod discover;
mod gather;
mod peers;
mod rescue;
mod schedule;

use std::{collections::VecDeque, fmt::Debug, hash::Hash};

use avocet_dag::{Cid, CidError};
use web_time::Instant;

pub(crate) use self::answers::Arrival;
pub use self::answers::STRIKES;
use crate::{
    events::{CloseReason, Stats},
    holders::{FRESH, Holders},
    patience::Verdict,
    remote::{Parted, Remote},
    session::{Session, SessionId},
    sorted::{Map, Set},
    wants::{Want, Wants},
    wire::{Entry, WantKind},
};

/// The most wants at a time. A reader wants a window of blocks ahead, a walk no more than it can
/// name; this is four times what one peer may be asked for.
pub const MAX_WANTS: usize = 4096;
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

/// The asking side. `poll_*` hand out what the `handle_*` and the calls of sessions led to.
#[derive(Debug)]
pub(crate) struct Client<P> {
    /// Ourselves, as others know us.
    local: P,
    wants: Wants<P>,
    sessions: Map<SessionId, Session<P>>,
    next_session: u64,
    remotes: Map<P, Remote>,
    /// Peers that went within the last minute; a bounded number.
    parted: Map<P, Parted>,
    holders: Holders<P>,
    /// Peers that may have something to be told.
    talkative: Set<P>,
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
    pub(crate) fn new(local: P, broadcast: usize, seed: u64) -> Self {
        Self {
            local,
            wants: Wants::new(),
            sessions: Map::new(),
            next_session: 0,
            remotes: Map::new(),
            parted: Map::new(),
            holders: Holders::new(),
            talkative: Set::new(),
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
        if let Some(member) = session.members.get_mut(&peer) {
            member.overheard = false;
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
        self.probe_but(&Set::new(), cid, now);
    }

    fn probe_but(&mut self, known: &Set<P>, cid: &Cid, now: Instant) {
        let id = self.wants.id(cid);
        for (peer, remote) in self.remotes.iter_mut().filter(|(peer, _)| !known.contains(peer)) {
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

    pub(crate) fn seek(&mut self, id: SessionId, cid: &Cid, now: Instant) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.note_asked(cid);
        let known: Set<_> =
            session.members.iter().filter(|(_, m)| m.proven).map(|(peer, _)| *peer).collect();
        self.probe_but(&known, cid, now);
    }

    pub(crate) fn holders(&self, cid: &Cid, now: Instant) -> impl Iterator<Item = P> {
        self.holders.get(cid, now)
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
                    Verdict::GiveUp => self.close(peer, CloseReason::Silent, now),
                    Verdict::Trickling => self.close(peer, CloseReason::Trickling, now),
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
}
