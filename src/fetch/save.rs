//! Blocks that arrive are stored together: while one transaction runs, the next is filled.

use crate::{
    platform::{self, Block},
    store::{Ready, Store, StoreError},
};
use futures::channel::oneshot;
use std::{cell::RefCell, rc::Rc};

/// Blocks a transaction: puts of 8 to 32 at a time are fastest (`bench/`), more hold memory for nothing.
const BATCH: usize = 32;

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
    running: bool,
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
            queue.blocks.push((self.store.ready(block), saved));
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
        }
    }

    fn next_batch(&self) -> Option<(Vec<Ready>, Vec<Waiter>)> {
        let mut queue = self.queue.borrow_mut();
        let size = queue.blocks.len().min(BATCH);
        if size == 0 {
            queue.running = false;
            return None;
        }
        Some(queue.blocks.drain(..size).unzip())
    }
}
