//! Peers that break the layers below the exchange: yamux, Noise, identify. The ids are those of the catalogue of bad
//! inputs. What is asked each time: the connection goes, the peer serves others as before.

use crate::{
    peers::{Connection, add, address, connect, numbers, peer, read, within},
    raw::{self, DATA, FIN, RST, SYN, WINDOW_UPDATE, data, head, propose},
};
use avocet::{peer::Peer, platform};
use avocet_bitswap::wire;
use avocet_dag::code;
use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt,
    future::{Either, join, select},
};
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        PeerRecord,
        transport::{ListenerId, MemoryTransport},
    },
    identity::Keypair,
    multiaddr::Protocol,
};
use std::{
    collections::{HashMap, HashSet},
    pin::pin,
};

/// An honest peer gets a file from `peer`.
async fn still_serves(peer: &Peer) {
    let cid = add(peer, 1000).await;
    let (other, _) = crate::peers::peer().await;
    assert_eq!(read(&other, &cid, vec![address(peer).await]).await, numbers(1000));
    other.stop().await;
}

#[test]
fn net_01_window_update_near_the_maximum_is_an_error_of_its_connection_alone() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        for frames in [
            head(WINDOW_UPDATE, SYN, 1, u32::MAX),
            head(WINDOW_UPDATE, SYN, 1, u32::MAX - 262_143),
            [head(WINDOW_UPDATE, SYN, 1, 0), head(WINDOW_UPDATE, 0, 1, u32::MAX)].concat(),
            [head(WINDOW_UPDATE, SYN, 1, u32::MAX / 2), head(WINDOW_UPDATE, 0, 1, u32::MAX - 1)]
                .concat(),
        ] {
            let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
            connection.send(&frames).await.unwrap();
            assert!(within(connection.refused()).await);
        }
        still_serves(&victim).await;
    })
    .unwrap();
}

#[test]
fn net_02_first_data_beyond_the_window_is_an_error_of_its_connection_alone() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        for frames in [
            data(SYN, 1, &vec![0; 262_145]),
            // a claim alone, and nothing behind it
            head(DATA, SYN, 1, u32::MAX),
        ] {
            let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
            // it may be over before all is written
            let _ = connection.send(&frames).await;
            assert!(within(connection.refused()).await);
        }
        still_serves(&victim).await;
    })
    .unwrap();
}

#[test]
fn net_07_flipped_or_replayed_ciphertext_closes_the_connection() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        for replay in [false, true] {
            let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
            match replay {
                true => connection.spoil.replay(),
                false => connection.spoil.flip(),
            }
            connection.send(&head(WINDOW_UPDATE, SYN, 1, 0)).await.unwrap();
            within(connection.closed()).await;
        }
        still_serves(&victim).await;
    })
    .unwrap();
}

/// A message with its length, on a stream of its own that ends with it. Below the 256 KiB that a stream may carry
/// unasked.
fn on_a_stream(stream: u32, message: &wire::Outgoing) -> Vec<u8> {
    let message = wire::encode(message).unwrap();
    data(SYN | FIN, stream, &[propose(wire::PROTOCOL), message].concat())
}

fn block(number: u32) -> avocet_dag::Block {
    let bytes = number.to_be_bytes().to_vec().into();
    avocet_dag::Block::hash(avocet_dag::Version::V1, code::RAW, code::SHA2_256, bytes).unwrap()
}

/// A line of a want list for a block of [`block`].
fn want(number: u32, kind: wire::WantKind) -> wire::Entry {
    let cid = block(number).cid().clone();
    wire::Entry { cid, priority: 1, cancel: false, kind, send_dont_have: true }
}

#[test]
fn bs_03_a_peer_that_is_sent_a_hundred_thousand_wants_still_serves_others() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        let connection = connect(&victim, &Keypair::generate_ed25519()).await;
        let (mut reader, mut writer) = connection.noise.split();
        let flood = async {
            for part in 0..20 {
                let entry = |number| want(number, wire::WantKind::Have);
                let wants = (part * 5000..(part + 1) * 5000).map(entry).collect();
                let message = wire::Outgoing { wants, ..wire::Outgoing::default() };
                writer.write_all(&on_a_stream(2 * part + 1, &message)).await.unwrap();
                writer.flush().await.unwrap();
            }
        };
        // the DONT_HAVEs that come of it are read, as far as the window goes
        let read = async { while raw::next(&mut reader).await.is_some() {} };
        let work = async {
            flood.await;
            still_serves(&victim).await;
            victim.stop().await;
        };
        within(join(work, read)).await;
    })
    .unwrap();
}

#[test]
fn bs_04_of_ten_thousand_wrong_blocks_none_is_stored_and_the_sender_is_dropped() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        let own = Keypair::generate_ed25519();
        let mut connection = connect(&victim, &own).await;
        for part in 0..10 {
            let blocks = (part * 1000..(part + 1) * 1000).map(block).collect();
            let message = wire::Outgoing { blocks, ..wire::Outgoing::default() };
            // it is dropped before all of them are there
            let _ = connection.send(&on_a_stream(2 * part + 1, &message)).await;
        }
        within(connection.closed()).await;
        assert_eq!(victim.store().usage().await.unwrap().blocks, 0);
        assert!(victim.net().peers().iter().all(|info| info.id != own.public().to_peer_id()));
        still_serves(&victim).await;
    })
    .unwrap();
}

