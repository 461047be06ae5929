//! What only IndexedDB does: schemas, other tabs' versions, where bytes lie, room.

use std::rc::Rc;

use avocet_dag::{Version, code};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{DomException, IdbDatabase, IdbFactory, IdbTransaction};

use super::{Idb, STEPS, event, fault, schema::Step};
use crate::{
    platform::{self, Block, Payload},
    store::{
        Pin, Store, StoreError, StoreName,
        backend::{Access, Ask, Backend, Table},
    },
};

/// The name of a database that no other test has.
pub(in crate::store) fn fresh_name() -> String {
    let mut bytes = [0; 8];
    platform::random_bytes(&mut bytes);
    format!("test-{:016x}", u64::from_be_bytes(bytes))
}

/// Removes a database once its last connection is closed.
pub(in crate::store) fn remove(name: &str) {
    factory().delete_database(name).unwrap();
}

fn factory() -> IdbFactory {
    Reflect::get(&js_sys::global(), &"indexedDB".into()).unwrap().unchecked_into()
}

pub(super) fn on(backend: Idb) -> Store {
    Store::on(Rc::new(backend), Rc::new(platform::unix_millis))
}

pub(super) async fn block(bytes: impl Into<Payload>) -> Block {
    platform::hash(Version::V1, code::RAW, code::SHA2_256, bytes.into()).await.unwrap()
}

/// A connection by the browser's own means, which does not make way for anybody.
pub(super) async fn stubborn(name: &str, version: Option<u32>) -> IdbDatabase {
    let request = match version {
        Some(version) => factory().open_with_u32(name, version).unwrap(),
        None => factory().open(name).unwrap(),
    };
    event::answer(&request).await.unwrap().unchecked_into()
}

async fn open_error(name: &str, steps: &'static [Step]) -> StoreError {
    Idb::open(name, steps).await.err().expect("it is refused")
}

fn add_table(database: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    database.create_object_store("added").map(drop)
}

fn fail(database: &IdbDatabase, _: &IdbTransaction) -> Result<(), JsValue> {
    database.create_object_store("added")?;
    Err("this step fails".into())
}

/// Before large values could be files.
const FIRST: &[Step] = &[STEPS[0]];
const LATER: &[Step] = &[STEPS[0], STEPS[1], STEPS[2], add_table];
const BROKEN: &[Step] = &[STEPS[0], STEPS[1], STEPS[2], fail];

