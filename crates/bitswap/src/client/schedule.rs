//! Giving wants to peers: who is asked for which block, and what is done when nobody is left.

use std::{
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Bound,
    time::Duration,
};

use web_time::Instant;

use super::{Client, Signal, asks::settle};
use crate::{
    patience::STALL,
    remote::Remote,
    session::{Candidate, Choice, Member, SessionId, choose},
    wants::{Ask, WantId},
    wire::WantKind,
};

/// For how many wants of a session strangers are asked at a time: a root, and a block or two
/// that were lost on the way.
const BROADCAST_WANTS: usize = 3;
/// The most peers of a session that are asked in passing whether they have its first block.
const SCOUTS: usize = 16;
/// A peer that kept silent for this long is asked again for the same; Helia gives up on a want
/// after ten seconds.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The most wants of a session that are asked again in one go.
const MOST_AGAIN: usize = 64;

/// One session's place in a round of handing out.
struct Turn {
    session: SessionId,
    /// The last want that was looked at.
    at: Option<WantId>,
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
        let new =
            |session| Turn { session, at: None, nobody: Vec::new(), full: false, done: false };
        let mut turns: Vec<_> = after.chain(before).map(new).collect();
        while turns.iter().any(|turn| !turn.done) {
            for turn in turns.iter_mut().filter(|turn| !turn.done) {
                self.take_turn(turn, now);
            }
        }
        self.turn = turns.first().map_or(self.turn, |turn| SessionId(turn.session.0 + 1));
        for turn in turns {
            self.discover(turn.session, &turn.nobody, now);
            if !turn.full {
                self.rescue(turn.session, now);
            }
        }
    }

    /// Hands out one want of a session.
    fn take_turn(&mut self, turn: &mut Turn, now: Instant) {
        while let Some(id) = self.next_idle(turn) {
            turn.at = Some(id);
            let (candidates, size) = self.candidates(id, now);
            let idle =
                self.sessions.get(&turn.session).map_or(0, |s| s.idle.len().saturating_mul(size));
            match choose(&candidates, size, idle) {
                Choice::Ask(peer) => {
                    self.ask(id, peer, WantKind::Block, now);
                    self.scout(turn.session, id, now);
                    return;
                }
                Choice::Full => {
                    turn.full = true;
                    break;
                }
                Choice::Nobody => {
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

    fn next_idle(&self, turn: &Turn) -> Option<WantId> {
        let from = turn.at.map_or(Bound::Unbounded, Bound::Excluded);
        let session = self.sessions.get(&turn.session)?;
        session.idle.range((from, Bound::Unbounded)).next().copied()
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
                if want.asks.get(peer).is_some_and(refused)
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

    /// Nobody in the session can be asked for these wants: strangers are, if there are any;
    /// when they had their time to answer, providers are called for.
    fn discover(&mut self, session: SessionId, wants: &[WantId], now: Instant) {
        for id in wants {
            self.broadcast(session, *id, now);
        }
        let Some(want) = wants.first().and_then(|id| self.wants.get(*id)) else {
            if let Some(record) = self.sessions.get_mut(&session) {
                record.search.starving = false;
            }
            return;
        };
        let (fresh, silent): (Vec<&Ask>, Vec<&Ask>) = want
            .asks
            .values()
            .filter(|ask| ask.answer.is_none())
            .partition(|ask| ask.is_fresh(now));
        let until = fresh.iter().map(|ask| ask.at + STALL).max();
        // those asked after others kept silent have their time beside the providers
        let starving = fresh.is_empty() || !silent.is_empty();
        let cid = want.cid.clone();
        let Some(record) = self.sessions.get_mut(&session) else { return };
        record.search.starving = starving;
        let call = starving && record.search.is_due(now);
        if let Some(until) = until {
            self.wake_at(until);
        }
        if call {
            self.signals.push_back(Signal::NeedProviders(session, cid));
            self.ask_again(session, now);
        }
    }

    /// Asks peers outside the session whether they have it: a bounded number at a time, others
    /// as those say no or keep silent, and only as long as the session has nobody. A single peer
    /// is asked for the block outright.
    fn broadcast(&mut self, session: SessionId, id: WantId, now: Instant) {
        let Some(want) = self.wants.get(id) else { return };
        if let Some(session) = self.sessions.get_mut(&session) {
            session.note_asked(&want.cid);
        }
        let Some(session) = self.sessions.get(&session) else { return };
        let stranger = |peer: &P| !session.members.contains_key(peer);
        let open = want.asks.iter().filter(|(peer, ask)| stranger(peer) && ask.is_fresh(now));
        let asked = open.count();
        let mut peers: Vec<_> = self
            .remotes
            .iter()
            .filter(|(peer, remote)| {
                stranger(peer) && !want.asks.contains_key(peer) && remote.has_room()
            })
            .map(|(peer, remote)| (std::cmp::Reverse(remote.delivered), self.shuffle(peer), *peer))
            .collect();
        peers.sort_unstable();
        let only = self.remotes.len() == 1;
        let kind = if only { WantKind::Block } else { WantKind::Have };
        for (_, _, peer) in peers.into_iter().take(self.broadcast.saturating_sub(asked)) {
            self.ask(id, peer, kind, now);
        }
    }

    /// Forgets refusals, and silence of ten seconds, for wants that nobody is left for: so that
    /// whoever got the block since, or lost our list, is asked again.
    fn ask_again(&mut self, session: SessionId, now: Instant) {
        let Some(session) = self.sessions.get(&session) else { return };
        let idle: Vec<_> = session.idle.iter().copied().take(MOST_AGAIN).collect();
        for id in idle {
            let Some(want) = self.wants.get_mut(id) else { continue };
            want.asks.retain(|peer, ask| {
                let Some(remote) = self.remotes.get_mut(peer) else { return false };
                let quiet = now.saturating_duration_since(remote.patience.quiet_since());
                let since = now.saturating_duration_since(ask.at);
                let again = match ask.answer {
                    Some(false) => since >= STALL,
                    Some(true) => false,
                    None => since >= ASK_AGAIN && quiet >= ASK_AGAIN,
                };
                if again {
                    remote.asks.remove(&id);
                    settle(remote, id, now);
                    // to be said anew if it is asked anew, and taken back if it is not
                    remote.unlist(&want.cid, now);
                    self.talkative.insert(*peer);
                    self.dirty = true;
                }
                !again
            });
        }
    }

    pub(super) fn wake_at(&mut self, at: Instant) {
        self.wake = self.wake.into_iter().chain([at]).min();
    }

    /// An order of peers that is this engine's own.
    fn shuffle(&self, peer: &P) -> u64 {
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
        on_probation: remote.patience.on_probation(),
    }
}
