//! The peer: builds the parts and joins them; holds no policy of its own.

mod event;

pub use event::{Event, Moved, Options, StartError};

use crate::{
    fetch::Fetcher,
    net::{self, ConnectError, Handle, exchange},
    platform,
    route::provide::Announcer,
    store::{Identity, Store},
};
use avocet_dag::{
    Cid, code,
    unixfs::{Listing, Window},
};
use libp2p::{PeerId, identity::Keypair};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::HashMap,
    rc::{Rc, Weak},
};

/// Entries of a folder that are provided beside its root (the JavaScript contract).
const PROVIDED_ENTRIES: usize = 1000;

/// See the module. Clones are the same peer.
#[derive(Clone)]
pub struct Peer {
    inner: Rc<Inner>,
}

struct Inner {
    store: Store,
    net: Handle,
    fetcher: Fetcher,
    announcer: Announcer,
    /// Roots that are kept here, to tell what a peer came for.
    roots: RefCell<HashMap<Cid, Vec<Cid>>>,
    /// The root of ours that each peer asked for last. Entries go with the peer.
    asked: RefCell<HashMap<PeerId, Cid>>,
    /// Holds this tab's slot, so that no other tab is the same peer.
    identity: RefCell<Option<Identity>>,
    stopped: Cell<bool>,
    on_event: Box<dyn Fn(Event)>,
}

impl Peer {
    /// Opens the store, takes an identity, starts the network and provides what is kept.
    pub async fn start(
        options: Options,
        on_event: impl Fn(Event) + 'static,
    ) -> Result<Self, StartError> {
        for addr in options.relays.iter().chain(&options.bootstrap) {
            if net::dial::target(addr).is_none() {
                return Err(ConnectError::NoPeerId(addr.clone()).into());
            }
        }
        let store = Store::open(&options.store).await?;
        let identity = store.identity().await?;
        let lost = identity.seat.lost();
        let keypair = Keypair::ed25519_from_bytes(identity.secret)?;
        let networked = !(options.relays.is_empty() && options.bootstrap.is_empty());
        // Weak: the parts call back into the peer that owns them.
        let back = Rc::new(OnceCell::<Weak<Inner>>::new());
        let net = net::start(
            net::Options {
                keypair,
                relays: options.relays,
                bootstrap: options.bootstrap,
                ice_servers: options.ice_servers,
            },
            {
                let back = back.clone();
                move |event| {
                    if let Some(inner) = back.get().and_then(Weak::upgrade) {
                        Self { inner }.on_net_event(event);
                    }
                }
            },
        )?;
        let looking = back.clone();
        let fetcher = Fetcher::new(store.clone(), net.clone(), networked, move |event| {
            if let Some(inner) = looking.get().and_then(Weak::upgrade) {
                (inner.on_event)(Event::Looking(event));
            }
        });
        let announcer = Announcer::start(net.clone());
        let peer = Self {
            inner: Rc::new(Inner {
                store,
                net,
                fetcher,
                announcer,
                roots: RefCell::default(),
                asked: RefCell::default(),
                identity: RefCell::new(Some(identity)),
                stopped: Cell::new(false),
                on_event: Box::new(on_event),
            }),
        };
        // Set once, right here.
        let _ = back.set(Rc::downgrade(&peer.inner));
        platform::spawn(peer.clone().provide_pinned());
        platform::spawn(stop_when(lost, Rc::downgrade(&peer.inner)));
        Ok(peer)
    }

    /// The blocks that are here.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The network.
    pub fn net(&self) -> &Handle {
        &self.inner.net
    }

    /// Gets blocks, from here or from others.
    pub fn fetcher(&self) -> &Fetcher {
        &self.inner.fetcher
    }

    /// The root is whole here and kept: it is provided, and so are a folder's entries, up to 1000.
    pub async fn kept(&self, root: &Cid) {
        let mut cids = vec![root.clone()];
        cids.extend(self.entries(root).await);
        self.inner.roots.borrow_mut().insert(root.clone(), cids.clone());
        self.inner.net.exchange().stored(&cids);
        self.inner.announcer.add(cids);
    }

    /// The root is kept no more: it is provided no more.
    pub async fn released(&self, root: &Cid) {
        let cids = self.inner.roots.borrow_mut().remove(root);
        let still: Vec<Cid> = self.inner.roots.borrow().values().flatten().cloned().collect();
        let mut gone = cids.unwrap_or_default();
        gone.retain(|cid| !still.contains(cid));
        self.inner.announcer.remove(&gone).await;
    }

