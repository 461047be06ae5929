//! Downloads in fair weather: how long they take, and of whom they ask.

use avocet_bitswap::wire::WantKind;

use crate::netem::{Dag, MIB, Net, block, ms, secs};

/// How long `bytes` take at `rate`, in seconds.
fn ideal(bytes: usize, rate: f64) -> f64 {
    bytes as f64 / rate
}

#[test]
fn a_file_goes_from_one_to_the_other() {
    for (leaves, size, rate, delay) in [
        (48, MIB, 40e6, ms(1)),
        (64, 256 * 1024, 4e6, ms(20)),
        (2000, 4096, 2e6, ms(50)),
        (200, 64 * 1024, 4e6, ms(150)),
    ] {
        let dag = Dag::file(1, leaves, size, 174);
        let mut net = Net::new(1);
        let (a, b) = (net.node(rate), net.node(1e6));
        net.give(a, &dag.blocks);
        net.connect(a, b, delay);
        let session = net.download(b, &dag, 512, &[a]);
        let took = net.run_download(b, session, secs(600)).as_secs_f64();
        let rounds = 2.0 * (1.0 + (leaves as f64).log(174.0).ceil());
        let best = ideal(dag.bytes(), rate) + rounds * delay.as_secs_f64();
        println!("{leaves} x {size} at {rate}, {delay:?}: {took:.3} s, at best {best:.3} s");
        // and a few round trips more until it is known how much the other can deliver
        let most = best * 1.1 + 8.0 * delay.as_secs_f64();
        assert!(took < most, "{took} s where {best} s would do");
        assert_eq!(net.engine(b).stats().surplus_blocks, 0);
        assert_eq!(net.engine(b).stats().blocks_received, dag.blocks.len() as u64);
    }
}

#[test]
fn a_hinted_peer_answers_in_one_round_trip() {
    let dag = Dag::file(1, 1, 4096, 2);
    let mut net = Net::new(1);
    let (a, b) = (net.node(1e9), net.node(1e9));
    net.give(a, &dag.blocks);
    net.connect(a, b, ms(10));
    let session = net.download(b, &dag, 8, &[a]);
    assert!(net.run_download(b, session, secs(5)) < ms(25));
}

#[test]
fn without_a_hint_peers_are_asked_whether_they_have_it() {
    let dag = Dag::file(1, 20, 64 * 1024, 174);
    let mut net = Net::new(1);
    let holder = net.node(10e6);
    let others: Vec<_> = (0..4).map(|_| net.node(10e6)).collect();
    let asker = net.node(1e6);
    net.give(holder, &dag.blocks);
    for peer in others.iter().chain([&holder]) {
        net.connect(*peer, asker, ms(10));
        net.nodes[*peer].keep_heard = true;
    }
    let session = net.download(asker, &dag, 64, &[]);
    net.run_download(asker, session, secs(10));
    net.run(secs(11));
    for other in others {
        // the root, asked and taken back; nothing of the rest
        let heard: Vec<_> =
            net.nodes[other].heard.iter().flat_map(|(_, _, message)| &message.wants).collect();
        assert_eq!(heard.len(), 2);
        assert!(heard[0].kind == WantKind::Have && heard[0].send_dont_have);
        assert!(heard[1].cancel && heard.iter().all(|entry| entry.cid == *dag.root()));
    }
    assert_eq!(net.engine(asker).holders(dag.root(), net.now).count(), 1);
}

#[test]
fn no_more_strangers_are_asked_than_the_bound_says() {
    let mut net = Net::new(1);
    let asker = net.node(1e6);
    for _ in 0..40 {
        let peer = net.node(1e6);
        net.nodes[peer].keep_heard = true;
        net.connect(asker, peer, ms(10));
    }
    let dag = Dag::file(1, 1, 100, 2);
    net.download(asker, &dag, 8, &[]);
    // one way, and no answer yet
    net.run(ms(15));
    let asked = |net: &Net| net.nodes.iter().filter(|node| !node.heard.is_empty()).count();
    assert_eq!(asked(&net), 16);
    // providers are called for when all have said no
    net.run(ms(500));
    assert_eq!((asked(&net), net.nodes[asker].calls.len()), (40, 1));
}

