//! What we want, and whom we asked for it.

use crate::sorted::{Map, Set};
use avocet_dag::Cid;
use web_time::Instant;

use crate::{patience::STALL, session::SessionId, wire::WantKind};

/// A want. Older wants have lower numbers and are more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WantId(u64);

/// One peer's part in one want.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) kind: WantKind,
    pub(crate) at: Instant,
    /// HAVE or DONT_HAVE.
    pub(crate) answer: Option<bool>,
    /// It had said HAVE before.
    pub(crate) promised: bool,
    /// The block did not come in time: others are asked too.
    pub(crate) late: bool,
}

impl Ask {
    /// The block was asked for and may still come.
    pub(crate) fn is_open(&self) -> bool {
        self.kind == WantKind::Block && self.answer.is_none()
    }

    /// Neither answered yet nor long enough ago to wonder.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.answer.is_none() && !self.late && now < self.at + STALL
    }

    /// As [`is_open`](Self::is_open), and there is no reason yet to ask anyone else.
    pub(crate) fn is_live(&self) -> bool {
        self.is_open() && !self.late
    }
}

/// Something that at least one session wants.
#[derive(Debug)]
pub(crate) struct Want<P> {
    pub(crate) cid: Cid,
    /// On the wire: the first want of a session has the highest, so that a new session is not
    /// served after all that a large one has asked before.
    pub(crate) priority: i32,
    /// Never empty.
    pub(crate) sessions: Set<SessionId>,
    /// Connected peers only.
    pub(crate) asks: Map<P, Ask>,
    /// Who wants it of us, while we want it too: a bounded number.
    pub(crate) rivals: Set<P>,
}

impl<P: Ord> Want<P> {
    /// Whether nobody is about to send it.
    pub(crate) fn is_idle(&self) -> bool {
        !self.asks.values().any(Ask::is_live)
    }
}

/// All wants, by number and by CID.
#[derive(Debug)]
pub(crate) struct Wants<P> {
    ids: Map<Cid, WantId>,
    wants: Map<WantId, Want<P>>,
    next: u64,
}

impl<P: Copy + Ord> Wants<P> {
    pub(crate) const fn new() -> Self {
        Self { ids: Map::new(), wants: Map::new(), next: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.wants.len()
    }

    pub(crate) fn id(&self, cid: &Cid) -> Option<WantId> {
        self.ids.get(cid).copied()
    }

    pub(crate) fn get(&self, id: WantId) -> Option<&Want<P>> {
        self.wants.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: WantId) -> Option<&mut Want<P>> {
        self.wants.get_mut(&id)
    }

    /// The want for `cid`, made if there was none.
    pub(crate) fn insert(&mut self, cid: &Cid, session: SessionId, priority: i32) -> WantId {
        let id = *self.ids.entry(cid.clone()).or_insert_with(|| {
            self.next += 1;
            WantId(self.next)
        });
        let (sessions, asks, rivals) = (Set::new(), Map::new(), Set::new());
        let new = || Want { cid: cid.clone(), priority, sessions, asks, rivals };
        self.wants.entry(id).or_insert_with(new).sessions.insert(session);
        id
    }

    pub(crate) fn remove(&mut self, id: WantId) -> Option<Want<P>> {
        let want = self.wants.remove(&id)?;
        self.ids.remove(&want.cid);
        Some(want)
    }
}