    /// Whether `stop` was called.
    pub fn is_stopped(&self) -> bool {
        self.inner.stopped.get()
    }

    /// Ends the network, and frees this tab's identity and the files of its store.
    pub async fn stop(&self) {
        if !self.inner.stopped.replace(true) {
            self.inner.announcer.stop();
            self.inner.net.stop().await;
            self.inner.identity.borrow_mut().take();
            self.inner.store.release();
        }
    }

    /// Closes every direct connection at once, for a page that goes away.
    pub fn close_now(&self) {
        self.inner.net.close_now();
    }

    /// The first entries of a folder, as far as its own blocks are here.
    async fn entries(&self, root: &Cid) -> Vec<Cid> {
        let mut cids = Vec::new();
        if root.codec() != code::DAG_PB {
            return cids;
        }
        let mut listing = Listing::new(root.clone(), Window::default());
        loop {
            while let Ok(Some(entry)) = listing.next_entry() {
                cids.push(entry.cid);
                if cids.len() == PROVIDED_ENTRIES {
                    return cids;
                }
            }
            let wants = listing.wants();
            if wants.is_empty() {
                return cids;
            }
            for cid in wants {
                if let Ok(Some(block)) = self.inner.store.get(&cid).await
                    && listing.give(&platform::bring_in(block)).is_err()
                {
                    return cids; // no folder, or a damaged one
                }
            }
        }
    }

    async fn provide_pinned(self) {
        match self.inner.store.pins().await {
            Ok(pins) => {
                for (root, pin) in pins {
                    if pin.recursive && !self.is_stopped() {
                        self.kept(&root).await;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "what is kept is not provided"),
        }
    }

    fn on_net_event(&self, event: net::Event) {
        let told = match event {
            net::Event::Connected(info) => Event::PeerConnected(info),
            net::Event::Disconnected(info) => {
                self.inner.asked.borrow_mut().remove(&info.id);
                self.inner.fetcher.disconnected();
                Event::PeerDisconnected(info)
            }
            net::Event::Addrs(addrs) => {
                // Records hold addresses: whoever has the old ones must hear the new.
                self.inner.announcer.servers_came();
                Event::Addrs(addrs)
            }
            net::Event::Online => Event::Online,
            net::Event::Offline => Event::Offline,
            net::Event::DhtReady => return self.inner.announcer.servers_came(),
            net::Event::Exchange(event) => return self.on_exchange_event(event),
        };
        (self.inner.on_event)(told);
    }

    fn on_exchange_event(&self, event: exchange::Event) {
        match event {
            exchange::Event::Load { peer, cid, what } => {
                if self.inner.roots.borrow().contains_key(&cid) {
                    self.inner.asked.borrow_mut().insert(peer, cid.clone());
                }
                platform::spawn(self.clone().load(peer, cid, what));
            }
            exchange::Event::NeedProviders { session, cid } => {
                self.inner.fetcher.lacking(session, cid);
            }
            exchange::Event::Moved { peer, cid, root, sent, received } => {
                let root = root.or_else(|| self.inner.asked.borrow().get(&peer).cloned());
                let moved = Moved { cid, root, bytes: sent + received, peer };
                let told = if sent > 0 { Event::Sent(moved) } else { Event::Received(moved) };
                (self.inner.on_event)(told);
            }
        }
    }

    /// Answers a remote want from the store. Loads at once are bounded by the exchange's engine.
    async fn load(self, peer: PeerId, cid: Cid, what: exchange::What) {
        let store = &self.inner.store;
        let loaded = match what {
            exchange::What::Size => store.size_of(&cid).await.map(|size| {
                size.map(|size| exchange::Loaded::Size(usize::try_from(size).unwrap_or(usize::MAX)))
            }),
            exchange::What::Block => {
                store.get(&cid).await.map(|block| block.map(exchange::Loaded::Block))
            }
        };
        let loaded = loaded.unwrap_or_else(|error| {
            tracing::warn!(%cid, %error, "a block that was asked for cannot be read");
            None
        });
        self.inner.net.exchange().loaded(peer, cid, loaded);
    }
}

/// Two tabs must never be the same peer: whoever lost its slot stops.
async fn stop_when(lost: impl Future<Output = ()>, inner: Weak<Inner>) {
    lost.await;
    if let Some(inner) = inner.upgrade() {
        let peer = Peer { inner };
        peer.stop().await;
        (peer.inner.on_event)(Event::Replaced);
    }
}
