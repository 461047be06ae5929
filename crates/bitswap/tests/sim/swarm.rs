//! Several that download the same file from one, and from each other what they have of it.

use std::time::Duration;

use avocet_bitswap::{
    MAX_MEMBERS,
    wire::{Entry, Outgoing, Presence, WantKind},
};

use crate::netem::{Dag, MIB, Net, Peer, Script, block, encode, ms, secs};

/// What each sends in a second.
const RATE: f64 = 1e6;

/// How it went with so many downloaders.
#[derive(Debug)]
struct Outcome {
    /// Until the last had all of it, in seconds.
    took: f64,
    /// Of what came, which part came twice.
    surplus: f64,
    /// What the seed sent, in files.
    sent: f64,
}

/// So many download a file from one; each is told of the others and begins `apart` after the one before.
fn swarm(seed: u64, downloaders: usize, file: (usize, usize, usize), apart: Duration) -> Outcome {
    let (leaves, size, window) = file;
    let dag = Dag::file(seed, leaves, size, 1024);
    let mut net = Net::new(seed);
    let source = net.node(RATE);
    net.give(source, &dag.blocks);
    let all: Vec<Peer> = (0..downloaders).map(|_| net.node(RATE)).collect();
    for (number, peer) in all.iter().enumerate() {
        let delay = ms(5 + net.random(40));
        net.connect(source, *peer, delay);
        for other in &all[..number] {
            let delay = ms(5 + net.random(40));
            net.connect(*peer, *other, delay);
        }
    }
    let mut sessions = Vec::new();
    for (number, peer) in all.iter().enumerate() {
        net.run(apart * u32::try_from(number).unwrap());
        let others = all.iter().copied().filter(|other| other != peer);
        let hints: Vec<_> = [source].into_iter().chain(others).collect();
        sessions.push((*peer, net.download(*peer, &dag, window, &hints)));
    }
    let done = |net: &Net| sessions.iter().all(|(peer, session)| net.is_done(*peer, *session));
    net.run_until(secs(600), done);
    assert!(done(&net));
    let took = net.elapsed().as_secs_f64();
    net.run(secs(700));
    let surplus: u64 = all.iter().map(|peer| net.engine(*peer).stats().surplus_bytes).sum();
    let sent = net.engine(source).stats().bytes_sent as f64 / dag.bytes() as f64;
    for peer in &all {
        assert!(net.nodes[*peer].closed.is_empty());
    }
    Outcome { took, surplus: surplus as f64 / (dag.bytes() * downloaders) as f64, sent }
}

/// Blocks, their size, and how many are wanted ahead: as a file is read, 16 MiB and 64 blocks.
const FILES: [(usize, usize, usize); 3] = [(64, MIB, 16), (64, MIB / 4, 64), (256, 16 * 1024, 64)];

#[test]
fn two_downloaders_of_one_help_each_other() {
    for (seed, file) in (1..).zip(FILES) {
        let one = swarm(seed, 1, file, ms(0)).took;
        // at once, and the second when the first is under way
        for apart in [ms(0), ms(300), ms(1500)] {
            let two = swarm(seed, 2, file, apart);
            let (ratio, twice) = (two.took / one, two.surplus * 100.0);
            println!(
                "{file:?} {apart:?}: {ratio:.2} of the time of one, {twice:.2}% twice, the seed sent it {:.2} times",
                two.sent
            );
            // without help it is twice the time
            assert!(ratio < 1.35 && two.surplus < 0.02);
        }
    }
}

#[test]
fn four_downloaders_share_what_the_seed_sends() {
    let file = (64, MIB / 4, 64);
    let one = swarm(1, 1, file, ms(0)).took;
    let four = swarm(1, 4, file, ms(100));
    println!("{:.2} of the time of one, {four:?}", four.took / one);
    assert!(four.took / one < 1.5 && four.surplus < 0.02);
}

#[test]
fn a_file_of_few_large_blocks_is_shared_too() {
    for seed in 0..2 {
        let file = (16, MIB, 16);
        let one = swarm(seed, 1, file, ms(0)).took;
        let two = swarm(seed, 2, file, ms(0));
        println!("{seed}: {:.2} of the time of one, {two:?}", two.took / one);
        // what each has asked for before it hears of the other is an eighth
        assert!(two.took / one < 1.5 && two.surplus < 0.02);
    }
}

/// Two that gather the same, and begin together; `end` ends the second at some time.
fn pair(end: impl FnOnce(&mut Net, Peer) + 'static) -> (Net, Peer, f64) {
    let dag = Dag::file(3, 64, MIB / 4, 1024);
    let mut net = Net::new(3);
    let [source, a, b] = [(); 3].map(|()| net.node(RATE));
    net.give(source, &dag.blocks);
    for (from, to) in [(source, a), (source, b), (a, b)] {
        net.connect(from, to, ms(20));
    }
    let session = net.download(a, &dag, 64, &[source, b]);
    net.download(b, &dag, 64, &[source, a]);
    net.at(secs(5), move |net| end(net, b));
    net.run(secs(5));
    net.watch_flow(a);
    let came = net.nodes[a].downloads[&session].came.iter().map(|(.., len)| len).sum::<usize>();
    let took = net.run_download(a, session, secs(60)).as_secs_f64();
    (net, a, took - 5.0 - (dag.bytes() - came) as f64 / RATE)
}

