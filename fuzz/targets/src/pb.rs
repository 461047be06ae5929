//! DAG-PB nodes.

use avocet_dag::{
    Block, Version, code,
    codec::{
        self,
        pb::{self, Link, Node},
    },
};
use bytes::Bytes;

pub fn run(bytes: &[u8]) {
    let Ok(node) = Node::decode(bytes) else { return };
    let links: Vec<Link<'_>> = node.links().collect();
    assert_eq!(links.len(), node.len(), "every link that was counted is given");
    assert_eq!(pb::links(bytes).unwrap().len(), links.len());
    let canonical = pb::encode(&links, node.data());
    assert_eq!(canonical.len(), pb::encoded_len(&links, node.data()));
    let again = Node::decode(&canonical).expect("what is written is read");
    assert_eq!(again.data(), node.data());
    let mut sorted = links;
    sorted.sort_by_key(|link| link.name.unwrap_or_default());
    assert!(again.links().eq(sorted.iter().cloned()), "sorted, and else the same");
    let twice = pb::encode(&again.links().collect::<Vec<_>>(), again.data());
    assert_eq!(twice, canonical, "there is one canonical form");
    as_value(bytes, &canonical);
}

/// Names that are not UTF-8 have no value.
fn as_value(bytes: &[u8], canonical: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let block = Block::hash(Version::V1, code::DAG_PB, code::SHA2_256, bytes).unwrap();
    if let Ok(value) = codec::decode(&block) {
        assert_eq!(codec::encode(code::DAG_PB, &value).as_deref(), Ok(canonical));
    }
}
