//! Whatever the order of wants, cancels, connections, stalls and resets: every wanted block is
//! delivered, once for each session that wants it, and nothing else is.

use avocet_bitswap::CloseReason;
use proptest::prelude::*;

use crate::netem::{Net, Peer, block, ms, secs};

const NODES: usize = 4;
const BLOCKS: u64 = 12;

#[derive(Debug, Clone)]
enum Step {
    Connect(Peer, Peer),
    Disconnect(Peer, Peer),
    Stall(Peer, Peer, u64),
    Reset(Peer, Peer),
    Sleep(Peer, u64),
    /// Node, session, block.
    Want(Peer, usize, u64),
    Cancel(Peer, usize, u64),
    Reopen(Peer, usize),
    Hint(Peer, usize, Peer),
    Give(Peer, u64),
    Probe(Peer, u64),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Step> {
    let node = || 0..NODES;
    prop_oneof![
        4 => (node(), node()).prop_map(|(a, b)| Step::Connect(a, b)),
        1 => (node(), node()).prop_map(|(a, b)| Step::Disconnect(a, b)),
        2 => (node(), node(), 1..2500u64).prop_map(|(a, b, ms)| Step::Stall(a, b, ms)),
        2 => (node(), node()).prop_map(|(a, b)| Step::Reset(a, b)),
        1 => (node(), 1..20_000u64).prop_map(|(a, ms)| Step::Sleep(a, ms)),
        8 => (node(), 0..2usize, 0..BLOCKS).prop_map(|(n, s, b)| Step::Want(n, s, b)),
        2 => (node(), 0..2usize, 0..BLOCKS).prop_map(|(n, s, b)| Step::Cancel(n, s, b)),
        1 => (node(), 0..2usize).prop_map(|(n, s)| Step::Reopen(n, s)),
        3 => (node(), 0..2usize, node()).prop_map(|(n, s, p)| Step::Hint(n, s, p)),
        2 => (node(), 0..BLOCKS).prop_map(|(n, b)| Step::Give(n, b)),
        1 => (node(), 0..BLOCKS).prop_map(|(n, b)| Step::Probe(n, b)),
        8 => (1..400u64).prop_map(Step::Wait),
    ]
}

fn check(steps: Vec<Step>, owners: Vec<Peer>, seed: u64) {
    let blocks: Vec<_> = (0..BLOCKS).map(|number| block(number, 200 << (number % 9))).collect();
    let mut net = Net::new(seed);
    for _ in 0..NODES {
        let rate = [5e4, 2e5, 1e6, 1e7][net.random(4) as usize];
        net.node(rate);
    }
    for (block, owner) in blocks.iter().zip(owners) {
        net.give(owner, std::slice::from_ref(block));
    }
    let mut sessions = Vec::new();
    for peer in 0..NODES {
        net.nodes[peer].strict = true;
        let open = |net: &mut Net| net.with(peer, |engine, now| engine.open_session(now)).unwrap();
        sessions.push([open(&mut net), open(&mut net)]);
    }
    let mut time = ms(0);
    for step in steps {
        match step {
            Step::Connect(a, b) if a != b && !net.is_connected(a, b) => net.connect(a, b, ms(15)),
            Step::Disconnect(a, b) if a != b => net.disconnect(a, b),
            Step::Stall(a, b, time) if a != b => net.stall(a, b, ms(time)),
            Step::Reset(a, b) if a != b => net.reset(a, b),
            Step::Sleep(peer, time) => net.sleep(peer, ms(time)),
            Step::Want(peer, session, number) => {
                let (session, cid) = (sessions[peer][session], blocks[number as usize].cid());
                if net.nodes[peer].store.contains_key(cid) {
                    continue; // nobody asks the network for what they have
                }
                net.nodes[peer].open.insert((session, cid.clone()));
                net.with(peer, |engine, now| engine.want(session, cid, now)).unwrap().unwrap();
            }
            Step::Cancel(peer, session, number) => {
                let (session, cid) = (sessions[peer][session], blocks[number as usize].cid());
                net.nodes[peer].open.remove(&(session, cid.clone()));
                net.with(peer, |engine, now| engine.cancel(session, cid, now));
            }
            Step::Reopen(peer, number) => {
                let old = sessions[peer][number];
                net.nodes[peer].open.retain(|(session, _)| *session != old);
                net.with(peer, |engine, now| engine.close_session(old, now));
                let new = net.with(peer, |engine, now| engine.open_session(now)).unwrap();
                sessions[peer][number] = new;
            }
            Step::Hint(peer, session, other) if peer != other => {
                let session = sessions[peer][session];
                net.with(peer, |engine, now| engine.add_peer(session, other, now));
            }
            Step::Give(peer, number) => {
                let block = &blocks[number as usize];
                for session in sessions[peer] {
                    net.nodes[peer].open.remove(&(session, block.cid().clone()));
                    net.with(peer, |engine, now| engine.cancel(session, block.cid(), now));
                }
                net.give(peer, std::slice::from_ref(block));
            }
            Step::Probe(peer, number) => {
                let cid = blocks[number as usize].cid();
                net.with(peer, |engine, now| engine.probe(cid, now));
            }
            Step::Wait(more) => {
                time += ms(more);
                net.run(time);
            }
            _ => {}
        }
    }
    // fair weather at last, everybody connected: now all of it must come
    time += secs(25);
    net.run(time);
    for (a, b) in (0..NODES).flat_map(|a| (0..a).map(move |b| (a, b))) {
        if !net.is_connected(a, b) {
            net.connect(a, b, ms(15));
        }
    }
    time += secs(150);
    net.run_until(time, |net| net.nodes.iter().all(|node| node.open.is_empty()));
    for (peer, node) in net.nodes.iter().enumerate() {
        assert!(node.open.is_empty(), "{peer} still wants {:?}", node.open);
        let unasked = node.closed.iter().find(|(_, _, reason)| *reason != CloseReason::Silent);
        assert_eq!(unasked, None, "all were honest");
        assert_eq!(net.engine(peer).stats().unasked_blocks, 0);
    }
    net.run(time + secs(5));
    for (a, b) in (0..NODES).flat_map(|a| (0..NODES).map(move |b| (a, b))) {
        let stats = net.engine(a).peer_stats(b);
        assert_eq!(stats.map_or(0, |stats| stats.wants), 0, "{b} took everything back from {a}");
    }
    assert!(net.nodes.iter().all(|node| node.engine.as_ref().unwrap().bytes_in_memory() == 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_want_is_delivered_once_and_nothing_else(
        steps in prop::collection::vec(steps(), 1..60),
        owners in prop::collection::vec(0..NODES, BLOCKS as usize),
        seed: u64,
    ) {
        check(steps, owners, seed);
    }
}

#[test]
fn found_a_refusal_forgotten_and_left_on_the_list() {
    use Step::*;
    let steps =
        vec![Connect(2, 3), Connect(1, 3), Hint(3, 1, 2), Want(3, 1, 6), Wait(1065), Reopen(3, 1)];
    check(steps, vec![0; 12], 1875038985756393409);
}

#[test]
fn found_three_answers_to_a_want_said_three_times() {
    use Step::*;
    let steps = vec![
        Sleep(2, 16048),
        Connect(0, 3),
        Wait(345),
        Want(3, 0, 5),
        Want(3, 0, 1),
        Wait(692),
        Connect(3, 2),
    ];
    check(steps, vec![0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0], 0);
}
