//! Beside the real Kubo: the same trees under the same parameters have the same roots, and what
//! one of the two has written, the other reads.
//!
//! Runs where `AVOCET_KUBO` names the program: `npm run test:kubo` builds it and says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;
mod daemon;
mod http;
mod ours;
mod random;

use common::Store;
use daemon::Kubo;
use random::{Node, Parameters, Random, SHARDINGS};
use serde_json::json;

/// Trees for each rule of sharding; 200 in all.
const EACH: usize = 40;

#[test]
#[ignore = "wants Kubo: npm run test:kubo"]
fn random_trees_have_kubos_cids() {
    let mut failures = Vec::new();
    let reader = Kubo::start("reader", &[]);
    for (rule, sharding) in SHARDINGS.iter().enumerate() {
        let kubo = Kubo::sharding(*sharding);
        for index in 0..EACH {
            let mut random = Random::new((rule * EACH + index) as u64);
            let parameters = Parameters::random(&mut random, *sharding);
            let node = Node::random(&mut random, &parameters);
            if let Err(wrong) = compare(&kubo, &reader, &node, &parameters) {
                failures.push(format!(
                    "tree {index} of rule {rule}: {wrong}\n{parameters:?}\n{}",
                    node.outline()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n\n"));
}

/// What Kubo writes with the data of a node before its links has other CIDs, and is read as well.
#[test]
#[ignore = "wants Kubo: npm run test:kubo"]
fn nodes_with_their_data_first_are_read() {
    let kubo = Kubo::start("data-first", &[("UnixFSPBNodeFieldOrder", json!("data-first"))]);
    let mut others = 0;
    for seed in 1000..1010 {
        let mut random = Random::new(seed);
        let parameters = Parameters::random(&mut random, SHARDINGS[0]);
        let node = Node::random(&mut random, &parameters);
        let theirs = kubo.add(&node, &parameters).unwrap();
        let ours = ours::add(&node, &ours::options(&parameters), &mut Store::default()).cid;
        others += usize::from(ours != theirs);
        let unpacked = ours::unpack(&kubo.export(&theirs).unwrap(), &theirs).unwrap();
        ours::check(&node, &theirs, &unpacked).unwrap();
    }
    // files of one block have no links, and so no order
    assert!(others >= 3, "the order is another one: {others}");
}

/// The same root; and what each of the two has written, the other reads.
fn compare(kubo: &Kubo, reader: &Kubo, node: &Node, parameters: &Parameters) -> Result<(), String> {
    let theirs = kubo.add(node, parameters)?;
    let mut store = Store::default();
    let ours = ours::add(node, &ours::options(parameters), &mut store).cid;
    if ours != theirs {
        return Err(format!("{ours} is not {theirs}"));
    }
    let unpacked = ours::unpack(&kubo.export(&theirs)?, &theirs)?;
    ours::check(node, &theirs, &unpacked)?;
    // the reader has never seen these blocks: pinning would fail without one of them
    reader.import(&ours::pack(&ours, &store))?;
    for (path, content) in node.files().into_iter().take(3) {
        if reader.cat(&format!("/ipfs/{ours}{path}"))? != content {
            return Err(format!("Kubo reads another {path:?}"));
        }
    }
    Ok(())
}
