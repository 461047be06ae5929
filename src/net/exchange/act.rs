//! What the engine decides, carried out; what connections report, told to it.

use super::{
    behaviour::{Behaviour, Event, Hashed},
    handler::{Command, Report},
};
use crate::platform::{self, Block, Payload};
use avocet_bitswap::{Action, Lane, wire};
use avocet_dag::{code, codec};
use bytes::Bytes;
use futures::FutureExt;
use libp2p::{
    PeerId,
    swarm::{CloseConnection, ConnectionId, ToSwarm},
};

impl Behaviour {
    /// Carries out what the engine decided.
    pub(super) fn act(&mut self, action: Action<PeerId, Payload>) {
        match action {
            Action::Send { peer, lane, message } => self.send(peer, lane, message),
            Action::Deliver { block, from, sessions, .. } => {
                let (cid, received) = (block.cid().clone(), block.len() as u64);
                let root = self.exchange.within(|core, _| {
                    core.deliver(&sessions, &block);
                    core.root(&sessions)
                });
                let moved = Event::Moved { peer: from, cid, root, sent: 0, received };
                self.events.push_back(ToSwarm::GenerateEvent(moved));
            }
            Action::Load { peer, cid, what } => {
                self.events.push_back(ToSwarm::GenerateEvent(Event::Load { peer, cid, what }));
            }
            Action::NeedProviders { session, cid } => {
                let event = Event::NeedProviders { session, cid };
                self.events.push_back(ToSwarm::GenerateEvent(event));
            }
            Action::Ping { peer } => {
                if let Some(link) = self.link(&peer) {
                    self.notify(peer, link, Command::Ping);
                }
            }
            Action::Close { peer, reason } => {
                tracing::info!(%peer, ?reason, "closing");
                // The engine has forgotten it; should it come back before the old connection is gone, it is new.
                self.links.remove(&peer);
                self.sending.retain(|(to, _), _| *to != peer);
                let peers = self.links.len();
                self.exchange.within(|core, _| core.peers = peers);
                let connection = CloseConnection::All;
                self.events.push_back(ToSwarm::CloseConnection { peer_id: peer, connection });
            }
        }
    }

    fn send(&mut self, peer: PeerId, lane: Lane, message: wire::Outgoing<Payload>) {
        let blocks = message.blocks.iter();
        let blocks = blocks.map(|block| (block.cid().clone(), block.len() as u64)).collect();
        // The wire is written from memory; what lives outside comes in here, and only here.
        let message = wire::Outgoing {
            wants: message.wants,
            full: message.full,
            presences: message.presences,
            blocks: message.blocks.into_iter().map(platform::bring_in).collect(),
            pending_bytes: message.pending_bytes,
        };
        for node in message.blocks.iter().filter(|block| block.cid().codec() == code::DAG_PB) {
            let Ok(node) = codec::pb::Node::decode(node.bytes()) else { continue };
            let links = node.links().map(|link| link.cid);
            self.exchange.within(|core, _| core.engine.handle_given(peer, links));
        }
        match (self.link(&peer), wire::encode(&message)) {
            (Some(link), Ok(bytes)) => {
                self.sending.insert((peer, lane), (link, blocks));
                self.notify(peer, link, Command::Send(lane, Bytes::from(bytes)));
            }
            (_, encoded) => {
                if let Err(error) = encoded {
                    tracing::error!(%error, "a message was not written");
                }
                self.exchange.within(|core, now| core.engine.handle_send_failed(peer, lane, now));
            }
        }
    }

    fn link(&self, peer: &PeerId) -> Option<ConnectionId> {
        self.links.get(peer).and_then(|links| links.first()).copied()
    }

    /// Tells the engine what a connection reports.
    pub(super) fn report(&mut self, peer: PeerId, link: ConnectionId, report: Report) {
        match report {
            Report::Speaks => {
                let links = self.links.entry(peer).or_default();
                links.push(link);
                let first = links.len() == 1;
                let peers = self.links.len();
                self.exchange.within(|core, now| {
                    core.peers = peers;
                    if first {
                        core.engine.handle_connected(peer, now);
                    }
                });
            }
            Report::Message(message) => {
                self.hashing.push_back(hash(peer, link, message).boxed_local());
            }
            Report::Receiving(bytes) => {
                self.exchange.within(|core, now| core.engine.handle_receiving(peer, bytes, now));
            }
            Report::ReceiveFailed(told) => {
                self.exchange
                    .within(|core, now| core.engine.handle_receive_failed(peer, told, now));
            }
            Report::Sending(lane) => {
                self.exchange.within(|core, now| core.engine.handle_sending(peer, lane, now));
            }
            Report::Sent(lane) => self.sent(peer, lane),
            // After a reconnection an old connection's report may still come: it concerns nobody.
            Report::SendFailed(lane) if self.sending.remove(&(peer, lane)).is_none() => {}
            Report::SendFailed(lane) => {
                self.exchange.within(|core, now| core.engine.handle_send_failed(peer, lane, now));
            }
            Report::Pong => self.exchange.within(|core, now| core.engine.handle_pong(peer, now)),
            Report::Malformed => {
                let nothing = wire::Message::default().into_incoming(Vec::new(), 1);
                self.exchange.within(|core, now| core.engine.handle_message(peer, nothing, now));
            }
        }
    }

    fn sent(&mut self, peer: PeerId, lane: Lane) {
        let Some((_, blocks)) = self.sending.remove(&(peer, lane)) else { return };
        self.exchange.within(|core, now| core.engine.handle_sent(peer, lane, now));
        for (cid, sent) in blocks {
            let moved = Event::Moved { peer, cid, root: None, sent, received: 0 };
            self.events.push_back(ToSwarm::GenerateEvent(moved));
        }
    }
}

/// Every block of the message under the CID that its bytes have: a wrong block is one that nobody asked for.
async fn hash(peer: PeerId, link: ConnectionId, mut message: wire::Message) -> Hashed {
    let mut blocks: Vec<Block> = Vec::with_capacity(message.blocks.len());
    let mut rejected = 0;
    let size = message.size;
    for raw in std::mem::take(&mut message.blocks) {
        let (prefix, payload) = (raw.prefix, Payload::from(raw.data).moved_out());
        match platform::hash(prefix.version, prefix.codec, prefix.hash, payload).await {
            Ok(block) if block.cid().hash().digest().len() == prefix.digest_len => {
                blocks.push(block);
            }
            _ => rejected += 1,
        }
    }
    (peer, link, size, message.into_incoming(blocks, rejected))
}
