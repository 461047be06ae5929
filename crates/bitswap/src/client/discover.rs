//! What is done when nobody is left to ask: strangers are asked, providers are called for, refusals are forgotten.

use std::{fmt::Debug, hash::Hash, time::Duration};

use web_time::Instant;

use super::{Client, Signal, asks::settle};
use crate::{
    patience::STALL,
    session::SessionId,
    wants::{Ask, WantId},
    wire::WantKind,
};

/// For how many wants of a session strangers are asked at a time: a root, and a block or two
/// that were lost on the way.
pub(super) const BROADCAST_WANTS: usize = 3;
/// A peer that kept silent for this long is asked again for the same; Helia gives up on a want
/// after ten seconds.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The most wants of a session that are asked again in one go.
const MOST_AGAIN: usize = 64;

impl<P: Copy + Ord + Hash + Debug> Client<P> {
    /// Nobody in the session can be asked for these wants: strangers are, if there are any;
    /// when they had their time to answer, providers are called for.
    pub(super) fn discover(&mut self, session: SessionId, wants: &[WantId], now: Instant) {
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
}
