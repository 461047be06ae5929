//! The lanes of all peers: one message at a time on each, a rest after a failure, an end to waiting.

use crate::sorted::Map;
use std::time::Duration;

use web_time::Instant;

use crate::events::Lane;

/// A message that takes longer than this without a byte of it written closes its peer: twice
/// what a slow uplink needs for the megabyte that browsers buffer.
pub const WRITE_STALL: Duration = Duration::from_secs(60);
/// How long after a failed message the next one waits; so many failures in a row are the end.
const RETRY: Duration = Duration::from_millis(500);
const FAILURES: u32 = 3;

/// One of a peer's lanes.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Since when a message is being written, or when it last moved.
    busy: Option<Instant>,
    /// In a row.
    failures: u32,
    /// Until when nothing is sent, after a failure.
    rest: Option<Instant>,
    /// Blocks are in the message: that they go out tells that the peer lives. A few small
    /// messages tell nothing, as they fit our own buffers.
    heavy: bool,
}

/// A connected peer's lanes and how many bytes of blocks were sent on them.
#[derive(Debug, Clone, Copy, Default)]
struct Link {
    lanes: [State; 2],
    bytes_sent: u64,
}

/// What a failed message leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The message is to be made anew.
    Again,
    /// There were too many.
    Last,
    /// The peer is not connected.
    Unknown,
}

/// The lanes of all connected peers.
#[derive(Debug)]
pub(super) struct Lanes<P> {
    links: Map<P, Link>,
}

impl<P: Copy + Ord> Lanes<P> {
    pub(super) const fn new() -> Self {
        Self { links: Map::new() }
    }

    pub(super) fn connected(&mut self, peer: P) {
        self.links.entry(peer).or_default();
    }

    pub(super) fn disconnected(&mut self, peer: P) {
        self.links.remove(&peer);
    }

    pub(super) fn is_connected(&self, peer: P) -> bool {
        self.links.contains_key(&peer)
    }

    pub(super) fn bytes_sent(&self, peer: P) -> u64 {
        self.links.get(&peer).map_or(0, |link| link.bytes_sent)
    }

    /// Whether it may be given a message.
    pub(super) fn is_free(&self, peer: P, lane: Lane) -> bool {
        let free = |state: State| state.busy.is_none() && state.rest.is_none();
        self.links.get(&peer).is_some_and(|link| free(link.lanes[lane as usize]))
    }

    /// A message with so many bytes of blocks is given.
    pub(super) fn begin(&mut self, peer: P, lane: Lane, bytes: u64, now: Instant) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        link.bytes_sent += bytes;
        let state = &mut link.lanes[lane as usize];
        (state.busy, state.heavy) = (Some(now), bytes > 0);
    }

    /// Part of its message was written. Whether that tells that the peer lives.
    pub(super) fn moving(&mut self, peer: P, lane: Lane, now: Instant) -> bool {
        let Some(state) = self.state(peer, lane).filter(|state| state.busy.is_some()) else {
            return false;
        };
        state.busy = Some(now);
        state.heavy
    }

    /// Its message was written. Whether there was one.
    pub(super) fn sent(&mut self, peer: P, lane: Lane) -> bool {
        self.state(peer, lane).is_some_and(|state| std::mem::take(state).busy.is_some())
    }

    /// Its message was lost.
    pub(super) fn failed(&mut self, peer: P, lane: Lane, now: Instant) -> Failure {
        let Some(state) = self.state(peer, lane) else { return Failure::Unknown };
        let failures = state.failures + 1;
        *state = State { failures, rest: Some(now + RETRY * failures), ..State::default() };
        if failures < FAILURES { Failure::Again } else { Failure::Last }
    }

    /// Time passed that does not count.
    pub(super) fn slept(&mut self, gap: Duration) {
        let states = self.links.values_mut().flat_map(|link| &mut link.lanes);
        states.filter_map(|state| state.busy.as_mut()).for_each(|since| *since += gap);
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        let states = self.links.values().flat_map(|link| &link.lanes);
        let times = states.flat_map(|lane| [lane.busy.map(|since| since + WRITE_STALL), lane.rest]);
        times.flatten().min()
    }

    /// Ends rests. Gives the peers that have not taken a byte for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<P> {
        let mut stuck = Vec::new();
        for (peer, link) in &mut self.links {
            for state in &mut link.lanes {
                state.rest = state.rest.filter(|rest| now < *rest);
            }
            let late = |state: &State| state.busy.is_some_and(|since| now >= since + WRITE_STALL);
            if link.lanes.iter().any(late) {
                stuck.push(*peer);
            }
        }
        stuck
    }

    fn state(&mut self, peer: P, lane: Lane) -> Option<&mut State> {
        self.links.get_mut(&peer).map(|link| &mut link.lanes[lane as usize])
    }
}
