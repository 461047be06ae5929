//! The relay as a program: started on free ports, asked over HTTP and libp2p, ended by a signal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod client;
mod hostile;
mod process;
#[expect(dead_code, reason = "the whole peer's tests use more of it")]
#[path = "../../../../tests/exchange/raw.rs"]
mod raw;

use std::time::Duration;

use client::Client;
use libp2p::{Multiaddr, multiaddr::Protocol};
use process::{Folder, Relay, start};

/// Generous: these bound a hang, they measure nothing.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn it_says_where_it_is_and_answers_there() {
    let data = Folder::new("answers");
    let relay = start(&data, &["--ice-server", "stun:stun.example:3478"]);
    assert!(relay.page.starts_with("http://127.0.0.1:"), "{}", relay.page);
    assert!(relay.relay.starts_with("/ip4/127.0.0.1/tcp/"), "{}", relay.relay);

    let health = relay.get("/health", &relay.host());
    assert_eq!(health.status, 200);

    let options = relay.get("/avocet.json", &relay.host());
    assert_eq!(options.status, 200);
    assert_eq!(options.header("content-type"), Some("application/json"));
    let json: serde_json::Value = serde_json::from_str(&options.body).unwrap();
    assert_eq!(json["relays"], serde_json::json!([relay.relay]));
    assert_eq!(json["bootstrap"], json["relays"]);
    assert_eq!(json["routers"], serde_json::json!([]));
    assert_eq!(json["gateways"], serde_json::json!([]));
    assert_eq!(json["iceServers"], serde_json::json!([{ "urls": "stun:stun.example:3478" }]));
}

#[test]
fn the_addresses_follow_the_host_header() {
    let data = Folder::new("hosts");
    let relay = start(&data, &[]);
    let by_name = relay.get("/avocet.json", "box.lan:9");
    let expected = relay.relay.replace("/ip4/127.0.0.1/", "/dns4/box.lan/");
    assert!(by_name.body.contains(&expected), "{}", by_name.body);
    for bad in ["<b>", "a b", "x@y", ""] {
        assert_eq!(relay.get("/avocet.json", bad).status, 400, "{bad:?}");
    }
}

#[test]
fn the_page_comes_with_its_headers_and_types() {
    let data = Folder::new("page");
    data.write("www/index.html", "<!doctype html><title>Avocet</title>");
    data.write("www/avocet.0123456789abcdef.wasm", "\0asm");
    data.write("secret.txt", "not the page");
    let www = data.path().join("www");
    let relay = start(&data, &["--www", www.to_str().unwrap()]);

    let page = relay.get("/", &relay.host());
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(page.header("content-security-policy").unwrap().contains("'wasm-unsafe-eval'"));

    let wasm = relay.get("/avocet.0123456789abcdef.wasm", &relay.host());
    assert_eq!(wasm.header("content-type"), Some("application/wasm"));
    assert!(wasm.header("cache-control").unwrap().contains("immutable"));

    for outside in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/nothing"] {
        assert_eq!(relay.get(outside, &relay.host()).status, 404, "{outside}");
    }
}

#[test]
fn without_a_page_it_says_so() {
    let data = Folder::new("no-page");
    let www = data.path().join("none");
    let relay = start(&data, &["--www", www.to_str().unwrap()]);
    let page = relay.get("/", &relay.host());
    assert_eq!(page.status, 503);
    assert!(page.body.contains("has not been built"), "{}", page.body);
}

#[test]
fn a_restart_keeps_the_id_and_a_signal_ends_it_cleanly() {
    let data = Folder::new("restart");
    let first = start(&data, &[]);
    let id = first.id();
    assert!(first.terminate().success());
    let second = start(&data, &[]);
    assert_eq!(second.id(), id);
    assert!(second.terminate().success());
}

#[test]
fn a_port_in_use_is_said_and_is_no_success() {
    let data = Folder::new("in-use");
    let relay = start(&data, &[]);
    let port = relay.host().rsplit(':').next().unwrap().to_owned();
    let other = Relay::command(&data, &["--port", &port]).output().unwrap();
    assert!(!other.status.success());
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(said.contains("cannot serve the page"), "{said}");
}

#[tokio::test]
async fn one_reserves_and_provides_and_another_finds_it_and_gets_through() {
    let data = Folder::new("dht");
    let relay = start(&data, &[]);
    let address: Multiaddr = relay.relay.parse().unwrap();
    let key = b"any key of the table";

    let mut holder = Client::new();
    let reserved = holder.reserve(&address, PATIENCE).await;
    let circuit = address.clone().with(Protocol::P2pCircuit);
    assert_eq!(reserved, circuit.clone().with(Protocol::P2p(holder.id())));
    let told = circuit.with(Protocol::WebRTC).with(Protocol::P2p(holder.id()));
    holder.provide(key, &told, PATIENCE).await;

    // Kademlia counts a key as provided once the message is on its way: it may still arrive later.
    let holder_id = holder.id();
    let holding = tokio::spawn(async move { holder.run().await });
    let mut seeker = Client::new();
    seeker.connect(&address, PATIENCE).await;
    let found = async { while !seeker.find(key, PATIENCE).await.contains(&holder_id) {} };
    tokio::time::timeout(PATIENCE, found).await.unwrap();
    seeker.connect(&reserved, PATIENCE).await;
    assert!(seeker.find(b"a key of nobody", PATIENCE).await.is_empty());
    holding.abort();
}
