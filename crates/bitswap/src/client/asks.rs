//! The small steps that all else is made of. Each keeps wants, remotes and sessions in agreement.

use std::{fmt::Debug, hash::Hash};

use web_time::Instant;

use super::{Client, Signal};
use crate::{
    events::CloseReason,
    remote::Remote,
    session::SessionId,
    wants::{Ask, WantId},
    wire::WantKind,
};

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    pub(super) fn ask(&mut self, id: WantId, peer: P, kind: WantKind, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        let Some(remote) = self.remotes.get_mut(&peer) else { return };
        let promised = want.asks.get(&peer).is_some_and(|ask| ask.answer == Some(true));
        want.asks.insert(peer, Ask { kind, at: now, answer: None, promised, late: false });
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
        // who was asked for it and said DONT_HAVE would send it as soon as it has it: by then we have it too
        let refused = |ask: &Ask| ask.kind == WantKind::Block && ask.answer == Some(false);
        for (other, _) in want.asks.iter().filter(|(_, ask)| refused(ask)) {
            if let Some(remote) = self.remotes.get_mut(other) {
                remote.unlist(&want.cid, now);
                self.talkative.insert(*other);
            }
        }
    }

    /// Takes back what was asked of one peer.
    pub(super) fn retract(&mut self, id: WantId, peer: P, now: Instant) {
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
    pub(super) fn release(&mut self, id: WantId, session: SessionId, now: Instant) {
        let Some(want) = self.wants.get_mut(id) else { return };
        want.sessions.remove(&session);
        if want.sessions.is_empty() {
            self.remove_want(id, None, now);
        }
    }

    /// Forgets a want, and takes it back from all but the peer that it came from.
    pub(super) fn remove_want(
        &mut self,
        id: WantId,
        from: Option<P>,
        now: Instant,
    ) -> Vec<SessionId> {
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
    pub(super) fn stall(&mut self, peer: P) {
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
    pub(super) fn recover(&mut self, peer: P, now: Instant) {
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

    pub(super) fn note_idle(&mut self, id: WantId) {
        let Some(want) = self.wants.get(id).filter(|want| want.is_idle()) else { return };
        for session in &want.sessions {
            if let Some(session) = self.sessions.get_mut(session) {
                session.idle.insert(id);
            }
        }
    }

    pub(super) fn close(&mut self, peer: P, reason: CloseReason, now: Instant) {
        self.signals.push_back(Signal::Close(peer, reason));
        self.disconnected(peer, now);
    }
}

/// The want is not open with this peer any more.
pub(super) fn settle(remote: &mut Remote, id: WantId, now: Instant) {
    if remote.open.remove(&id) && remote.open.is_empty() {
        remote.patience.idle();
        remote.meter.stop(now);
    }
}