#[test]
fn whichever_of_fifty_strangers_has_it_is_found() {
    let dag = Dag::file(1, 1, 100, 2);
    for holder in 0..50 {
        let mut net = Net::new(3);
        let asker = net.node(1e6);
        let strangers: Vec<_> = (0..50).map(|_| net.node(1e6)).collect();
        for stranger in &strangers {
            net.connect(asker, *stranger, ms(10));
        }
        net.give(strangers[holder], &dag.blocks);
        let session = net.download(asker, &dag, 8, &[]);
        let took = net.run_download(asker, session, secs(5));
        // four rounds of sixteen, and one to fetch it
        assert!(took < ms(150), "{holder}: {took:?}");
    }
}

#[test]
fn strangers_that_keep_silent_neither_hide_the_others_nor_hold_up_the_search() {
    let dag = Dag::file(1, 1, 100, 2);
    let mut net = Net::new(5);
    let asker = net.node(1e6);
    let strangers: Vec<_> = (0..50).map(|_| net.node(1e6)).collect();
    for stranger in &strangers {
        net.connect(asker, *stranger, ms(10));
        net.stall(*stranger, asker, secs(20));
    }
    let session = net.download(asker, &dag, 8, &[]);
    net.run(ms(1100));
    assert_eq!(net.nodes[asker].calls.len(), 1);
    net.run(secs(4));
    let found = net.node(1e6);
    net.give(found, &dag.blocks);
    net.connect(asker, found, ms(10));
    let took = net.run_download(asker, session, secs(10)) - secs(4);
    assert!(took < secs(2), "{took:?}");
}

#[test]
fn connected_strangers_that_have_the_root_are_used_once_they_are_sought() {
    // a root of more than what is sent in place of a HAVE, and one of less
    for leaves in [100, 16] {
        let dag = Dag::file(1, leaves, 256 * 1024, 1024);
        let mut net = Net::new(1);
        let asker = net.node(1e6);
        let [named, other, empty] = [(); 3].map(|()| net.node(1e6));
        for peer in [named, other, empty] {
            net.connect(asker, peer, ms(20));
        }
        net.give(named, &dag.blocks);
        net.give(other, &dag.blocks);
        net.nodes[empty].keep_heard = true;
        let session = net.download(asker, &dag, 64, &[named]);
        net.run(ms(900));
        assert!(net.nodes[empty].heard.is_empty(), "nobody else is asked for a small file");
        net.with(asker, |engine, now| engine.seek(session, dag.root(), now));
        net.run_download(asker, session, secs(60));
        let download = &net.nodes[asker].downloads[&session];
        let shares = [named, other].map(|peer| download.bytes_from(peer) as f64);
        println!("{leaves}: {shares:?}");
        assert!(shares[1] > 0.5 * shares[0]);
        net.run(secs(61));
        let surplus = net.engine(asker).stats().surplus_bytes;
        assert!(surplus <= 1024, "{surplus}: more than the root, in place of a HAVE");
        for heard in net.nodes[empty].heard.iter().flat_map(|(_, _, message)| &message.wants) {
            assert_eq!(heard.cid, *dag.root(), "it is not asked for anything else");
        }
    }
}

/// Time and duplicates of `leaves` blocks of `size` from holders of these rates.
fn from_holders(rates: &[f64], leaves: usize, size: usize, window: usize) -> (f64, f64, Vec<f64>) {
    let dag = Dag::file(1, leaves, size, 1024);
    let mut net = Net::new(3);
    let asker = net.node(1e6);
    let mut holders = Vec::new();
    for rate in rates {
        let holder = net.node(*rate);
        net.give(holder, &dag.blocks);
        net.connect(asker, holder, ms(20));
        holders.push(holder);
    }
    let session = net.download(asker, &dag, window, &holders);
    let took = net.run_download(asker, session, secs(600)).as_secs_f64();
    net.run(secs(700));
    let stats = net.engine(asker).stats();
    let more = stats.surplus_bytes as f64 / stats.bytes_received as f64;
    let download = &net.nodes[asker].downloads[&session];
    let share = holders.iter().map(|peer| download.bytes_from(*peer) as f64 / dag.bytes() as f64);
    (took, more, share.collect())
}

#[test]
fn three_holders_take_two_fifths_of_the_time_of_one() {
    for (leaves, size, window) in
        [(16, MIB, 32), (48, MIB, 16), (64, 256 * 1024, 64), (500, 16 * 1024, 256)]
    {
        let (one, ..) = from_holders(&[1e6], leaves, size, window);
        let (three, more, share) = from_holders(&[1e6; 3], leaves, size, window);
        println!(
            "{leaves} x {size}: one {one:.2} s, three {three:.2} s, ratio {:.3}, surplus {:.2}%, \
             shares {share:.2?}",
            three / one,
            more * 100.0
        );
        assert!(three <= 0.4 * one, "{three} s of {one} s");
        assert!(more < 0.02, "{more} came twice");
    }
}

