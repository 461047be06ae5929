//! The addresses of `/webrtc-direct`:
//! `/ip4|ip6/…/udp/<port>/webrtc-direct/certhash/<hash>…/p2p/<peer>`.

use std::net::IpAddr;

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use thiserror::Error;

use super::sdp::Fingerprint;

/// Hashes that an address may name: a server whose certificate is about to change names the old
/// one and the next, and each costs an attempt.
pub const MAX_CERTHASHES: usize = 4;

/// The multihash code of SHA-256, the one hash that the specification requires, and the one by
/// which browsers tell their own certificate's.
const SHA2_256: u64 = 0x12;

/// Why an address is not dialled here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Of another form: for another transport.
    #[error("not a /webrtc-direct address")]
    NotDirect,
    /// Port 0 can be listened on, not dialled.
    #[error("a /webrtc-direct address with port 0")]
    NoPort,
    /// Without the hash nobody could say whether it is the right server.
    #[error("a /webrtc-direct address without /certhash")]
    NoCerthash,
    /// More than [`MAX_CERTHASHES`].
    #[error("a /webrtc-direct address with more than {MAX_CERTHASHES} certificate hashes")]
    TooManyCerthashes,
    /// None of its hashes is one that a browser can compute of its own certificate too.
    #[error("certificate hash function 0x{0:x} is not supported, only SHA-256 is")]
    UnsupportedHash(u64),
    /// A browser resolves no name that a candidate has: tried with Chromium 156 and Firefox 153.
    #[error("a /webrtc-direct address needs an IP address: browsers resolve no names here")]
    Name,
    /// A hash that says it is SHA-256 and cannot be.
    #[error("a SHA-256 certificate hash of {0} bytes")]
    HashLength(usize),
}

/// A server, as its address tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub host: IpAddr,
    /// Its UDP port, not 0.
    pub port: u16,
    /// What its certificate may be: one to [`MAX_CERTHASHES`], in the address's order.
    pub certificates: Vec<Fingerprint>,
    /// Who it is, where the address says so.
    pub peer: Option<PeerId>,
}

impl Target {
    /// Reads an address. Hashes of unknown functions are passed over as long as a known one stands
    /// beside them.
    pub fn parse(address: &Multiaddr) -> Result<Self, AddressError> {
        let mut protocols = address.iter();
        let host = match protocols.next() {
            Some(Protocol::Ip4(ip)) => Ok(ip.into()),
            Some(Protocol::Ip6(ip)) => Ok(ip.into()),
            Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)) => {
                Err(AddressError::Name)
            }
            _ => return Err(AddressError::NotDirect),
        };
        let (Some(Protocol::Udp(port)), Some(Protocol::WebRTCDirect)) =
            (protocols.next(), protocols.next())
        else {
            return Err(AddressError::NotDirect);
        };
        let mut hashes = Vec::new();
        let mut next = protocols.next();
        while let Some(Protocol::Certhash(hash)) = next {
            if hashes.len() == MAX_CERTHASHES {
                return Err(AddressError::TooManyCerthashes);
            }
            hashes.push(fingerprint(hash.code(), hash.digest()));
            next = protocols.next();
        }
        let peer = match next {
            None => None,
            Some(Protocol::P2p(peer)) if protocols.next().is_none() => Some(peer),
            Some(_) => return Err(AddressError::NotDirect),
        };
        let host = host?;
        if port == 0 {
            return Err(AddressError::NoPort);
        }
        let unusable = hashes.iter().find_map(|hash| hash.err());
        let certificates: Vec<_> = hashes.into_iter().flatten().collect();
        if certificates.is_empty() {
            return Err(unusable.unwrap_or(AddressError::NoCerthash));
        }
        Ok(Self { host, port, certificates, peer })
    }
}

