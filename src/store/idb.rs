//! A store in IndexedDB, shared by the tabs of an origin.
//!
//! The browser's own handles are used, and not a wrapper: a wrapper that hides them can neither
//! ask for `strict` durability, nor let go of the database when another tab upgrades it, nor say
//! by which error a transaction ended. What is used of IndexedDB is small enough to be plain.
//!
//! Large values lie outside of it, where the browser lets them ([`packs`]), or are files ([`value`]);
//! rows tell where. Other values and all keys are `Uint8Array`s; the key that seals secrets is a `CryptoKey`.

use std::{
    any::Any,
    cell::{Cell, OnceCell},
    rc::Rc,
};

use async_trait::async_trait;
use avocet_dag::Payload as _;
use bytes::Bytes;
use futures::future::join_all;
use wasm_bindgen::{JsValue, prelude::Closure};
use web_sys::{IdbDatabase, IdbTransaction};

use self::{
    event::DatabaseExt,
    farewell::Farewell,
    packs::{Hands, Packed},
    transaction::InDatabase,
};
use super::{
    StoreError,
    backend::{Access, Backend, Locked, Table, Take, Transaction, Value},
};
use crate::platform::Payload;

mod event;
mod farewell;
mod fault;
mod lock;
mod open;
mod packs;
mod schema;
#[cfg(test)]
pub(super) mod tests;
mod transaction;
mod value;
mod vault;

pub(super) use self::open::open;
#[cfg(test)]
pub(super) use self::schema::STEPS;

/// A connection to a database.
pub(super) struct Idb {
    link: Rc<Link>,
    /// False where a test asks for leases in a browser that has locks.
    pub(super) locks: bool,
}

struct Link {
    name: String,
    database: IdbDatabase,
    /// Whether large values are kept as files of the browser's own rather than as bytes.
    blobs: bool,
    /// From how many bytes on they are kept in packs, as soon as there is a worker.
    packs: Option<usize>,
    depot: OnceCell<packs::Started>,
    end: Rc<Cell<Option<End>>>,
    /// They listen for as long as the connection lives.
    _listeners: [Closure<dyn FnMut()>; 2],
}

/// Why a connection ended.
#[derive(Clone, Copy)]
enum End {
    /// Another tab upgrades the database.
    Replaced,
    /// The browser closed it.
    Closed,
}

impl Idb {
    fn new(name: String, database: IdbDatabase) -> Self {
        let end = Rc::new(Cell::new(None));
        let make_way = {
            let (database, end) = (database.clone(), Rc::clone(&end));
            Closure::<dyn FnMut()>::new(move || {
                end.set(Some(End::Replaced));
                database.close();
            })
        };
        let closed = {
            let end = Rc::clone(&end);
            Closure::<dyn FnMut()>::new(move || end.set(Some(End::Closed)))
        };
        event::on(&database, "versionchange", &make_way);
        event::on(&database, "close", &closed);
        let files = value::prefers_files();
        let link = Link {
            name,
            database,
            blobs: files,
            packs: files.then_some(packs::WORTH_A_PLACE),
            depot: OnceCell::new(),
            end,
            _listeners: [make_way, closed],
        };
        Self { link: Rc::new(link), locks: true }
    }
}

impl Link {
    /// The name of a thing outside the database that all who share it know.
    fn path(&self, name: &str) -> String {
        format!("avocet/{}/{name}", self.name)
    }

    /// Begins a transaction of the browser's own kind.
    fn transaction(&self, tables: &[Table], access: Access) -> Result<IdbTransaction, StoreError> {
        if let Some(end) = self.end.get() {
            return Err(self.ended(end));
        }
        let names = tables.iter().map(|table| JsValue::from_str(table.name())).collect();
        let (mode, durability) = match access {
            Access::Read => ("readonly", "default"),
            Access::Relaxed => ("readwrite", "relaxed"),
            Access::Strict => ("readwrite", "strict"),
        };
        self.database
            .begin(&names, mode, durability)
            .map_err(|error| fault::explain(&self.name, &error))
    }

    fn ended(&self, end: End) -> StoreError {
        let name = self.name.clone();
        match end {
            End::Replaced => StoreError::Replaced { name },
            End::Closed => StoreError::Closed { name },
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        event::off(&self.database, "versionchange");
        event::off(&self.database, "close");
        self.database.close();
    }
}

/// The value as one on its way into a pack.
fn packed(value: &Value) -> Option<&Packed> {
    value.own.as_ref()?.downcast_ref()
}

#[async_trait(?Send)]
impl Backend for Idb {
    fn name(&self) -> &str {
        &self.link.name
    }

    async fn begin(
        &self,
        tables: &[Table],
        access: Access,
    ) -> Result<Box<dyn Transaction>, StoreError> {
        let transaction = self.link.transaction(tables, access)?;
        Ok(Box::new(InDatabase::new(Rc::clone(&self.link), transaction, access)))
    }

    async fn hands(&self) -> Option<Rc<dyn Take>> {
        let (least, depot) = (self.link.packs?, self.link.depot().await?);
        Some(Rc::new(Hands { depot, least, name: self.link.name.clone() }))
    }

    fn prepare(&self, bytes: Payload) -> Value {
        let len = bytes.len();
        if self.link.packs.is_some_and(|least| len >= least)
            && let Some(depot) = self.link.depot_at_hand()
        {
            let own: Rc<dyn Any> = Rc::new(Packed::write(depot, bytes));
            return Value { bytes: Bytes::new().into(), own: Some(own), len };
        }
        match self.link.blobs {
            true => value::prepare(bytes),
            false => bytes.into(),
        }
    }

    async fn settle(&self, values: &[Value]) -> Result<(), StoreError> {
        let packed = values.iter().filter_map(packed);
        let settled = join_all(packed.map(Packed::settle)).await;
        match settled.into_iter().find_map(Result::err) {
            Some(_) => {
                let bytes = values.iter().map(|value| value.len as u64).sum();
                Err(StoreError::Quota { name: self.link.name.clone(), bytes })
            }
            None => Ok(()),
        }
    }

    fn release(&self) {
        self.link.release_packs();
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        packs::tidy_all(&self.link).await
    }

    async fn try_lock(&self, name: &str) -> Locked {
        match self.locks {
            true => lock::take(&self.link.path(name)).await,
            false => Locked::NoLocks,
        }
    }

    fn leave_word(&self, place: &str, word: &str, on_return: Box<dyn Fn()>) -> Box<dyn Any> {
        Box::new(Farewell::new(self.link.path(place), word.to_owned(), on_return))
    }

    fn left(&self, place: &str) -> Option<String> {
        farewell::read(&self.link.path(place))
    }

    fn forget_word(&self, place: &str) {
        farewell::remove(&self.link.path(place));
    }

    async fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        vault::seal(&self.link, secret).await
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], StoreError> {
        vault::unseal(&self.link, sealed).await
    }
}
