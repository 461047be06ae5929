use avocet_dag::{Version, code};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::wire::{self, Outgoing, Presence};

fn block(number: usize, len: usize) -> Block {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(len.max(8), 0);
    Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::from(bytes)).unwrap()
}

fn want(cid: &Cid, kind: WantKind, priority: i32) -> Entry {
    Entry { cid: cid.clone(), priority, cancel: false, kind, send_dont_have: true }
}

/// Answers all reads from `store`; gives the messages that come of it.
fn serve(ledger: &mut Ledger<Bytes>, store: &[Block], limits: &Limits) -> Vec<Outgoing> {
    let mut messages = Vec::new();
    loop {
        while let Some((cid, what)) = ledger.next_load(true, limits) {
            let found = store.iter().find(|block| *block.cid() == cid);
            let answer = found.map(|block| match what {
                What::Size => Loaded::Size(block.len()),
                What::Block => Loaded::Block(block.clone()),
            });
            ledger.loaded(&cid, answer, limits);
        }
        if !ledger.has_message() {
            return messages;
        }
        messages.push(ledger.take_message(limits));
        ledger.sent();
    }
}

#[test]
fn a_have_is_replaced_by_a_block_of_up_to_1024_bytes() {
    let limits = Limits::default();
    let store = [block(1, 1024), block(2, 1025)];
    let mut ledger = Ledger::new();
    let wants = store.iter().map(|block| want(block.cid(), WantKind::Have, 1)).collect();
    ledger.update(wants, false, &limits);
    let messages = serve(&mut ledger, &store, &limits);
    let blocks: Vec<_> = messages.iter().flat_map(|message| &message.blocks).collect();
    let presences: Vec<_> = messages.iter().flat_map(|message| &message.presences).collect();
    assert_eq!(blocks, [&store[0]]);
    assert_eq!(presences, [&Presence { cid: store[1].cid().clone(), have: true }]);
    assert_eq!(ledger.len(), 0, "an answered want is done with");
}

#[test]
fn dont_have_is_said_when_asked_for_and_the_want_is_kept() {
    let limits = Limits::default();
    let (wanted, quiet) = (block(1, 5000), block(2, 5000));
    let mut ledger = Ledger::new();
    let silent = Entry { send_dont_have: false, ..want(quiet.cid(), WantKind::Block, 1) };
    ledger.update(vec![want(wanted.cid(), WantKind::Block, 1), silent], false, &limits);
    let messages = serve(&mut ledger, &[], &limits);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].presences, [Presence { cid: wanted.cid().clone(), have: false }]);
    assert_eq!(ledger.len(), 2);
    assert!(ledger.gained(wanted.cid()) && ledger.gained(quiet.cid()));
    let store = [wanted, quiet];
    let messages = serve(&mut ledger, &store, &limits);
    assert_eq!(messages.iter().map(|message| message.blocks.len()).sum::<usize>(), 2);
    assert_eq!(ledger.len(), 0);
    assert!(!ledger.gained(store[0].cid()));
}

#[test]
fn a_cancel_takes_a_block_out_that_lies_ready() {
    let limits = Limits::default();
    let store = [block(1, 5000), block(2, 5000)];
    let mut ledger = Ledger::new();
    ledger.update(
        store.iter().map(|block| want(block.cid(), WantKind::Block, 1)).collect(),
        false,
        &limits,
    );
    while let Some((cid, _)) = ledger.next_load(true, &limits) {
        let found = store.iter().find(|block| *block.cid() == cid).unwrap();
        ledger.loaded(&cid, Some(Loaded::Block(found.clone())), &limits);
    }
    assert_eq!(ledger.in_memory(), 10_000);
    ledger.update(vec![Entry::cancel(store[0].cid().clone())], false, &limits);
    assert_eq!(ledger.in_memory(), 5000);
    assert_eq!(ledger.take_message(&limits).blocks, [store[1].clone()]);
    assert!(!ledger.has_message());
}

#[test]
fn a_full_list_replaces_what_was_wanted() {
    let limits = Limits::default();
    let blocks: Vec<_> = (0..4).map(|number| block(number, 100)).collect();
    let wants = |range: std::ops::Range<usize>| -> Vec<_> {
        blocks[range].iter().map(|block| want(block.cid(), WantKind::Block, 1)).collect()
    };
    let mut ledger = Ledger::<Bytes>::new();
    ledger.update(wants(0..3), false, &limits);
    ledger.update(wants(2..4), true, &limits);
    assert_eq!(ledger.len(), 2);
    assert!(ledger.wants.contains_key(blocks[2].cid()));
    ledger.update(Vec::new(), true, &limits);
    assert_eq!(ledger.len(), 0);
}

