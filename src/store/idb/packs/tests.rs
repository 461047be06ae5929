//! Packs in a real browser. One that has none (Firefox) keeps bytes, and these cases say nothing there.

use std::rc::Rc;

use avocet_dag::Cid;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    super::{
        Idb, STEPS, event,
        tests::{block, fresh_name, on, raw_value, remove, stubborn},
    },
    Depot, is_place,
};
use crate::{
    platform::{self, Block, Lent, Payload},
    store::{
        Pin, Ready, Store, StoreError,
        backend::{Access, Backend, Table, TakeError},
    },
};

const MIB: usize = 1 << 20;

/// A tab: its store, its connection, and its worker.
struct Tab {
    store: Store,
    idb: Rc<Idb>,
    depot: Rc<Depot>,
}

/// Nothing where there are no packs.
async fn tab(name: &str) -> Option<Tab> {
    let idb = Rc::new(Idb::open(name, STEPS).await.unwrap());
    let depot = idb.link.depot().await?;
    let store = Store::on(Rc::clone(&idb) as Rc<dyn Backend>, Rc::new(platform::unix_millis));
    Some(Tab { store, idb, depot })
}

/// Names and sizes of all packs that have something in them.
async fn packs(tab: &Tab) -> Vec<(String, f64)> {
    let listed = Array::from(&tab.depot.list().await.unwrap());
    let field = |pack: &JsValue, name: &str| Reflect::get(pack, &name.into()).unwrap();
    let all = listed.iter().map(|pack| {
        (field(&pack, "name").as_string().unwrap(), field(&pack, "size").as_f64().unwrap())
    });
    all.filter(|(_, size)| *size > 0.0).collect()
}

async fn blocks(values: std::ops::Range<u8>) -> Vec<Block> {
    let mut blocks = Vec::new();
    for value in values {
        blocks.push(block(vec![value; MIB]).await);
    }
    blocks
}

async fn assert_whole(store: &Store, block: &Block) {
    let found = store.get(block.cid()).await.unwrap().expect("it is there");
    assert!(found.bytes().to_bytes() == block.bytes().to_bytes());
}

async fn pin(store: &Store, cid: &Cid) {
    store.pin(cid, &Pin::default()).await.unwrap();
}

/// Until it is so, in turns of the browser's own.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        platform::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never came to be");
}

#[wasm_bindgen_test]
async fn a_large_value_lies_in_a_pack_and_every_tab_reads_it() {
    let name = fresh_name();
    let (Some(one), Some(other)) = (tab(&name).await, tab(&name).await) else { return };
    let (large, small) = (blocks(1..3).await, block(vec![3; 1000]).await);
    one.store.put(vec![large[0].clone(), small.clone()]).await.unwrap();
    other.store.put(vec![large[1].clone()]).await.unwrap();
    for block in &large {
        assert!(is_place(&raw_value(&name, block).await));
    }
    assert!(raw_value(&name, &small).await.has_type::<Uint8Array>());
    for tab in [&one, &other] {
        for block in large.iter().chain([&small]) {
            assert_whole(&tab.store, block).await;
        }
        assert_eq!(packs(tab).await.len(), 2);
    }
    // And those that come after both are gone.
    drop((one, other));
    let later = tab(&name).await.unwrap();
    for block in &large {
        assert_whole(&later.store, block).await;
    }
    remove(&name);
}

#[wasm_bindgen_test]
async fn what_comes_before_there_is_a_worker_is_kept_all_the_same() {
    let name = fresh_name();
    let store = on(Idb::open(&name, STEPS).await.unwrap());
    let block = block(vec![1; MIB]).await;
    store.put(vec![block.clone()]).await.unwrap();
    assert!(!is_place(&raw_value(&name, &block).await));
    assert_whole(&store, &block).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn what_is_here_already_takes_no_room() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let blocks = blocks(1..3).await;
    for _ in 0..3 {
        tab.store.put(blocks.clone()).await.unwrap();
    }
    tab.store.put(vec![block(vec![9; MIB]).await]).await.unwrap();
    // The two, and one whose room was used again.
    let size = packs(&tab).await[0].1;
    assert!(size <= (4 * MIB) as f64, "{size}");
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_pack_of_nothing_is_removed() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let blocks = blocks(1..4).await;
    tab.store.put(blocks.clone()).await.unwrap();
    assert_eq!(packs(&tab).await.len(), 1);
    assert_eq!(tab.store.gc().await.unwrap().blocks, 3);
    assert_eq!(packs(&tab).await, []);
    tab.store.put(blocks.clone()).await.unwrap();
    assert_whole(&tab.store, &blocks[0]).await;
    assert!(tab.store.delete(blocks[0].cid()).await.unwrap());
    remove(&name);
}