#[test]
fn holders_are_used_in_proportion_to_what_they_deliver() {
    for rates in [&[1e6, 2e6, 4e6][..], &[8e6, 5e5], &[1e6, 1e6, 1e6, 2e5]] {
        let total: f64 = rates.iter().sum();
        let (took, more, share) = from_holders(rates, 128, 256 * 1024, 64);
        let best = ideal(128 * 256 * 1024, total);
        println!(
            "{rates:?}: {took:.2} s, at best {best:.2} s, surplus {:.2}%, shares {share:.2?}",
            more * 100.0
        );
        assert!(took < best * 1.15 + 0.2, "{took} s where {best} s would do");
        assert!(more < 0.02, "{more} came twice");
        for (share, rate) in share.iter().zip(rates) {
            assert!((share - rate / total).abs() < 0.1, "{share} at {rate}");
        }
    }
}

#[test]
fn of_fifty_connected_peers_those_that_have_it_are_used_and_no_want_is_said_often() {
    // how many have it, whether they are named, and how many of them are found
    for (holders, named, found) in [(50, true, 50), (50, false, 16), (3, false, 1)] {
        let dag = Dag::file(1, 256, 64 * 1024, 1024);
        let rate = 6e6 / f64::from(found);
        let mut net = Net::new(6);
        let asker = net.node(1e6);
        let peers: Vec<_> = (0..50).map(|_| net.node(rate)).collect();
        for (number, peer) in peers.iter().enumerate() {
            net.nodes[*peer].keep_heard = true;
            net.connect(asker, *peer, ms(5 + 2 * number as u64));
            // every sixteenth has it, where three do
            if holders == 50 || number % 16 == 5 {
                net.give(*peer, &dag.blocks);
            }
        }
        let hints = if named { &peers[..] } else { &[] };
        let session = net.download(asker, &dag, 64, hints);
        let took = net.run_download(asker, session, secs(60)).as_secs_f64();
        net.run(secs(62));
        let best = ideal(dag.bytes(), 6e6);
        let stats = net.engine(asker).stats();
        let heard = |peer: &usize| net.nodes[*peer].heard.iter().map(|(_, _, heard)| heard);
        let messages: usize = peers.iter().map(|peer| heard(peer).count()).sum();
        let lines = peers.iter().flat_map(heard).flat_map(|message| &message.wants);
        let asked = lines.filter(|entry| !entry.cancel).count();
        println!(
            "{holders} of 50: {took:.2} s, at best {best:.2} s, {messages} messages, {asked} wants \
             said for {} blocks, {} came twice",
            dag.blocks.len(),
            stats.surplus_blocks
        );
        assert!(took < best * 1.3 + 1.0, "{took}");
        assert!((stats.surplus_bytes as f64) < 0.02 * dag.bytes() as f64);
        // each block of one, the root and the first block of all, and a few of a second one
        assert!(asked <= dag.blocks.len() * 5 / 4 + 2 * 50, "{asked}");
        assert!(messages <= asked * 2 + 2 * 50, "{messages}");
        assert_eq!(net.engine(asker).wants(), 0);
        for peer in peers {
            assert_eq!(net.engine(peer).peer_stats(asker).unwrap().wants, 0, "taken back");
        }
    }
}

#[test]
fn two_that_download_the_same_get_nothing_twice() {
    let dag = Dag::file(1, 64, 256 * 1024, 174);
    let mut net = Net::new(5);
    let (seed, a, b) = (net.node(2e6), net.node(2e6), net.node(2e6));
    net.give(seed, &dag.blocks);
    net.connect(seed, a, ms(20));
    net.connect(seed, b, ms(20));
    net.connect(a, b, ms(20));
    let first = net.download(a, &dag, 64, &[seed, b]);
    let second = net.download(b, &dag, 64, &[seed, a]);
    net.run_until(secs(60), |net| net.is_done(a, first) && net.is_done(b, second));
    let took = net.elapsed().as_secs_f64();
    let alone = ideal(2 * dag.bytes(), 2e6);
    net.run(secs(70));
    let more: f64 = [a, b].map(|peer| net.engine(peer).stats().surplus_bytes as f64).iter().sum();
    println!("{took:.2} s, {alone:.2} s from the seed alone, {more} bytes came twice");
    assert!(net.is_done(a, first) && net.is_done(b, second));
    assert!(took <= alone * 1.05);
    assert!(more < 0.02 * 2.0 * dag.bytes() as f64);
}

