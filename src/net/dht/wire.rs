//! The DHT's messages, as far as a client needs them (specification: Kademlia DHT, `RPC messages`).
//!
//! On a stream every message follows its length, an unsigned varint; one request a stream, and its answer.

use avocet_dag::{
    proto::{Fields, ProtoError, Value},
    varint,
};
use bytes::Bytes;
use libp2p::{Multiaddr, PeerId};
use std::ops::Range;

/// The largest answer without its length. rust-libp2p's servers send 16 KiB at the most, go-libp2p's allow 4 MiB; twenty
/// servers and a hundred providers with a dozen addresses each take some 100 KiB.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// Closer peers read of one answer: the k of the DHT.
const MAX_CLOSER: usize = 20;
/// Providers read of one answer: as many as a query hands out.
const MAX_PROVIDERS: usize = 100;
/// Addresses read of one peer. Kubo tells about 20: each transport by each of its hosts.
const MAX_ADDRS: usize = 32;

/// What is asked of a server. The numbers are those of the message's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Remember that we have it. Has no answer.
    AddProvider = 2,
    /// Who has it, and who is closer.
    GetProviders = 3,
    /// Who is closer.
    FindNode = 4,
}

/// A peer and where it says that it is: unchecked, but for each address leading to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub id: PeerId,
    /// Where; each ends with `/p2p/<id>`.
    pub addrs: Vec<Multiaddr>,
}

/// What a server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Servers that it holds for closer to the key; at most 20.
    pub closer: Vec<Contact>,
    /// Who has what the key stands for; at most 100.
    pub providers: Vec<Contact>,
}

