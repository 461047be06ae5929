//! Peers that lie, flood, or hold back. The ids are those of the catalogue of bad inputs.

use avocet_bitswap::{
    CloseReason, LATE, Lane, STRIKES,
    wire::{Entry, Message, Outgoing, Presence, WantKind},
};
use avocet_dag::{Block, Cid, Multihash, code};

use crate::netem::{Dag, Net, Peer, Script, block, encode, ms, secs};

const RATE: f64 = 1e6;

fn mute() -> Script {
    Box::new(|_, _| Vec::new())
}

fn blocks(blocks: &[Block]) -> Vec<u8> {
    encode(&Outgoing { blocks: blocks.to_vec(), ..Outgoing::default() })
}

fn wants(message: &Message) -> impl Iterator<Item = &Entry> {
    message.wants.iter().filter(|entry| !entry.cancel)
}

fn haves(message: &Message, have: bool) -> Vec<u8> {
    let presence = |entry: &Entry| Presence { cid: entry.cid.clone(), have };
    let presences = wants(message).map(presence).collect();
    encode(&Outgoing { presences, ..Outgoing::default() })
}

/// Says HAVE to all, and answers a want for a block with whatever `answer` makes of it.
fn haver(answer: impl Fn(&Cid) -> Option<Vec<u8>> + 'static) -> Script {
    Box::new(move |_, message| {
        let mut all = Vec::new();
        if wants(message).any(|entry| entry.kind == WantKind::Have) {
            all.push((ms(0), haves(message, true)));
        }
        let asked = wants(message).filter(|entry| entry.kind == WantKind::Block);
        all.extend(asked.filter_map(|entry| answer(&entry.cid)).map(|bytes| (ms(1), bytes)));
        all
    })
}

/// An asker connected to `puppets` and to one honest holder of `dag`.
fn cast(dag: &Dag, puppets: Vec<Script>) -> (Net, Peer, Peer, Vec<Peer>) {
    let mut net = Net::new(11);
    let (asker, holder) = (net.node(RATE), net.node(RATE));
    net.give(holder, &dag.blocks);
    let puppets: Vec<_> = puppets.into_iter().map(|script| net.puppet(script)).collect();
    for peer in puppets.iter().chain([&holder]) {
        net.connect(asker, *peer, ms(10));
    }
    (net, asker, holder, puppets)
}

#[test]
fn bs_02_message_without_a_want_list_is_handled() {
    let wanted = block(1, 100);
    let answer = blocks(std::slice::from_ref(&wanted));
    let mut net = Net::new(1);
    let asker = net.node(RATE);
    let other = net.puppet(haver(move |_| Some(answer.clone())));
    net.connect(asker, other, ms(10));
    let session = net.with(asker, |engine, now| engine.open_session(now)).unwrap();
    net.with(asker, |engine, now| {
        engine.add_peer(session, other, now);
        engine.want(session, wanted.cid(), now)
    });
    net.run(secs(1));
    assert_eq!(net.nodes[asker].delivered.len(), 1);
}

#[test]
fn bs_03_flood_of_100_000_wants_keeps_1024_and_frees_them_on_disconnect() {
    let mut net = Net::new(1);
    let server = net.node(RATE);
    let flood = net.puppet(mute());
    net.connect(server, flood, ms(10));
    let entry = |number: u64| Entry {
        cid: Cid::new_v1(
            code::RAW,
            Multihash::hash(code::SHA2_256, &number.to_be_bytes()).unwrap(),
        ),
        priority: 1,
        cancel: false,
        kind: WantKind::Have,
        send_dont_have: false,
    };
    for part in 0..100_000 / 10_000 {
        let wants = (part * 10_000..(part + 1) * 10_000).map(entry).collect();
        net.say(flood, server, encode(&Outgoing { wants, ..Outgoing::default() }));
    }
    net.run(secs(5));
    let kept = net.engine(server).peer_stats(flood).unwrap().wants;
    assert_eq!(kept, 1024);
    // the first are kept: those after them are no more urgent
    let wants = vec![Entry { priority: 2, ..entry(200_000) }];
    net.say(flood, server, encode(&Outgoing { wants, ..Outgoing::default() }));
    net.run(secs(6));
    assert_eq!(net.engine(server).peer_stats(flood).unwrap().wants, 1024);
    assert_eq!(net.engine(server).bytes_in_memory(), 0);
    net.disconnect(server, flood);
    assert_eq!(net.engine(server).peer_stats(flood), None);
}

