//! What peers answer: blocks, HAVE and DONT_HAVE.

use std::{fmt::Debug, hash::Hash};

use avocet_dag::Cid;
use web_time::Instant;

use super::{Client, asks::settle};
use crate::{events::CloseReason, session::SessionId, wire::WantKind};

/// The third block that nobody asked for closes its sender: honest peers can send one that
/// crosses with our cancel, and hardly ever two.
pub const STRIKES: u32 = 3;
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

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// A verified block came.
    pub(crate) fn block(&mut self, peer: P, cid: &Cid, len: usize, now: Instant) -> Arrival {
        let Some(remote) = self.remotes.get_mut(&peer) else { return Arrival::Unasked };
        if !remote.is_listed(cid) && !remote.excuse(cid, now) {
            return Arrival::Unasked;
        }
        let probed = remote.probes.remove(cid).is_some();
        remote.answered(cid, now);
        if probed {
            self.holders.insert(cid, peer, now); // a small block comes in place of a HAVE
            self.join(peer, cid);
        }
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
                member.delivered();
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
            self.close(peer, CloseReason::Unasked, now);
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
                true => {
                    remote.answered(cid, now);
                    self.join(peer, cid);
                    self.heard(peer, now);
                }
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
        let (kind, before) = (ask.kind, ask.answer.replace(have));
        let lied = !have && std::mem::take(&mut ask.promised);
        if !have {
            settle(remote, id, now);
        }
        if lied {
            remote.patience.distrust(now);
        }
        for session in want.sessions.iter() {
            let Some(session) = self.sessions.get_mut(session) else { continue };
            let member = if have { session.member(peer) } else { session.members.get_mut(&peer) };
            if let Some(member) = member {
                member.answered(kind, before, have, now);
            }
        }
        self.note_idle(id);
        if lied {
            // else two that do so by turns would be asked for it for ever, and nobody else
            self.stall(peer);
        }
        self.dirty = true;
    }

    /// `peer` has a block that strangers were asked for, and that came from another before.
    fn join(&mut self, peer: P, cid: &Cid) {
        for session in self.sessions.values_mut().filter(|session| session.has_asked(cid)) {
            if let Some(member) = session.member(peer) {
                member.proven = true;
                self.dirty = true;
            }
        }
    }
}