#[test]
fn what_was_left_to_one_that_goes_or_stops_is_fetched_all_the_same() {
    for kind in ["closed", "killed", "given up", "stuck"] {
        let (net, a, more) = pair(move |net, b| match kind {
            "closed" => {
                net.disconnect(0, b);
                net.disconnect(1, b);
            }
            "killed" => net.kill(b),
            "given up" => {
                let sessions: Vec<_> = net.nodes[b].downloads.keys().copied().collect();
                for session in sessions {
                    net.with(b, |engine, now| engine.close_session(session, now));
                }
            }
            // it gets nothing any more, and tells as much
            _ => net.stall(0, b, secs(600)),
        });
        let pause = net.longest_pause(a);
        println!("{kind}: {more:.2} s more than the seed alone needs, a pause of {pause:?}");
        assert!(more < 1.0 && pause < secs(1), "{kind}");
    }
}

#[test]
fn who_hears_nobody_asks_for_its_own_wants_in_their_order() {
    let dag = Dag::file(1, 64, MIB / 4, 1024);
    let mut net = Net::new(1);
    let (source, a) = (net.node(RATE), net.node(RATE));
    net.nodes[source].keep_heard = true;
    net.give(source, &dag.blocks);
    net.connect(source, a, ms(20));
    let session = net.download(a, &dag, 64, &[source]);
    net.run_download(a, session, secs(60));
    let wants = net.nodes[source].heard.iter().flat_map(|(_, _, message)| &message.wants);
    let leaves: Vec<_> = wants.map(|entry| &entry.cid).skip(1).collect();
    assert_eq!(leaves, dag.blocks[..64].iter().map(|block| block.cid()).collect::<Vec<_>>());
}

/// Wants all of `dag` of whoever it is asked by, and has it a little later than they do.
fn pretender(dag: &Dag) -> Script {
    let entry = |block: &avocet_dag::Block| Entry {
        cid: block.cid().clone(),
        priority: 1,
        cancel: false,
        kind: WantKind::Have,
        send_dont_have: false,
    };
    let wants: Vec<_> = dag.blocks.iter().map(entry).collect();
    Box::new(move |_, message| {
        let presence = |entry: &Entry| Presence { cid: entry.cid.clone(), have: entry.cancel };
        let presences = message.wants.iter().map(presence).collect();
        let answer = Outgoing { wants: wants.clone(), presences, ..Outgoing::default() };
        vec![(ms(1), encode(&answer))]
    })
}

/// Beside the source one and four of those who play `script` delay a download by less than two seconds.
fn assert_delays_little(dag: &Dag, what: &str, script: impl Fn() -> Script) {
    let run = |count: usize| {
        let mut net = Net::new(1);
        let (source, a) = (net.node(RATE), net.node(RATE));
        net.give(source, &dag.blocks);
        net.connect(source, a, ms(20));
        let mut hints = vec![source];
        for _ in 0..count {
            let peer = net.puppet(script());
            net.connect(a, peer, ms(5));
            hints.push(peer);
        }
        let session = net.download(a, dag, 64, &hints);
        net.run_download(a, session, secs(200)).as_secs_f64()
    };
    let alone = run(0);
    for count in [1, 4] {
        let took = run(count);
        println!("{count} {what}: {took:.2} s, {alone:.2} s without");
        assert!(took < alone + 2.0);
    }
}

#[test]
fn bs_07_one_that_pretends_to_gather_the_same_delays_two_seconds_and_no_more() {
    let dag = Dag::file(1, 64, MIB / 4, 1024);
    assert_delays_little(&dag, "pretend", || pretender(&dag));
}

/// As [`pretender`], and now and then says that it has something. Asked for that it says that it has not, or nothing.
fn liar(dag: &Dag, stalls: bool) -> Script {
    let mut pretender = pretender(dag);
    let mut began = false;
    Box::new(move |from, message| {
        let entries = || message.wants.iter().filter(|entry| !entry.cancel);
        let asked = entries().any(|entry| entry.kind == WantKind::Block);
        if message.wants.is_empty() || asked && stalls {
            return Vec::new();
        }
        let mut all = pretender(from, message);
        if entries().count() > 1 && !began {
            began = true;
            for (number, entry) in (0_u64..).zip(entries().skip(8)) {
                let presences = vec![Presence { cid: entry.cid.clone(), have: true }];
                let answer = Outgoing { presences, ..Outgoing::default() };
                all.push((ms(500 * number + 100), encode(&answer)));
            }
        }
        all
    })
}

#[test]
fn bs_07_one_that_says_again_and_again_that_it_gets_something_delays_no_longer_than_that() {
    let dag = Dag::file(1, 64, MIB / 4, 1024);
    for stalls in [false, true] {
        let what = if stalls { "stall" } else { "refuse" };
        assert_delays_little(&dag, what, || liar(&dag, stalls));
    }
}

#[test]
fn strangers_that_want_the_same_leave_room_for_one_that_has_it() {
    let blocks: Vec<_> = (0..16).map(|number| block(number, MIB / 4)).collect();
    let mut net = Net::new(1);
    let (source, a) = (net.node(RATE), net.node(RATE));
    net.give(source, &blocks);
    let session = net.with(a, |engine, now| engine.open_session(now)).unwrap();
    for block in &blocks {
        net.with(a, |engine, now| engine.want(session, block.cid(), now)).unwrap().unwrap();
    }
    // each wants another block than the one before
    for wanted in blocks.iter().cycle().take(2 * MAX_MEMBERS) {
        let peer = net.puppet(Box::new(|_, _| Vec::new()));
        net.connect(a, peer, ms(5));
        let (cid, kind) = (wanted.cid().clone(), WantKind::Have);
        let entry = Entry { cid, priority: 1, cancel: false, kind, send_dont_have: false };
        net.say(peer, a, encode(&Outgoing { wants: vec![entry], ..Outgoing::default() }));
    }
    net.run(secs(1));
    net.connect(source, a, ms(20));
    net.with(a, |engine, now| engine.add_peer(session, source, now));
    let all = |net: &Net| net.nodes[a].delivered.len() == blocks.len();
    net.run_until(secs(30), all);
    assert!(all(&net));
}
