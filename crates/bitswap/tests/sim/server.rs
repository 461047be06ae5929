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

/// What one of fifty does with a server.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// A download of the usual window.
    Usual,
    /// Wants all there is, at once, most urgently.
    Greedy,
    /// Wants as much, and takes a fiftieth of its share.
    Slow,
}

#[test]
fn of_fifty_peers_neither_the_greedy_nor_the_slow_starve_one() {
    const SIZE: usize = 64 * 1024;
    let (rate, share) = (8e6, 8e6 / 50.0);
    let dag = Dag::file(1, 1000, SIZE, 1024);
    let mut net = Net::new(9);
    let server = net.node(rate);
    net.give(server, &dag.blocks);
    let mut all = Vec::new();
    for number in 0..50 {
        let manner = [Manner::Usual, Manner::Greedy, Manner::Usual, Manner::Usual, Manner::Slow];
        let manner = manner[number % manner.len()];
        let peer = match manner {
            Manner::Usual => net.node(1e6),
            _ => net.puppet(Box::new(|_, _| Vec::new())),
        };
        net.connect(server, peer, ms(5 + 3 * number as u64));
        match manner {
            Manner::Usual => drop(net.download(peer, &dag, 64, &[server])),
            _ => ask(&mut net, peer, server, &dag.blocks, i32::MAX, false),
        }
        if manner == Manner::Slow {
            net.pace(server, peer, share / 50.0);
        }
        all.push((peer, manner));
    }
    let served = |net: &Net| -> Vec<u64> {
        let sent = |peer| net.engine(server).peer_stats(peer).unwrap().bytes_sent;
        all.iter().map(|(peer, _)| sent(*peer)).collect()
    };
    net.run(secs(3));
    let mut before = served(&net);
    for window in 0..5 {
        for step in 0..80 {
            net.run(secs(3 + 4 * window) + ms(50 * step));
            for (peer, _) in &all {
                let stats = net.engine(server).peer_stats(*peer).unwrap();
                assert!(stats.wants <= 1024);
                // what may be read ahead, a block beyond it, and one being sent
                assert!(stats.in_memory <= 2 * MIB + 2 * SIZE, "{}", stats.in_memory);
            }
            assert!(net.engine(server).bytes_in_memory() <= 50 * 2 * SIZE + 33 * MIB);
        }
        net.run(secs(7 + 4 * window));
        let after = served(&net);
        let of = |manner: Manner| {
            let all = all.iter().zip(before.iter().zip(&after));
            let all = all.filter(move |((_, other), _)| *other == manner);
            all.map(|(_, (before, after))| (after - before) as f64 / 4.0)
        };
        let (least, most) =
            (of(Manner::Usual).fold(f64::MAX, f64::min), of(Manner::Usual).fold(0.0, f64::max));
        let greedy = of(Manner::Greedy).fold(0.0, f64::max);
        let slow = of(Manner::Slow).sum::<f64>();
        println!(
            "{least:.0} to {most:.0} bytes a second, greedy {greedy:.0}, slow {slow:.0} in all"
        );
        assert!(most <= 1.5 * least && greedy <= 1.5 * least, "one is starved");
        // what the slow leave is shared by the rest: 8 MB/s among forty
        assert!(least >= 0.8 * (rate - slow) / 40.0, "{least}");
        before = after;
    }
    for (peer, _) in &all {
        net.disconnect(server, *peer);
    }
    assert_eq!(net.engine(server).bytes_in_memory(), 0);
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

fn ask(
    net: &mut Net,
    from: Peer,
    to: Peer,
    blocks: &[avocet_dag::Block],
    priority: i32,
    cancel: bool,
) {
    let entry = |block: &avocet_dag::Block| avocet_bitswap::wire::Entry {
        cid: block.cid().clone(),
        priority,
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
    ask(&mut net, asker, server, &blocks, 1, false);
    net.run(ms(50)); // the first is on its way
    ask(&mut net, asker, server, &blocks[2..4], 1, true);
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
    ask(&mut net, asker, server, &blocks, 1, false);
    net.run(secs(1));
    let heard = &net.nodes[asker].heard;
    assert_eq!(heard.iter().map(|(_, _, message)| message.presences.len()).sum::<usize>(), 2);
    net.give(server, &blocks[..1]);
    net.run(secs(2));
    let heard = net.nodes[asker].heard.iter().flat_map(|(_, _, message)| &message.blocks);
    assert_eq!(heard.count(), 1);
    assert_eq!(net.engine(server).peer_stats(asker).unwrap().wants, 1);
}