#[test]
fn a_want_does_not_wait_behind_a_block() {
    let (mine, theirs) = (block(1, 2 * MIB), block(2, 4096));
    let mut net = Net::new(1);
    let (a, b) = (net.node(1e6), net.node(1e6));
    net.give(a, std::slice::from_ref(&mine));
    net.give(b, std::slice::from_ref(&theirs));
    net.connect(a, b, ms(10));
    let upload = net.with(b, |engine, now| engine.open_session(now)).unwrap();
    net.with(b, |engine, now| {
        engine.add_peer(upload, a, now);
        engine.want(upload, mine.cid(), now)
    });
    net.run(ms(300));
    let session = net.with(a, |engine, now| engine.open_session(now)).unwrap();
    net.with(a, |engine, now| {
        engine.add_peer(session, b, now);
        engine.want(session, theirs.cid(), now)
    });
    net.run(ms(400));
    assert_eq!(net.nodes[a].delivered.len(), 1, "it came while the other was being sent");
    assert!(net.nodes[b].delivered.is_empty());
}

#[test]
fn a_small_session_does_not_wait_for_a_large_one() {
    let (large, small) = (Dag::file(1, 200, 256 * 1024, 1024), Dag::file(2, 4, 16 * 1024, 174));
    let mut net = Net::new(1);
    let (a, b) = (net.node(4e6), net.node(1e6));
    net.give(a, &large.blocks);
    net.give(a, &small.blocks);
    net.connect(a, b, ms(10));
    net.download(b, &large, 512, &[a]);
    net.run(secs(3));
    let session = net.download(b, &small, 64, &[a]);
    let took = net.run_download(b, session, secs(60)) - secs(3);
    println!("{took:?}");
    assert!(took < ms(2500));
}

#[test]
fn a_want_of_two_sessions_is_asked_once_and_delivered_to_both() {
    let wanted = block(1, 4096);
    let mut net = Net::new(1);
    let (a, b) = (net.node(1e6), net.node(1e6));
    net.nodes[a].keep_heard = true;
    net.give(a, std::slice::from_ref(&wanted));
    net.connect(a, b, ms(10));
    for _ in 0..2 {
        net.with(b, |engine, now| {
            let session = engine.open_session(now);
            engine.add_peer(session, a, now);
            engine.want(session, wanted.cid(), now).unwrap();
            engine.want(session, wanted.cid(), now).unwrap();
        });
    }
    let third = net.with(b, |engine, now| engine.open_session(now)).unwrap();
    net.with(b, |engine, now| engine.want(third, wanted.cid(), now)).unwrap().unwrap();
    net.with(b, |engine, now| engine.cancel(third, wanted.cid(), now));
    net.run(secs(1));
    let sessions: Vec<_> = net.nodes[b].delivered.iter().map(|(session, _)| *session).collect();
    assert_eq!(sessions.len(), 2);
    assert!(sessions[0] != sessions[1] && !sessions.contains(&third));
    let wants: usize = net.nodes[a].heard.iter().map(|(_, _, message)| message.wants.len()).sum();
    assert_eq!(wants, 1);
    assert_eq!(net.engine(b).wants(), 0);
}

#[test]
fn a_probe_finds_holders_without_fetching() {
    let (small, large) = (block(1, 100), block(2, 5000));
    let mut net = Net::new(1);
    let asker = net.node(1e6);
    let holders: Vec<_> = (0..3).map(|_| net.node(1e6)).collect();
    for (number, holder) in holders.iter().enumerate() {
        net.connect(asker, *holder, ms(10));
        if number < 2 {
            net.give(*holder, &[small.clone(), large.clone()]);
        }
    }
    net.with(asker, |engine, now| {
        engine.probe(small.cid(), now);
        engine.probe(large.cid(), now);
    });
    net.run(secs(1));
    for wanted in [&small, &large] {
        assert_eq!(net.engine(asker).holders(wanted.cid(), net.now).count(), 2);
    }
    assert!(net.nodes[asker].delivered.is_empty() && net.nodes[asker].closed.is_empty());
    assert_eq!(net.engine(asker).peer_stats(holders[2]).unwrap().wants, 0);
    assert_eq!(net.engine(holders[2]).peer_stats(asker).unwrap().wants, 0, "taken back");
    net.disconnect(asker, holders[0]);
    assert_eq!(net.engine(asker).holders(large.cid(), net.now).count(), 1);
    net.run(secs(62));
    assert_eq!(net.engine(asker).holders(large.cid(), net.now).count(), 0);
}