#[test]
fn bs_09_of_ten_thousand_streams_all_but_128_are_reset() {
    const STREAMS: u32 = 10_000;
    platform::block_on(async {
        let (victim, _) = peer().await;
        let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
        // the beginning of a message: a stream that rests after one would make way for another
        let begun = [propose(wire::PROTOCOL), vec![200, 1, 0]].concat();
        let (mut opened, mut reset) = (0, HashSet::new());
        while opened < STREAMS {
            for _ in 0..40 {
                connection.send(&data(SYN, 2 * opened + 1, &begun)).await.unwrap();
                opened += 1;
            }
            // a hang if one more than 128 is kept
            while opened as usize - reset.len() > 128 {
                let frame = within(connection.next()).await.unwrap();
                if frame.flags & RST != 0 {
                    assert!(reset.insert(frame.stream));
                }
            }
        }
        still_serves(&victim).await;
        assert_eq!(STREAMS as usize - reset.len(), 128);
    })
    .unwrap();
}

/// As Kubo does it: one stream for what it asks, at rest most of the time, and another for each answer.
#[test]
fn the_stream_by_which_a_peer_asks_outlives_those_of_one_message() {
    const ANSWERS: u32 = 400;
    platform::block_on(async {
        let (victim, _) = peer().await;
        let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
        let encode = |message: &wire::Outgoing| wire::encode(message).unwrap();
        let wants = vec![want(1, wire::WantKind::Block)];
        let want = wire::Outgoing { wants, ..wire::Outgoing::default() };
        let asking = [propose(wire::PROTOCOL), encode(&want)].concat();
        let begin = [propose(wire::PROTOCOL), encode(&wire::Outgoing::default())].concat();
        connection.send(&data(SYN, 1, &asking)).await.unwrap();
        for number in 1..=ANSWERS {
            connection.send(&data(SYN, 2 * number + 1, &begin)).await.unwrap();
        }
        let mut reset = HashSet::new();
        while ANSWERS as usize + 1 - reset.len() > 128 {
            let frame = within(connection.next()).await.unwrap();
            if frame.flags & RST != 0 {
                reset.insert(frame.stream);
            }
        }
        assert!(!reset.contains(&1), "the one that brought a want stays");
        still_serves(&victim).await;
    })
    .unwrap();
}

#[test]
fn bs_09_a_flood_that_reads_nothing_is_cut_off_or_stands_still() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        let mut connection = connect(&victim, &Keypair::generate_ed25519()).await;
        let flood = async {
            for number in 0..10_000 {
                connection.send(&data(SYN, 2 * number + 1, &propose(wire::PROTOCOL))).await?;
            }
            Ok::<_, std::io::Error>(())
        };
        let mut flood = pin!(flood);
        // whether it is cut off or waits for ever, others are served meanwhile
        let others = async {
            within(still_serves(&victim)).await;
            within(still_serves(&victim)).await;
        };
        if let Either::Left((flooded, others)) = select(&mut flood, pin!(others)).await {
            assert!(flooded.is_err(), "all of it was taken");
            others.await;
        }
    })
    .unwrap();
}

#[test]
fn net_06_record_signed_by_another_peer_is_not_believed() {
    platform::block_on(async {
        let (victim, _) = peer().await;
        let (own, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        // whoever believed the record would dial this
        let lure: Multiaddr = Multiaddr::empty().with(Protocol::Memory(606_606));
        let mut trap = MemoryTransport::default();
        trap.listen_on(ListenerId::next(), lure.clone()).unwrap();
        let mut trap = trap.boxed();
        let record = PeerRecord::new(&other, vec![lure]).unwrap();
        let forged = identify(&own, &record.into_signed_envelope().into_protobuf_encoding());
        let mut connection = connect(&victim, &own).await;
        answer_identify(&mut connection, &forged).await;
        let (id, of_record) = (own.public().to_peer_id(), other.public().to_peer_id());
        let believed = async {
            while !known(&victim, id, "forger") {
                let _ = connection.next().now_or_never();
                tokio::task::yield_now().await;
            }
        };
        within(believed).await;
        assert!(!victim.net().peers().iter().any(|info| info.id == of_record));
        still_serves(&victim).await;
        let mut dialled = 0;
        while let Some(Some(event)) = futures::StreamExt::next(&mut trap).now_or_never() {
            dialled += usize::from(event.is_upgrade());
        }
        assert_eq!(dialled, 0);
    })
    .unwrap();
}

fn known(peer: &Peer, id: PeerId, agent: &str) -> bool {
    peer.net().peers().iter().any(|info| info.id == id && info.agent == agent)
}

/// A message of identify: the key, an agent, and a signed record.
fn identify(own: &Keypair, record: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (number, bytes) in
        [(1, own.public().encode_protobuf().as_slice()), (6, b"forger"), (8, record)]
    {
        body.push(number << 3 | 2);
        avocet_dag::varint::write(bytes.len() as u64, &mut body);
        body.extend(bytes);
    }
    let mut message = Vec::new();
    avocet_dag::varint::write(body.len() as u64, &mut message);
    message.extend(body);
    message
}

/// Takes the streams that the other opens, and answers the one that asks who we are.
async fn answer_identify(connection: &mut Connection, message: &[u8]) {
    let mut asked = HashMap::<u32, Vec<u8>>::new();
    loop {
        let frame = connection.next().await.unwrap();
        if frame.kind != DATA || frame.stream % 2 == 1 {
            continue;
        }
        let bytes = asked.entry(frame.stream).or_default();
        bytes.extend(frame.body);
        let proposed = propose("/ipfs/id/1.0.0");
        if bytes.starts_with(&proposed) {
            let answer = [proposed, message.to_vec()].concat();
            connection.send(&data(FIN, frame.stream, &answer)).await.unwrap();
            return;
        }
    }
}
