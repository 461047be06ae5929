//! The tests that every backend passes, over handles that share one database as tabs do.
//!
//! Natively they run on the memory backend, in browsers on IndexedDB, there with the browser's
//! locks, with leases and with all blocks in packs.

use std::{cell::Cell, future::Future, pin::Pin as Pinned, rc::Rc, task::Poll};

use avocet_dag::{Cid, Version, code};

use super::{
    Counters, MAX_NAME, Pin, Store, StoreError, Usage,
    backend::{Access, Ask, Backend, Table},
    drafts,
};
use crate::platform::{self, Block, Payload};

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod uneven;

use self::uneven::Uneven;

/// Calls `$test!` with the name of every case.
macro_rules! every_case {
    ($test:ident) => {
        $test! {
            what_is_put_comes_back,
            both_versions_of_a_cid_share_the_bytes,
            the_empty_block_is_a_block,
            more_than_a_batch_is_put,
            what_is_put_twice_is_counted_once,
            what_is_not_here_is_none,
            a_cid_that_carries_its_content_needs_no_store,
            sizes_are_known_without_reading,
            idb_01_an_altered_block_is_removed_and_missing,
            idb_01_a_block_that_is_no_bytes_is_removed_and_missing,
            idb_01_an_altered_block_can_be_put_again,
            idb_02_rows_without_their_other_half_are_mended,
            idb_02_a_damaged_pin_is_named_and_left,
            pins_come_back_as_they_were_made,
            a_pin_holds_for_both_versions_of_its_cid,
            a_name_that_is_too_long_is_refused,
            collection_keeps_what_pins_reach,
            collection_keeps_what_two_pins_share,
            collection_walks_past_what_is_missing,
            a_draft_keeps_what_is_put_from_another_tab,
            a_draft_keeps_what_it_sees,
            a_draft_keeps_what_an_older_draft_put,
            a_draft_keeps_what_the_same_tab_saw_before,
            a_draft_of_a_crashed_tab_expires,
            a_draft_that_was_given_up_cannot_pin,
            a_draft_survives_a_clock_that_goes_back,
            a_pinned_block_is_not_deleted,
            a_block_in_a_draft_is_not_deleted,
            imports_and_collections_interleave,
            pins_and_collections_interleave,
            a_transaction_that_is_dropped_leaves_nothing,
            keys_are_ordered_and_paged,
            each_tab_has_its_own_identity,
            an_identity_stays_with_its_slot,
            tabs_that_start_together_differ,
        }
    };
}
use every_case;

type Opened = Pinned<Box<dyn Future<Output = Rc<dyn Backend>>>>;

/// A database of its own for each case, and a clock that is set by hand.
pub(super) struct Rig {
    open: Box<dyn Fn() -> Opened>,
    time: Rc<Cell<u64>>,
    /// How many interleavings to try.
    seeds: u64,
}

impl Rig {
    fn new(seeds: u64, open: impl Fn() -> Opened + 'static) -> Self {
        Self { open: Box::new(open), time: Rc::new(Cell::new(1_700_000_000_000)), seeds }
    }

    async fn backend(&self) -> Rc<dyn Backend> {
        (self.open)().await
    }

    /// A handle as a tab of its own has.
    async fn tab(&self) -> Store {
        self.on(self.backend().await)
    }

    /// A handle whose transactions begin late, by a seed.
    async fn uneven_tab(&self, seed: u64) -> Store {
        self.on(Rc::new(Uneven::new(self.backend().await, seed)))
    }

    fn on(&self, backend: Rc<dyn Backend>) -> Store {
        let time = Rc::clone(&self.time);
        Store::on(backend, Rc::new(move || time.get()))
    }

    fn wait(&self, duration: std::time::Duration) {
        self.time.set(self.time.get() + duration.as_millis() as u64);
    }
}

async fn raw(bytes: impl Into<Vec<u8>>) -> Block {
    let payload = Payload::from(bytes.into());
    platform::hash(Version::V1, code::RAW, code::SHA2_256, payload).await.unwrap()
}

/// A DAG-PB node that links to `children`.
async fn node(children: &[&Cid]) -> Block {
    let mut bytes = Vec::new();
    for child in children {
        let hash = child.to_bytes();
        // Links (2): { Hash (1), Name (2), Tsize (3) }
        bytes.extend([0x12, hash.len() as u8 + 6, 0x0a, hash.len() as u8]);
        bytes.extend(hash);
        bytes.extend([0x12, 0, 0x18, 0]);
    }
    let payload = Payload::from(bytes);
    platform::hash(Version::V1, code::DAG_PB, code::SHA2_256, payload).await.unwrap()
}

