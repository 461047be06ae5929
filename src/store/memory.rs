//! A store that ends with the page.

use std::{cell::RefCell, collections::BTreeMap, ops::Bound, rc::Rc, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::lock::{Mutex, OwnedMutexGuard};

use super::{
    StoreError,
    backend::{Access, Ask, Backend, Locked, Table, Transaction, Value},
};
use crate::platform::Payload;

type Rows = [BTreeMap<Vec<u8>, Payload>; Table::ALL.len()];

/// Tables in memory. A clone shares them, as two tabs share a database.
#[derive(Clone, Default)]
pub struct Memory {
    rows: Rc<RefCell<Rows>>,
    /// Whoever writes has it: writers take turns, as they do in a browser.
    turn: Arc<Mutex<()>>,
}

#[async_trait(?Send)]
impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn begin(&self, _: &[Table], access: Access) -> Result<Box<dyn Transaction>, StoreError> {
        let turn = match access {
            Access::Read => None,
            Access::Relaxed | Access::Strict => Some(Arc::clone(&self.turn).lock_owned().await),
        };
        let rows = Rc::clone(&self.rows);
        Ok(Box::new(InMemory { rows, written: RefCell::default(), _turn: turn }))
    }

    async fn try_lock(&self, _: &str) -> Locked {
        Locked::NoLocks
    }

    async fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        Ok(secret.to_vec())
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], StoreError> {
        sealed.try_into().map_err(|_| StoreError::Row { table: Table::Keys.name() })
    }
}

/// Where, under which key, and what; `None` removes.
type Write = (Table, Vec<u8>, Option<Payload>);

/// A transaction: what is written waits here until the commit.
struct InMemory {
    rows: Rc<RefCell<Rows>>,
    /// In order.
    written: RefCell<Vec<Write>>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl InMemory {
    fn after<T>(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
        each: impl Fn((&Vec<u8>, &Payload)) -> T,
    ) -> Vec<T> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.rows.borrow();
        let range = rows[table as usize].range::<[u8], _>((from, Bound::Unbounded));
        range.take(limit as usize).map(each).collect()
    }
}

#[async_trait(?Send)]
impl Transaction for InMemory {
    async fn look(&self, asks: Vec<Ask>) -> Result<Vec<Option<Payload>>, StoreError> {
        let rows = self.rows.borrow();
        let answer = |ask| match ask {
            Ask::Value(table, key) => rows[table as usize].get(&key).cloned(),
            Ask::Presence(table, key) => {
                rows[table as usize].contains_key(&key).then(|| Bytes::new().into())
            }
        };
        Ok(asks.into_iter().map(answer).collect())
    }

    async fn look_last(
        self: Box<Self>,
        asks: Vec<Ask>,
    ) -> Result<Vec<Option<Payload>>, StoreError> {
        self.look(asks).await
    }

    async fn entries(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<(Vec<u8>, Payload)>, StoreError> {
        Ok(self.after(table, after, limit, |(key, value)| (key.clone(), value.clone())))
    }

    async fn keys(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.after(table, after, limit, |(key, _)| key.clone()))
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        Ok(self.rows.borrow()[table as usize].len() as u64)
    }

    fn put_value(&self, table: Table, key: &[u8], value: Value) -> Result<(), StoreError> {
        self.written.borrow_mut().push((table, key.to_vec(), Some(value.bytes)));
        Ok(())
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        self.written.borrow_mut().push((table, key.to_vec(), None));
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let mut rows = self.rows.borrow_mut();
        for (table, key, value) in self.written.take() {
            match value {
                Some(value) => drop(rows[table as usize].insert(key, value)),
                None => drop(rows[table as usize].remove(&key)),
            }
        }
        Ok(())
    }
}