#[test]
fn bs_04_blocks_that_nobody_asked_for_are_dropped_and_the_third_closes() {
    let dag = Dag::file(1, 40, 64 * 1024, 1024);
    let (mut net, asker, holder, puppets) = cast(&dag, vec![mute()]);
    let session = net.download(asker, &dag, 64, &[holder]);
    for number in 0..u64::from(STRIKES) {
        assert!(net.is_connected(asker, puppets[0]));
        net.say(puppets[0], asker, blocks(&[block(1000 + number, 500)]));
        net.run(ms(100 * (number + 1)));
    }
    assert!(!net.is_connected(asker, puppets[0]));
    assert_eq!(net.nodes[asker].closed[0].2, CloseReason::Unasked);
    net.run_download(asker, session, secs(20));
    assert_eq!(net.nodes[asker].delivered.len(), dag.blocks.len());
    assert_eq!(net.engine(asker).stats().unasked_blocks, 3);
}

#[test]
fn bs_04_ten_thousand_unasked_blocks_none_delivered() {
    let mut net = Net::new(1);
    let asker = net.node(RATE);
    let liar = net.puppet(mute());
    net.connect(asker, liar, ms(10));
    for part in 0..10 {
        let all: Vec<_> = (0..1000).map(|number| block(part * 1000 + number, 16)).collect();
        net.say(liar, asker, blocks(&all));
    }
    net.run(secs(5));
    assert!(net.nodes[asker].delivered.is_empty() && net.nodes[asker].store.is_empty());
    assert!(!net.is_connected(asker, liar));
}

#[test]
fn bs_04_a_block_wanted_of_others_is_not_taken_from_a_stranger() {
    let wanted = block(1, 5000);
    let mut net = Net::new(1);
    let asker = net.node(RATE);
    let (asked, stranger) = (net.puppet(mute()), net.puppet(mute()));
    net.connect(asker, asked, ms(10));
    let session = net.with(asker, |engine, now| engine.open_session(now)).unwrap();
    net.with(asker, |engine, now| {
        engine.add_peer(session, asked, now);
        engine.want(session, wanted.cid(), now)
    });
    net.connect(asker, stranger, ms(10));
    net.run(ms(50));
    net.say(stranger, asker, blocks(std::slice::from_ref(&wanted)));
    net.run(ms(100));
    assert!(net.nodes[asker].delivered.is_empty());
    assert_eq!(net.engine(asker).stats().unasked_blocks, 1);
}

#[test]
fn bs_05_block_with_one_bit_flipped_never_satisfies_the_want_and_others_are_asked() {
    let dag = Dag::file(1, 40, 16 * 1024, 1024);
    // whatever it is asked for it sends, spoilt: a good block under another CID
    let originals = dag.blocks.clone();
    let liar = haver(move |cid| {
        let original = originals.iter().find(|block| block.cid() == cid)?;
        let mut bytes = original.bytes().to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let spoilt = Block::hash(cid.version(), cid.codec(), code::SHA2_256, bytes.into()).unwrap();
        Some(blocks(&[spoilt]))
    });
    let (mut net, asker, holder, puppets) = cast(&dag, vec![liar]);
    let session = net.download(asker, &dag, 64, &[puppets[0], holder]);
    let took = net.run_download(asker, session, secs(20));
    assert!(took < secs(2), "{took:?}");
    assert_eq!(net.nodes[asker].closed[0].1, puppets[0]);
    assert_eq!(net.nodes[asker].closed[0].2, CloseReason::Unasked);
    assert!(net.nodes[asker].downloads[&session].bytes_from(puppets[0]) == 0);
    // back again, it is not trusted with this session's wants
    let before = net.nodes[puppets[0]].heard.len();
    net.connect(asker, puppets[0], ms(10));
    net.run(secs(25));
    let after = &net.nodes[puppets[0]].heard[before..];
    assert!(after.iter().all(|(_, _, message)| message.wants.is_empty()));
}

