//! A transaction of IndexedDB.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use async_trait::async_trait;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransaction};

use super::{
    Link,
    event::{self, Listening},
    fault,
    packs::Packed,
    value,
};
use crate::{
    platform::Payload,
    store::{
        StoreError,
        backend::{Access, Ask, Table, Transaction, Value},
    },
};

pub(super) struct InDatabase {
    link: Rc<Link>,
    transaction: IdbTransaction,
    /// Only what writes has an end worth waiting for.
    end: Cell<Option<Listening>>,
    /// Bytes written so far.
    bytes: Cell<u64>,
    /// What was written of values that lie in packs: once this ends well they are there to stay.
    packed: RefCell<Vec<Rc<dyn Any>>>,
}

impl InDatabase {
    pub fn new(link: Rc<Link>, transaction: IdbTransaction, access: Access) -> Self {
        let end =
            (access != Access::Read).then(|| Listening::to(&transaction, ["complete", "abort"]));
        Self {
            link,
            transaction,
            end: Cell::new(end),
            bytes: Cell::new(0),
            packed: RefCell::default(),
        }
    }

    fn table(&self, table: Table) -> Result<IdbObjectStore, StoreError> {
        self.transaction.object_store(table.name()).map_err(|error| self.explain(&error))
    }

    fn explain(&self, error: &JsValue) -> StoreError {
        match self.link.end.get() {
            Some(end) => self.link.ended(end),
            None => fault::explain(&self.link.name, error),
        }
    }

    /// An error on reading from `table`. By these names Chromium and Firefox say that the file of
    /// a large value is gone, or could not be read this time.
    fn explain_read(&self, table: Table, error: &JsValue) -> StoreError {
        match fault::name(error).as_str() {
            "NotReadableError" | "NotFoundError" | "DataError" => {
                StoreError::Lost { table: table.name() }
            }
            _ => self.explain(error),
        }
    }

    /// What lies at each of `asks`, as the browser gives it.
    async fn values(&self, asks: &[Ask]) -> Result<Vec<Option<JsValue>>, StoreError> {
        let mut requests = Vec::with_capacity(asks.len());
        for ask in asks {
            let request = match ask {
                Ask::Value(table, key) => self.table(*table)?.get(&js_key(key)),
                Ask::Presence(table, key) => self.table(*table)?.get_key(&js_key(key)),
            };
            requests.push(request.map_err(|error| self.explain(&error))?);
        }
        // Requests are answered in their order: with the last one all are. One that fails ends
        // the transaction, and so fails the last as well.
        if let Some(last) = requests.last()
            && let Err(error) = event::answer(last).await
        {
            let first = requests
                .iter()
                .zip(asks)
                .find_map(|(request, ask)| Some((ask.table(), request.error().ok().flatten()?)));
            return Err(match first {
                Some((table, error)) => self.explain_read(table, &error),
                None => self.explain(&error),
            });
        }
        let read =
            |request: &IdbRequest| request.result().ok().filter(|value| !value.is_undefined());
        Ok(requests.iter().map(read).collect())
    }

    async fn answer(
        &self,
        table: Table,
        request: Result<IdbRequest, JsValue>,
    ) -> Result<JsValue, StoreError> {
        let request = request.map_err(|error| self.explain(&error))?;
        event::answer(&request).await.map_err(|error| self.explain_read(table, &error))
    }
}

#[async_trait(?Send)]
impl Transaction for InDatabase {
    async fn look(&self, asks: Vec<Ask>) -> Result<Vec<Option<Payload>>, StoreError> {
        let values = self.values(&asks).await?;
        let Some((ask, _)) = asks.iter().zip(&values).find(|(_, value)| value::is_elsewhere(value))
        else {
            return Ok(values.into_iter().map(|value| Some(value::at_hand(value?))).collect());
        };
        // A browser ends a transaction that waits for something else, so it is kept busy.
        let table = ask.table();
        let mut reading = pin!(value::read_all(&self.link, values));
        loop {
            let busy = self.table(table)?.get_key(&js_key(&[]));
            self.answer(table, busy).await?;
            if let Poll::Ready(read) = futures::poll!(&mut reading) {
                return read.map_err(|error| self.explain_read(table, &error));
            }
        }
    }

    async fn look_last(
        self: Box<Self>,
        asks: Vec<Ask>,
    ) -> Result<Vec<Option<Payload>>, StoreError> {
        let values = self.values(&asks).await?;
        let table = asks.first().map_or(Table::Blocks, Ask::table);
        value::read_all(&self.link, values).await.map_err(|error| self.explain_read(table, &error))
    }

    async fn entries(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<(Vec<u8>, Payload)>, StoreError> {
        let rows = self.table(table)?;
        let range = range(after).map_err(|error| self.explain(&error))?;
        let keys = rows.get_all_keys_with_key_and_limit(&range, limit);
        let keys = keys.map_err(|error| self.explain(&error))?;
        let values = rows.get_all_with_key_and_limit(&range, limit);
        let values = Array::from(&self.answer(table, values).await?);
        let keys = Array::from(&keys.result().map_err(|error| self.explain(&error))?);
        Ok(keys.iter().map(rust_key).zip(values.iter().map(value::at_hand)).collect())
    }

    async fn keys(
        &self,
        table: Table,
        after: Option<&[u8]>,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = range(after).map_err(|error| self.explain(&error))?;
        let keys = self.table(table)?.get_all_keys_with_key_and_limit(&range, limit);
        Ok(Array::from(&self.answer(table, keys).await?).iter().map(rust_key).collect())
    }

    async fn count(&self, table: Table) -> Result<u64, StoreError> {
        let count = self.table(table)?.count();
        Ok(self.answer(table, count).await?.as_f64().unwrap_or_default() as u64)
    }

    fn put_value(&self, table: Table, key: &[u8], value: Value) -> Result<(), StoreError> {
        self.bytes.set(self.bytes.get() + value.len as u64);
        let put = self.table(table)?.put_with_key(&value::write(&value), &js_key(key));
        put.map_err(|error| self.explain(&error))?;
        self.packed.borrow_mut().extend(value.own);
        Ok(())
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        let delete = self.table(table)?.delete(&js_key(key));
        delete.map(drop).map_err(|error| self.explain(&error))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Some(end) = self.end.take() else { return Ok(()) };
        if end.await {
            let packed = self.packed.take();
            packed.iter().filter_map(|own| own.downcast_ref()).for_each(Packed::keep);
            return Ok(());
        }
        if let Some(end) = self.link.end.get() {
            return Err(self.link.ended(end));
        }
        let error = self.transaction.error().map_or(JsValue::NULL, Into::into);
        Err(fault::explain_abort(&self.link.name, &error, self.bytes.get()).await)
    }
}

impl Drop for InDatabase {
    fn drop(&mut self) {
        if self.end.take().is_some() {
            // Not committed. It may have ended on its own already.
            let _ = self.transaction.abort();
        }
    }
}

fn js_key(key: &[u8]) -> JsValue {
    Uint8Array::from(key).into()
}

fn rust_key(key: JsValue) -> Vec<u8> {
    Uint8Array::new(&key).to_vec()
}

/// All keys after `after`, as the browser wants to be asked for them.
fn range(after: Option<&[u8]>) -> Result<JsValue, JsValue> {
    match after {
        Some(after) => Ok(IdbKeyRange::lower_bound_with_open(&js_key(after), true)?.into()),
        None => Ok(JsValue::UNDEFINED),
    }
}
