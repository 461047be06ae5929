//! Giving wants to peers: who is asked for which block.

use std::{
    collections::VecDeque,
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use web_time::Instant;

use super::{Client, discover::BROADCAST_WANTS};
use crate::{
    candidate::{Candidate, Choice, choose, mean_rate},
    member::Member,
    remote::Remote,
    session::SessionId,
    wants::{Ask, WantId},
    wire::WantKind,
};

/// The most peers of a session that are asked in passing whether they have its first block.
const SCOUTS: usize = 16;

/// One session's place in a round of handing out.
struct Turn {
    session: SessionId,
    /// Wants to look at.
    ahead: VecDeque<WantId>,
    /// Those left to others who gather the same, unless there is nothing else to do.
    later: Vec<WantId>,
    /// Whether there are such others.
    gathering: bool,
    /// The first wants that nobody can be asked for.
    nobody: Vec<WantId>,
    /// Those who could be asked for more owe enough.
    full: bool,
    /// Nothing more can be handed out.
    done: bool,
}

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// Hands idle wants to peers with room. Sessions take turns, want by want.
    pub(crate) fn schedule(&mut self, now: Instant) {
        if !self.dirty {
            return;
        }
        self.dirty = false;
        self.wake = None;
        let after = self.sessions.range(self.turn..).map(|(id, _)| *id);
        let before = self.sessions.range(..self.turn).map(|(id, _)| *id);
        let order: Vec<_> = after.chain(before).collect();
        let mut turns: Vec<_> = order.into_iter().map(|id| self.new_turn(id, now)).collect();
        while turns.iter().any(|turn| !turn.done) {
            for turn in turns.iter_mut().filter(|turn| !turn.done) {
                self.take_turn(turn, now);
            }
        }
        self.turn = turns.first().map_or(self.turn, |turn| SessionId(turn.session.0 + 1));
        for turn in turns {
            self.discover(turn.session, &turn.nobody, now);
            // of those who have not all of it, one may owe enough and another nothing
            if !turn.full || turn.gathering {
                self.rescue(turn.session, now);
            }
        }
    }

    fn new_turn(&mut self, session: SessionId, now: Instant) -> Turn {
        let gathering = self.listen(session, now);
        let idle = self.sessions.get(&session).into_iter().flat_map(|s| s.idle.iter().copied());
        let ahead = idle.collect();
        let (later, nobody, full, done) = (Vec::new(), Vec::new(), false, false);
        Turn { session, ahead, later, gathering, nobody, full, done }
    }

    /// Hands out one want of a session. Where others gather the same, what one of them has is asked of it, and what falls
    /// to one of them is left to it; both at first, as long as there is something else.
    fn take_turn(&mut self, turn: &mut Turn, now: Instant) {
        while let Some((id, left)) = self.next_idle(turn) {
            let (mut candidates, size) = self.candidates(id, now);
            let idle =
                self.sessions.get(&turn.session).map_or(0, |s| s.idle.len().saturating_mul(size));
            if turn.gathering {
                let had = candidates.iter().any(|candidate| candidate.gathers);
                let block = Duration::from_secs_f64(size as f64 / mean_rate(&candidates).max(1.0));
                if !had && self.is_left((turn.session, id), block, left, now) {
                    turn.later.extend((!left).then_some(id));
                    continue;
                }
                if had && !left {
                    candidates.retain(|candidate| candidate.gathers);
                }
            }
            match choose(&candidates, size, idle) {
                Choice::Ask(peer) => {
                    self.ask(id, peer, WantKind::Block, now);
                    self.scout(turn.session, id, now);
                    return;
                }
                Choice::Full if turn.gathering && !left => {
                    if candidates.iter().any(|candidate| candidate.gathers) {
                        turn.later.push(id);
                    } else {
                        turn.full = true;
                    }
                }
                Choice::Full => {
                    turn.full = true;
                    break;
                }
                Choice::Nobody => {
                    if turn.gathering {
                        self.listen_further(turn.session, id, now);
                    }
                    if turn.nobody.len() < BROADCAST_WANTS {
                        turn.nobody.push(id);
                    }
                    let members = self.sessions.get(&turn.session).map(|s| s.members.keys());
                    let any = members.into_iter().flatten().any(|p| self.remotes.contains_key(p));
                    if !any && turn.nobody.len() == BROADCAST_WANTS {
                        break;
                    }
                }
            }
        }
        turn.done = true;
    }

    /// The next want that nobody is about to send, and whether it was left before.
    fn next_idle(&self, turn: &mut Turn) -> Option<(WantId, bool)> {
        let session = self.sessions.get(&turn.session)?;
        loop {
            let (id, left) = match turn.ahead.pop_front() {
                Some(id) => (id, false),
                None => (turn.later.pop()?, true),
            };
            if session.idle.contains(&id) {
                return Some((id, left));
            }
        }
    }

    /// The peers of the want's sessions that can be asked for the block, and its likely size.
    fn candidates(&mut self, id: WantId, now: Instant) -> (Vec<Candidate<P>>, usize) {
        let (mut candidates, mut size) = (Vec::<Candidate<P>>::new(), 1);
        let Some(want) = self.wants.get(id) else { return (candidates, size) };
        for session in want.sessions.iter().filter_map(|id| self.sessions.get(id)) {
            size = size.max(session.typical(&want.cid));
            for (peer, member) in &session.members {
                let refused = |ask: &Ask| ask.is_open() || ask.answer == Some(false);
                let Some(remote) = self.remotes.get(peer).filter(|_| !member.banned) else {
                    continue;
                };
                let ask = want.asks.get(peer);
                let has = ask.is_some_and(|ask| ask.answer == Some(true));
                if member.gathers() && !has {
                    continue;
                }
                if ask.is_some_and(refused)
                    || candidates.iter().any(|other| other.peer == *peer)
                    || !remote.has_room()
                {
                    continue;
                }
                match remote.patience.usable(now) {
                    Ok(()) => candidates.push(candidate(*peer, remote, member, now)),
                    Err(Some(at)) => self.wake = self.wake.into_iter().chain([at]).min(),
                    Err(None) => {}
                }
            }
        }
        (candidates, size)
    }

    /// Asks members of which nothing is known yet whether they have this block, once: so that a
    /// session knows early who else can be asked.
    fn scout(&mut self, session: SessionId, id: WantId, now: Instant) {
        let (Some(session), Some(want)) = (self.sessions.get_mut(&session), self.wants.get(id))
        else {
            return;
        };
        let mut scouts = Vec::new();
        for (peer, member) in &mut session.members {
            let known = member.proven || member.scouted || member.banned;
            let Some(remote) = self.remotes.get(peer).filter(|_| !known) else { continue };
            let free = !want.asks.contains_key(peer) && remote.has_room();
            if free && scouts.len() < SCOUTS {
                member.scouted = true;
                scouts.push(*peer);
            }
        }
        for peer in scouts {
            self.ask(id, peer, WantKind::Have, now);
        }
    }

    pub(super) fn wake_at(&mut self, at: Instant) {
        self.wake = self.wake.into_iter().chain([at]).min();
    }

    /// An order of peers that is this engine's own.
    pub(super) fn shuffle(&self, peer: &P) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, peer).hash(&mut hasher);
        hasher.finish()
    }
}

/// What is known of a peer that may be asked.
pub(super) fn candidate<P>(
    peer: P,
    remote: &Remote,
    member: &Member,
    now: Instant,
) -> Candidate<P> {
    Candidate {
        peer,
        rate: remote.meter.rate(),
        stale: remote.meter.is_stale(now),
        latency: remote.meter.latency(),
        asks: remote.open.len(),
        under_way: remote.patience.under_way(),
        proven: member.proven,
        misses: member.misses,
        gathers: member.gathers(),
        on_probation: remote.patience.on_probation(),
    }
}
