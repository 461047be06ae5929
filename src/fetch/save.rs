//! Blocks that arrive are stored together: while one transaction runs, the next is filled, and where that gave it only
//! a few large ones it waits a moment for more. What comes to an idle store is written at once, and so are the small
//! blocks of directories, on which the next question depends.

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

/// Bytes below which it does not wait at all. Larger values are files for Chromium, which make a transaction dear.
const LEAST_BYTES: usize = 64 * 1024;

/// How long a batch waits for so much: twice as long is no faster (`bench/`).
const WAIT: Duration = Duration::from_millis(20);

type Waiter = oneshot::Sender<Result<(), StoreError>>;

/// See the module. What waits is bounded by the wants of the sessions: each has its own bound.
#[derive(Clone)]
pub struct Saver {
    store: Store,
    queue: Rc<RefCell<Queue>>,
    wait: Duration,
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
        Self { store, queue: Rc::default(), wait: WAIT }
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
            self.gather().await;
        }
    }

    /// Waits for more blocks, if there are a few.
    async fn gather(&self) {
        let enough = {
            let mut queue = self.queue.borrow_mut();
            // The timers of a hidden tab may be a minute late.
            if queue.bytes < LEAST_BYTES || queue.has_enough() || platform::is_hidden() {
                return;
            }
            let (tell, enough) = oneshot::channel();
            queue.enough = Some(tell);
            enough
        };
        future::select(enough, pin!(platform::sleep(self.wait))).await;
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use avocet_dag::{BlockError, Version, code};
    use bytes::Bytes;
    use futures::{FutureExt as _, future::try_join_all};

    use super::*;
    use crate::store::StoreName;

    /// Distinct blocks of `size` bytes.
    async fn blocks(values: std::ops::Range<u8>, size: usize) -> Result<Vec<Block>, BlockError> {
        try_join_all(values.map(async |value| {
            let bytes = Bytes::from(vec![value; size]);
            platform::hash(Version::V1, code::RAW, code::SHA2_256, bytes.into()).await
        }))
        .await
    }

    /// One that waits for ever when it waits at all.
    async fn saver() -> Result<Saver, StoreError> {
        let store = Store::open(&StoreName::Memory).await?;
        Ok(Saver { wait: Duration::MAX, ..Saver::new(store) })
    }

    fn push(saver: &Saver, blocks: Vec<Block>) -> Vec<oneshot::Receiver<Result<(), StoreError>>> {
        let push = |block| {
            let (saved, answer) = oneshot::channel();
            saver.queue.borrow_mut().push(saver.store.ready(block), saved);
            answer
        };
        blocks.into_iter().map(push).collect()
    }

    const LEAF: usize = 256 * 1024;

    #[test]
    fn a_block_that_comes_alone_waits_for_no_other() {
        let run = async {
            let saver = saver().await.unwrap();
            for block in blocks(0..3, LEAF).await.unwrap() {
                let cid = block.cid().clone();
                saver.save(block).await.unwrap();
                assert!(saver.store.get(&cid).await.unwrap().is_some());
            }
        };
        platform::block_on(run).unwrap();
    }

    #[test]
    fn a_few_wait_until_there_are_enough() {
        let run = async {
            let saver = saver().await.unwrap();
            saver.gather().await;
            let mut answers = push(&saver, blocks(0..2, LEAF).await.unwrap());
            let mut gathering = pin!(saver.gather());
            assert!(gathering.as_mut().now_or_never().is_none());
            answers.extend(push(&saver, blocks(2..15, LEAF).await.unwrap()));
            assert!(gathering.as_mut().now_or_never().is_none());
            answers.extend(push(&saver, blocks(15..16, LEAF).await.unwrap()));
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
    fn a_whole_batch_is_enough_and_small_blocks_wait_for_nothing() {
        let run = async {
            let saver = saver().await.unwrap();
            let small = LEAST_BYTES / 2;
            let mut answers = push(&saver, blocks(0..1, small).await.unwrap());
            saver.gather().await;
            answers.extend(push(&saver, blocks(1..BATCH as u8 - 1, small).await.unwrap()));
            assert!(pin!(saver.gather()).now_or_never().is_none());
            answers.extend(push(&saver, blocks(31..32, small).await.unwrap()));
            saver.gather().await;
            saver.clone().run().await;
            assert_eq!(answers.len(), BATCH);
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
        };
        platform::block_on(run).unwrap();
    }

    #[test]
    fn a_few_that_stay_so_are_stored_all_the_same() {
        let run = async {
            let saver = Saver { wait: WAIT, ..saver().await.unwrap() };
            let answers = push(&saver, blocks(0..1, LEAF).await.unwrap());
            saver.gather().await;
            saver.clone().run().await;
            for answer in answers {
                answer.await.unwrap().unwrap();
            }
        };
        platform::block_on(run).unwrap();
    }
}