#[wasm_bindgen_test]
async fn what_is_left_of_a_pack_goes_to_another() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let blocks = blocks(1..6).await;
    tab.store.put(blocks.clone()).await.unwrap();
    let before = packs(&tab).await;
    for kept in &blocks[..2] {
        pin(&tab.store, kept.cid()).await;
    }
    tab.store.gc().await.unwrap();
    let after = packs(&tab).await;
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].0, before[0].0);
    assert_eq!(after[0].1, (2 * MIB) as f64);
    for kept in &blocks[..2] {
        assert_whole(&tab.store, kept).await;
    }
    // More than half of it is alive: it stays as it is.
    assert!(tab.store.unpin(blocks[0].cid()).await.unwrap());
    tab.store.put(vec![block(vec![7; 100]).await]).await.unwrap();
    tab.store.gc().await.unwrap();
    assert_eq!(packs(&tab).await, after);
    remove(&name);
}

#[wasm_bindgen_test]
async fn what_a_tab_left_is_tidied_up_once_it_is_gone() {
    let name = fresh_name();
    let (Some(gone), Some(tab)) = (tab(&name).await, tab(&name).await) else { return };
    let blocks = blocks(1..5).await;
    gone.store.put(blocks.clone()).await.unwrap();
    pin(&tab.store, blocks[0].cid()).await;
    // As after a crash: bytes of which no row tells.
    let unwritten = gone.depot.write(&Uint8Array::new_with_length(1000).buffer()).await.unwrap();
    assert!(is_place(&unwritten));
    drop(gone);
    // The browser lets the worker's lock go in its own time.
    until(|| async {
        tab.store.gc().await.unwrap();
        matches!(&packs(&tab).await[..], [(_, size)] if *size == MIB as f64)
    })
    .await;
    assert_whole(&tab.store, &blocks[0]).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn another_tab_gives_back_the_room_of_what_was_removed_here() {
    let name = fresh_name();
    let (Some(other), Some(tab)) = (tab(&name).await, tab(&name).await) else { return };
    let blocks = blocks(1..3).await;
    other.store.put(blocks.clone()).await.unwrap();
    assert_whole(&tab.store, &blocks[0]).await;
    assert_eq!(tab.store.gc().await.unwrap().blocks, 2);
    until(|| async { packs(&tab).await.is_empty() }).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn what_is_on_its_way_is_not_tidied_up() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let blocks = blocks(1..4).await;
    let ready: Vec<Ready> = blocks.iter().map(|block| tab.store.ready(block.clone())).collect();
    tab.store.gc().await.unwrap();
    tab.store.write(ready).await.unwrap();
    for block in &blocks {
        assert!(is_place(&raw_value(&name, block).await));
        assert_whole(&tab.store, block).await;
    }
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_tab_reads_what_another_one_moved_meanwhile() {
    let name = fresh_name();
    let (Some(one), Some(other)) = (tab(&name).await, tab(&name).await) else { return };
    let blocks = blocks(1..5).await;
    one.store.put(blocks.clone()).await.unwrap();
    pin(&one.store, blocks[0].cid()).await;
    let reading = async {
        for _ in 0..30 {
            assert_whole(&other.store, &blocks[0]).await;
        }
    };
    let moving = async { one.store.gc().await.unwrap() };
    futures::join!(reading, moving);
    assert_eq!(other.store.counters().corrupt, 0);
    assert_whole(&other.store, &blocks[0]).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_part_is_hashed_and_kept_in_one_go() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let taker = tab.store.taker().await.unwrap();
    let expected = block(vec![5; MIB]).await;
    let bytes = Uint8Array::from(&vec![5; MIB][..]);
    let taken = taker.take(Lent::Bytes(bytes.into())).await.unwrap();
    let cid = taken.cid(avocet_dag::Version::V1, avocet_dag::code::RAW).unwrap();
    assert_eq!(&cid, expected.cid());
    tab.store.write(vec![Ready::taken(&cid, taken)]).await.unwrap();
    assert_whole(&tab.store, &expected).await;

    // Of a window: the part that was named, and an error for one that is not there.
    let blob = web_sys::Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(
        &[vec![1; 100], vec![6; MIB]].concat()[..],
    )));
    let part = |size: usize, id: u32| {
        let part = Object::new();
        let set = |name: &str, value: JsValue| Reflect::set(&part, &name.into(), &value).unwrap();
        set("id", id.into());
        set("window", blob.clone().unwrap().into());
        set("from", 100.into());
        set("size", (size as f64).into());
        Lent::File(Rc::new(JsValue::from(part)), size)
    };
    let taken = taker.take(part(MIB, 1)).await.unwrap();
    let cid = taken.cid(avocet_dag::Version::V1, avocet_dag::code::RAW).unwrap();
    assert_eq!(&cid, block(vec![6; MIB]).await.cid());
    assert!(taker.take(part(2 * MIB, 2)).await.is_err());
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_part_that_cannot_be_read_is_told_from_a_store_that_fails() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let taker = tab.store.taker().await.unwrap();
    // What says that it has more bytes than there are, as a file that shrank.
    let part = js_sys::eval(
        "({ id: 1, from: 0, size: 8, window: new File([new Uint8Array(8)], 'f').slice(0, 4) })",
    );
    let lent = Lent::File(Rc::new(part.unwrap()), 8);
    let error = taker.take(lent).await.err().expect("it is refused");
    assert!(matches!(&error, TakeError::Store(_) | TakeError::Lent(_)), "{error}");
    remove(&name);
}

