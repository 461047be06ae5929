//! What the rest of the peer holds of the network: questions in, answers out; the loop itself runs elsewhere.

use super::{
    dial::{self, Source},
    exchange::Exchange,
    table::{PeerInfo, Table},
};
use avocet_dag::Cid;
use futures::{
    SinkExt, Stream,
    channel::{mpsc, oneshot},
};
use libp2p::{Multiaddr, PeerId};
use std::{cell::RefCell, rc::Rc};

/// Commands that wait for the loop; whoever sends one more waits for room.
pub(super) const COMMANDS: usize = 64;
/// Providers of one query that wait to be taken; more than a query gives (`discovery`).
const PROVIDERS: usize = 128;

/// Someone who has a CID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Who.
    pub id: PeerId,
    /// Where, as the DHT tells it: unchecked.
    pub addrs: Vec<Multiaddr>,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// An address must say whom it leads to, or nobody could be told from an impostor.
    #[error("{0} has no /p2p/<peer id> at its end")]
    NoPeerId(Multiaddr),
    /// Dialling oneself.
    #[error("{0} is this peer itself")]
    Ourselves(PeerId),
    /// Nothing among the addresses that a browser can dial.
    #[error("no address of {0} is one that a browser can dial (/ws, /wss or /webrtc over a relay)")]
    NoUsableAddress(PeerId),
    /// The bound on dials.
    #[error("too many dials under way to dial {0} too")]
    TooManyDials(PeerId),
    /// Every address failed; the last one's reason.
    #[error("{peer} cannot be reached: {why}")]
    Failed {
        /// Whom we tried to reach.
        peer: PeerId,
        /// What the transport said.
        why: String,
    },
    /// The peer has been stopped.
    #[error("the peer has been stopped")]
    Stopped,
}

/// What the loop is asked to do.
pub(super) enum Command {
    Connect {
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        source: Source,
        reply: oneshot::Sender<Result<PeerInfo, ConnectError>>,
    },
    Disconnect(PeerId, oneshot::Sender<bool>),
    Find(Cid, mpsc::Sender<Provider>),
    Provide(Cid, oneshot::Sender<usize>),
    Unprovide(Cid),
    Online,
    Stop(oneshot::Sender<()>),
}

/// See the module. Clones are handles on the same network.
#[derive(Clone)]
pub struct Handle {
    pub(super) local: PeerId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) table: Rc<RefCell<Table>>,
    pub(super) addrs: Rc<RefCell<Vec<Multiaddr>>>,
    pub(super) exchange: Exchange,
    pub(super) closer: super::medium::Closer,
}

impl Handle {
    /// Our own id.
    pub fn peer_id(&self) -> PeerId {
        self.local
    }

    /// Addresses under which others can dial us now.
    pub fn addrs(&self) -> Vec<Multiaddr> {
        self.addrs.borrow().clone()
    }

    /// Who is connected, by id.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.table.borrow().list()
    }

    /// Whether a direct connection to the peer stands.
    pub fn is_direct(&self, peer: &PeerId) -> bool {
        self.table.borrow().is_direct(peer)
    }

    /// Whether a direct connection stands, with anybody.
    pub fn has_direct(&self) -> bool {
        self.table.borrow().has_direct()
    }

    /// The exchange of blocks.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Connects to the peer at the end of `addr`: resolves when the best connection that the address allows
    /// stands. Dropping the future leaves the dial to its end.
    pub async fn connect(&self, addr: Multiaddr) -> Result<PeerInfo, ConnectError> {
        let Some(peer) = dial::target(&addr) else { return Err(ConnectError::NoPeerId(addr)) };
        self.dial(peer, vec![addr], Source::Person).await
    }

    /// Connects to `peer` at the best of the addresses that `source` told.
    pub async fn dial(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        source: Source,
    ) -> Result<PeerInfo, ConnectError> {
        if peer == self.local {
            return Err(ConnectError::Ourselves(peer));
        }
        let (reply, answer) = oneshot::channel();
        self.send(Command::Connect { peer, addrs, source, reply }).await;
        answer.await.unwrap_or(Err(ConnectError::Stopped))
    }

    /// Closes every connection with the peer. Whether there was one.
    pub async fn disconnect(&self, peer: PeerId) -> bool {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Disconnect(peer, reply)).await;
        answer.await.unwrap_or(false)
    }

    /// Asks the DHT once who has the CID; the stream ends with the query. Dropping it ends the query.
    pub async fn find_providers(&self, cid: &Cid) -> impl Stream<Item = Provider> + use<> {
        let (found, providers) = mpsc::channel(PROVIDERS);
        self.send(Command::Find(cid.clone(), found)).await;
        providers
    }

    /// Tells the DHT that we have the CID. Resolves to the number of servers told.
    pub async fn provide(&self, cid: &Cid) -> usize {
        let (told, answer) = oneshot::channel();
        self.send(Command::Provide(cid.clone(), told)).await;
        answer.await.unwrap_or(0)
    }

    /// Says it no more. What others remember of it expires.
    pub async fn unprovide(&self, cid: &Cid) {
        self.send(Command::Unprovide(cid.clone())).await;
    }

    /// The browser is online again: relays are asked at once.
    pub async fn online(&self) {
        self.send(Command::Online).await;
    }

    /// Ends the loop and closes every connection.
    pub async fn stop(&self) {
        self.exchange.stop();
        let (reply, ended) = oneshot::channel();
        self.send(Command::Stop(reply)).await;
        self.closer.close_all();
        // An error says the same: the loop is gone.
        let _ = ended.await;
    }

    /// Closes every direct connection at once, without waiting for anything: for a page that goes away.
    pub fn close_now(&self) {
        self.closer.close_all();
    }

    /// A loop that has ended takes nothing; every question's answer says so by itself.
    async fn send(&self, command: Command) {
        let _ = self.commands.clone().send(command).await;
    }
}
