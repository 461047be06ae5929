//! Downloads in bad weather. The bounds in seconds are asserted on the simulated clock.

use avocet_bitswap::{CloseReason, GIVE_UP, SessionId};

use web_time::Instant;

use crate::netem::{Dag, MIB, Net, Peer, ms, secs};

const RATE: f64 = 1e6;

/// A downloader of `dag` and holders of all of it, connected at 20 ms.
fn cast(dag: &Dag, holders: usize, window: usize) -> (Net, Peer, Vec<Peer>, SessionId) {
    let mut net = Net::new(7);
    let asker = net.node(RATE);
    let holders: Vec<_> = (0..holders).map(|_| net.node(RATE)).collect();
    for holder in &holders {
        net.give(*holder, &dag.blocks);
        net.connect(asker, *holder, ms(20));
    }
    let session = net.download(asker, dag, window, &holders);
    (net, asker, holders, session)
}

fn surplus(net: &Net, peer: Peer) -> f64 {
    let stats = net.engine(peer).stats();
    stats.surplus_bytes as f64 / stats.bytes_received as f64
}

#[test]
fn one_of_three_holders_gone_in_the_middle_costs_no_pause() {
    for (leaves, size) in [(48, MIB), (128, 256 * 1024)] {
        for kind in ["closed", "killed"] {
            let dag = Dag::file(1, leaves, size, 1024);
            let (mut net, asker, holders, session) = cast(&dag, 3, 32);
            net.run(secs(6));
            net.watch_flow(asker);
            match kind {
                "closed" => net.disconnect(asker, holders[1]),
                _ => net.kill(holders[1]),
            }
            let took = net.run_download(asker, session, secs(120)).as_secs_f64();
            let pause = net.longest_pause(asker);
            let left = dag.bytes() as f64 - 3.0 * RATE * 6.0;
            let best = 6.0 + left / (2.0 * RATE);
            println!(
                "{leaves} x {size}, {kind}: {took:.2} s, at best {best:.2} s, longest pause \
                 {pause:?}, surplus {:.2}%",
                surplus(&net, asker) * 100.0
            );
            // two blocks of the dead peer's were on their way, and are fetched again
            assert!(took < best * 1.05 + 2.0 * size as f64 / RATE);
            assert!(pause <= ms(500), "a pause of {pause:?}");
            assert!(surplus(&net, asker) < 0.02);
        }
    }
}

#[test]
fn a_silent_holder_loses_its_wants_after_one_second_and_is_closed_after_three() {
    let dag = Dag::file(1, 64, 256 * 1024, 1024);
    let (mut net, asker, holders, session) = cast(&dag, 2, 64);
    net.nodes[holders[1]].keep_heard = true;
    net.run(secs(3));
    net.kill(holders[0]);
    let killed = net.now;
    net.run_download(asker, session, secs(60));
    net.run(secs(61));
    let download = &net.nodes[asker].downloads[&session];
    let last = download.came.iter().filter(|(_, from, _)| *from == holders[0]);
    let last = last.map(|(at, ..)| *at).max().unwrap();
    // the last byte may have come a little after the last block
    let (at, peer, reason) = net.nodes[asker].closed[0];
    assert_eq!((peer, reason), (holders[0], CloseReason::Silent));
    assert!(at >= last + GIVE_UP && at <= killed + GIVE_UP + ms(50), "{:?}", at - killed);
    // what it owed is asked of the other between one second, and that with a round trip
    let theirs: Vec<_> = download.came.iter().filter(|(_, from, _)| *from == holders[0]).collect();
    assert!(!theirs.is_empty());
    let asked_late = net.nodes[holders[1]].heard.iter().any(|(at, _, message)| {
        let since = at.saturating_duration_since(killed);
        !message.wants.is_empty() && since >= ms(980) && since <= ms(1080)
    });
    assert!(asked_late);
    assert!(surplus(&net, asker) < 0.02);
}