fn v0(cid: &Cid) -> Cid {
    Cid::new_v0(cid.hash().clone()).unwrap()
}

fn recursive() -> Pin {
    Pin { recursive: true, ..Pin::default() }
}

async fn bytes_of(store: &Store, cid: &Cid) -> Vec<u8> {
    store.get(cid).await.unwrap().unwrap().bytes().to_bytes().to_vec()
}

/// Which of `blocks` are here, in a handle that holds no draft.
async fn present(store: &Store, blocks: &[&Block]) -> Vec<bool> {
    let cids: Vec<Cid> = blocks.iter().map(|block| block.cid().clone()).collect();
    store.sizes_of(&cids).await.unwrap().iter().map(Option::is_some).collect()
}

/// Writes past the store, as nothing of ours does.
async fn tamper(backend: &dyn Backend, rows: Vec<(Table, Vec<u8>, Option<Payload>)>) {
    let transaction = backend.begin(&Table::ALL, Access::Relaxed).await.unwrap();
    for (table, key, value) in rows {
        match value {
            Some(value) => transaction.put(table, &key, value).unwrap(),
            None => transaction.delete(table, &key).unwrap(),
        }
    }
    transaction.commit().await.unwrap();
}

fn key(block: &Block) -> Vec<u8> {
    block.cid().hash().to_bytes()
}

async fn what_is_put_comes_back(rig: Rig) {
    let store = rig.tab().await;
    let small = raw(*b"small").await;
    let large = raw(vec![7; 1 << 20]).await;
    store.put(vec![small.clone(), large.clone()]).await.unwrap();
    for block in [&small, &large] {
        let found = store.get(block.cid()).await.unwrap().unwrap();
        assert_eq!(found.cid(), block.cid());
        assert_eq!(found.bytes().to_bytes(), block.bytes().to_bytes());
    }
    assert_eq!(bytes_of(&rig.tab().await, large.cid()).await.len(), 1 << 20);
    assert_eq!(store.counters(), Counters { hits: 2, ..Counters::default() });
}

async fn both_versions_of_a_cid_share_the_bytes(rig: Rig) {
    let store = rig.tab().await;
    let leaf = raw(*b"leaf").await;
    let node = node(&[leaf.cid()]).await;
    store.put(vec![node.clone()]).await.unwrap();
    let old = store.get(&v0(node.cid())).await.unwrap().unwrap();
    assert_eq!(old.cid(), &v0(node.cid()));
    assert_eq!(old.bytes().to_bytes(), node.bytes().to_bytes());
    store.put(vec![old]).await.unwrap();
    assert_eq!(store.usage().await.unwrap().blocks, 1);
}

async fn the_empty_block_is_a_block(rig: Rig) {
    let store = rig.tab().await;
    let empty = raw([]).await;
    assert!(!store.has(empty.cid()).await.unwrap());
    store.put(vec![empty.clone()]).await.unwrap();
    assert_eq!(store.size_of(empty.cid()).await.unwrap(), Some(0));
    assert_eq!(bytes_of(&store, empty.cid()).await, [0; 0]);
    assert_eq!(store.usage().await.unwrap(), Usage { used: 0, blocks: 1 });
}

async fn more_than_a_batch_is_put(rig: Rig) {
    let store = rig.tab().await;
    let mut blocks = Vec::new();
    for number in 0..super::BATCH as u32 * 2 + 3 {
        blocks.push(raw(number.to_be_bytes()).await);
    }
    store.put(blocks.clone()).await.unwrap();
    assert!(present(&store, &blocks.iter().collect::<Vec<_>>()).await.iter().all(|here| *here));
    let blocks = blocks.len() as u64;
    assert_eq!(store.usage().await.unwrap(), Usage { used: blocks * 4, blocks });
}

async fn what_is_put_twice_is_counted_once(rig: Rig) {
    let (one, other) = (rig.tab().await, rig.tab().await);
    let block = raw(*b"once").await;
    one.put(vec![block.clone(), block.clone()]).await.unwrap();
    let (first, second) =
        futures::join!(one.put(vec![block.clone()]), other.put(vec![block.clone()]));
    first.unwrap();
    second.unwrap();
    assert_eq!(other.usage().await.unwrap(), Usage { used: 4, blocks: 1 });
}