#[test]
fn bs_06_prefix_with_an_unknown_hash_counts_as_unasked() {
    let mut net = Net::new(1);
    let asker = net.node(RATE);
    let liar = net.puppet(mute());
    net.connect(asker, liar, ms(10));
    // payload { prefix: v1 raw hash 0x1013 32, data: "a" }
    let bytes = vec![12, 0x1a, 10, 0x0a, 5, 1, 0x55, 0x93, 0x20, 32, 0x12, 1, b'a'];
    for _ in 0..3 {
        net.say(liar, asker, bytes.clone());
    }
    net.run(secs(1));
    assert_eq!(net.nodes[asker].closed[0].2, CloseReason::Unasked);
}

#[test]
fn bs_07_peer_that_says_have_and_never_sends_delays_a_second_and_no_more() {
    let dag = Dag::file(1, 40, 64 * 1024, 1024);
    let (mut net, asker, holder, puppets) = cast(&dag, vec![haver(|_| None), haver(|_| None)]);
    let hints = [puppets[0], puppets[1], holder];
    let session = net.download(asker, &dag, 64, &hints);
    let took = net.run_download(asker, session, secs(30)).as_secs_f64();
    let best = dag.bytes() as f64 / RATE;
    println!("{took:.2} s, at best {best:.2} s");
    // a second for the root, and one for the leaves that were asked of both meanwhile
    assert!(took < best + 2.5, "{took}");
    assert!(net.is_connected(asker, puppets[0]), "it answers pings");
}

#[test]
fn bs_07_a_peer_that_only_chats_owes_all_the_same() {
    let dag = Dag::file(1, 10, 64 * 1024, 1024);
    let (mut net, asker, holder, puppets) = cast(&dag, vec![mute()]);
    let session = net.download(asker, &dag, 64, &[puppets[0]]);
    for step in 0..40 {
        let (puppet, entry) = (puppets[0], Entry::cancel(dag.root().clone()));
        net.at(ms(step * 200), move |net| {
            let wants = vec![entry];
            net.say(puppet, asker, encode(&Outgoing { wants, ..Outgoing::default() }));
        });
    }
    // the honest one is a stranger: asked when the other turns out to be no help
    let took = net.run_download(asker, session, secs(10));
    assert!(took < secs(3), "{took:?}");
    assert!(net.nodes[asker].downloads[&session].bytes_from(holder) > 0);
}

#[test]
fn bs_08_slow_loris_is_closed_and_others_deliver() {
    for (some, every) in [(1, secs(9)), (1, ms(900)), (100, ms(500))] {
        let dag = Dag::file(1, 20, 64 * 1024, 1024);
        let (mut net, asker, holder, puppets) = cast(&dag, vec![mute()]);
        let session = net.download(asker, &dag, 64, &[puppets[0], holder]);
        net.run(ms(30));
        net.drip(puppets[0], asker, blocks(&dag.blocks[..1]), some, every);
        let took = net.run_download(asker, session, secs(60));
        net.run(secs(60));
        println!("{some} bytes every {every:?}: {took:?}");
        assert!(took < secs(14), "{took:?}");
        let (at, peer, reason) = net.nodes[asker].closed[0];
        assert_eq!((peer, reason), (puppets[0], CloseReason::Trickling));
        assert!(at - net.start < secs(20));
    }
}

