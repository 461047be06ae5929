//! Bitswap's messages.

use avocet_bitswap::wire::{self, MAX_BLOCKS, MAX_ENTRIES, MAX_PRESENCES, Outgoing};
use avocet_dag::{Block, Version};
use bytes::Bytes;

pub fn run(bytes: &[u8]) {
    let _ = wire::read_length(bytes);
    let Ok(message) = wire::decode(Bytes::copy_from_slice(bytes)) else { return };
    assert!(message.wants.len() <= MAX_ENTRIES && message.presences.len() <= MAX_PRESENCES);
    assert!(message.blocks.len() <= MAX_BLOCKS);
    let named = message.blocks.iter().filter_map(|raw| {
        let cid = raw.prefix.cid(&raw.data).ok()?;
        Block::verify(cid, raw.data.clone()).ok()
    });
    let mut outgoing = Outgoing {
        wants: message.wants,
        full: message.full,
        presences: message.presences,
        blocks: named.collect(),
        pending_bytes: usize::try_from(message.pending_bytes).unwrap_or(0),
    };
    // without a CID in its prefix the digest is cut short no more
    outgoing.blocks.retain(|block| block.cid().version() == Version::V1);
    let Ok(written) = wire::encode(&outgoing) else { return };
    let (length, used) = wire::read_length(&written).unwrap().unwrap();
    assert_eq!((length, length), (written.len() - used, wire::encoded_len(&outgoing)));
    let again = wire::decode(Bytes::from(written).slice(used..)).expect("what is written is read");
    assert_eq!((again.wants, again.full), (outgoing.wants, outgoing.full));
    assert_eq!(again.presences, outgoing.presences);
    assert_eq!((again.blocks.len(), again.rejected), (outgoing.blocks.len(), 0));
}
