//! The search for those who have what a session lacks: a task that carries out its plan.

use super::plan::{Plan, Progress, Step};
use crate::{
    net::{Handle, Provider, dial::Source, exchange::SessionId},
    platform,
    route::finder,
};
use avocet_dag::Cid;
use futures::{
    FutureExt, StreamExt,
    channel::mpsc,
    future::{LocalBoxFuture, poll_fn},
    stream::{FuturesUnordered, LocalBoxStream},
};
use libp2p::{Multiaddr, PeerId};
use std::{pin::pin, rc::Rc, task::Poll, time::Duration};

/// How the search for a root goes, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looking {
    /// What the session is for.
    pub root: Cid,
    /// Peers connected directly, who have all been asked.
    pub asked: usize,
    /// Those that were named or found.
    pub search: Progress,
}

/// What a search hears of.
#[derive(Debug, Clone)]
pub enum News {
    /// A block is lacking that nobody connected has.
    Lacking(Cid),
    /// A block came.
    Satisfied,
    /// Much is left to fetch.
    Much,
    /// A peer is gone.
    Disconnected,
}

/// See the module. It ends when the sender of its news is dropped.
pub struct Search {
    net: Handle,
    session: SessionId,
    root: Cid,
    /// The block that was said to lack last.
    lacking: Cid,
    plan: Plan,
    dials: FuturesUnordered<LocalBoxFuture<'static, (PeerId, bool)>>,
    found: Option<LocalBoxStream<'static, Provider>>,
    /// Questions asked so far.
    asked: usize,
    told: Option<Looking>,
    on_looking: Rc<dyn Fn(Looking)>,
}

enum Wake {
    News(Option<News>),
    Dialled(PeerId, bool),
    Found(Option<Provider>),
    Timer,
}

impl Search {
    /// The search of the exchange's `session`, which is for `root`.
    pub fn new(
        net: Handle,
        session: SessionId,
        root: Cid,
        plan: Plan,
        on_looking: Rc<dyn Fn(Looking)>,
    ) -> Self {
        let lacking = root.clone();
        let (dials, found) = (FuturesUnordered::new(), None);
        Self { net, session, root, lacking, plan, dials, found, asked: 0, told: None, on_looking }
    }

    /// Searches until the session is dropped.
    pub async fn run(mut self, mut inbox: mpsc::Receiver<News>) {
        loop {
            self.plan.check(|peer| self.net.is_direct(peer), platform::now());
            while let Some(step) = self.plan.step(platform::now()) {
                self.begin(step).await;
            }
            self.report();
            let due = self.plan.due().map(|due| due.saturating_duration_since(platform::now()));
            let mut timer = pin!(platform::sleep(due.unwrap_or(Duration::MAX)).fuse());
            let wake = poll_fn(|cx| {
                if let Poll::Ready(news) = inbox.poll_next_unpin(cx) {
                    return Poll::Ready(Wake::News(news));
                }
                if let Poll::Ready(Some((peer, up))) = self.dials.poll_next_unpin(cx) {
                    return Poll::Ready(Wake::Dialled(peer, up));
                }
                if let Some(found) = &mut self.found
                    && let Poll::Ready(provider) = found.poll_next_unpin(cx)
                {
                    return Poll::Ready(Wake::Found(provider));
                }
                timer.poll_unpin(cx).map(|()| Wake::Timer)
            });
            match wake.await {
                Wake::News(None) => return,
                Wake::News(Some(news)) => self.hear(news),
                Wake::Dialled(peer, up) => self.dialled(peer, up),
                Wake::Found(Some(provider)) if provider.id == self.net.peer_id() => {}
                Wake::Found(Some(provider)) => self.plan.found(provider, platform::now()),
                Wake::Found(None) => {
                    self.found = None;
                    self.plan.find_ended(platform::now());
                }
                Wake::Timer => {}
            }
        }
    }

    async fn begin(&mut self, step: Step) {
        match step {
            Step::Dial { peer, hints, found } => {
                self.dials.push(dial(self.net.clone(), peer, hints, found).boxed_local());
            }
            // What is provided to the DHT are roots; some, as Kubo, provide every block.
            Step::Find => {
                let cid = if self.asked.is_multiple_of(2) { &self.root } else { &self.lacking };
                self.found = Some(finder::find(&self.net, cid).await.boxed_local());
                self.asked += 1;
            }
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Lacking(cid) => {
                self.lacking = cid;
                self.plan.lacks();
            }
            News::Satisfied => self.plan.satisfied(),
            News::Much => {
                self.net.exchange().seek(self.session, &self.root);
                self.plan.much();
            }
            // A reason to look: `check` does.
            News::Disconnected => {}
        }
    }

    fn dialled(&mut self, peer: PeerId, up: bool) {
        self.plan.dialled(peer, up, platform::now());
        if up {
            self.net.exchange().add_peer(self.session, peer);
        }
    }

    fn report(&mut self) {
        let asked = self.net.exchange().peers();
        let (root, search) = (self.root.clone(), self.plan.progress());
        let looking = Looking { root, asked, search };
        if self.told.as_ref() != Some(&looking) {
            (self.on_looking)(looking.clone());
            self.told = Some(looking);
        }
    }
}

/// The person's hints first: they may lead where a stranger's word may not.
async fn dial(
    net: Handle,
    peer: PeerId,
    hints: Vec<Multiaddr>,
    found: Vec<Multiaddr>,
) -> (PeerId, bool) {
    for (addrs, source) in [(hints, Source::Person), (found, Source::Stranger)] {
        if addrs.is_empty() {
            continue;
        }
        match net.dial(peer, addrs, source).await {
            Ok(_) => return (peer, true),
            Err(error) => tracing::debug!(%error, "a holder was not reached"),
        }
    }
    (peer, false)
}