#[test]
fn blocks_go_together_up_to_16_kib_and_a_larger_one_alone() {
    let limits = Limits::default();
    let mut store: Vec<_> = (0..10).map(|number| block(number, 4000)).collect();
    store.push(block(10, 100_000));
    let mut ledger = Ledger::new();
    let wants = store.iter().map(|block| want(block.cid(), WantKind::Block, 1)).collect();
    ledger.update(wants, false, &limits);
    let messages = serve(&mut ledger, &store, &limits);
    let sizes: Vec<_> = messages.iter().map(|message| message.blocks.len()).collect();
    assert_eq!(sizes, [4, 4, 2, 1]);
}

#[test]
fn bs_03_the_lowest_and_newest_wants_are_refused() {
    let limits = Limits { wants: 3, ..Limits::default() };
    let blocks: Vec<_> = (0..6).map(|number| block(number, 100)).collect();
    let mut ledger = Ledger::<Bytes>::new();
    for (block, priority) in blocks.iter().zip([5, 1, 1, 1, 3, 0]) {
        ledger.update(vec![want(block.cid(), WantKind::Block, priority)], false, &limits);
    }
    // the fourth is no better than the third, the fifth better, the sixth worse
    let kept: Vec<_> = blocks.iter().map(|block| ledger.wants.contains_key(block.cid())).collect();
    assert_eq!(kept, [true, true, false, false, true, false]);
}

#[test]
fn a_lost_message_is_answered_again_but_for_what_was_taken_back() {
    let limits = Limits::default();
    let store = [block(1, 100), block(2, 100)];
    let mut ledger = Ledger::new();
    let wants = store.iter().map(|block| want(block.cid(), WantKind::Block, 1)).collect();
    ledger.update(wants, false, &limits);
    while let Some((cid, _)) = ledger.next_load(true, &limits) {
        let found = store.iter().find(|block| *block.cid() == cid).unwrap();
        ledger.loaded(&cid, Some(Loaded::Block(found.clone())), &limits);
    }
    assert_eq!(ledger.take_message(&limits).blocks.len(), 2);
    ledger.update(vec![Entry::cancel(store[0].cid().clone())], false, &limits);
    ledger.send_failed(&limits);
    let messages = serve(&mut ledger, &store, &limits);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].blocks, [store[1].clone()]);
}

#[test]
fn the_links_of_a_node_go_in_its_order_whatever_their_priorities() {
    let limits = Limits::default();
    let store: Vec<_> = (0..12).map(|number| block(number, 50_000)).collect();
    let cids: Vec<_> = store.iter().map(|block| block.cid().clone()).collect();
    let mut ledger = Ledger::new();
    ledger.given(cids.iter().cloned());
    let mut served = Vec::new();
    for (batch, first) in [(0, 0), (1, 10)] {
        let wants = (first..12.min(first + 10)).map(|number| {
            let priority = -10 * batch - (number as i32 * 7 + 3) % 10;
            want(&cids[number], WantKind::Block, priority)
        });
        ledger.update(wants.collect(), false, &limits);
    }
    for message in serve(&mut ledger, &store, &limits) {
        served.extend(message.blocks);
    }
    assert_eq!(served, store);
}

#[test]
fn no_more_is_read_than_may_lie_in_memory() {
    let limits = Limits::default();
    let size = 300_000;
    let store: Vec<_> = (0..20).map(|number| block(number, size)).collect();
    let mut ledger = Ledger::new();
    let wants = store.iter().map(|block| want(block.cid(), WantKind::Block, 1)).collect();
    ledger.update(wants, false, &limits);
    let mut loaded = 0;
    while let Some((cid, _)) = ledger.next_load(true, &limits) {
        let found = store.iter().find(|block| *block.cid() == cid).unwrap();
        ledger.loaded(&cid, Some(Loaded::Block(found.clone())), &limits);
        loaded += 1;
    }
    assert_eq!(loaded, limits.outstanding.div_ceil(size));
    assert!(ledger.in_memory() < limits.outstanding + size);
    assert!(ledger.next_load(false, &limits).is_none());
}

#[derive(Debug, Clone)]
enum Op {
    Want(usize, WantKind, i32, bool),
    Cancel(usize),
    Full(Vec<usize>),
    Load,
    Loaded(bool),
    Gained(usize),
    Take,
    Sent,
    Failed,
}

