use std::time::Duration;

use libp2p::multihash::Multihash;
use proptest::prelude::*;

use super::*;

const SMALL: Bounds = Bounds { records: 24, providers: 6, keys_per_peer: 8, providers_per_key: 4 };

/// One thing that may happen to the store; time goes on by one second with each.
#[derive(Debug, Clone)]
enum Step {
    Add { peer: u8, key: u8 },
    Remove { peer: u8, key: u8 },
    Here { peer: u8, here: bool },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..12, 0u8..16).prop_map(|(peer, key)| Step::Add { peer, key }),
        1 => (0u8..12, 0u8..16).prop_map(|(peer, key)| Step::Remove { peer, key }),
        1 => (0u8..12, any::<bool>()).prop_map(|(peer, here)| Step::Here { peer, here }),
        1 => Just(Step::Sweep),
    ]
}

fn peer(n: u8) -> PeerId {
    let digest = Multihash::wrap(0, &[8, 1, 18, 1, n]).unwrap();
    PeerId::from_multihash(digest).unwrap()
}

fn key(n: u8) -> RecordKey {
    RecordKey::new(&[n; 34])
}

fn address(n: u8) -> Multiaddr {
    format!("/ip4/192.0.2.{n}/tcp/1/ws/p2p/{}/p2p-circuit/webrtc/p2p/{}", peer(255), peer(n))
        .parse()
        .unwrap()
}

fn record(n: u8, k: u8, expires: Instant) -> ProviderRecord {
    ProviderRecord {
        key: key(k),
        provider: peer(n),
        expires: Some(expires.into_std()),
        addresses: vec![address(n)],
    }
}

/// A point to count from; which one it is, is of no concern.
fn start() -> Instant {
    Instant::now()
}

/// Both maps say the same, and no bound is passed.
fn check(records: &Records) -> std::result::Result<(), TestCaseError> {
    let pairs: usize = records.peers.values().map(|p| p.keys.len()).sum();
    prop_assert_eq!(pairs, records.len());
    prop_assert_eq!(records.holders.values().map(HashSet::len).sum::<usize>(), records.len());
    for (key, holders) in &records.holders {
        prop_assert!(!holders.is_empty() && holders.len() <= records.bounds.providers_per_key);
        prop_assert!(holders.iter().all(|peer| records.peers[peer].keys.contains_key(key)));
    }
    prop_assert!(records.len() <= records.bounds.records);
    prop_assert!(records.peers.len() <= records.bounds.providers);
    let fits = |p: &Provider| !p.keys.is_empty() && p.keys.len() <= records.bounds.keys_per_peer;
    prop_assert!(records.peers.values().all(fits));
    Ok(())
}

proptest! {
    #[test]
    fn bounds_hold_whatever_happens(steps in prop::collection::vec(step(), 0..400)) {
        let mut records = Records::with_bounds(SMALL);
        let (mut now, ttl) = (start(), Duration::from_secs(60));
        for step in steps {
            now += Duration::from_secs(1);
            match step {
                Step::Add { peer: p, key: k } => {
                    let added = records.add_provider(record(p, k, now + ttl)).is_ok();
                    let found = records.providers(&key(k)).iter().any(|r| r.provider == peer(p));
                    prop_assert_eq!(added, found);
                }
                Step::Remove { peer: p, key: k } => records.remove_provider(&key(k), &peer(p)),
                Step::Here { peer: p, here } => records.set_here(peer(p), here),
                Step::Sweep => {
                    records.sweep(now);
                    prop_assert!(records.peers.values().all(|p| p.keys.values().all(|e| *e > now)));
                }
            }
            check(&records)?;
        }
    }
}

#[test]
fn more_than_libp2ps_own_store_takes() {
    let mut records = Records::default();
    let expires = start() + limits::RECORD_TTL;
    for n in 0..4000u32 {
        let key = RecordKey::new(&n.to_be_bytes());
        let record = ProviderRecord { key, ..record(1, 0, expires) };
        records.add_provider(record).unwrap();
    }
    assert_eq!(records.len(), 4000);
}

#[test]
fn one_peer_cannot_take_more_than_its_share() {
    let mut records = Records::with_bounds(SMALL);
    let expires = start() + limits::RECORD_TTL;
    let taken = (0..200).filter(|k| records.add_provider(record(1, *k, expires)).is_ok()).count();
    assert_eq!(taken, SMALL.keys_per_peer);
    records.add_provider(record(2, 0, expires)).unwrap();
}

#[test]
fn when_all_is_full_the_fullest_pays() {
    let mut records = Records::with_bounds(SMALL);
    let start = start();
    for n in 0..24 {
        let expires = start + Duration::from_secs(n.into());
        records.add_provider(record(n / 8, n % 8 + n, expires)).unwrap();
    }
    records.add_provider(record(9, 200, start)).unwrap();
    assert_eq!(records.len(), SMALL.records);
    assert_eq!(records.providers(&key(200)).len(), 1);
}

#[test]
fn those_connected_come_first_then_the_newest() {
    let mut records = Records::default();
    let start = start();
    for n in 1..=3 {
        let expires = start + Duration::from_secs(n.into());
        records.add_provider(record(n, 7, expires)).unwrap();
    }
    records.set_here(peer(1), true);
    let order: Vec<_> = records.providers(&key(7)).into_iter().map(|r| r.provider).collect();
    assert_eq!(order, [peer(1), peer(3), peer(2)]);
}

#[test]
fn new_addresses_serve_for_all_keys_and_none_leave_the_old() {
    let mut records = Records::default();
    let expires = start() + limits::RECORD_TTL;
    records.add_provider(record(1, 1, expires)).unwrap();
    let moved: Multiaddr = "/ip4/198.51.100.1/tcp/1/ws/p2p-circuit/webrtc".parse().unwrap();
    let record = |k, addresses| ProviderRecord { addresses, ..record(1, k, expires) };
    records.add_provider(record(2, vec![moved.clone()])).unwrap();
    assert_eq!(records.providers(&key(1))[0].addresses[0], moved);
    records.add_provider(record(3, vec![])).unwrap();
    assert_eq!(records.providers(&key(1))[0].addresses, [moved]);
}

#[test]
fn addresses_are_few_short_and_its_own() {
    let mut records = Records::default();
    let expires = start() + limits::RECORD_TTL;
    let long = format!("/dns4/{}/tcp/1/ws", vec!["a"; 300].join("."));
    let mut addresses = vec![long.parse().unwrap(), address(2), Multiaddr::empty()];
    addresses.extend((0..50).map(|n| format!("/ip4/192.0.2.{n}/tcp/1/ws").parse().unwrap()));
    let record = ProviderRecord { addresses, ..record(1, 1, expires) };
    records.add_provider(record).unwrap();
    let kept = &records.providers(&key(1))[0].addresses;
    assert_eq!(kept.len(), limits::ADDRESSES_PER_PEER);
    assert_eq!(kept[0].to_string(), "/ip4/192.0.2.0/tcp/1/ws");
}

#[test]
fn long_keys_and_values_are_refused() {
    let mut records = Records::default();
    let expires = start() + limits::RECORD_TTL;
    let key = RecordKey::new(&vec![1; limits::KEY_BYTES + 1]);
    let long = ProviderRecord { key: key.clone(), ..record(1, 1, expires) };
    assert!(matches!(records.add_provider(long), Err(Error::ValueTooLarge)));
    assert!(records.put(Record::new(key, vec![])).is_err());
    assert_eq!(records.len(), 0);
}