async fn what_is_not_here_is_none(rig: Rig) {
    let store = rig.tab().await;
    let block = raw(*b"elsewhere").await;
    assert!(store.get(block.cid()).await.unwrap().is_none());
    assert_eq!(store.size_of(block.cid()).await.unwrap(), None);
    assert!(!store.delete(block.cid()).await.unwrap());
    assert!(!store.unpin(block.cid()).await.unwrap());
    assert_eq!(store.usage().await.unwrap(), Usage::default());
    assert_eq!(store.counters(), Counters { misses: 1, ..Counters::default() });
}

async fn a_cid_that_carries_its_content_needs_no_store(rig: Rig) {
    let store = rig.tab().await;
    let payload = Payload::from(b"inside".to_vec());
    let block = platform::hash(Version::V1, code::RAW, code::IDENTITY, payload).await.unwrap();
    store.put(vec![block.clone()]).await.unwrap();
    assert_eq!(store.usage().await.unwrap().blocks, 0);
    assert_eq!(store.size_of(block.cid()).await.unwrap(), Some(6));
    assert_eq!(bytes_of(&store, block.cid()).await, b"inside");
}

async fn sizes_are_known_without_reading(rig: Rig) {
    let store = rig.tab().await;
    let here = raw(vec![1; 300_000]).await;
    let elsewhere = raw(*b"elsewhere").await;
    store.put(vec![here.clone()]).await.unwrap();
    let sizes = store.sizes_of(&[here.cid().clone(), elsewhere.cid().clone()]).await.unwrap();
    assert_eq!(sizes, [Some(300_000), None]);
    assert_eq!(store.counters(), Counters::default());
}

async fn idb_01_an_altered_block_is_removed_and_missing(rig: Rig) {
    let backend = rig.backend().await;
    let store = rig.on(Rc::clone(&backend));
    for len in [10, 100_000] {
        let (good, bad) = (raw(vec![1; len]).await, raw(vec![2; len]).await);
        store.put(vec![good.clone(), bad.clone()]).await.unwrap();
        let mut altered = vec![2; len];
        altered[len / 2] ^= 1;
        tamper(backend.as_ref(), vec![(Table::Blocks, key(&bad), Some(altered.into()))]).await;
        assert!(store.get(bad.cid()).await.unwrap().is_none());
        assert!(!store.has(bad.cid()).await.unwrap());
        assert!(store.get(good.cid()).await.unwrap().is_some());
        assert!(store.delete(good.cid()).await.unwrap());
        assert_eq!(store.usage().await.unwrap(), Usage::default());
    }
    assert_eq!(store.counters().corrupt, 2);
}

async fn idb_01_a_block_that_is_no_bytes_is_removed_and_missing(rig: Rig) {
    let backend = rig.backend().await;
    let store = rig.on(Rc::clone(&backend));
    let block = raw(vec![1; 100]).await;
    store.put(vec![block.clone()]).await.unwrap();
    tamper(backend.as_ref(), vec![(Table::Blocks, key(&block), Some(Vec::new().into()))]).await;
    assert!(store.get(block.cid()).await.unwrap().is_none());
    assert_eq!(store.usage().await.unwrap(), Usage::default());
}

async fn idb_01_an_altered_block_can_be_put_again(rig: Rig) {
    let backend = rig.backend().await;
    let store = rig.on(Rc::clone(&backend));
    let block = raw(*b"whole").await;
    store.put(vec![block.clone()]).await.unwrap();
    let altered = Payload::from(b"whale".to_vec());
    tamper(backend.as_ref(), vec![(Table::Blocks, key(&block), Some(altered))]).await;
    assert!(store.get(block.cid()).await.unwrap().is_none());
    store.put(vec![block.clone()]).await.unwrap();
    assert_eq!(bytes_of(&store, block.cid()).await, b"whole");
    assert_eq!(store.usage().await.unwrap(), Usage { used: 5, blocks: 1 });
}

