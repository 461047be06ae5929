//! Our own attempts.

use futures::{FutureExt, future::abortable};
use libp2p::{
    PeerId, Stream,
    swarm::{
        ConnectionId, NotifyHandler, ToSwarm,
        dial_opts::{DialOpts, PeerCondition},
    },
};

use super::{Behaviour, Done, Either};
use crate::webrtc::{
    negotiate::{self, Signalling},
    private::{
        DialError, Request,
        dials::{Stage, Task},
        handler::AttemptId,
    },
};

impl Behaviour {
    pub(super) fn on_request(&mut self, request: Request) {
        if let Some(peer) = self.dials.add(request) {
            self.begin(peer);
        }
    }

    /// Begins the attempt of a dial: on a relayed connection that is there, or by dialling one.
    fn begin(&mut self, peer: PeerId) {
        if self.peers.is_connected(&peer) {
            return self.fail(peer, DialError::AlreadyConnected);
        }
        if let Some(id) = self.peers.for_signalling(&peer) {
            return self.open(peer, id);
        }
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        let opts = DialOpts::peer_id(peer)
            .addresses(vec![dial.request.target.relayed.clone()])
            .condition(PeerCondition::Always)
            .build();
        dial.stage = Stage::Connecting(opts.connection_id());
        self.peers.dialling(opts.connection_id());
        self.actions.push_back(ToSwarm::Dial { opts });
    }

    pub(super) fn open(&mut self, peer: PeerId, connection: ConnectionId) {
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        dial.stage = Stage::Opening(connection, attempt);
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: Either::Left(attempt),
        });
    }

    pub(super) fn fail(&mut self, peer: PeerId, error: DialError) {
        tracing::debug!(%peer, %error, "dial failed");
        match self.dials.fail(&peer, error) {
            Some(peer) => self.begin(peer),
            None => self.tidy(peer),
        }
    }

    /// The signalling stream of our own attempt is there.
    pub(super) fn negotiate(&mut self, attempt: AttemptId, stream: Stream) {
        let Some(peer) = self.opening(attempt) else { return };
        let Some(dial) = self.dials.get_mut(&peer) else { return };
        let (config, closer) = (self.config.clone(), self.closer.clone());
        let offered = dial.offered.clone();
        let task = async move {
            let mut signalling = Signalling::new(stream);
            let offering = || offered.set(true);
            let connection = negotiate::dial(&mut signalling, &config, &closer, offering).await?;
            Ok((connection, signalling))
        };
        let (task, handle) = abortable(task);
        dial.stage = Stage::Negotiating { _task: Task(handle) };
        self.peers.signalling(peer);
        let task = task.map(move |ended| match ended {
            Ok(result) => Done::Outbound(peer, result),
            Err(_) => Done::Aborted(peer),
        });
        self.tasks.push(task.boxed_local());
    }

    pub(super) fn opening(&self, attempt: AttemptId) -> Option<PeerId> {
        self.dials.find(|stage| matches!(stage, Stage::Opening(_, opening) if *opening == attempt))
    }
}
