//! Whole peers in one process: what one has, the others get, over the network alone.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod peers;
mod raw;

use avocet::{
    files::{Export, Part},
    peer::Event,
    platform,
};
use libp2p::identity::Keypair;
use peers::{add, address, connect, numbers, peer, read, within};

/// 5 MiB and a bit: several leaves and a root of both profiles.
const COUNT: u32 = 1_310_721;

#[test]
fn a_file_goes_from_peer_to_peer_and_on_from_the_second_when_the_first_is_gone() {
    platform::block_on(async {
        let (first, _) = peer().await;
        let cid = add(&first, COUNT).await;
        let (second, log) = peer().await;
        let from = address(&first).await;
        assert_eq!(read(&second, &cid, vec![from]).await, numbers(COUNT));
        let received = log.borrow().iter().filter(|e| matches!(e, Event::Received(_))).count();
        assert_eq!(received, 7, "six leaves and the root, each once");
        first.stop().await;
        let (third, _) = peer().await;
        let from = address(&second).await;
        assert_eq!(read(&third, &cid, vec![from]).await, numbers(COUNT));
    })
    .unwrap();
}

#[test]
fn a_want_of_a_dropped_session_is_cancelled_and_the_next_session_works() {
    platform::block_on(async {
        let (first, _) = peer().await;
        let (second, _) = peer().await;
        let from = address(&first).await;
        second.net().connect(from.clone()).await.unwrap();
        let cid = avocet_dag::Block::hash(
            avocet_dag::Version::V1,
            avocet_dag::code::RAW,
            avocet_dag::code::SHA2_256,
            bytes::Bytes::from_static(b"nobody has this"),
        )
        .unwrap()
        .cid()
        .clone();
        {
            let session = second.fetcher().session(cid.clone(), vec![from.clone()]);
            let want = session.get(&cid);
            futures::pin_mut!(want);
            for _ in 0..100 {
                assert!(futures::poll!(&mut want).is_pending());
                tokio::task::yield_now().await;
            }
            assert_eq!(second.net().exchange().stats().wants, 1);
        }
        assert_eq!(second.net().exchange().stats().wants, 0);
        let cid = add(&first, 10).await;
        assert_eq!(read(&second, &cid, vec![from]).await, numbers(10));
    })
    .unwrap();
}

#[test]
fn a_peer_that_waits_gets_the_block_as_soon_as_it_is_added() {
    platform::block_on(async {
        let (first, _) = peer().await;
        let (second, _) = peer().await;
        let from = address(&first).await;
        let (third, _) = peer().await;
        let cid = add(&third, 10).await;
        let path = cid.to_string();
        let waiting = Export::open(second.fetcher(), &path, Part::default(), vec![from]);
        futures::pin_mut!(waiting);
        for _ in 0..100 {
            assert!(futures::poll!(&mut waiting).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(add(&first, 10).await, cid);
        assert_eq!(waiting.await.unwrap().next().await.unwrap().unwrap().to_bytes(), numbers(10));
    })
    .unwrap();
}

#[test]
fn without_any_network_a_missing_block_is_an_error_at_once() {
    platform::block_on(async {
        let (alone, _) = peer().await;
        let (other, _) = peer().await;
        let cid = add(&other, 10).await;
        let error = alone.fetcher().session(cid.clone(), vec![]).get(&cid).await.unwrap_err();
        assert!(matches!(error, avocet::fetch::FetchError::Offline(of) if of == cid));
    })
    .unwrap();
}

/// Who speaks the protocol is known a round trip after the connection stands.
#[test]
fn a_peer_that_has_not_said_yet_what_it_speaks_is_network_enough() {
    platform::block_on(async {
        let (first, _) = peer().await;
        let cid = add(&first, 10).await;
        let (second, _) = peer().await;
        let _silent = connect(&second, &Keypair::generate_ed25519()).await;
        let connected = async {
            while second.net().peers().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        within(connected).await;
        assert_eq!(second.net().exchange().peers(), 0);
        let reading = read(&second, &cid, vec![]);
        futures::pin_mut!(reading);
        assert!(futures::poll!(&mut reading).is_pending());
        second.net().connect(address(&first).await).await.unwrap();
        assert_eq!(within(reading).await, numbers(10));
    })
    .unwrap();
}

#[test]
fn dialling_oneself_and_an_address_without_a_peer_are_errors() {
    use avocet::net::ConnectError;
    platform::block_on(async {
        let (peer, _) = peer().await;
        let own = address(&peer).await;
        assert!(matches!(peer.net().connect(own).await, Err(ConnectError::Ourselves(_))));
        let nobody = "/dns4/a.example/tcp/443/wss".parse().unwrap();
        assert!(matches!(peer.net().connect(nobody).await, Err(ConnectError::NoPeerId(_))));
        peer.stop().await;
    })
    .unwrap();
}