async fn idb_02_rows_without_their_other_half_are_mended(rig: Rig) {
    let backend = rig.backend().await;
    let store = rig.on(Rc::clone(&backend));
    let mut blocks = Vec::new();
    for number in 0..40_u8 {
        blocks.push(raw(vec![number; 10]).await);
    }
    store.put(blocks.clone()).await.unwrap();
    let mut damage = vec![(Table::State, super::blocks::USAGE.to_vec(), None)];
    for block in &blocks[..10] {
        damage.push((Table::Blocks, key(block), None));
    }
    for block in &blocks[10..15] {
        damage.push((Table::Meta, key(block), None));
    }
    tamper(backend.as_ref(), damage).await;

    assert!(!store.has(blocks[0].cid()).await.unwrap());
    assert_eq!(store.size_of(blocks[10].cid()).await.unwrap(), Some(10));
    assert!(super::blocks::mend(backend.as_ref()).await.unwrap());
    assert_eq!(store.usage().await.unwrap(), Usage { used: 300, blocks: 30 });
    assert!(!super::blocks::mend(backend.as_ref()).await.unwrap());
    // What lost its bytes can come again, what lost its other half can go.
    store.put(vec![blocks[0].clone()]).await.unwrap();
    assert_eq!(bytes_of(&store, blocks[0].cid()).await, [0; 10]);
    assert_eq!(store.gc().await.unwrap().blocks, 31);
    assert_eq!(store.usage().await.unwrap(), Usage::default());
    assert!(!store.has(blocks[10].cid()).await.unwrap());
}

async fn idb_02_a_damaged_pin_is_named_and_left(rig: Rig) {
    let backend = rig.backend().await;
    let store = rig.on(Rc::clone(&backend));
    let block = raw(*b"kept").await;
    store.put(vec![block.clone()]).await.unwrap();
    store.pin(block.cid(), &recursive()).await.unwrap();
    let row = block.cid().to_v1().to_bytes();
    tamper(backend.as_ref(), vec![(Table::Pins, row, Some(vec![1, 2].into()))]).await;
    let damaged = StoreError::Row { table: "pins" };
    assert_eq!(store.pins().await.unwrap_err(), damaged);
    // It is not known what it holds: nothing may go.
    assert_eq!(store.gc().await.unwrap_err(), damaged);
    assert!(store.has(block.cid()).await.unwrap());
}

async fn pins_come_back_as_they_were_made(rig: Rig) {
    let store = rig.tab().await;
    let leaf = raw(*b"leaf").await;
    let node = node(&[leaf.cid()]).await;
    let made = [
        (leaf.cid().clone(), Pin { created: 5, ..Pin::default() }),
        (
            v0(node.cid()),
            Pin {
                recursive: true, name: Some("naïve 🐦".into()), size: Some(1 << 40), created: 6
            },
        ),
    ];
    for (cid, pin) in &made {
        store.pin(cid, pin).await.unwrap();
    }
    let mut found = rig.tab().await.pins().await.unwrap();
    found.sort_by_key(|(_, pin)| pin.created);
    assert_eq!(found, made);
    assert_eq!(store.pin_of(leaf.cid()).await.unwrap().as_ref(), Some(&made[0].1));
    assert!(store.unpin(leaf.cid()).await.unwrap());
    assert!(!store.unpin(leaf.cid()).await.unwrap());
    assert!(!store.is_pinned(leaf.cid()).await.unwrap());
    assert_eq!(store.pins().await.unwrap().len(), 1);
}

async fn a_pin_holds_for_both_versions_of_its_cid(rig: Rig) {
    let store = rig.tab().await;
    let node = node(&[]).await;
    store.pin(&v0(node.cid()), &recursive()).await.unwrap();
    assert!(store.is_pinned(node.cid()).await.unwrap());
    assert!(store.unpin(node.cid()).await.unwrap());
    assert!(store.pins().await.unwrap().is_empty());
}

async fn a_name_that_is_too_long_is_refused(rig: Rig) {
    let store = rig.tab().await;
    let block = raw(*b"named").await;
    let named = |len| Pin { name: Some("n".repeat(len)), ..Pin::default() };
    store.pin(block.cid(), &named(MAX_NAME)).await.unwrap();
    let refused = store.pin(block.cid(), &named(MAX_NAME + 1)).await;
    assert_eq!(refused.unwrap_err(), StoreError::NameTooLong(MAX_NAME + 1));
    assert_eq!(store.pins().await.unwrap(), [(block.cid().clone(), named(MAX_NAME))]);
}