#[test]
fn a_holder_that_stalls_for_a_while_is_used_again() {
    let dag = Dag::file(1, 128, 256 * 1024, 1024);
    let (mut net, asker, holders, session) = cast(&dag, 3, 64);
    net.run(secs(2));
    net.watch_flow(asker);
    net.stall(holders[0], asker, secs(2));
    net.run_download(asker, session, secs(60));
    let download = &net.nodes[asker].downloads[&session];
    let pause = net.longest_pause(asker);
    let before: usize = download
        .came
        .iter()
        .filter(|(at, from, _)| *from == holders[0] && *at > net.start + secs(4))
        .map(|(.., len)| len)
        .sum();
    println!("{pause:?}, {:.2}% twice, {before} bytes after", surplus(&net, asker) * 100.0);
    assert!(net.nodes[asker].closed.is_empty(), "it was back before the ping was due");
    assert!(before > 4 * 256 * 1024);
    assert!(pause <= ms(500));
    // what it owed when it stalled came twice, and nothing else
    assert!(surplus(&net, asker) < 0.03);
}

#[test]
fn the_only_holder_gone_is_said_and_the_next_one_is_used() {
    let dag = Dag::file(1, 64, 256 * 1024, 1024);
    let (mut net, asker, holders, session) = cast(&dag, 1, 64);
    net.run(secs(4));
    net.kill(holders[0]);
    net.run(secs(20));
    assert!(!net.is_done(asker, session));
    assert_eq!(net.nodes[asker].closed[0].2, CloseReason::Silent);
    let calls: Vec<_> = net.nodes[asker].calls.iter().map(|(at, ..)| *at - net.start).collect();
    assert!(calls[0] >= secs(5) && calls[0] <= ms(5100), "{calls:?}");
    let pauses: Vec<_> = calls.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.windows(2).all(|pair| pair[1] >= pair[0]), "{pauses:?}");
    assert!(calls.len() >= 4 && calls.len() <= 6, "{calls:?}");
    // another one is found
    let next = net.node(RATE);
    net.give(next, &dag.blocks);
    net.connect(asker, next, ms(20));
    net.with(asker, |engine, now| engine.add_peer(session, next, now));
    let took = net.run_download(asker, session, secs(60)) - secs(20);
    assert!(took.as_secs_f64() < 14.0, "{took:?}");
    assert!(surplus(&net, asker) < 0.001);
}

#[test]
fn a_peer_that_comes_back_is_asked_for_the_rest() {
    let dag = Dag::file(1, 64, 256 * 1024, 1024);
    let (mut net, asker, holders, session) = cast(&dag, 1, 64);
    net.run(secs(4));
    net.disconnect(asker, holders[0]);
    net.run(secs(10));
    net.connect(asker, holders[0], ms(20));
    let took = net.run_download(asker, session, secs(60)).as_secs_f64();
    assert!(took < 6.0 + 18.0, "{took}");
    assert_eq!(net.engine(asker).stats().surplus_blocks, 0);
}

#[test]
fn a_stranger_that_appears_is_asked_when_nobody_else_is_left() {
    let dag = Dag::file(1, 20, 64 * 1024, 1024);
    let mut net = Net::new(1);
    let (asker, empty) = (net.node(RATE), net.node(RATE));
    net.connect(asker, empty, ms(20));
    let session = net.download(asker, &dag, 64, &[empty]);
    net.run(secs(30));
    let calls = net.nodes[asker].calls.len();
    assert!((4..=7).contains(&calls), "{calls}");
    let holder = net.node(RATE);
    net.give(holder, &dag.blocks);
    net.connect(asker, holder, ms(20));
    let took = net.run_download(asker, session, secs(60)) - secs(30);
    assert!(took < secs(2), "{took:?}");
}

#[test]
fn who_lacks_a_block_sends_it_when_it_has_it() {
    let dag = Dag::file(1, 1, 64 * 1024, 2);
    let mut net = Net::new(1);
    let (asker, other) = (net.node(RATE), net.node(RATE));
    net.connect(asker, other, ms(20));
    let session = net.download(asker, &dag, 64, &[other]);
    net.run(ms(500));
    net.give(other, &dag.blocks);
    let took = net.run_download(asker, session, secs(5)) - ms(500);
    assert!(took < ms(100), "{took:?}");
}

