//! A backend whose transactions begin late, by a seed: one interleaving of tabs for each.

use std::{cell::Cell, rc::Rc};

use async_trait::async_trait;

use super::{
    super::backend::{Access, Backend, Locked, Table, Transaction, Value},
    Payload, StoreError, pause,
};

pub struct Uneven {
    backend: Rc<dyn Backend>,
    state: Cell<u64>,
}

impl Uneven {
    pub fn new(backend: Rc<dyn Backend>, seed: u64) -> Self {
        Self { backend, state: Cell::new(seed) }
    }

    /// The next of SplitMix64's numbers.
    fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[async_trait(?Send)]
impl Backend for Uneven {
    fn name(&self) -> &str {
        self.backend.name()
    }

    async fn begin(
        &self,
        tables: &[Table],
        access: Access,
    ) -> Result<Box<dyn Transaction>, StoreError> {
        for _ in 0..self.next() % 6 {
            pause().await;
        }
        self.backend.begin(tables, access).await
    }

    fn prepare(&self, bytes: Payload) -> Value {
        self.backend.prepare(bytes)
    }

    async fn settle(&self, values: &[Value]) -> Result<(), StoreError> {
        self.backend.settle(values).await
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        self.backend.tidy().await
    }

    async fn try_lock(&self, name: &str) -> Locked {
        self.backend.try_lock(name).await
    }

    async fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        self.backend.seal(secret).await
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], StoreError> {
        self.backend.unseal(sealed).await
    }
}
