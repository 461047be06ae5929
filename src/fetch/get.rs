//! Sessions: everything that is fetched for one root, and the search for those who have it.

use super::{
    plan::Plan,
    save::Saver,
    search::{Looking, News, Search},
};
use crate::{
    net::{Handle, exchange::SessionId},
    platform::{self, Block},
    store::{Store, StoreError},
};
use avocet_dag::Cid;
use futures::channel::mpsc;
use libp2p::Multiaddr;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Why a block was not got. Nobody having it is no error: it is looked for until whoever asks gives up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not here, and there is no network to ask: no relay, no bootstrap, no provider was named, and nobody is
    /// connected.
    #[error("{0} is not on this device, and this peer was given no network to ask")]
    Offline(Cid),
    /// The CID's hash is none that is trusted, so nothing could ever be accepted for it.
    #[error("{cid} cannot be fetched: {why}")]
    Unsupported {
        /// The CID asked for.
        cid: Cid,
        /// What is wrong with it.
        why: String,
    },
    /// The bound on wants.
    #[error("{0} is one block too many to be waited for at once: try again when others have come")]
    Busy(Cid),
    /// The peer has been stopped.
    #[error("the peer has been stopped")]
    Stopped,
}

/// Makes sessions.
#[derive(Clone)]
pub struct Fetcher {
    inner: Rc<Inner>,
}

struct Inner {
    store: Store,
    net: Handle,
    saver: Saver,
    /// Whether the peer was given any network.
    networked: bool,
    /// The searches of open sessions, of which there are few.
    searches: RefCell<Vec<(SessionId, mpsc::Sender<News>)>>,
    on_looking: Rc<dyn Fn(Looking)>,
}

impl Inner {
    /// Whether the search of a session has room for the news.
    fn tell(&self, session: SessionId, news: News) -> bool {
        let mut searches = self.searches.borrow_mut();
        let search = searches.iter_mut().find(|(of, _)| *of == session);
        search.is_some_and(|(_, search)| search.try_send(news).is_ok())
    }
}

/// News that wait for a search: the engine says again what is still true.
const NEWS: usize = 16;
/// A session that is for so many bytes more than it was asked for at first looks for all who have them: to find and to
/// reach one takes a second or two, in which a home's upload sends half of this.
const MUCH: u64 = 4 * 1024 * 1024;

impl Fetcher {
    /// For the blocks of `store` and the peers of `net`. `on_looking` hears how searches go.
    pub fn new(
        store: Store,
        net: Handle,
        networked: bool,
        on_looking: impl Fn(Looking) + 'static,
    ) -> Self {
        let saver = Saver::new(store.clone());
        let on_looking = Rc::new(on_looking);
        let searches = RefCell::default();
        Self { inner: Rc::new(Inner { store, net, saver, networked, searches, on_looking }) }
    }

    /// A session for what hangs under `root`; `providers` are asked first.
    pub fn session(&self, root: Cid, providers: Vec<Multiaddr>) -> Session {
        let (opened, load) = (Cell::new(None), Load::default());
        Session { inner: self.inner.clone(), root, providers, opened, load }
    }

    /// The exchange lacks a block that nobody connected has.
    pub fn lacking(&self, session: SessionId, cid: Cid) {
        // Full: the search has enough to do, and what is still true is said again.
        let _ = self.inner.tell(session, News::Lacking(cid));
    }

    /// A peer is gone: sessions that used it dial it again.
    pub fn disconnected(&self) {
        for (_, search) in self.inner.searches.borrow_mut().iter_mut() {
            let _ = search.try_send(News::Disconnected);
        }
    }
}

/// What is fetched for one root. Dropping it cancels its wants and ends its search.
pub struct Session {
    inner: Rc<Inner>,
    root: Cid,
    providers: Vec<Multiaddr>,
    /// The exchange's session, once something had to come from the network.
    opened: Cell<Option<SessionId>>,
    load: Load,
}