/// Writes something else into the row of a block.
async fn set_row(name: &str, block: &Block, row: &JsValue) {
    let database = stubborn(name, None).await;
    let transaction = database
        .transaction_with_str_and_mode("blocks", web_sys::IdbTransactionMode::Readwrite)
        .unwrap();
    let key = Uint8Array::from(&block.cid().hash().to_bytes()[..]);
    let put = transaction.object_store("blocks").unwrap().put_with_key(row, &key).unwrap();
    event::answer(&put).await.unwrap();
    database.close();
}

#[wasm_bindgen_test]
async fn idb_01_a_row_that_tells_of_a_wrong_place_is_removed_and_missing() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let [good, other] = <[Block; 2]>::try_from(blocks(1..3).await).unwrap();
    tab.store.put(vec![good.clone(), other.clone()]).await.unwrap();
    let place = raw_value(&name, &good).await;
    let with = |field: &str, value: JsValue| {
        let altered = Object::assign(&Object::new(), place.unchecked_ref());
        Reflect::set(&altered, &field.into(), &value).unwrap();
        JsValue::from(altered)
    };
    let wrong = [
        raw_value(&name, &other).await,
        with("pack", "no such pack".into()),
        with("pack", "../up".into()),
        with("pack", "".into()),
        with("pack", 7.into()),
        with("at", (-1).into()),
        with("at", 0.5.into()),
        with("at", f64::NAN.into()),
        with("at", 1e15.into()),
        with("len", (MIB as f64 - 1.0).into()),
        with("len", 1e12.into()),
        with("len", JsValue::UNDEFINED),
    ];
    for (nth, row) in wrong.iter().enumerate() {
        set_row(&name, &good, row).await;
        assert!(tab.store.get(good.cid()).await.unwrap().is_none(), "row {nth}");
        assert!(!tab.store.has(good.cid()).await.unwrap(), "row {nth}");
        assert_eq!(tab.store.counters().corrupt, nth as u64 + 1);
        tab.store.put(vec![good.clone()]).await.unwrap();
        assert_whole(&tab.store, &good).await;
    }
    assert_whole(&tab.store, &other).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn idb_01_a_pack_that_is_gone_takes_its_blocks_with_it_and_no_others() {
    let name = fresh_name();
    let (Some(gone), Some(tab)) = (tab(&name).await, tab(&name).await) else { return };
    let [lost, kept] = <[Block; 2]>::try_from(blocks(1..3).await).unwrap();
    gone.store.put(vec![lost.clone()]).await.unwrap();
    tab.store.put(vec![kept.clone()]).await.unwrap();
    let pack = Reflect::get(&raw_value(&name, &lost).await, &"pack".into()).unwrap();
    drop(gone);
    until(|| async {
        tab.depot.remove(&Array::of1(&pack)).await.unwrap();
        packs(&tab).await.len() == 1
    })
    .await;
    assert!(tab.store.get(lost.cid()).await.unwrap().is_none());
    assert!(!tab.store.has(lost.cid()).await.unwrap());
    assert_whole(&tab.store, &kept).await;
    tab.store.put(vec![lost.clone()]).await.unwrap();
    assert_whole(&tab.store, &lost).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn where_packs_cannot_be_read_nothing_is_taken_for_damage() {
    let name = fresh_name();
    let Some(with) = tab(&name).await else { return };
    let block = block(vec![1; MIB]).await;
    with.store.put(vec![block.clone()]).await.unwrap();
    let mut without = Idb::open(&name, STEPS).await.unwrap();
    Rc::get_mut(&mut without.link).unwrap().packs = None;
    let store = on(without);
    let error = store.get(block.cid()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Failed { .. }), "{error}");
    assert!(store.has(block.cid()).await.unwrap());
    assert_whole(&with.store, &block).await;
    remove(&name);
}

#[wasm_bindgen_test]
async fn a_transaction_goes_on_after_a_pack_was_read_in_it() {
    let name = fresh_name();
    let Some(tab) = tab(&name).await else { return };
    let large = block(vec![1; MIB]).await;
    tab.store.put(vec![large.clone()]).await.unwrap();
    let key = large.cid().hash().to_bytes();
    let tables = [Table::Blocks, Table::State];
    let transaction = tab.idb.begin(&tables, Access::Relaxed).await.unwrap();
    let ask = crate::store::backend::Ask::Value(Table::Blocks, key);
    let found = transaction.look(vec![ask]).await.unwrap();
    assert!(found[0].as_ref().unwrap().to_bytes() == large.bytes().to_bytes());
    transaction.put(Table::State, b"after", Payload::from(vec![1])).unwrap();
    transaction.commit().await.unwrap();
    remove(&name);
}
