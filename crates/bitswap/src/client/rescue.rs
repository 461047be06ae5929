//! The end of a download: what a peer with nothing to do takes over from one that is slow.

use std::{fmt::Debug, hash::Hash, time::Duration};

use web_time::Instant;

use super::{Client, schedule::candidate};
use crate::{
    candidate::{Candidate, mean_rate},
    member::Member,
    session::SessionId,
    wants::WantId,
    wire::WantKind,
};

/// How often slow peers are looked at while another has nothing to do.
const RESCUE_TICK: Duration = Duration::from_millis(250);
/// A block is taken over when its owner would need so many times as long, and so much longer.
const RESCUE_FACTOR: f64 = 2.0;
const RESCUE_SECONDS: f64 = 0.2;
/// The same for a block that its owner has begun, which will come twice: half the time after which a silent peer loses
/// it in any case.
const TWICE_SECONDS: f64 = 0.5;
/// How many of a peer's last blocks are looked at for one that can be taken over.
const LOOKED_AT: usize = 8;

/// A block that somebody else should send.
struct Late<P> {
    id: WantId,
    owner: P,
    /// Its owner may be sending it by now.
    begun: bool,
    /// In how many seconds it would be here.
    eta: f64,
}

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// Peers with room, while others are slow, take the blocks that would come last. Taken over
    /// if the owner has not begun them; asked for twice if it has, and the helper owes nothing.
    pub(super) fn rescue(&mut self, session: SessionId, now: Instant) {
        let Some(record) = self.sessions.get(&session).filter(|s| !s.wants.is_empty()) else {
            return;
        };
        let owes = |peer: &P| self.remotes.get(peer).is_some_and(|r| !r.open.is_empty());
        if !record.members.keys().any(owes) {
            return;
        }
        // those that may help, as they are known at worst, and all as they are known at best
        let (mut helpers, mut known) = (Vec::new(), Vec::new());
        for (peer, member) in &record.members {
            let Some(remote) = self.remotes.get(peer) else { continue };
            // in doubt the last that is known of it holds
            let candidate = Candidate { stale: false, ..candidate(*peer, remote, member, now) };
            let rates = remote.meter.rate().zip(remote.meter.steady());
            known.push(Candidate { rate: rates.map(|(a, b)| a.max(b)), ..candidate });
            let reliable = remote.patience.is_reliable(now);
            if member.proven && !member.banned && reliable && remote.has_room() {
                helpers.push(Candidate { rate: rates.map(|(a, b)| a.min(b)), ..candidate });
            }
        }
        for helper in helpers {
            let peer = helper.peer;
            while let Some(late) = self.latest(session, helper, &known) {
                if !late.begun {
                    self.retract(late.id, late.owner, now);
                }
                self.ask(late.id, peer, WantKind::Block, now);
            }
            if self.remotes.get(&peer).is_some_and(|remote| remote.open.is_empty()) {
                self.wake_at(now + RESCUE_TICK);
            }
        }
    }

    /// The want that gains most from being asked of `helper`. In doubt the helper is slow and the
    /// owner fast: what is asked twice comes twice. What each owes is looked up, as it changes with every want taken over.
    fn latest(
        &self,
        session: SessionId,
        helper: Candidate<P>,
        known: &[Candidate<P>],
    ) -> Option<Late<P>> {
        let record = self.sessions.get(&session)?;
        let guess = mean_rate(known);
        let asks = self.remotes.get(&helper.peer)?.open.len();
        let mine = Candidate { asks, ..helper };
        let mut latest: Option<Late<P>> = None;
        for owner in known.iter().filter(|owner| owner.peer != mine.peer) {
            let Some(remote) = self.remotes.get(&owner.peer) else { continue };
            let last = remote.open.iter().rev().take(LOOKED_AT);
            let mut last = last.filter(|id| self.can_help(session, **id, mine.peer));
            let Some(id) = last.next().copied() else { continue };
            let Some(want) = self.wants.get(id) else { continue };
            let size = record.typical(&want.cid);
            let ahead = remote.open.range(..id).count();
            let eta = Candidate { asks: ahead, ..*owner }.eta(size, guess);
            let rate = owner.rate.unwrap_or(guess).max(1.0);
            let queued = ahead.saturating_mul(size).saturating_sub(owner.under_way) as f64 / rate;
            let begun = queued < RESCUE_SECONDS;
            let more = if begun { TWICE_SECONDS } else { RESCUE_SECONDS };
            let slow = eta > mine.eta(size, guess) * RESCUE_FACTOR + more;
            let free = if begun { mine.asks == 0 } else { mine.has_room(size) };
            if slow && free && latest.as_ref().is_none_or(|late| eta > late.eta) {
                latest = Some(Late { id, owner: owner.peer, begun, eta });
            }
        }
        latest
    }

    /// Whether the want is of that session, asked of one peer, and not refused by `helper`, which has it for sure if it
    /// gathers.
    fn can_help(&self, session: SessionId, id: WantId, helper: P) -> bool {
        let Some(want) = self.wants.get(id).filter(|want| want.sessions.contains(&session)) else {
            return false;
        };
        let answer = want.asks.get(&helper).and_then(|ask| ask.answer);
        let member = self.sessions.get(&session).and_then(|s| s.members.get(&helper));
        let refused = match answer {
            None => member.is_some_and(Member::gathers),
            Some(have) => !have,
        };
        !refused && want.asks.values().filter(|ask| ask.is_open()).count() == 1
    }
}