fn fingerprint(code: u64, digest: &[u8]) -> Result<Fingerprint, AddressError> {
    if code != SHA2_256 {
        return Err(AddressError::UnsupportedHash(code));
    }
    digest.try_into().map(Fingerprint).map_err(|_| AddressError::HashLength(digest.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "12D3KooWH3uVF6wv47WnArKHk5p6cvgCJEb74UTmxztmQDc298L3";
    /// The SHA-256 multihashes of 32 bytes 0x01 and of 32 bytes 0x02, as base64url.
    const ONE: &str = "uEiABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";
    const TWO: &str = "uEiACAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg";

    fn of(address: &str) -> Result<Target, AddressError> {
        Target::parse(&address.parse().unwrap())
    }

    /// An address with one certificate hash of this function and digest.
    fn hashed(code: u8, digest: &[u8]) -> Multiaddr {
        let mut bytes: Multiaddr = "/ip4/1.2.3.4/udp/1/webrtc-direct".parse().unwrap();
        let hash = [&[code, digest.len() as u8], digest].concat();
        // 466: /certhash, whose value is prefixed by its length
        let tail = [&[0xd2, 0x03, hash.len() as u8], &hash[..]].concat();
        let whole = [bytes.to_vec(), tail].concat();
        bytes = whole.try_into().unwrap();
        bytes
    }

    #[test]
    fn every_form_of_host_is_read() {
        for (host, shown) in [("/ip4/1.2.3.4", "1.2.3.4"), ("/ip6/2001:db8::1", "2001:db8::1")] {
            let address = format!("{host}/udp/4001/webrtc-direct/certhash/{ONE}");
            let target = of(&address).unwrap();
            assert_eq!((target.host.to_string(), target.port), (shown.to_owned(), 4001));
            assert_eq!(target.certificates, [Fingerprint([1; 32])]);
            assert_eq!(target.peer, None);
            let named = of(&format!("{address}/p2p/{PEER}")).unwrap();
            assert_eq!(named.peer, Some(PEER.parse().unwrap()));
        }
    }

    #[test]
    fn several_hashes_keep_their_order() {
        let both = of(&format!("/ip4/1.2.3.4/udp/1/webrtc-direct/certhash/{ONE}/certhash/{TWO}"));
        let expected = [Fingerprint([1; 32]), Fingerprint([2; 32])];
        assert_eq!(both.unwrap().certificates, expected);
        let many = format!("/certhash/{ONE}").repeat(MAX_CERTHASHES + 1);
        let many = of(&format!("/ip4/1.2.3.4/udp/1/webrtc-direct{many}"));
        assert_eq!(many, Err(AddressError::TooManyCerthashes));
    }

    #[test]
    fn other_hash_functions_are_refused_by_name_and_passed_over_beside_one_that_is_known() {
        let sha512 = hashed(0x13, &[3; 64]);
        assert_eq!(Target::parse(&sha512), Err(AddressError::UnsupportedHash(0x13)));
        assert_eq!(Target::parse(&hashed(0x12, &[1; 20])), Err(AddressError::HashLength(20)));
        let beside: Multiaddr = format!("{sha512}/certhash/{ONE}").parse().unwrap();
        assert_eq!(Target::parse(&beside).unwrap().certificates, [Fingerprint([1; 32])]);
    }

    #[test]
    fn what_is_no_dialable_address_says_why() {
        for (address, error) in [
            ("/ip4/1.2.3.4/udp/1/webrtc-direct", AddressError::NoCerthash),
            (&format!("/ip4/1.2.3.4/udp/0/webrtc-direct/certhash/{ONE}"), AddressError::NoPort),
            (&format!("/ip4/1.2.3.4/tcp/1/webrtc-direct/certhash/{ONE}"), AddressError::NotDirect),
            (&format!("/udp/1/webrtc-direct/certhash/{ONE}"), AddressError::NotDirect),
            ("/ip4/1.2.3.4/udp/1/quic-v1", AddressError::NotDirect),
            ("/ip4/1.2.3.4/tcp/1/ws", AddressError::NotDirect),
        ] {
            assert_eq!(of(address), Err(error), "{address}");
        }
        assert_eq!(Target::parse(&Multiaddr::empty()), Err(AddressError::NotDirect));
    }

    #[test]
    fn a_circuit_behind_it_is_another_transport_s() {
        let relay = format!("/ip4/1.2.3.4/udp/1/webrtc-direct/certhash/{ONE}/p2p/{PEER}");
        for tail in ["/p2p-circuit", "/p2p-circuit/webrtc"] {
            let address = format!("{relay}{tail}/p2p/{PEER}");
            assert_eq!(of(&address), Err(AddressError::NotDirect), "{address}");
        }
    }

    #[test]
    fn a_name_is_refused_by_name() {
        for host in ["/dns/a.example", "/dns4/a.example", "/dns6/a.example"] {
            let address = format!("{host}/udp/1/webrtc-direct/certhash/{ONE}");
            assert_eq!(of(&address), Err(AddressError::Name), "{address}");
            let websocket = format!("{host}/tcp/1/ws");
            assert_eq!(of(&websocket), Err(AddressError::NotDirect), "{websocket}");
        }
    }

    proptest! {
        #[test]
        fn any_hash_is_read_or_refused(
            code in any::<u8>().prop_filter("one byte of varint", |code| *code < 0x80),
            digest in prop::collection::vec(any::<u8>(), 0..=64),
        ) {
            match Target::parse(&hashed(code, &digest)) {
                Ok(target) => prop_assert_eq!(&target.certificates[0].0[..], &digest[..]),
                Err(AddressError::UnsupportedHash(found)) => prop_assert_eq!(found, u64::from(code)),
                Err(error) => prop_assert_eq!(error, AddressError::HashLength(digest.len())),
            }
        }
    }
}
