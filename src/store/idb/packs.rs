//! Packs: files of the origin's private file system (OPFS) with the bytes of many blocks, of which the
//! rows of `Table::Blocks` tell the place.
//!
//! To put 64 MiB into a database takes Chromium twice the time that it takes a worker to hash them and
//! write them to a file, and three times as long to get them out again (`bench/`). Only a worker may
//! write there so; it has the files, and this room asks it ([`depot`]). Elsewhere than in Chromium, on
//! plain http and where the page's policy allows no worker of a blob, values are what [`super::value`] says.
//!
//! - A pack belongs to the worker that made it, whose lock lives as long as it does. It alone appends,
//!   up to 64 MiB. All tabs read all packs.
//! - The bytes are written first, then the row, in the transaction of all that belongs to it. What no
//!   row came to tell of is room to be used again, and is nothing once its tab is gone.
//! - What is written is the operating system's to bring to the disk, as it is with the files of a relaxed
//!   transaction, in which a browser keeps whatever is large. Where power fails before it has, a row tells
//!   of bytes that are not there, and the block is missing.
//! - Room is given back by [`tidy`], after each collection.
//! - What is read is verified by whoever asks the store, so a row that tells of the wrong place is
//!   damage like any other.

use std::{rc::Rc, time::Duration};

use futures::{
    FutureExt,
    future::{Either, LocalBoxFuture, Shared, select},
};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;

use super::{Link, fault};
use crate::platform::{self, Payload};

mod depot;
mod place;
mod take;
#[cfg(test)]
mod tests;
mod tidy;

pub(super) use self::{
    depot::Depot,
    place::{Packed, Row, is_place},
    take::Hands,
    tidy::tidy_all,
};

/// The index of `Table::Blocks` by the name of the pack: a field of rows that are places.
pub(super) const INDEX: &str = "pack";
/// From here on bytes are worth a message to the worker and back.
pub(super) const WORTH_A_PLACE: usize = 64 * 1024;
/// How long a worker may take to start.
const SILENT: Duration = Duration::from_secs(10);

/// The worker of a connection, once it was asked for.
pub(super) type Started = Shared<LocalBoxFuture<'static, Option<Rc<Depot>>>>;

impl Link {
    /// The worker, where values are kept in packs and it is ready. Else it is by the next time, perhaps.
    pub(super) fn depot_at_hand(self: &Rc<Self>) -> Option<Rc<Depot>> {
        self.start()?.peek().cloned().flatten()
    }

    /// The worker, where there is one.
    pub(super) async fn depot(self: &Rc<Self>) -> Option<Rc<Depot>> {
        self.start()?.clone().await
    }

    /// Ends the worker, if there is one.
    pub(super) fn release_packs(&self) {
        let Some(started) = self.depot.get().cloned() else { return };
        platform::spawn(async move {
            if let Some(depot) = started.await {
                depot.end();
            }
        });
    }

    fn start(self: &Rc<Self>) -> Option<&Started> {
        self.packs?;
        Some(self.depot.get_or_init(|| {
            let starting = open(self).boxed_local().shared();
            platform::spawn(starting.clone().map(drop));
            starting
        }))
    }

    /// The lock of the worker `owner`, or what all of them begin with.
    fn pack_lock(&self, owner: &str) -> String {
        format!("{}/{owner}", self.path("packs"))
    }

    /// The bytes at a place of a pack.
    pub(super) async fn read_place(self: &Rc<Self>, place: &JsValue) -> Result<Payload, JsValue> {
        let depot = self.depot().await.ok_or_else(|| {
            depot::error("WorkerError", "the packs of this store cannot be read in this page")
        })?;
        Ok(Uint8Array::new(&depot.read(place).await?).into())
    }
}

/// Starts the worker of a connection.
fn open(link: &Rc<Link>) -> impl Future<Output = Option<Rc<Depot>>> + use<> {
    let weak = Rc::downgrade(link);
    let tidy_up = move || {
        let Some(link) = weak.upgrade() else { return };
        platform::spawn(async move {
            if let Err(error) = tidy::tidy(&link).await {
                tracing::debug!(%error, "packs could not be tidied up");
            }
        });
    };
    let (path, lock) = (folder(&link.name), link.pack_lock(""));
    async move {
        let opening = Box::pin(Depot::open(&path, &lock, tidy_up));
        match select(opening, Box::pin(platform::sleep(SILENT))).await {
            Either::Left((Ok(depot), _)) => Some(depot),
            Either::Left((Err(error), _)) => {
                tracing::debug!(error = fault::words(&error), "values are not kept in packs");
                None
            }
            Either::Right(_) => None,
        }
    }
}

/// The folder of a database's packs: any name makes one that a file system takes.
fn folder(name: &str) -> String {
    let name = js_sys::encode_uri_component(name).as_string().unwrap_or_default();
    format!("avocet-packs-{name}")
}
