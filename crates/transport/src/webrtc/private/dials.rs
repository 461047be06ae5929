//! The dials under way: at most one attempt a peer at a time, whatever was asked for.

use std::{
    cell::Cell,
    collections::{HashMap, VecDeque},
    rc::Rc,
    task::{Context, Poll},
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{AbortHandle, Shared},
};
use libp2p::{PeerId, swarm::ConnectionId};

use super::{DialError, MAX_DIALS, Request, handler::AttemptId};
use crate::webrtc::{Connection, tie::Ours};

/// Where the attempt with a peer stands.
#[derive(Debug)]
pub(super) enum Stage {
    /// It is not begun.
    New,
    /// A relayed connection is being dialled.
    Connecting(ConnectionId),
    /// A signalling stream is being opened on this connection.
    Opening(ConnectionId, AttemptId),
    /// The negotiation runs.
    Negotiating { _task: Task },
    /// The peer dialled us at the same time: this dial takes that connection.
    Adopting,
}

/// The dial of one peer.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) request: Request,
    pub(super) stage: Stage,
    /// Told by the negotiation when its offer goes out.
    pub(super) offered: Rc<Cell<bool>>,
    /// Others that wait for this attempt: other addresses of the peer, or a second dial.
    waiting: VecDeque<Request>,
    /// Told to whoever holds an offer of the peer back until this attempt ends: true when it
    /// succeeded, cancelled when it did not.
    ended: oneshot::Sender<bool>,
    end: Shared<oneshot::Receiver<bool>>,
}

impl Dial {
    fn new(request: Request, waiting: VecDeque<Request>) -> Self {
        let (ended, end) = oneshot::channel();
        let offered = Rc::default();
        Self { request, stage: Stage::New, offered, waiting, ended, end: end.shared() }
    }

    /// How far the attempt is, for the judgement of an offer of the same peer.
    pub(super) fn ours(&self) -> Ours {
        match self.stage {
            Stage::Negotiating { .. } if self.offered.get() => Ours::Offered,
            Stage::Adopting => Ours::None,
            _ => Ours::Preparing,
        }
    }

    /// Resolves when this attempt ends.
    pub(super) fn end(&self) -> Shared<oneshot::Receiver<bool>> {
        self.end.clone()
    }

    /// Leaves our own attempt for the one that the peer made.
    pub(super) fn adopt(&mut self) {
        self.stage = Stage::Adopting;
    }
}

/// A negotiation that runs; it ends with this.
#[derive(Debug)]
pub(super) struct Task(pub(super) AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All of them, by peer.
#[derive(Debug, Default)]
pub(super) struct Dials {
    by_peer: HashMap<PeerId, Dial>,
}

impl Dials {
    /// Takes a request in. The peer, when its attempt is to be begun now.
    pub(super) fn add(&mut self, request: Request) -> Option<PeerId> {
        let known = self.by_peer.values().map(|dial| 1 + dial.waiting.len()).sum::<usize>();
        if known >= MAX_DIALS {
            answer(request, Err(DialError::Busy));
            return None;
        }
        let peer = request.target.peer;
        match self.by_peer.get_mut(&peer) {
            Some(dial) => {
                dial.waiting.push_back(request);
                None
            }
            None => {
                self.by_peer.insert(peer, Dial::new(request, VecDeque::new()));
                Some(peer)
            }
        }
    }

    pub(super) fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Dial> {
        self.by_peer.get_mut(peer)
    }

    /// The peer whose dial is at a stage.
    pub(super) fn find(&self, is_it: impl Fn(&Stage) -> bool) -> Option<PeerId> {
        self.by_peer.iter().find(|(_, dial)| is_it(&dial.stage)).map(|(peer, _)| *peer)
    }

    /// The dial succeeded. The connection comes back when nobody wants it any more.
    pub(super) fn succeed(&mut self, peer: &PeerId, connection: Connection) -> Option<Connection> {
        let Some(dial) = self.by_peer.remove(peer) else { return Some(connection) };
        let Dial { request, waiting, ended, .. } = dial;
        let _ = ended.send(true);
        let mut left = Some(connection);
        for request in std::iter::once(request).chain(waiting) {
            match left.take() {
                Some(connection) => {
                    if let Err(Ok(unwanted)) = request.reply.send(Ok(connection)) {
                        left = Some(unwanted);
                    }
                }
                None => answer(request, Err(DialError::AlreadyConnected)),
            }
        }
        left
    }

    /// The attempt failed. The peer again, when there is another request to be begun.
    pub(super) fn fail(&mut self, peer: &PeerId, error: DialError) -> Option<PeerId> {
        let dial = self.by_peer.remove(peer)?;
        let Dial { request, mut waiting, .. } = dial;
        answer(request, Err(error));
        let next = waiting.pop_front()?;
        self.by_peer.insert(*peer, Dial::new(next, waiting));
        Some(*peer)
    }

    /// A peer whose dial nobody waits for any more.
    pub(super) fn poll_cancelled(&mut self, cx: &mut Context<'_>) -> Poll<PeerId> {
        for (peer, dial) in &mut self.by_peer {
            if dial.request.reply.poll_canceled(cx).is_ready() {
                return Poll::Ready(*peer);
            }
        }
        Poll::Pending
    }
}

/// Tells the one who asked, if it still waits.
fn answer(request: Request, result: Result<Connection, DialError>) {
    let _ = request.reply.send(result);
}