#[test]
fn delay_loss_and_stalls_lose_nothing() {
    let dag = Dag::file(1, 200, 64 * 1024, 64);
    let (mut net, asker, holders, session) = cast(&dag, 3, 64);
    for holder in &holders {
        net.lossy(*holder, asker, 0.02);
        net.lossy(asker, *holder, 0.02);
    }
    for second in 1..20 {
        let holder = holders[second as usize % 3];
        net.at(ms(second * 700), move |net| net.stall(holder, asker, ms(400)));
    }
    let took = net.run_download(asker, session, secs(60)).as_secs_f64();
    println!("{took:.2} s, {:.2}% twice", surplus(&net, asker) * 100.0);
    assert!(net.nodes[asker].closed.is_empty());
    assert!(surplus(&net, asker) < 0.05);
}

#[test]
fn streams_that_break_off_are_made_good() {
    let dag = Dag::file(1, 64, 64 * 1024, 64);
    let (mut net, asker, holders, session) = cast(&dag, 2, 32);
    for step in 1..6 {
        let (a, b) = (holders[step as usize % 2], asker);
        net.at(ms(step * 400), move |net| net.reset(a, b));
        net.at(ms(step * 400 + 130), move |net| net.reset(b, a));
    }
    net.run_download(asker, session, secs(60));
    net.run(secs(70));
    assert!(net.nodes[asker].closed.is_empty());
    assert!(holders.iter().all(|holder| net.nodes[*holder].closed.is_empty()));
}

#[test]
fn time_that_we_slept_closes_nobody() {
    let dag = Dag::file(1, 64, 256 * 1024, 1024);
    let (mut net, asker, _, session) = cast(&dag, 1, 64);
    net.run(secs(2));
    net.sleep(asker, secs(60));
    net.run_download(asker, session, secs(200));
    assert!(net.nodes[asker].closed.is_empty());
    assert!(net.nodes[asker].calls.is_empty());
}

#[test]
fn a_large_block_on_a_slow_link_is_no_silence() {
    // 2 MiB at 64 KiB a second: half a minute for one block
    let dag = Dag::file(1, 2, 2 * MIB, 1024);
    let mut net = Net::new(1);
    let (asker, holder) = (net.node(RATE), net.node(64.0 * 1024.0));
    net.give(holder, &dag.blocks);
    net.connect(asker, holder, ms(50));
    let session = net.download(asker, &dag, 4, &[holder]);
    let took = net.run_download(asker, session, secs(100));
    assert!(took < secs(66), "{took:?}");
    assert!(net.nodes[asker].calls.is_empty() && net.nodes[asker].closed.is_empty());
    assert_eq!(net.engine(asker).stats().surplus_blocks, 0);
}

#[test]
fn a_holder_that_becomes_slow_gives_up_what_it_has_not_begun() {
    let dag = Dag::file(1, 40, MIB, 1024);
    let (mut net, asker, holders, session) = cast(&dag, 3, 64);
    net.at(secs(5), move |net| net.nodes[holders[2]].set_rate(50e3));
    let took = net.run_download(asker, session, secs(200)).as_secs_f64();
    let best = 5.0 + (dag.bytes() as f64 - 15e6) / 2.05e6;
    println!("{took:.2} s, at best {best:.2} s, {:.2}% twice", surplus(&net, asker) * 100.0);
    assert!(took < best + 3.0);
}

#[test]
fn a_holder_that_was_slow_for_a_moment_is_used_again() {
    let dag = Dag::file(1, 400, 256 * 1024, 1024);
    let mut net = Net::new(7);
    let (asker, slow, fast) = (net.node(RATE), net.node(3e5), net.node(8e6));
    for holder in [slow, fast] {
        net.give(holder, &dag.blocks);
        net.connect(asker, holder, ms(20));
    }
    net.at(secs(2), move |net| net.nodes[slow].set_rate(8e6));
    let session = net.download(asker, &dag, 16, &[slow, fast]);
    let took = net.run_download(asker, session, secs(60)).as_secs_f64();
    let came = &net.nodes[asker].downloads[&session].came;
    let of_slow = came.iter().filter(|(_, from, _)| *from == slow);
    let then = net.start + secs(2);
    let (later, before): (Vec<Instant>, Vec<_>) =
        of_slow.map(|came| came.0).partition(|at| *at > then);
    println!("{took:.2} s, {} blocks while slow, {} later", before.len(), later.len());
    assert!(!before.is_empty(), "it was found slow");
    // five seconds without a sample, and a block or two until it is known again
    assert!(later.len() > 20, "{}", later.len());
}
