//! The engine as the rest of the peer sees it: wants out, blocks in, answers of the store.

use super::{Loaded, SessionId};
use crate::platform::{self, Block, Instant, Payload};
use avocet_bitswap::{Config, Engine};
use avocet_dag::Cid;
use futures::{FutureExt, channel::oneshot};
use libp2p::PeerId;
use std::{
    cell::RefCell,
    collections::HashMap,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// What went over the wire since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks sent.
    pub blocks_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Wanted blocks received.
    pub blocks_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Blocks received that were not wanted any more, or never.
    pub duplicates: u64,
    /// Blocks wanted now.
    pub wants: u64,
}

/// One who waits for a block: a number to know it by, and where to put the block.
type Waiter = (u64, oneshot::Sender<Block>);

pub(super) struct Core {
    pub engine: Engine<PeerId, Payload>,
    /// Who waits for which block. Bounded by the read-ahead of those who ask.
    waiting: HashMap<(SessionId, Cid), Vec<Waiter>>,
    /// What each open session is for.
    roots: HashMap<SessionId, Cid>,
    next_waiter: u64,
    pub waker: Option<Waker>,
    /// Connected peers that speak the protocol.
    pub peers: usize,
    pub stopped: bool,
}

/// See the module. Clones share the engine.
#[derive(Clone)]
pub struct Exchange {
    core: Rc<RefCell<Core>>,
}

impl Exchange {
    /// With no peers and no wants; `local` is what others call this one.
    pub fn new(local: PeerId) -> Self {
        let mut seed = [0; 8];
        platform::random_bytes(&mut seed);
        let core = Core {
            engine: Engine::new(local, Config::default(), u64::from_le_bytes(seed)),
            waiting: HashMap::new(),
            roots: HashMap::new(),
            next_waiter: 0,
            waker: None,
            peers: 0,
            stopped: false,
        };
        Self { core: Rc::new(RefCell::new(core)) }
    }

    /// A session: wants that belong together are asked of the same peers.
    pub fn open_session(&self, root: Cid) -> SessionId {
        self.with(|core, now| {
            let session = core.engine.open_session(now);
            core.roots.insert(session, root);
            session
        })
    }

    /// Ends a session and cancels its wants.
    pub fn close_session(&self, session: SessionId) {
        self.with(|core, now| {
            core.engine.close_session(session, now);
            core.roots.remove(&session);
            core.waiting.retain(|(of, _), _| *of != session);
        });
    }

    /// A peer that is said to have what the session is for.
    pub fn add_peer(&self, session: SessionId, peer: PeerId) {
        self.with(|core, now| core.engine.add_peer(session, peer, now));
    }

    /// Asks connected peers whether they have the session's root: who has it is asked for the rest too.
    pub fn seek(&self, session: SessionId, root: &Cid) {
        self.with(|core, now| core.engine.seek(session, root, now));
    }

    /// The block, as soon as a peer gives it; `None` when the session ends before. Dropping it cancels the want.
    pub fn want(&self, session: SessionId, cid: &Cid) -> Want {
        self.with(|core, now| {
            let (found, answer) = oneshot::channel();
            let waiter = core.next_waiter;
            core.next_waiter += 1;
            if core.roots.contains_key(&session) && !core.stopped {
                let waiters = core.waiting.entry((session, cid.clone())).or_default();
                waiters.push((waiter, found));
                if waiters.len() == 1
                    && let Err(error) = core.engine.want(session, cid, now)
                {
                    tracing::warn!(%cid, %error, "not wanted");
                    core.waiting.remove(&(session, cid.clone()));
                }
            }
            Want { exchange: self.clone(), session, cid: cid.clone(), waiter, answer }
        })
    }

    /// Blocks that are in the store from now on: peers that wait for them get them.
    pub fn stored(&self, cids: &[Cid]) {
        self.with(|core, now| core.engine.handle_new_blocks(cids, now));
    }

    /// The store's answer to [`super::Event::Load`].
    pub fn loaded(&self, peer: PeerId, cid: Cid, loaded: Option<Loaded>) {
        self.with(|core, now| core.engine.handle_loaded(peer, &cid, loaded, now));
    }

    /// Peers that said within the last minute that they have the CID; asks all that are connected again.
    pub fn holders(&self, cid: &Cid) -> usize {
        self.with(|core, now| {
            core.engine.probe(cid, now);
            core.engine.holders(cid, now).count()
        })
    }

    /// How many connected peers can be asked for blocks.
    pub fn peers(&self) -> usize {
        self.core.borrow().peers
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let core = self.core.borrow();
        let moved = core.engine.stats();
        Stats {
            blocks_sent: moved.blocks_sent,
            bytes_sent: moved.bytes_sent,
            blocks_received: moved.blocks_received,
            bytes_received: moved.bytes_received,
            duplicates: moved.surplus_blocks + moved.unasked_blocks,
            wants: core.engine.wants() as u64,
        }
    }

    /// Whether nothing will come any more.
    pub fn is_stopped(&self) -> bool {
        self.core.borrow().stopped
    }

    /// Nothing will come any more: whoever waits is told.
    pub(in crate::net) fn stop(&self) {
        self.with(|core, _| {
            core.stopped = true;
            core.waiting.clear();
        });
    }

    /// Whom to wake when the engine changes.
    pub(super) fn wake_by(&self, waker: &Waker) {
        self.core.borrow_mut().waker = Some(waker.clone());
    }

    /// Changes the engine from within the swarm's own turn, which polls the behaviour after it in any case:
    /// a wake-up here would never let that turn end.
    pub(super) fn within<T>(&self, change: impl FnOnce(&mut Core, Instant) -> T) -> T {
        change(&mut self.core.borrow_mut(), platform::now())
    }

    /// Changes the engine and has the behaviour look at what follows from it.
    fn with<T>(&self, change: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let outcome = self.within(change);
        let waker = self.core.borrow_mut().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
        outcome
    }
}

impl Core {
    /// Hands a block to everyone who waits for it.
    pub(super) fn deliver(&mut self, sessions: &[SessionId], block: &Block) {
        for session in sessions {
            let waiters = self.waiting.remove(&(*session, block.cid().clone()));
            for (_, waiter) in waiters.into_iter().flatten() {
                // Whoever gave up is taken out by `Want::drop`; at worst it hears of it here.
                let _ = waiter.send(block.clone());
            }
        }
    }

    /// What the first of these sessions is for.
    pub(super) fn root(&self, sessions: &[SessionId]) -> Option<Cid> {
        sessions.iter().find_map(|session| self.roots.get(session)).cloned()
    }
}

/// A want. See [`Exchange::want`].
pub struct Want {
    exchange: Exchange,
    session: SessionId,
    cid: Cid,
    waiter: u64,
    answer: oneshot::Receiver<Block>,
}

impl Future for Want {
    type Output = Option<Block>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        self.answer.poll_unpin(cx).map(Result::ok)
    }
}

impl Drop for Want {
    fn drop(&mut self) {
        let key = (self.session, self.cid.clone());
        self.exchange.with(|core, now| {
            let Some(waiters) = core.waiting.get_mut(&key) else { return };
            waiters.retain(|(waiter, _)| *waiter != self.waiter);
            if waiters.is_empty() {
                core.waiting.remove(&key);
                core.engine.cancel(key.0, &key.1, now);
            }
        });
    }
}