async fn collection_keeps_what_pins_reach(rig: Rig) {
    let store = rig.tab().await;
    let leaves = [raw(*b"one").await, raw(*b"two").await];
    let inner = node(&[leaves[0].cid(), leaves[1].cid()]).await;
    let root = node(&[inner.cid(), leaves[0].cid()]).await;
    let lone = node(&[raw(*b"not kept").await.cid()]).await;
    let idle = [raw(*b"idle").await, raw(*b"not kept").await];
    let all = [&root, &inner, &leaves[0], &leaves[1], &lone, &idle[0], &idle[1]];
    store.put(all.iter().map(|block| (*block).clone()).collect()).await.unwrap();
    store.pin(&v0(root.cid()), &recursive()).await.unwrap();
    store.pin(lone.cid(), &Pin::default()).await.unwrap();

    let collected = store.gc().await.unwrap();
    assert_eq!((collected.blocks, collected.bytes), (2, 4 + 8));
    assert_eq!(present(&store, &all).await, [true, true, true, true, true, false, false]);
    let used = all[..5].iter().map(|block| block.len() as u64).sum();
    assert_eq!(store.usage().await.unwrap(), Usage { used, blocks: 5 });
    assert_eq!(store.gc().await.unwrap().blocks, 0);

    store.unpin(root.cid()).await.unwrap();
    store.unpin(lone.cid()).await.unwrap();
    assert_eq!(store.gc().await.unwrap().blocks, 5);
    assert_eq!(store.usage().await.unwrap(), Usage::default());
}

async fn collection_keeps_what_two_pins_share(rig: Rig) {
    let store = rig.tab().await;
    let (shared, own) = (raw(*b"shared").await, raw(*b"own").await);
    let kept = node(&[shared.cid()]).await;
    let gone = node(&[shared.cid(), own.cid()]).await;
    let all = [&kept, &gone, &shared, &own];
    store.put(all.iter().map(|block| (*block).clone()).collect()).await.unwrap();
    store.pin(kept.cid(), &recursive()).await.unwrap();
    store.pin(gone.cid(), &recursive()).await.unwrap();
    store.unpin(gone.cid()).await.unwrap();
    store.gc().await.unwrap();
    assert_eq!(present(&store, &all).await, [true, false, true, false]);
}

async fn collection_walks_past_what_is_missing(rig: Rig) {
    let store = rig.tab().await;
    let leaf = raw(*b"leaf").await;
    let missing = node(&[leaf.cid()]).await;
    let kept = raw(*b"kept").await;
    let root = node(&[missing.cid(), kept.cid()]).await;
    store.put(vec![root.clone(), kept.clone(), leaf.clone()]).await.unwrap();
    store.pin(root.cid(), &recursive()).await.unwrap();
    store.gc().await.unwrap();
    assert_eq!(present(&store, &[&root, &kept, &leaf]).await, [true, true, false]);
}

async fn a_draft_keeps_what_is_put_from_another_tab(rig: Rig) {
    let (importer, collector) = (rig.tab().await, rig.tab().await);
    let (before, during) = (raw(*b"before").await, raw(*b"during").await);
    importer.put(vec![before.clone()]).await.unwrap();
    let draft = importer.draft().await.unwrap();
    importer.put(vec![during.clone()]).await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
    assert_eq!(importer.gc().await.unwrap().blocks, 0);
    assert_eq!(present(&collector, &[&before, &during]).await, [false, true]);
    drop(draft);
    assert_eq!(importer.gc().await.unwrap().blocks, 1);
    assert_eq!(collector.usage().await.unwrap(), Usage::default());
}

async fn a_draft_keeps_what_it_sees(rig: Rig) {
    let (importer, collector) = (rig.tab().await, rig.tab().await);
    let blocks = [raw(*b"put").await, raw(*b"asked").await, raw(*b"read").await];
    let unseen = raw(*b"unseen").await;
    collector.put(blocks.to_vec()).await.unwrap();
    collector.put(vec![unseen.clone()]).await.unwrap();
    let draft = importer.draft().await.unwrap();
    importer.put(vec![blocks[0].clone()]).await.unwrap();
    assert!(importer.has(blocks[1].cid()).await.unwrap());
    assert!(importer.get(blocks[2].cid()).await.unwrap().is_some());
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
    assert_eq!(present(&collector, &[&blocks[0], &blocks[1], &blocks[2]]).await, [true; 3]);
    assert!(!collector.has(unseen.cid()).await.unwrap());
    draft.pin(blocks[0].cid(), &Pin::default()).await.unwrap();
    drop(draft);
    assert_eq!(importer.gc().await.unwrap().blocks, 2);
}

