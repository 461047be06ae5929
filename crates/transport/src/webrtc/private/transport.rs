//! The transport's side: dials go to the behaviour, what comes in comes from the board.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures::{
    FutureExt, SinkExt,
    channel::{mpsc, oneshot},
    future::{BoxFuture, Either, select},
};
use futures_timer::Delay;
use libp2p::{
    Multiaddr, PeerId,
    core::transport::{
        DialOpts, ListenerId, Transport as Libp2pTransport, TransportError, TransportEvent,
    },
    multiaddr::Protocol,
};
use send_wrapper::SendWrapper;

use super::{Board, DialError, Request, TIME_LIMIT};
use crate::webrtc::{Connection, NegotiationError, Target};

/// The libp2p transport for `<relay>/p2p-circuit/webrtc/p2p/<peer>`.
#[derive(Debug)]
pub struct Transport {
    to_behaviour: mpsc::Sender<Request>,
    board: SendWrapper<Rc<RefCell<Board>>>,
    listener: Option<ListenerId>,
    /// What the swarm has been told to be reachable at.
    announced: Vec<Multiaddr>,
    /// At most the end of one listener for each that was made.
    events: VecDeque<Event>,
}

type Output = (PeerId, Connection);
type Upgrade = Ready<Result<Output, DialError>>;
type Event = TransportEvent<Upgrade, DialError>;

impl Transport {
    pub(super) fn new(
        to_behaviour: mpsc::Sender<Request>,
        board: SendWrapper<Rc<RefCell<Board>>>,
    ) -> Self {
        let (announced, events) = (Vec::new(), VecDeque::new());
        Self { to_behaviour, board, listener: None, announced, events }
    }

    /// The next difference between what is announced and what the board says.
    fn changed_address(&mut self, listener_id: ListenerId) -> Option<Event> {
        let board = self.board.borrow();
        let gone = self.announced.iter().position(|address| !board.addresses.contains(address));
        if let Some(at) = gone {
            let listen_addr = self.announced.swap_remove(at);
            return Some(TransportEvent::AddressExpired { listener_id, listen_addr });
        }
        let listen_addr =
            board.addresses.iter().find(|address| !self.announced.contains(address))?.clone();
        self.announced.push(listen_addr.clone());
        Some(TransportEvent::NewAddress { listener_id, listen_addr })
    }
}

impl Libp2pTransport for Transport {
    type Output = Output;
    type Error = DialError;
    type ListenerUpgrade = Upgrade;
    type Dial = BoxFuture<'static, Result<Output, DialError>>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<DialError>> {
        if address != Multiaddr::from(Protocol::WebRTC) {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        if self.listener.is_some() {
            return Err(TransportError::Other(DialError::Listen));
        }
        self.listener = Some(id);
        let mut board = self.board.borrow_mut();
        board.listening = true;
        board.wake();
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        if self.listener != Some(id) {
            return false;
        }
        self.listener = None;
        self.announced.clear();
        self.events.push_back(TransportEvent::ListenerClosed { listener_id: id, reason: Ok(()) });
        let mut board = self.board.borrow_mut();
        board.listening = false;
        board.incoming.clear();
        board.wake();
        true
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        opts: DialOpts,
    ) -> Result<Self::Dial, TransportError<DialError>> {
        let target = Target::parse(&address).filter(|_| opts.role.is_dialer());
        let Some(target) = target else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let mut to_behaviour = self.to_behaviour.clone();
        let dial = async move {
            let (reply, answer) = oneshot::channel();
            let peer = target.peer;
            let request = Request { target, reply };
            to_behaviour.send(request).await.map_err(|_| DialError::Gone)?;
            let connection = answer.await.map_err(|_| DialError::Gone)??;
            Ok((peer, connection))
        };
        let limited = async move {
            match select(dial.boxed(), Delay::new(TIME_LIMIT)).await {
                Either::Left((dialled, _)) => dialled,
                Either::Right(_) => Err(NegotiationError::TimedOut.into()),
            }
        };
        Ok(limited.boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(event);
        }
        if let Some(listener_id) = self.listener {
            if let Some(event) = self.changed_address(listener_id) {
                return Poll::Ready(event);
            }
            let incoming = self.board.borrow_mut().incoming.pop_front();
            if let Some(incoming) = incoming {
                return Poll::Ready(TransportEvent::Incoming {
                    listener_id,
                    upgrade: ready(Ok((incoming.peer, incoming.connection))),
                    local_addr: incoming.local_addr,
                    send_back_addr: incoming.send_back_addr,
                });
            }
        }
        self.board.borrow_mut().waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
