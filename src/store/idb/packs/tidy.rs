//! Room given back: a pack that no row tells of is removed, and what is left of one that is mostly
//! dead goes to another pack first.
//!
//! A pack of ours is sealed before: nothing comes to lie there any more, and nothing lies there that a
//! row may yet tell of. One of another tab's is left to that tab, which is asked to tidy up too; when
//! that tab is gone its lock is free, and ours until we are done.
//!
//! Nothing is removed before a `strict` transaction says that the rows which told of it are gone for
//! good: a row that comes back after the power failed would have lost its bytes.

use std::{any::Any, rc::Rc};

use js_sys::{Array, JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbIndex, IdbTransaction};

use super::{
    super::{Link, event, event::Listening, fault, lock},
    depot::Depot,
    place::{self, Place},
};
use crate::store::{
    StoreError,
    backend::{Access, Locked, Table},
};

/// Places that are copied at once, of up to 2 MiB each.
const AT_ONCE: usize = 16;
/// A pack in which less than one part in so many is alive is emptied.
const MOSTLY_DEAD: u64 = 2;

/// Gives back the room of what no row tells of.
pub(in crate::store::idb) async fn tidy(link: &Rc<Link>) -> Result<(), StoreError> {
    let Some(depot) = link.depot().await else { return Ok(()) };
    tidy_packs(link, &depot).await.map_err(|error| fault::explain(&link.name, &error))
}

/// As [`tidy`], and other tabs do the same.
pub(in crate::store::idb) async fn tidy_all(link: &Rc<Link>) -> Result<(), StoreError> {
    let Some(depot) = link.depot().await else { return Ok(()) };
    // They need not be waited for.
    drop(depot.call_others());
    tidy(link).await
}

async fn tidy_packs(link: &Link, depot: &Rc<Depot>) -> Result<(), JsValue> {
    let dead = Array::new();
    // Held until the packs are gone.
    let mut locks: Vec<(String, Box<dyn Any>)> = Vec::new();
    for pack in Array::from(&depot.list().await?).iter() {
        let field = |name: &str| Reflect::get(&pack, &name.into());
        let name: JsString = field("name")?.dyn_into()?;
        let size = field("size")?.as_f64().unwrap_or_default() as u64;
        let alive = Alive::of(link, &name).await?;
        if alive.bytes > 0 && alive.bytes.saturating_mul(MOSTLY_DEAD) >= size {
            continue;
        }
        if field("mine")?.is_truthy() {
            if !depot.seal(&name).await?.is_truthy() {
                continue;
            }
        } else {
            let mut owner = String::from(&name);
            owner.truncate(owner.find('.').unwrap_or(owner.len()));
            if !locks.iter().any(|(held, _)| *held == owner) {
                let Locked::Ours(lock) = lock::take(&link.pack_lock(&owner)).await else {
                    continue;
                };
                locks.push((owner, lock));
            }
        }
        // What was on its way into it has arrived or never will.
        let alive = Alive::of(link, &name).await?;
        if alive.moved_away(link, depot).await? {
            dead.push(&name);
        }
    }
    if dead.length() == 0 {
        return Ok(());
    }
    reach_the_disk(link).await?;
    depot.remove(&dead).await.map(drop)
}

/// What rows tell of a pack.
struct Alive {
    /// Keys of rows and their places.
    rows: Vec<(JsValue, JsValue)>,
    bytes: u64,
}

impl Alive {
    async fn of(link: &Link, pack: &JsString) -> Result<Self, JsValue> {
        let transaction = begin(link, Access::Read)?;
        let index = places(&transaction)?;
        let keys = index.get_all_keys_with_key(pack)?;
        let values = index.get_all_with_key(pack)?;
        let values = Array::from(&event::answer(&values).await?);
        let keys = Array::from(&keys.result()?);
        let bytes = values.iter().filter_map(|value| place::len(&value)).sum::<usize>() as u64;
        Ok(Self { rows: keys.iter().zip(values.iter()).collect(), bytes })
    }

    /// Moves all of it to a pack that is written to; false when some of it stayed.
    async fn moved_away(&self, link: &Link, depot: &Rc<Depot>) -> Result<bool, JsValue> {
        for rows in self.rows.chunks(AT_ONCE) {
            let old: Array = rows.iter().map(|(_, place)| place).collect();
            let Ok(new) = depot.copy(&old).await else {
                // One cannot be read: whoever asks for it finds the damage.
                return Ok(false);
            };
            let mut new: Vec<Place> =
                Array::from(&new).iter().map(|place| Place::new(depot, place)).collect();
            depot.flush().await?;
            let transaction = begin(link, Access::Strict)?;
            let end = Listening::to(&transaction, ["complete", "abort"]);
            let table = transaction.object_store(Table::Blocks.name())?;
            let mut moved = Vec::new();
            for ((key, old), new) in rows.iter().zip(&mut new) {
                let now = event::answer(&table.get(key)?).await?;
                if place::same(old, &now) {
                    table.put_with_key(new.row(), key)?;
                    moved.push(new);
                }
            }
            if !end.await {
                return Ok(false);
            }
            moved.into_iter().for_each(Place::keep);
        }
        Ok(true)
    }
}

/// Ends with all that was written to the database before it on the disk.
async fn reach_the_disk(link: &Link) -> Result<(), JsValue> {
    /// Only there to be written.
    const TIDIED: &[u8] = b"tidied";
    let transaction = link.transaction(&[Table::State], Access::Strict).map_err(as_thrown)?;
    let end = Listening::to(&transaction, ["complete", "abort"]);
    let key = Uint8Array::from(TIDIED);
    transaction
        .object_store(Table::State.name())?
        .put_with_key(&Uint8Array::new_with_length(0), &key)?;
    match end.await {
        true => Ok(()),
        false => Err(transaction.error().map_or(JsValue::NULL, Into::into)),
    }
}

fn begin(link: &Link, access: Access) -> Result<IdbTransaction, JsValue> {
    link.transaction(&[Table::Blocks], access).map_err(as_thrown)
}

fn as_thrown(error: StoreError) -> JsValue {
    error.to_string().into()
}

fn places(transaction: &IdbTransaction) -> Result<IdbIndex, JsValue> {
    transaction.object_store(Table::Blocks.name())?.index(super::INDEX)
}