#[test]
fn a_late_answer_is_excused_for_sixty_seconds_and_not_after() {
    for (after, strikes) in [(LATE, 0), (LATE + ms(1), 1)] {
        let wanted = block(1, 5000);
        let mut net = Net::new(1);
        let asker = net.node(RATE);
        let slow = net.puppet(mute());
        net.connect(asker, slow, ms(0));
        let session = net.with(asker, |engine, now| engine.open_session(now)).unwrap();
        net.with(asker, |engine, now| {
            engine.add_peer(session, slow, now);
            engine.want(session, wanted.cid(), now)
        });
        net.run(ms(100));
        net.with(asker, |engine, now| engine.cancel(session, wanted.cid(), now));
        let cancelled = net.now;
        net.run(ms(200));
        net.now = cancelled + after;
        let incoming = Message::default().into_incoming(vec![wanted.clone()], 0);
        net.with(asker, |engine, now| engine.handle_message(slow, incoming, now));
        assert_eq!(net.engine(asker).stats().unasked_blocks, strikes);
        assert_eq!(net.engine(asker).stats().surplus_blocks, 1 - strikes);
        assert!(net.nodes[asker].delivered.is_empty());
        // an excuse serves once
        let incoming = Message::default().into_incoming(vec![wanted.clone()], 0);
        net.with(asker, |engine, now| engine.handle_message(slow, incoming, now));
        assert_eq!(net.engine(asker).stats().unasked_blocks, strikes + 1);
    }
}

#[test]
fn what_was_asked_before_a_connection_was_replaced_may_still_be_answered() {
    let wanted: Vec<_> = (0..2).map(|number| block(number, 5000)).collect();
    let mut net = Net::new(1);
    let asker = net.node(RATE);
    let other = net.puppet(mute());
    net.connect(asker, other, ms(10));
    let session = net.with(asker, |engine, now| engine.open_session(now)).unwrap();
    net.with(asker, |engine, now| engine.add_peer(session, other, now));
    for wanted in &wanted {
        net.with(asker, |engine, now| engine.want(session, wanted.cid(), now)).unwrap().unwrap();
    }
    net.run(ms(100));
    // only one side notices: the other goes on with what it was asked
    net.with(asker, |engine, now| engine.close_session(session, now));
    net.with(asker, |engine, now| engine.handle_disconnected(other, now));
    net.run(ms(200));
    net.with(asker, |engine, now| engine.handle_connected(other, now));
    net.say(other, asker, blocks(&wanted));
    net.run(secs(1));
    assert!(net.nodes[asker].closed.is_empty() && net.nodes[asker].delivered.is_empty());
    let stats = net.engine(asker).stats();
    assert_eq!((stats.surplus_blocks, stats.unasked_blocks), (2, 0));
    let last = &net.nodes[other].heard.last().unwrap().2;
    assert!(last.full && last.wants.is_empty(), "and is told that nothing is wanted");
}

#[test]
fn who_does_not_read_is_closed_after_a_minute() {
    let dag = Dag::file(1, 4, 256 * 1024, 1024);
    let mut net = Net::new(1);
    // an uplink on which nothing moves
    let server = net.node(1e-3);
    let reader = net.puppet(mute());
    net.give(server, &dag.blocks);
    net.connect(server, reader, ms(10));
    let entry = |block: &Block| Entry {
        cid: block.cid().clone(),
        priority: 1,
        cancel: false,
        kind: WantKind::Block,
        send_dont_have: true,
    };
    let wants = dag.blocks.iter().map(entry).collect();
    net.say(reader, server, encode(&Outgoing { wants, ..Outgoing::default() }));
    net.run(secs(59));
    assert!(net.is_connected(server, reader));
    assert!(net.engine(server).bytes_in_memory() > 0);
    net.run(secs(62));
    assert_eq!(net.nodes[server].closed[0].2, CloseReason::NotReading);
    assert_eq!(net.engine(server).bytes_in_memory(), 0);
}

#[test]
fn a_lane_that_fails_three_times_closes_the_peer() {
    let mut net = Net::new(1);
    let (asker, other) = (net.node(1.0), net.node(RATE));
    net.connect(asker, other, ms(10));
    let dag = Dag::file(1, 1, 100, 2);
    net.download(asker, &dag, 4, &[other]);
    for step in 1..4 {
        net.run(secs(2 * step));
        net.with(asker, |engine, now| engine.handle_send_failed(other, Lane::Asking, now));
    }
    assert_eq!(net.nodes[asker].closed[0].2, CloseReason::Unreachable);
}