/// Why bytes are no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The length is above [`MAX_MESSAGE`].
    #[error("a message of {0} bytes is over 16 KiB")]
    TooLarge(u64),
    /// The length is no varint in its shortest form.
    #[error("malformed message length: {0}")]
    Length(#[from] varint::VarintError),
    /// Not protobuf.
    #[error("malformed message: {0}")]
    Proto(#[from] ProtoError),
}

/// A request about `key`, with its length before it. `provider` is who adds itself.
pub fn request(kind: Kind, key: &[u8], provider: Option<&Contact>) -> Bytes {
    let mut body = vec![1 << 3, kind as u8];
    field(2, key, &mut body);
    if let Some(provider) = provider {
        let mut peer = Vec::new();
        field(1, &provider.id.to_bytes(), &mut peer);
        for addr in &provider.addrs {
            field(2, addr.as_ref(), &mut peer);
        }
        field(9, &peer, &mut body);
    }
    let mut out = Vec::with_capacity(varint::MAX_LEN + body.len());
    varint::write(body.len() as u64, &mut out);
    out.append(&mut body);
    out.into()
}

/// Where the message lies in what has come so far; `None` while its length is not in.
pub fn frame(bytes: &[u8]) -> Result<Option<Range<usize>>, WireError> {
    match varint::read(bytes) {
        Ok((len, _)) if len > MAX_MESSAGE as u64 => Err(WireError::TooLarge(len)),
        Ok((len, start)) => Ok(Some(start..start + len as usize)),
        Err(varint::VarintError::Truncated) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads an answer, without its length. A peer without a valid id is left out, and so is an address that cannot be
/// read or that leads to another peer.
pub fn decode(message: &[u8]) -> Result<Reply, WireError> {
    let mut reply = Reply::default();
    let mut fields = Fields::new(message);
    while let Some(next) = fields.next()? {
        let (list, limit, range) = match next {
            (8, Value::Bytes(range)) => (&mut reply.closer, MAX_CLOSER, range),
            (9, Value::Bytes(range)) => (&mut reply.providers, MAX_PROVIDERS, range),
            _ => continue,
        };
        if list.len() < limit {
            list.extend(contact(&message[range])?);
        }
    }
    Ok(reply)
}

fn contact(bytes: &[u8]) -> Result<Option<Contact>, WireError> {
    let (mut id, mut addrs) = (None, Vec::new());
    let mut fields = Fields::new(bytes);
    while let Some(next) = fields.next()? {
        match next {
            (1, Value::Bytes(range)) => id = PeerId::from_bytes(&bytes[range]).ok(),
            (2, Value::Bytes(range)) if addrs.len() < MAX_ADDRS => addrs.push(range),
            _ => {}
        }
    }
    Ok(id.map(|id| {
        let read = |range: Range<usize>| {
            Multiaddr::try_from(bytes[range].to_vec()).ok()?.with_p2p(id).ok()
        };
        Contact { id, addrs: addrs.into_iter().filter_map(read).collect() }
    }))
}

fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint::write(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::multiaddr::Protocol;
    use proptest::{prelude::*, test_runner::RngSeed};

    fn peer(number: u64) -> PeerId {
        let digest = libp2p::multihash::Multihash::wrap(0, &number.to_be_bytes()).unwrap();
        PeerId::from_multihash(digest).unwrap()
    }

    fn written(contact: &Contact, number: u8, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        field(1, &contact.id.to_bytes(), &mut bytes);
        contact.addrs.iter().for_each(|addr| field(2, addr.as_ref(), &mut bytes));
        field(number, &bytes, out);
    }

    fn contacts(most: usize) -> impl Strategy<Value = Vec<Contact>> {
        let contact =
            (any::<u64>(), prop::collection::vec(any::<u16>(), 0..4)).prop_map(|(n, ports)| {
                let id = peer(n);
                let host: Multiaddr = "/dns4/a.example".parse().unwrap();
                let at = |port| host.clone().with(Protocol::Tcp(port)).with(Protocol::P2p(id));
                Contact { id, addrs: ports.into_iter().map(at).collect() }
            });
        prop::collection::vec(contact, 0..most)
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..Default::default() })]

        #[test]
        fn what_a_server_writes_is_read(closer in contacts(20), providers in contacts(30)) {
            let mut bytes = vec![1 << 3, 3, 10 << 3, 7];
            closer.iter().for_each(|one| written(one, 8, &mut bytes));
            providers.iter().for_each(|one| written(one, 9, &mut bytes));
            prop_assert_eq!(decode(&bytes), Ok(Reply { closer, providers }));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = frame(&bytes);
            let _ = decode(&bytes);
        }

        #[test]
        fn a_spoilt_answer_is_read_or_refused(
            closer in contacts(20),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = vec![1 << 3, 4];
            closer.iter().for_each(|one| written(one, 8, &mut bytes));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&bytes[..cut.index(bytes.len())]);
            if let Ok(reply) = decode(&bytes) {
                prop_assert!(reply.closer.len() <= MAX_CLOSER);
            }
        }

        #[test]
        fn a_request_is_a_frame(key in prop::collection::vec(any::<u8>(), 0..100)) {
            let whole = request(Kind::FindNode, &key, None);
            let range = frame(&whole).unwrap().unwrap();
            prop_assert_eq!(range.end, whole.len());
            prop_assert_eq!(decode(&whole[range]), Ok(Reply::default()));
        }
    }

    #[test]
    fn net_05_more_peers_and_addresses_than_anybody_has_are_not_kept() {
        let addrs = (0..100).map(|port| format!("/dns4/a.example/tcp/{port}").parse().unwrap());
        let contact = Contact { id: peer(1), addrs: addrs.collect() };
        let mut bytes = Vec::new();
        for _ in 0..500 {
            written(&contact, 8, &mut bytes);
            written(&contact, 9, &mut bytes);
        }
        let reply = decode(&bytes).unwrap();
        assert_eq!((reply.closer.len(), reply.providers.len()), (MAX_CLOSER, MAX_PROVIDERS));
        assert!(reply.closer.iter().all(|one| one.addrs.len() == MAX_ADDRS));
    }

    #[test]
    fn an_address_of_somebody_else_and_a_peer_without_an_id_are_left_out() {
        let other = Contact {
            id: peer(1),
            addrs: vec![
                "/dns4/a.example".parse::<Multiaddr>().unwrap().with(Protocol::P2p(peer(2))),
            ],
        };
        let mut bytes = Vec::new();
        written(&other, 8, &mut bytes);
        field(8, &[1 << 3 | 2, 2, 9, 9], &mut bytes);
        field(8, &[], &mut bytes);
        let closer = vec![Contact { id: peer(1), addrs: vec![] }];
        assert_eq!(decode(&bytes), Ok(Reply { closer, providers: vec![] }));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_read() {
        let mut bytes = Vec::new();
        varint::write(MAX_MESSAGE as u64 + 1, &mut bytes);
        assert_eq!(frame(&bytes), Err(WireError::TooLarge(MAX_MESSAGE as u64 + 1)));
        assert_eq!(frame(&[0x80]), Ok(None));
        assert_eq!(frame(&[]), Ok(None));
    }
}