#[wasm_bindgen_test]
async fn a_step_of_the_schema_keeps_what_is_there() {
    let name = fresh_name();
    let kept = block(vec![1; 100]).await;
    let store = on(Idb::open(&name, STEPS).await.unwrap());
    store.put(vec![kept.clone()]).await.unwrap();
    drop(store);
    let backend = Idb::open(&name, LATER).await.unwrap();
    assert!(backend.link.database.object_store_names().contains("added"));
    assert_eq!(backend.link.database.version(), 4.0);
    assert!(on(backend).get(kept.cid()).await.unwrap().is_some());
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_step_that_fails_leaves_the_schema_before_it() {
    let name = fresh_name();
    let kept = block(vec![1; 100]).await;
    let store = on(Idb::open(&name, STEPS).await.unwrap());
    store.put(vec![kept.clone()]).await.unwrap();
    drop(store);
    let error = open_error(&name, BROKEN).await;
    assert!(error.to_string().contains("this step fails"), "{error}");
    let backend = Idb::open(&name, STEPS).await.unwrap();
    assert!(!backend.link.database.object_store_names().contains("added"));
    assert!(on(backend).get(kept.cid()).await.unwrap().is_some());
    remove(&name);
}

#[wasm_bindgen_test]
async fn idb_02_a_newer_schema_is_refused_and_left() {
    let name = fresh_name();
    let kept = block(vec![1; 100]).await;
    let store = on(Idb::open(&name, LATER).await.unwrap());
    store.put(vec![kept.clone()]).await.unwrap();
    drop(store);
    assert_eq!(open_error(&name, STEPS).await, StoreError::TooNew { name: name.clone(), ours: 3 });
    let store = on(Idb::open(&name, LATER).await.unwrap());
    assert!(store.get(kept.cid()).await.unwrap().is_some());
    remove(&name);
}

#[wasm_bindgen_test]
async fn idb_02_a_foreign_database_is_refused_and_left() {
    let name = fresh_name();
    // The version of this program, and no table in it.
    stubborn(&name, Some(3)).await.close();
    let foreign = StoreError::Foreign { name: name.clone(), missing: "blocks" };
    assert_eq!(open_error(&name, STEPS).await, foreign);
    let left = stubborn(&name, None).await;
    assert_eq!((left.version(), left.object_store_names().length()), (3.0, 0));
    left.close();
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_tab_makes_way_for_a_newer_version_and_says_so() {
    let name = fresh_name();
    let old = on(Idb::open(&name, STEPS).await.unwrap());
    let kept = block(vec![1; 100]).await;
    old.put(vec![kept.clone()]).await.unwrap();
    let new = on(Idb::open(&name, LATER).await.unwrap());
    assert!(new.get(kept.cid()).await.unwrap().is_some());
    let replaced = StoreError::Replaced { name: name.clone() };
    assert_eq!(old.get(kept.cid()).await.unwrap_err(), replaced);
    assert_eq!(old.put(vec![kept.clone()]).await.unwrap_err(), replaced);
    assert_eq!(old.pin(kept.cid(), &Pin::default()).await.unwrap_err(), replaced);
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_tab_that_does_not_make_way_is_reported_and_later_no_hindrance() {
    let name = fresh_name();
    drop(Idb::open(&name, STEPS).await.unwrap());
    let stubborn = stubborn(&name, None).await;
    assert_eq!(open_error(&name, LATER).await, StoreError::Blocked { name: name.clone() });
    stubborn.close();
    // What was given up is neither upgraded nor held open: the old version still opens.
    let again = Idb::open(&name, STEPS).await.unwrap();
    assert_eq!(again.link.database.version(), 3.0);
    drop(again);
    assert_eq!(Idb::open(&name, LATER).await.unwrap().link.database.version(), 4.0);
    remove(&name);
}

/// Opens a store where `indexedDB` is `instead`, and says how it is refused.
async fn refusal(instead: &JsValue) -> StoreError {
    let (global, property) = (js_sys::global(), JsValue::from_str("indexedDB"));
    let before = Object::get_own_property_descriptor(&global, &property);
    let replace = Object::new();
    Reflect::set(&replace, &"value".into(), instead).unwrap();
    Reflect::set(&replace, &"configurable".into(), &JsValue::TRUE).unwrap();
    Object::define_property(&global, &property, &replace);
    let opened = Store::open(&StoreName::from("avocet")).await;
    match before.dyn_ref::<Object>() {
        Some(before) => drop(Object::define_property(&global, &property, before)),
        None => drop(Reflect::delete_property(&global, &property)),
    }
    opened.err().expect("it is refused")
}

#[wasm_bindgen_test]
async fn a_browser_without_indexeddb_is_reported() {
    let error = refusal(&JsValue::UNDEFINED).await;
    assert!(matches!(&error, StoreError::Unavailable { name, .. } if name == "avocet"), "{error}");
    assert!(Store::open(&StoreName::from("memory")).await.is_ok());
}

/// As in a private window: there is a factory, and it throws.
#[wasm_bindgen_test]
async fn a_database_that_may_not_be_opened_is_reported() {
    let refusing = Object::new();
    let refuse = Function::new_no_args("throw new DOMException('not here', 'SecurityError')");
    Reflect::set(&refusing, &"open".into(), &refuse).unwrap();
    let error = refusal(&refusing).await.to_string();
    assert!(error.contains("SecurityError: not here") && error.contains("private"), "{error}");
}

#[wasm_bindgen_test]
async fn what_lies_outside_wasm_memory_stays_there() {
    let name = fresh_name();
    let store = on(Idb::open(&name, STEPS).await.unwrap());
    // A part of a larger buffer: only the part may be stored.
    let buffer = Uint8Array::new_with_length(3 << 20);
    buffer.fill(9, 0, 3 << 20);
    let outside = block(buffer.subarray(1 << 20, 2 << 20)).await;
    assert!(matches!(outside.bytes(), Payload::Js(_)));
    store.put(vec![outside.clone()]).await.unwrap();
    let found = store.get(outside.cid()).await.unwrap().unwrap();
    let Payload::Js(view) = found.bytes() else { panic!("it came into wasm memory") };
    assert_eq!((view.length(), view.buffer().byte_length()), (1 << 20, 1 << 20));
    remove(&name);
}

/// A database that keeps large values as files, or as bytes, and none in packs.
async fn keeping(name: &str, files: bool) -> Rc<dyn Backend> {
    let mut backend = Idb::open(name, STEPS).await.unwrap();
    let link = Rc::get_mut(&mut backend.link).unwrap();
    (link.blobs, link.packs) = (files, None);
    Rc::new(backend)
}

impl Idb {
    /// Keeps every value in a pack, where there are packs.
    pub(in crate::store) async fn pack_all(&mut self) {
        let link = Rc::get_mut(&mut self.link).unwrap();
        link.packs = link.packs.and(Some(0));
        self.link.depot().await;
    }
}

/// The raw value at the block's key.
pub(super) async fn raw_value(name: &str, block: &Block) -> JsValue {
    let database = stubborn(name, None).await;
    let transaction = database.transaction_with_str("blocks").unwrap();
    let key = Uint8Array::from(&block.cid().hash().to_bytes()[..]);
    let request = transaction.object_store("blocks").unwrap().get(&key).unwrap();
    let value = event::answer(&request).await.unwrap();
    database.close();
    value
}

#[wasm_bindgen_test]
async fn a_large_value_is_kept_as_a_file_and_read_beside_bytes() {
    let name = fresh_name();
    let clock = || Rc::new(platform::unix_millis);
    let large = [block(vec![1; 1 << 20]).await, block(vec![2; 1 << 20]).await];
    let small = block(vec![3; 1000]).await;
    let files = Store::on(keeping(&name, true).await, clock());
    files.put(vec![large[0].clone(), small.clone()]).await.unwrap();
    let bytes = Store::on(keeping(&name, false).await, clock());
    bytes.put(vec![large[1].clone()]).await.unwrap();
    assert!(raw_value(&name, &large[0]).await.has_type::<web_sys::Blob>());
    assert!(raw_value(&name, &large[1]).await.has_type::<Uint8Array>());
    assert!(raw_value(&name, &small).await.has_type::<Uint8Array>());
    for store in [files, bytes] {
        for block in large.iter().chain([&small]) {
            let found = store.get(block.cid()).await.unwrap().expect("it is there");
            assert_eq!(found.bytes().to_bytes(), block.bytes().to_bytes());
        }
    }
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_tab_that_knows_no_files_makes_way_and_takes_none_for_damage() {
    let name = fresh_name();
    let old = on(Idb::open(&name, FIRST).await.unwrap());
    let (bytes, file) = (block(vec![1; 1 << 20]).await, block(vec![2; 1 << 20]).await);
    old.put(vec![bytes.clone()]).await.unwrap();
    let new = Store::on(keeping(&name, true).await, Rc::new(platform::unix_millis));
    new.put(vec![file.clone()]).await.unwrap();
    assert!(raw_value(&name, &file).await.has_type::<web_sys::Blob>());
    let replaced = StoreError::Replaced { name: name.clone() };
    assert_eq!(old.get(file.cid()).await.unwrap_err(), replaced);
    assert_eq!(open_error(&name, FIRST).await, StoreError::TooNew { name: name.clone(), ours: 1 });
    for kept in [bytes, file] {
        let found = new.get(kept.cid()).await.unwrap().expect("it is there");
        assert_eq!(found.bytes().to_bytes(), kept.bytes().to_bytes());
    }
    remove(&name);
}

#[wasm_bindgen_test]
async fn idb_01_an_altered_file_is_removed_and_missing() {
    let name = fresh_name();
    let backend = keeping(&name, true).await;
    let (good, other) = (block(vec![1; 1 << 20]).await, block(vec![2; 1 << 20]).await);
    let transaction = backend.begin(&[Table::Blocks], Access::Relaxed).await.unwrap();
    let key = good.cid().hash().to_bytes();
    transaction.put(Table::Blocks, &key, other.bytes().clone()).unwrap();
    transaction.commit().await.unwrap();
    let store = Store::on(Rc::clone(&backend), Rc::new(platform::unix_millis));
    assert!(store.get(good.cid()).await.unwrap().is_none());
    assert!(!store.has(good.cid()).await.unwrap());
    assert_eq!(store.counters().corrupt, 1);
    store.put(vec![good.clone()]).await.unwrap();
    assert!(store.get(good.cid()).await.unwrap().is_some());
    remove(&name);
}

/// Reading a file takes more than one turn of the browser, which a transaction must outlive.
#[wasm_bindgen_test]
async fn a_transaction_goes_on_after_a_file_was_read_in_it() {
    let name = fresh_name();
    let backend = keeping(&name, true).await;
    let large = block(vec![1; 1 << 20]).await;
    let store = Store::on(Rc::clone(&backend), Rc::new(platform::unix_millis));
    store.put(vec![large.clone()]).await.unwrap();
    let key = large.cid().hash().to_bytes();
    let transaction = backend.begin(&[Table::Blocks, Table::State], Access::Relaxed).await.unwrap();
    let found = transaction.look(vec![Ask::Value(Table::Blocks, key)]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().to_bytes(), large.bytes().to_bytes());
    transaction.put(Table::State, b"after", vec![1].into()).unwrap();
    transaction.commit().await.unwrap();
    let transaction = backend.begin(&[Table::State], Access::Read).await.unwrap();
    let found = transaction.look(vec![Ask::Presence(Table::State, b"after".to_vec())]).await;
    assert!(found.unwrap()[0].is_some());
    remove(&name);
}

#[wasm_bindgen_test]
async fn idb_01_a_value_of_another_kind_is_removed_and_missing() {
    let name = fresh_name();
    let backend = Idb::open(&name, STEPS).await.unwrap();
    let altered = block(vec![1; 100]).await;
    let key = Uint8Array::from(&altered.cid().hash().to_bytes()[..]);
    let raw = backend.link.transaction(&[Table::Blocks], Access::Relaxed).unwrap();
    let store = on(backend);
    raw.object_store("blocks").unwrap().put_with_key(&"text".into(), &key).unwrap();
    assert!(store.get(altered.cid()).await.unwrap().is_none());
    assert!(!store.has(altered.cid()).await.unwrap());
    assert_eq!(store.counters().corrupt, 1);
    remove(&name);
}

#[wasm_bindgen_test]
async fn secrets_at_rest_are_sealed() {
    let name = fresh_name();
    let backend: Rc<dyn Backend> = Rc::new(Idb::open(&name, STEPS).await.unwrap());
    let store = Store::on(Rc::clone(&backend), Rc::new(platform::unix_millis));
    let secret = store.identity().await.unwrap().secret;
    let transaction = backend.begin(&[Table::Keys], Access::Read).await.unwrap();
    let row = vec![Ask::Value(Table::Keys, 0_u32.to_be_bytes().to_vec())];
    let row = transaction.look(row).await.unwrap()[0].as_ref().unwrap().to_bytes();
    assert_eq!((row[0], row.len()), (1, 1 + 12 + 32 + 16));
    assert!(!row.windows(8).any(|part| secret.windows(8).any(|other| part == other)));
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_sealed_secret_that_was_altered_is_named_and_left() {
    let name = fresh_name();
    let backend: Rc<dyn Backend> = Rc::new(Idb::open(&name, STEPS).await.unwrap());
    let store = Store::on(Rc::clone(&backend), Rc::new(platform::unix_millis));
    drop(store.identity().await.unwrap());
    let key = 0_u32.to_be_bytes();
    let transaction = backend.begin(&[Table::Keys], Access::Relaxed).await.unwrap();
    let row = transaction.look(vec![Ask::Value(Table::Keys, key.to_vec())]).await.unwrap();
    let mut row = row[0].as_ref().unwrap().to_bytes().to_vec();
    row[40] ^= 1;
    transaction.put(Table::Keys, &key, row.clone().into()).unwrap();
    transaction.commit().await.unwrap();
    // The slot's lock is let go in a turn of the browser's own.
    let identity = loop {
        match store.identity().await {
            Ok(other) if other.slot > 0 => platform::sleep(std::time::Duration::ZERO).await,
            outcome => break outcome,
        }
    };
    let error = identity.err().expect("it cannot be read");
    assert!(matches!(&error, StoreError::Key { slot: 0, .. }), "{error}");
    let transaction = backend.begin(&[Table::Keys], Access::Read).await.unwrap();
    let left = transaction.look(vec![Ask::Value(Table::Keys, key.to_vec())]).await.unwrap();
    assert_eq!(left[0].as_ref().unwrap().to_bytes(), row);
    remove(&name);
}

fn dispatch(event: &str) {
    let event = web_sys::Event::new(event).unwrap();
    js_sys::global().unchecked_into::<web_sys::EventTarget>().dispatch_event(&event).unwrap();
}

async fn tab_by_plain_http(name: &str) -> Store {
    let mut backend = Idb::open(name, STEPS).await.unwrap();
    backend.locks = false;
    on(backend)
}

#[wasm_bindgen_test]
async fn a_tab_that_is_reloaded_by_plain_http_has_its_identity_again() {
    let name = fresh_name();
    let before = tab_by_plain_http(&name).await.identity().await.unwrap();
    let other = tab_by_plain_http(&name).await.identity().await.unwrap();
    assert_eq!((before.slot, other.slot), (0, 1));
    // Both go away, and one of them comes back unseen by the other.
    dispatch("pagehide");
    let after = tab_by_plain_http(&name).await.identity().await.unwrap();
    assert_eq!((after.slot, after.secret), (0, before.secret));
    dispatch("pageshow");
    before.seat.lost().await;
    assert_eq!(tab_by_plain_http(&name).await.identity().await.unwrap().slot, 2);
    assert!(futures::poll!(Box::pin(other.seat.lost())).is_pending());
    assert!(futures::poll!(Box::pin(after.seat.lost())).is_pending());
    remove(&name);
}

#[wasm_bindgen_test]
async fn errors_for_lack_of_room_say_so() {
    let thrown = |name: &str| -> JsValue {
        DomException::new_with_message_and_name("words", name).unwrap().into()
    };
    let quota = |bytes| StoreError::Quota { name: "db".to_owned(), bytes };
    assert_eq!(fault::explain_abort("db", &thrown("QuotaExceededError"), 5).await, quota(5));
    // More than there can be room for, and less than a full disk lets pass.
    assert_eq!(fault::explain_abort("db", &thrown("AbortError"), 1 << 60).await, quota(1 << 60));
    assert_eq!(fault::explain_abort("db", &JsValue::NULL, 1 << 60).await, quota(1 << 60));
    let other = fault::explain_abort("db", &thrown("DataError"), 1 << 60).await;
    assert!(other.to_string().contains("DataError: words"), "{other}");
    let roomy = fault::explain_abort("db", &thrown("AbortError"), 1).await;
    assert!(matches!(roomy, StoreError::Failed { .. }), "{roomy}");
}