fn ops() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![Just(WantKind::Block), Just(WantKind::Have)];
    prop_oneof![
        6 => (0..12usize, kind, 0..3i32, any::<bool>()).prop_map(|(n, k, p, d)| Op::Want(n, k, p, d)),
        2 => (0..12usize).prop_map(Op::Cancel),
        1 => prop::collection::vec(0..12usize, 0..4).prop_map(Op::Full),
        5 => Just(Op::Load),
        5 => any::<bool>().prop_map(Op::Loaded),
        1 => (0..12usize).prop_map(Op::Gained),
        3 => Just(Op::Take),
        2 => Just(Op::Sent),
        1 => Just(Op::Failed),
    ]
}

/// Everything that is counted or indexed agrees with the states of the wants.
fn check(ledger: &Ledger<Bytes>, limits: &Limits) {
    assert!(ledger.wants.len() <= limits.wants && ledger.loads <= limits.loads);
    assert_eq!(ledger.ranks.len(), ledger.wants.len());
    let mut bytes = 0;
    let mut loading = 0;
    let mut in_sets = 0;
    for (cid, wanted) in &ledger.wants {
        assert_eq!(ledger.ranks.get(&wanted.rank), Some(cid));
        let set = match &wanted.state {
            State::Queued(What::Size) => &ledger.sizes,
            State::Queued(What::Block) => &ledger.blocks,
            State::Ready(Answer::Block(block)) => {
                bytes += block.len();
                &ledger.ready
            }
            State::Ready(_) => &ledger.presences,
            State::Loading(what) => {
                loading += usize::from(*what == What::Block);
                continue;
            }
            State::Waiting => continue,
        };
        assert!(set.contains(&wanted.rank));
        in_sets += 1;
    }
    let sets = [&ledger.sizes, &ledger.blocks, &ledger.presences, &ledger.ready];
    assert_eq!(in_sets, sets.iter().map(|set| set.len()).sum::<usize>());
    assert_eq!((bytes, loading), (ledger.ready_bytes, ledger.loading_blocks));
}

proptest! {
    #[test]
    fn whatever_happens_the_ledger_agrees_with_itself(
        ops in prop::collection::vec(ops(), 1..200),
    ) {
        let limits = Limits { wants: 6, loads: 3, outstanding: 4000, ..Limits::default() };
        let store: Vec<_> = (0..12).map(|number| block(number, 200 * (number + 1))).collect();
        let mut ledger = Ledger::new();
        let mut loading = Vec::new();
        let mut wanted = Set::new();
        let mut lane_busy = false;
        for op in ops {
            match op {
                Op::Want(number, kind, priority, send_dont_have) => {
                    let cid = store[number].cid();
                    wanted.insert(cid.clone());
                    let entry = Entry { send_dont_have, ..want(cid, kind, priority) };
                    ledger.update(vec![entry], false, &limits);
                }
                Op::Cancel(number) => {
                    wanted.remove(store[number].cid());
                    ledger.update(vec![Entry::cancel(store[number].cid().clone())], false, &limits);
                }
                Op::Full(numbers) => {
                    wanted = numbers.iter().map(|number| store[*number].cid().clone()).collect();
                    let entries = wanted.iter().map(|cid| want(cid, WantKind::Have, 1)).collect();
                    ledger.update(entries, true, &limits);
                }
                Op::Load => loading.extend(ledger.next_load(true, &limits)),
                Op::Loaded(found) => {
                    if !loading.is_empty() {
                        let (cid, what) = loading.remove(0);
                        let block = store.iter().find(|block| *block.cid() == cid).unwrap();
                        let answer = match what {
                            What::Size => Loaded::Size(block.len()),
                            What::Block => Loaded::Block(block.clone()),
                        };
                        ledger.loaded(&cid, Some(answer).filter(|_| found), &limits);
                    }
                }
                Op::Gained(number) => {
                    ledger.gained(store[number].cid());
                }
                Op::Take if !lane_busy && ledger.has_message() => {
                    let message = ledger.take_message(&limits);
                    lane_busy = true;
                    for block in &message.blocks {
                        prop_assert!(wanted.contains(block.cid()), "sent what was taken back");
                    }
                    let bytes: usize = message.blocks.iter().map(wire::block_len).sum();
                    prop_assert!(message.blocks.len() == 1 || bytes <= limits.message);
                }
                Op::Take => {}
                Op::Sent => {
                    ledger.sent();
                    lane_busy = false;
                }
                Op::Failed => {
                    ledger.send_failed(&limits);
                    lane_busy = false;
                }
            }
            check(&ledger, &limits);
        }
        // taken back to the last, nothing is left
        ledger.update(Vec::new(), true, &limits);
        ledger.sent();
        prop_assert_eq!((ledger.len(), ledger.held(), ledger.in_memory()), (0, 0, 0));
    }
}