/// The stamp of a block never falls: an older draft that ends takes nothing from a newer one.
async fn a_draft_keeps_what_an_older_draft_put(rig: Rig) {
    let (older, newer, collector) = (rig.tab().await, rig.tab().await, rig.tab().await);
    let block = raw(*b"in both").await;
    let first = older.draft().await.unwrap();
    let second = newer.draft().await.unwrap();
    newer.put(vec![block.clone()]).await.unwrap();
    older.put(vec![block.clone()]).await.unwrap();
    assert!(older.has(block.cid()).await.unwrap());
    drop(first);
    older.end_dropped().await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 0);
    drop(second);
    newer.end_dropped().await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
}

async fn a_draft_keeps_what_the_same_tab_saw_before(rig: Rig) {
    let (importer, collector) = (rig.tab().await, rig.tab().await);
    let blocks = [raw(*b"asked").await, raw(*b"read").await, raw(*b"put").await];
    let first = importer.draft().await.unwrap();
    importer.put(blocks.to_vec()).await.unwrap();
    let second = importer.draft().await.unwrap();
    assert!(importer.has(blocks[0].cid()).await.unwrap());
    assert!(importer.get(blocks[1].cid()).await.unwrap().is_some());
    importer.put(vec![blocks[2].clone()]).await.unwrap();
    drop(first);
    importer.end_dropped().await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 0);
    drop(second);
    importer.end_dropped().await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 3);
}

async fn a_draft_of_a_crashed_tab_expires(rig: Rig) {
    let (crashed, alive, collector) = (rig.tab().await, rig.tab().await, rig.tab().await);
    let (lost, kept) = (raw(*b"lost").await, raw(*b"kept").await);
    // Leaked, as by a tab that ends.
    std::mem::forget(crashed.draft().await.unwrap());
    crashed.put(vec![lost.clone()]).await.unwrap();
    let draft = alive.draft().await.unwrap();
    alive.put(vec![kept.clone()]).await.unwrap();

    rig.wait(drafts::LIFE - drafts::BEAT);
    assert_eq!(collector.gc().await.unwrap().blocks, 0);
    let now = rig.time.get();
    assert!(drafts::renew(alive.backend(), &draft.id, now).await.unwrap());
    rig.wait(drafts::BEAT);
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
    assert_eq!(present(&collector, &[&lost, &kept]).await, [false, true]);
    draft.pin(kept.cid(), &Pin::default()).await.unwrap();
}

async fn a_draft_that_was_given_up_cannot_pin(rig: Rig) {
    let (sleeper, collector) = (rig.tab().await, rig.tab().await);
    let block = raw(*b"slept through").await;
    let draft = sleeper.draft().await.unwrap();
    sleeper.put(vec![block.clone()]).await.unwrap();
    rig.wait(drafts::LIFE);
    // Nobody collected: it may go on.
    draft.pin(block.cid(), &recursive()).await.unwrap();
    sleeper.unpin(block.cid()).await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
    let pinned = draft.pin(block.cid(), &recursive()).await;
    assert_eq!(pinned.unwrap_err(), StoreError::DraftLost);
    assert!(!drafts::renew(sleeper.backend(), &draft.id, rig.time.get()).await.unwrap());
    assert!(sleeper.pins().await.unwrap().is_empty());
    // A new one can.
    let again = sleeper.draft().await.unwrap();
    sleeper.put(vec![block.clone()]).await.unwrap();
    again.pin(block.cid(), &recursive()).await.unwrap();
    assert_eq!(collector.gc().await.unwrap().blocks, 0);
}

async fn a_draft_survives_a_clock_that_goes_back(rig: Rig) {
    let (importer, collector) = (rig.tab().await, rig.tab().await);
    let block = raw(*b"from the future").await;
    std::mem::forget(importer.draft().await.unwrap());
    importer.put(vec![block.clone()]).await.unwrap();
    rig.time.set(rig.time.get() - 365 * 24 * 3_600_000);
    assert_eq!(collector.gc().await.unwrap().blocks, 0);
    // And does not hold things up for that year.
    rig.wait(drafts::LIFE);
    assert_eq!(collector.gc().await.unwrap().blocks, 1);
}

