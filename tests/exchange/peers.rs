//! Whole peers in this process, raw connections to them, and a file that is told by its length.

use crate::raw::Raw;
use avocet::{
    files::{Content, Entry, Export, Import, Part, Source, import},
    peer::{Event, Options, Peer},
    platform::Payload,
    store::StoreName,
};
use futures::{FutureExt, future::LocalBoxFuture, stream};
use libp2p::{
    Multiaddr, Transport,
    core::{
        Endpoint,
        transport::{DialOpts, MemoryTransport, PortUse},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use std::{cell::RefCell, rc::Rc, time::Duration};

/// Bytes that are the same in every run, and no two blocks of them alike.
struct Numbers {
    next: u32,
    end: u32,
}

impl Source for Numbers {
    fn next(&mut self, size: usize) -> LocalBoxFuture<'static, Result<Option<Payload>, String>> {
        let take = u32::try_from(size / 4).unwrap().min(self.end - self.next);
        let bytes: Vec<u8> = (self.next..self.next + take).flat_map(u32::to_le_bytes).collect();
        self.next += take;
        let chunk = (!bytes.is_empty()).then(|| Payload::from(bytes));
        async move { Ok(chunk) }.boxed_local()
    }
}

/// Events of a peer, as they come.
pub type Log = Rc<RefCell<Vec<Event>>>;

pub async fn peer() -> (Peer, Log) {
    let options = Options {
        store: StoreName::Memory,
        relays: vec![],
        bootstrap: vec![],
        ice_servers: vec![],
    };
    let log = Log::default();
    let events = log.clone();
    let peer = Peer::start(options, move |event| events.borrow_mut().push(event)).await.unwrap();
    (peer, log)
}

pub async fn address(peer: &Peer) -> Multiaddr {
    let listening = async {
        loop {
            if let Some(addr) = peer.net().addrs().into_iter().next() {
                return addr;
            }
            tokio::task::yield_now().await;
        }
    };
    within(listening).await
}

/// A connection within this process.
pub type Connection = Raw<<MemoryTransport as Transport>::Output>;

/// A raw connection to `peer`.
pub async fn connect(peer: &Peer, key: &Keypair) -> Connection {
    let to: Multiaddr =
        address(peer).await.iter().filter(|part| !matches!(part, Protocol::P2p(_))).collect();
    let opts = DialOpts { role: Endpoint::Dialer, port_use: PortUse::Reuse };
    let socket = MemoryTransport::default().dial(to, opts).unwrap().await.unwrap();
    Raw::connect(socket, key).await
}

/// Bounds a hang; measures nothing.
pub async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.unwrap()
}

pub async fn add(peer: &Peer, numbers: u32) -> avocet_dag::Cid {
    let content = Content::File(Box::new(Numbers { next: 0, end: numbers }));
    let entry =
        Entry { path: "numbers".into(), content, meta: avocet_dag::unixfs::Meta::default() };
    let how = Import { pin: true, ..Import::default() };
    let entries = stream::iter([Ok(entry)]);
    let added = import(peer.store(), entries, &how, &|_, _| {}).await.unwrap();
    peer.kept(&added.cid).await;
    added.cid
}

pub async fn read(peer: &Peer, cid: &avocet_dag::Cid, from: Vec<Multiaddr>) -> Vec<u8> {
    let path = cid.to_string();
    let mut export = Export::open(peer.fetcher(), &path, Part::default(), from).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = export.next().await.unwrap() {
        bytes.extend_from_slice(&chunk.to_bytes());
    }
    bytes
}

pub fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_le_bytes).collect()
}
