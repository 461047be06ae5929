//! Blocks that arrive are stored together: while one transaction runs, the next is filled, and where that gave it only
//! a few it waits a moment for more. What comes to an idle store is written at once.

use crate::{
    platform::{self, Block},
    store::{Ready, Store, StoreError},
};
use futures::{channel::oneshot, future};
use std::{cell::RefCell, pin::pin, rc::Rc, time::Duration};

/// Blocks a transaction: puts of 8 to 32 at a time are fastest (`bench/`), more hold memory for nothing.
const BATCH: usize = 32;

/// Bytes for which a batch waits no longer. With 2 MiB Kubo to tab takes a twentieth longer (`bench/`).
const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// How long a batch waits for so much. Blocks of 256 KiB from Kubo come every 5 ms, and a transaction of three takes as
/// long as that of eight (`bench/`).
const WAIT: Duration = Duration::from_millis(20);

type Waiter = oneshot::Sender<Result<(), StoreError>>;

/// See the module. What waits is bounded by the wants of the sessions: each has its own bound.
#[derive(Clone)]
pub struct Saver {
    store: Store,
    queue: Rc<RefCell<Queue>>,
}

#[derive(Default)]
struct Queue {
    blocks: Vec<(Ready, Waiter)>,
    /// Bytes of `blocks`.
    bytes: usize,
    running: bool,
    /// Ends the wait for more.
    enough: Option<oneshot::Sender<()>>,
}

impl Queue {
    fn push(&mut self, block: Ready, saved: Waiter) {
        self.bytes += block.size();
        self.blocks.push((block, saved));
        if self.has_enough()
            && let Some(enough) = self.enough.take()
        {
            // Nobody listens when the time was up.
            let _ = enough.send(());
        }
    }

    fn has_enough(&self) -> bool {
        self.bytes >= ENOUGH_BYTES || self.blocks.len() >= BATCH
    }
}

impl Saver {
    /// Saves into `store`.
    pub fn new(store: Store) -> Self {
        Self { store, queue: Rc::default() }
    }

    /// Resolves when the block is in the store.
    pub async fn save(&self, block: Block) -> Result<(), StoreError> {
        let (saved, answer) = oneshot::channel();
        let start = {
            let mut queue = self.queue.borrow_mut();
            queue.push(self.store.ready(block), saved);
            !std::mem::replace(&mut queue.running, true)
        };
        if start {
            platform::spawn(self.clone().run());
        }
        answer.await.unwrap_or_else(|_| {
            let reason = "its writer ended".to_owned();
            Err(StoreError::Failed { name: "blocks".to_owned(), reason })
        })
    }

    async fn run(self) {
        while let Some((blocks, waiters)) = self.next_batch() {
            let outcome = self.store.write(blocks).await;
            for waiter in waiters {
                // Whoever gave up waiting wants no answer.
                let _ = waiter.send(outcome.clone());
            }
            self.gather(WAIT).await;
        }
    }

    /// Waits for more blocks, if there are a few.
    async fn gather(&self, at_most: Duration) {
        let enough = {
            let mut queue = self.queue.borrow_mut();
            // The timers of a hidden tab may be a minute late.
            if queue.blocks.is_empty() || queue.has_enough() || platform::is_hidden() {
                return;
            }
            let (tell, enough) = oneshot::channel();
            queue.enough = Some(tell);
            enough
        };
        future::select(enough, pin!(platform::sleep(at_most))).await;
        self.queue.borrow_mut().enough = None;
    }

    fn next_batch(&self) -> Option<(Vec<Ready>, Vec<Waiter>)> {
        let mut queue = self.queue.borrow_mut();
        let size = queue.blocks.len().min(BATCH);
        if size == 0 {
            queue.running = false;
            return None;
        }
        let (blocks, waiters): (Vec<Ready>, _) = queue.blocks.drain(..size).unzip();
        queue.bytes -= blocks.iter().map(Ready::size).sum::<usize>();
        Some((blocks, waiters))
    }
}

#[cfg(test)]
mod tests {
    use avocet_dag::{Version, code};
    use bytes::Bytes;
    use futures::{FutureExt as _, future::join_all};

    use super::*;
    use crate::store::StoreName;

    /// Blocks of 256 KiB, each of one byte's value.
    async fn blocks(values: std::ops::Range<u8>) -> Vec<Block> {
        join_all(values.map(async |value| {
            let bytes = Bytes::from(vec![value; 256 * 1024]);
            platform::hash(Version::V1, code::RAW, code::SHA2_256, bytes.into()).await.unwrap()
        }))
        .await
    }

    async fn saver() -> Saver {
        Saver::new(Store::open(&StoreName::Memory).await.unwrap())
    }

    #[test]
    fn a_block_that_comes_alone_waits_for_no_other() {
        let run = async {
            let saver = saver().await;
            for block in blocks(0..3).await {
                let cid = block.cid().clone();
                saver.save(block).await.unwrap();
                assert!(saver.store.get(&cid).await.unwrap().is_some());
                assert!(saver.queue.borrow().enough.is_none());
            }
        };
        platform::block_on(run).unwrap();
    }

    #[test]
    fn a_few_wait_until_there_are_enough() {
        let run = async {
            let saver = saver().await;
            let mut answers = Vec::new();
            let mut push = async |values| {
                for block in blocks(values).await {
                    let (saved, answer) = oneshot::channel();
                    saver.queue.borrow_mut().push(saver.store.ready(block), saved);
                    answers.push(answer);
                }
            };
            saver.gather(Duration::MAX).await;
            push(0..2).await;
            let mut gathering = pin!(saver.gather(Duration::MAX));
            assert!(gathering.as_mut().now_or_never().is_none());
            push(2..15).await;
            assert!(gathering.as_mut().now_or_never().is_none());
            push(15..16).await;
            gathering.await;
            saver.clone().run().await;
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
            assert_eq!(saver.queue.borrow().bytes, 0);
        };
        platform::block_on(run).unwrap();
    }

    #[test]
    fn a_few_that_stay_so_wait_for_no_more_than_a_moment() {
        let run = async {
            let saver = saver().await;
            let (saved, answer) = oneshot::channel();
            let block = blocks(0..1).await.remove(0);
            saver.queue.borrow_mut().push(saver.store.ready(block), saved);
            saver.gather(WAIT).await;
            saver.clone().run().await;
            answer.await.unwrap().unwrap();
        };
        platform::block_on(run).unwrap();
    }
}