async fn a_pinned_block_is_not_deleted(rig: Rig) {
    let store = rig.tab().await;
    let leaf = raw(*b"leaf").await;
    let root = node(&[leaf.cid()]).await;
    store.put(vec![leaf.clone(), root.clone()]).await.unwrap();
    store.pin(root.cid(), &recursive()).await.unwrap();
    for cid in [leaf.cid(), root.cid()] {
        let refused = store.delete(cid).await.unwrap_err();
        assert_eq!(refused, StoreError::Pinned { cid: cid.clone() });
        assert!(store.has(cid).await.unwrap());
    }
    // Without what hangs under it, a pin holds one block.
    store.pin(root.cid(), &Pin::default()).await.unwrap();
    assert!(store.delete(leaf.cid()).await.unwrap());
    assert!(!store.delete(leaf.cid()).await.unwrap());
    assert!(store.delete(root.cid()).await.is_err());
    assert_eq!(store.usage().await.unwrap().blocks, 1);
}

async fn a_block_in_a_draft_is_not_deleted(rig: Rig) {
    let (importer, other) = (rig.tab().await, rig.tab().await);
    let block = raw(*b"in use").await;
    let draft = importer.draft().await.unwrap();
    importer.put(vec![block.clone()]).await.unwrap();
    let refused = other.delete(block.cid()).await.unwrap_err();
    assert_eq!(refused, StoreError::InUse { cid: block.cid().clone() });
    drop(draft);
    assert!(importer.delete(block.cid()).await.unwrap());
}

/// Two tabs import what shares blocks with rubbish, one collects without pause: whatever was
/// pinned is whole.
async fn imports_and_collections_interleave(rig: Rig) {
    for seed in 0..rig.seeds {
        let importers = [rig.uneven_tab(3 * seed).await, rig.uneven_tab(3 * seed + 1).await];
        let collector = rig.uneven_tab(3 * seed + 2).await;
        let mut leaves = Vec::new();
        for number in 0..6_u8 {
            leaves.push(raw([number, seed as u8]).await);
        }
        // Rubbish that the imports will need.
        collector.put(leaves[..4].to_vec()).await.unwrap();
        let import = async |store: &Store, leaves: &[Block]| {
            let cids: Vec<&Cid> = leaves.iter().map(Block::cid).collect();
            let root = node(&cids).await;
            let draft = store.draft().await.unwrap();
            for leaf in leaves {
                // As a fetch does: only what is not here is written.
                if store.get(leaf.cid()).await.unwrap().is_none() {
                    store.put(vec![leaf.clone()]).await.unwrap();
                }
            }
            store.put(vec![root.clone()]).await.unwrap();
            draft.pin(root.cid(), &recursive()).await.unwrap();
            root
        };
        let collect = async {
            for _ in 0..4 {
                collector.gc().await.unwrap();
            }
        };
        let (one, other, ()) = futures::join!(
            import(&importers[0], &leaves[..5]),
            import(&importers[1], &leaves[1..]),
            collect
        );
        collector.gc().await.unwrap();
        let all: Vec<&Block> = leaves.iter().chain([&one, &other]).collect();
        assert_eq!(present(&collector, &all).await, [true; 8], "seed {seed}");
        assert_eq!(collector.usage().await.unwrap().blocks, 8, "seed {seed}");
        for root in [one, other] {
            collector.unpin(root.cid()).await.unwrap();
        }
        collector.gc().await.unwrap();
        assert_eq!(collector.usage().await.unwrap(), Usage::default(), "seed {seed}");
    }
}

/// A pin without a draft: what was here when it was made stays.
async fn pins_and_collections_interleave(rig: Rig) {
    for seed in 0..rig.seeds {
        let (pinner, collector) =
            (rig.uneven_tab(2 * seed).await, rig.uneven_tab(2 * seed + 1).await);
        let leaves = [raw(*b"one").await, raw(*b"two").await];
        let root = node(&[leaves[0].cid(), leaves[1].cid()]).await;
        let all = [&root, &leaves[0], &leaves[1]];
        pinner.put(all.iter().map(|block| (*block).clone()).collect()).await.unwrap();
        let pin = async {
            pinner.pin(root.cid(), &recursive()).await.unwrap();
            present(&pinner, &all).await
        };
        let (collected, here) = futures::join!(collector.gc(), pin);
        collected.unwrap();
        assert_eq!(present(&pinner, &all).await, here, "seed {seed}");
        pinner.unpin(root.cid()).await.unwrap();
        collector.gc().await.unwrap();
        assert_eq!(pinner.usage().await.unwrap(), Usage::default(), "seed {seed}");
    }
}

