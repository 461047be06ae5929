//! The end of a download: what a peer with nothing to do takes over from one that is slow.

use std::{fmt::Debug, hash::Hash, time::Duration};

use web_time::Instant;

use super::Client;
use crate::{
    session::{Candidate, SessionId, mean_rate},
    wants::WantId,
    wire::WantKind,
};

/// How often slow peers are looked at while another has nothing to do.
const RESCUE_TICK: Duration = Duration::from_millis(250);
/// A block is taken over when its owner would need so many times as long, and so much longer.
const RESCUE_FACTOR: f64 = 2.0;
const RESCUE_SECONDS: f64 = 0.2;
impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// A peer that owes nothing, while others are slow, takes the block that would come last.
    /// Taken over if its owner has not begun it, asked for twice if it has.
    pub(super) fn rescue(&mut self, session: SessionId, now: Instant) {
        let Some(record) = self.sessions.get(&session).filter(|s| !s.wants.is_empty()) else {
            return;
        };
        let owes = |peer: &P| self.remotes.get(peer).is_some_and(|r| !r.open.is_empty());
        if !record.members.keys().any(owes) {
            return;
        }
        let mut helpers = Vec::new();
        for (peer, member) in record.members.iter().filter(|(_, m)| m.proven && !m.banned) {
            let Some(remote) = self.remotes.get(peer) else { continue };
            let patience = &remote.patience;
            let free = remote.open.is_empty() && remote.has_room();
            if free && patience.usable(now).is_ok() && !patience.on_probation() {
                helpers.push((*peer, member.misses));
            }
        }
        for (helper, misses) in helpers {
            match self.slowest(session, helper, misses) {
                Some((id, owner, begun)) => {
                    if !begun {
                        self.retract(id, owner, now);
                    }
                    self.ask(id, helper, WantKind::Block, now);
                }
                None => self.wake_at(now + RESCUE_TICK),
            }
        }
    }

    /// The want that gains most from being asked of `helper`, its owner, and whether the owner
    /// has begun to send it.
    fn slowest(&self, session: SessionId, helper: P, misses: u32) -> Option<(WantId, P, bool)> {
        let session = self.sessions.get(&session)?;
        let candidate = |peer: P, proven, misses| {
            let remote = self.remotes.get(&peer)?;
            let (rate, latency) = (remote.meter.rate(), remote.meter.latency());
            let under_way = remote.patience.under_way();
            let on_probation = remote.patience.on_probation();
            let asks = 0;
            let candidate =
                Candidate { peer, rate, latency, asks, under_way, proven, misses, on_probation };
            Some(candidate)
        };
        let known: Vec<_> = session
            .members
            .iter()
            .filter_map(|(peer, member)| candidate(*peer, member.proven, member.misses))
            .collect();
        let guess = mean_rate(&known);
        let helper_record = candidate(helper, true, misses)?;
        let mut best: Option<(f64, (WantId, P, bool))> = None;
        for id in &session.wants {
            let Some(want) = self.wants.get(*id) else { continue };
            let mut open = want.asks.iter().filter(|(_, ask)| ask.is_open());
            let (Some((owner, _)), None) = (open.next(), open.next()) else { continue };
            let refused = want.asks.get(&helper).is_some_and(|ask| ask.answer == Some(false));
            let Some(remote) = self.remotes.get(owner).filter(|_| !refused) else { continue };
            let ahead = remote.open.range(..id).count();
            let Some(base) = candidate(*owner, true, 0) else { continue };
            let size = session.typical(&want.cid);
            let mine = helper_record.eta(size, guess);
            let theirs = Candidate { asks: ahead, ..base }.eta(size, guess);
            let rate = base.rate.unwrap_or(guess).max(1.0);
            let queued = (ahead * size).saturating_sub(base.under_way) as f64 / rate;
            let slow = theirs > mine * RESCUE_FACTOR + RESCUE_SECONDS;
            if slow && best.is_none_or(|(worst, _)| theirs > worst) {
                best = Some((theirs, (*id, *owner, queued < RESCUE_SECONDS)));
            }
        }
        best.map(|(_, found)| found)
    }
}