impl Session {
    /// The block, from the store or else from the network; then it is stored before it is returned.
    ///
    /// Waits as long as nobody has it. Dropping the future cancels the want.
    pub async fn get(&self, cid: &Cid) -> Result<Block, FetchError> {
        if let Some(block) = avocet_dag::Block::inline(cid) {
            return Ok(block);
        }
        if let Some(block) = self.inner.store.get(cid).await? {
            return Ok(block);
        }
        if let Err(error) = cid.check() {
            return Err(FetchError::Unsupported { cid: cid.clone(), why: error.to_string() });
        }
        // Whom the exchange may ask is known only a round trip after a connection stands.
        let nobody = self.providers.is_empty() && !self.inner.net.has_direct();
        if !self.inner.networked && nobody {
            return Err(FetchError::Offline(cid.clone()));
        }
        let session = self.opened();
        let exchange = self.inner.net.exchange();
        let waiting = self.load.wait();
        let block = exchange.want(session, cid).await;
        drop(waiting);
        let block = block.ok_or_else(|| match exchange.is_stopped() {
            true => FetchError::Stopped,
            false => FetchError::Busy(cid.clone()),
        })?;
        self.tell(News::Satisfied);
        if self.load.came(block.len()) && self.tell(News::Much) {
            self.load.told.set(true);
        }
        self.inner.saver.save(block.clone()).await?;
        exchange.stored(std::slice::from_ref(cid));
        Ok(block)
    }

    /// What the session is for.
    pub fn root(&self) -> &Cid {
        &self.root
    }

    fn opened(&self) -> SessionId {
        if let Some(session) = self.opened.get() {
            return session;
        }
        let session = self.inner.net.exchange().open_session(self.root.clone());
        self.opened.set(Some(session));
        let (news, inbox) = mpsc::channel(NEWS);
        self.inner.searches.borrow_mut().push((session, news));
        let plan = Plan::new(&self.providers, platform::now());
        let (net, on_looking) = (self.inner.net.clone(), self.inner.on_looking.clone());
        let search = Search::new(net, session, self.root.clone(), plan, on_looking);
        platform::spawn(search.run(inbox));
        session
    }

    /// Whether the search has room for the news.
    fn tell(&self, news: News) -> bool {
        self.opened.get().is_some_and(|session| self.inner.tell(session, news))
    }
}

/// How much of a session came from the network, and how much is waited for.
#[derive(Debug, Default)]
struct Load {
    waiting: Rc<Cell<u64>>,
    came: Cell<u64>,
    told: Cell<bool>,
}

impl Load {
    /// One block more is waited for, until this is dropped.
    fn wait(&self) -> Waiting {
        self.waiting.set(self.waiting.get() + 1);
        Waiting(self.waiting.clone())
    }

    /// A block of `len` bytes came. Whether it shows that there is much, with what came before and with as many bytes for
    /// each that is waited for, and that was not told yet.
    fn came(&self, len: usize) -> bool {
        let len = len as u64;
        self.came.set(self.came.get().saturating_add(len));
        let left = self.waiting.get().saturating_mul(len);
        let much = left > 0 && self.came.get().saturating_add(left) >= MUCH;
        much && !self.told.get()
    }
}

/// One block is waited for.
struct Waiting(Rc<Cell<u64>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(session) = self.opened.get() {
            // The search ends with the sender of its news.
            self.inner.searches.borrow_mut().retain(|(of, _)| *of != session);
            self.inner.net.exchange().close_session(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn the_first_of_many_large_blocks_shows_that_there_is_much_and_it_is_told_once() {
        let load = Load::default();
        let root = load.wait();
        drop(root);
        assert!(!load.came(900), "the root alone tells nothing");
        let mut waiting: Vec<_> = (0..16).map(|_| load.wait()).collect();
        drop(waiting.pop());
        assert!(load.came(MIB));
        drop(waiting.pop());
        assert!(load.came(MIB), "until it was told");
        load.told.set(true);
        drop(waiting.pop());
        assert!(!load.came(MIB));
    }

    #[test]
    fn a_file_of_less_is_never_much_and_many_small_blocks_are_in_the_end() {
        for (blocks, len) in [(3, MIB), (200, 16 * 1024), (1, 2 * MIB)] {
            let load = Load::default();
            let mut waiting: Vec<_> = (0..blocks).map(|_| load.wait()).collect();
            while waiting.pop().is_some() {
                assert!(!load.came(len), "{blocks} of {len}");
            }
        }
        let load = Load::default();
        let mut told = Vec::new();
        for number in 0..400 {
            let (one, _next) = (load.wait(), load.wait());
            drop(one);
            if load.came(16 * 1024) {
                load.told.set(true);
                told.push(number);
            }
        }
        assert_eq!(told, [254]);
    }
}