async fn a_transaction_that_is_dropped_leaves_nothing(rig: Rig) {
    let backend = rig.backend().await;
    let transaction = backend.begin(&[Table::State], Access::Relaxed).await.unwrap();
    transaction.put(Table::State, b"half", vec![1].into()).unwrap();
    drop(transaction);
    let transaction = backend.begin(&[Table::State], Access::Relaxed).await.unwrap();
    let found = transaction.look(vec![Ask::Value(Table::State, b"half".to_vec())]).await.unwrap();
    assert!(matches!(found[..], [None]));
    assert_eq!(transaction.count(Table::State).await.unwrap(), 0);
}

async fn keys_are_ordered_and_paged(rig: Rig) {
    let backend = rig.backend().await;
    let keys: [&[u8]; 5] = [&[0], &[0, 0], &[0, 200], &[1], &[255, 1]];
    let rows = keys.iter().rev().map(|key| (Table::State, key.to_vec(), Some(vec![key[0]].into())));
    tamper(backend.as_ref(), rows.collect()).await;
    let transaction = backend.begin(&[Table::State], Access::Read).await.unwrap();
    assert_eq!(transaction.count(Table::State).await.unwrap(), 5);
    assert_eq!(transaction.keys(Table::State, None, 9).await.unwrap(), keys);
    assert_eq!(transaction.keys(Table::State, Some(&[0]), 2).await.unwrap(), keys[1..3]);
    assert_eq!(transaction.keys(Table::State, Some(&[0, 100]), 9).await.unwrap(), keys[2..]);
    let entries = transaction.entries(Table::State, Some(&[1]), 9).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0].0[..], entries[0].1.to_bytes().to_vec()), (keys[4], vec![255]));
    assert!(transaction.keys(Table::State, Some(&[255, 1]), 9).await.unwrap().is_empty());
}

async fn each_tab_has_its_own_identity(rig: Rig) {
    let tabs = [rig.tab().await, rig.tab().await, rig.tab().await];
    let first = tabs[0].identity().await.unwrap();
    let second = tabs[1].identity().await.unwrap();
    assert_eq!((first.slot, second.slot), (0, 1));
    assert_ne!(first.secret, second.secret);
    assert!(futures::poll!(Box::pin(first.seat.lost())).is_pending());
    drop(first);
    settle(&tabs[0]).await;
    assert_eq!(tabs[2].identity().await.unwrap().slot, 0);
}

async fn an_identity_stays_with_its_slot(rig: Rig) {
    let secret = rig.tab().await.identity().await.unwrap().secret;
    assert_ne!(secret, [0; 32]);
    for _ in 0..3 {
        let tab = rig.tab().await;
        settle(&tab).await;
        let identity = tab.identity().await.unwrap();
        assert_eq!((identity.slot, identity.secret), (0, secret));
        drop(identity);
        settle(&tab).await;
    }
}

async fn tabs_that_start_together_differ(rig: Rig) {
    let mut tabs = Vec::new();
    for seed in 0..6 {
        tabs.push(rig.uneven_tab(seed).await);
    }
    let identities = futures::future::join_all(tabs.iter().map(Store::identity)).await;
    let mut slots: Vec<u32> =
        identities.iter().map(|identity| identity.as_ref().unwrap().slot).collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2, 3, 4, 5]);
    let secrets: std::collections::BTreeSet<[u8; 32]> =
        identities.iter().map(|identity| identity.as_ref().unwrap().secret).collect();
    assert_eq!(secrets.len(), 6);
}

/// Lets what was spawned on dropping come to its end: transactions run in their order.
async fn settle(store: &Store) {
    for _ in 0..20 {
        let transaction = store.backend().begin(&Table::ALL, Access::Relaxed).await.unwrap();
        transaction.look(vec![Ask::Presence(Table::State, vec![0])]).await.unwrap();
        drop(transaction);
        pause().await;
    }
}

/// Lets others run once.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
