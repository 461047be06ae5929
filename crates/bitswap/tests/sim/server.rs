//! One that many download from.

use avocet_bitswap::wire::{Outgoing, WantKind};

use crate::netem::{Dag, MIB, Net, Peer, block, encode, ms, secs};

/// So many peers download the same file from one; gives how long each took, in seconds, and the
/// most bytes that lay in memory at the server.
fn crowd(peers: usize, leaves: usize, size: usize, rate: f64) -> (Vec<f64>, usize) {
    let dag = Dag::file(1, leaves, size, 1024);
    let mut net = Net::new(9);
    let server = net.node(rate);
    net.give(server, &dag.blocks);
    let mut all = Vec::new();
    for _ in 0..peers {
        let peer = net.node(1e6);
        net.connect(server, peer, ms(20));
        all.push((peer, net.download(peer, &dag, 64, &[server])));
    }
    let (mut took, mut memory) = (vec![0.0; peers], 0);
    let mut step = ms(0);
    while took.contains(&0.0) {
        step += ms(20);
        assert!(step < secs(600));
        net.run(step);
        memory = memory.max(net.engine(server).bytes_in_memory());
        for (took, (peer, session)) in took.iter_mut().zip(&all) {
            if *took == 0.0 && net.is_done(*peer, *session) {
                *took = net.elapsed().as_secs_f64();
            }
        }
    }
    for (peer, _) in &all {
        assert_eq!(net.engine(*peer).stats().surplus_blocks, 0);
        assert!(net.nodes[*peer].closed.is_empty());
    }
    assert_eq!(net.engine(server).serving(), 0);
    (took, memory)
}

#[test]
fn fifty_peers_are_served_alike_and_in_bounded_memory() {
    let (leaves, size, rate) = (8, 128 * 1024, 8e6);
    let (one, _) = crowd(1, leaves, size, rate);
    for peers in [10, 50] {
        let (took, memory) = crowd(peers, leaves, size, rate);
        let (first, last) = (
            took.iter().copied().fold(f64::MAX, f64::min),
            took.iter().copied().fold(0.0, f64::max),
        );
        println!("{peers}: {first:.2} s to {last:.2} s, alone {:.2} s, {memory} bytes", one[0]);
        assert!(first > 0.8 * last, "the first {first} s, the last {last} s");
        assert!(last / (peers as f64) < 1.2 * (leaves * size) as f64 / rate, "{last}");
        // one message being sent and what is read ahead, for each
        assert!(memory <= peers * size + 32 * MIB);
    }
}

#[test]
fn a_peer_with_a_thousand_wants_does_not_starve_one_with_few() {
    let (large, small) = (Dag::file(1, 1000, 16 * 1024, 1024), Dag::file(2, 4, 16 * 1024, 174));
    let mut net = Net::new(9);
    let server = net.node(1e6);
    net.give(server, &large.blocks);
    net.give(server, &small.blocks);
    let (greedy, modest) = (net.node(1e6), net.node(1e6));
    net.connect(server, greedy, ms(10));
    net.connect(server, modest, ms(10));
    net.download(greedy, &large, 1000, &[server]);
    net.run(secs(2));
    let session = net.download(modest, &small, 64, &[server]);
    let took = net.run_download(modest, session, secs(30)) - secs(2);
    println!("{took:?}");
    assert!(took < ms(400));
}

fn ask(net: &mut Net, from: Peer, to: Peer, blocks: &[avocet_dag::Block], cancel: bool) {
    let entry = |block: &avocet_dag::Block| avocet_bitswap::wire::Entry {
        cid: block.cid().clone(),
        priority: 1,
        cancel,
        kind: WantKind::Block,
        send_dont_have: true,
    };
    let wants = blocks.iter().map(entry).collect();
    net.say(from, to, encode(&Outgoing { wants, ..Outgoing::default() }));
}

#[test]
fn what_is_taken_back_while_it_waits_is_not_sent() {
    let blocks: Vec<_> = (0..5).map(|number| block(number, 100_000)).collect();
    let mut net = Net::new(1);
    let server = net.node(1e6);
    let asker = net.puppet(Box::new(|_, _| Vec::new()));
    net.give(server, &blocks);
    net.connect(server, asker, ms(1));
    ask(&mut net, asker, server, &blocks, false);
    net.run(ms(50)); // the first is on its way
    ask(&mut net, asker, server, &blocks[2..4], true);
    net.run(secs(5));
    let heard = net.nodes[asker].heard.iter().flat_map(|(_, _, message)| &message.blocks);
    let numbers: Vec<_> = heard.map(|raw| raw.data[7]).collect();
    assert_eq!(numbers, [0, 1, 4]);
}

#[test]
fn a_block_that_comes_later_is_sent_to_who_waits_for_it() {
    let blocks: Vec<_> = (0..2).map(|number| block(number, 5000)).collect();
    let mut net = Net::new(1);
    let server = net.node(1e6);
    let asker = net.puppet(Box::new(|_, _| Vec::new()));
    net.connect(server, asker, ms(1));
    ask(&mut net, asker, server, &blocks, false);
    net.run(secs(1));
    let heard = &net.nodes[asker].heard;
    assert_eq!(heard.iter().map(|(_, _, message)| message.presences.len()).sum::<usize>(), 2);
    net.give(server, &blocks[..1]);
    net.run(secs(2));
    let heard = net.nodes[asker].heard.iter().flat_map(|(_, _, message)| &message.blocks);
    assert_eq!(heard.count(), 1);
    assert_eq!(net.engine(server).peer_stats(asker).unwrap().wants, 1);
}
