//! DAG-JSON, and the way from it to DAG-CBOR and back.

use avocet_dag::codec::{cbor, json};

use crate::cbor::links_of;

pub fn run(bytes: &[u8]) {
    let links = json::links(bytes);
    let Ok(value) = json::decode(bytes) else { return };
    assert_eq!(links, Ok(links_of(&value)), "links are found without building the value");
    let written = json::encode(&value).expect("what is read can be written");
    let again = json::decode(&written).expect("what is written is read");
    assert_eq!(json::encode(&again).as_ref(), Ok(&written), "there is one form to write");
    // DAG-CBOR has no negative zero; all else it has
    let Ok(binary) = cbor::encode(&value) else { return };
    let back = cbor::decode(&binary).expect("what is written is read");
    assert_eq!(json::encode(&back), Ok(written), "through DAG-CBOR it stays the same");
}
