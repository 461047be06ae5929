//! DAG-CBOR.

use avocet_dag::codec::{Value, cbor};

pub fn run(bytes: &[u8]) {
    let links = cbor::links(bytes);
    let Ok(value) = cbor::decode(bytes) else { return };
    assert_eq!(cbor::encode(&value).as_deref(), Ok(bytes), "a value has one form");
    assert_eq!(links, Ok(links_of(&value)), "links are found without building the value");
}

/// Every link in a value, in its order.
pub fn links_of(value: &Value) -> Vec<avocet_dag::Cid> {
    let mut links = Vec::new();
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Link(cid) => links.push(cid.clone()),
            Value::List(items) => left.extend(items.iter().rev()),
            Value::Map(entries) => left.extend(entries.iter().rev().map(|(_, value)| value)),
            _ => {}
        }
    }
    links
}
