//! A store in IndexedDB, shared by the tabs of an origin.
//!
//! The browser's own handles are used, and not a wrapper: a wrapper that hides them can neither
//! ask for `strict` durability, nor let go of the database when another tab upgrades it, nor say
//! by which error a transaction ended. What is used of IndexedDB is small enough to be plain.
//!
//! Values and keys are `Uint8Array`s in every table; the key that seals secrets is a `CryptoKey`.

use std::{any::Any, cell::Cell, rc::Rc};

use async_trait::async_trait;
use wasm_bindgen::{JsValue, prelude::Closure};
use web_sys::{IdbDatabase, IdbTransaction};

use self::{event::DatabaseExt, farewell::Farewell, transaction::InDatabase};
use super::{
    StoreError,
    backend::{Access, Backend, Locked, Table, Transaction, Value},
};
use crate::platform::Payload;

mod event;
mod farewell;
mod fault;
mod lock;
mod open;
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
    /// Whether large values are kept as files.
    files: bool,
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
        let link = Link { name, database, files, end, _listeners: [make_way, closed] };
        Self { link: Rc::new(link), locks: true }
    }
}

impl Idb {
    /// The name of a thing outside the database that all who share it know.
    fn path(&self, name: &str) -> String {
        format!("avocet/{}/{name}", self.link.name)
    }
}

impl Link {
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

    fn files_from(&self) -> Option<usize> {
        self.link.files.then_some(value::WORTH_A_FILE)
    }

    fn prepare(&self, bytes: Payload) -> Value {
        match self.link.files {
            true => value::prepare(bytes),
            false => bytes.into(),
        }
    }

    async fn try_lock(&self, name: &str) -> Locked {
        match self.locks {
            true => lock::take(&self.path(name)).await,
            false => Locked::NoLocks,
        }
    }

    fn leave_word(&self, place: &str, word: &str, on_return: Box<dyn Fn()>) -> Box<dyn Any> {
        Box::new(Farewell::new(self.path(place), word.to_owned(), on_return))
    }

    fn left(&self, place: &str) -> Option<String> {
        farewell::read(&self.path(place))
    }

    fn forget_word(&self, place: &str) {
        farewell::remove(&self.path(place));
    }

    async fn seal(&self, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
        vault::seal(&self.link, secret).await
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<[u8; 32], StoreError> {
        vault::unseal(&self.link, sealed).await
    }
}
