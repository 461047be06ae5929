//! From a multiaddr to the URL that a browser dials.

use libp2p::{Multiaddr, multiaddr::Protocol};
use thiserror::Error;

/// Why an address is not dialled here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not of the form `/ip4|ip6|dns|dns4|dns6/…/tcp/…/ws|wss|tls/ws`, then at most `/p2p/…`.
    #[error("not a WebSocket address")]
    NotWebSocket,
    /// Port 0 can be listened on, not dialled.
    #[error("a WebSocket address with port 0")]
    NoPort,
}

/// The URL of a WebSocket's address. `/dns4` and `/dns6` count as `/dns`: the browser resolves
/// names by itself and cannot be asked for one family.
pub fn url(address: &Multiaddr) -> Result<String, AddressError> {
    let mut protocols = address.iter();
    let host = match protocols.next() {
        Some(Protocol::Ip4(ip)) => ip.to_string(),
        Some(Protocol::Ip6(ip)) => format!("[{ip}]"),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => host(&name)?,
        _ => return Err(AddressError::NotWebSocket),
    };
    let port = match protocols.next() {
        Some(Protocol::Tcp(0)) => return Err(AddressError::NoPort),
        Some(Protocol::Tcp(port)) => port,
        _ => return Err(AddressError::NotWebSocket),
    };
    let (scheme, path) = match protocols.next() {
        Some(Protocol::Ws(path)) => ("ws", path),
        Some(Protocol::Wss(path)) => ("wss", path),
        Some(Protocol::Tls) => match protocols.next() {
            Some(Protocol::Ws(path)) => ("wss", path),
            _ => return Err(AddressError::NotWebSocket),
        },
        _ => return Err(AddressError::NotWebSocket),
    };
    match protocols.next() {
        None => {}
        Some(Protocol::P2p(_)) if protocols.next().is_none() => {}
        Some(_) => return Err(AddressError::NotWebSocket),
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{scheme}://{host}:{port}{slash}{path}"))
}

/// A host name for a URL. One with anything else in it, a slash or an `@` for two, could name
/// another host than it shows.
fn host(name: &str) -> Result<String, AddressError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !name.is_empty() && name.bytes().all(plain) {
        Ok(name.to_owned())
    } else {
        Err(AddressError::NotWebSocket)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEER: &str = "12D3KooWH3uVF6wv47WnArKHk5p6cvgCJEb74UTmxztmQDc298L3";

    fn of(address: &str) -> Result<String, AddressError> {
        url(&address.parse().unwrap())
    }

    #[test]
    fn every_form_has_its_url() {
        for (address, expected) in [
            ("/ip4/127.0.0.1/tcp/80/ws", "ws://127.0.0.1:80/"),
            ("/ip6/::1/tcp/4001/ws", "ws://[::1]:4001/"),
            ("/dns4/relay.example/tcp/443/wss", "wss://relay.example:443/"),
            ("/dns6/relay.example/tcp/443/tls/ws", "wss://relay.example:443/"),
            ("/dns/relay.example/tcp/443/tls/ws", "wss://relay.example:443/"),
        ] {
            assert_eq!(of(address).unwrap(), expected);
            assert_eq!(of(&format!("{address}/p2p/{PEER}")).unwrap(), expected);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for address in [
            "/ip4/1.2.3.4/tcp/80",
            "/ip4/1.2.3.4/udp/80/quic-v1",
            "/ip4/1.2.3.4/tcp/80/tls",
            "/tcp/80/ws",
            "/ip4/1.2.3.4/tcp/80/ws/p2p-circuit",
            &format!("/ip4/1.2.3.4/tcp/80/ws/p2p/{PEER}/p2p-circuit/p2p/{PEER}"),
        ] {
            assert_eq!(of(address), Err(AddressError::NotWebSocket), "{address}");
        }
        assert_eq!(of("/ip4/1.2.3.4/tcp/0/ws"), Err(AddressError::NoPort));
        assert_eq!(url(&Multiaddr::empty()), Err(AddressError::NotWebSocket));
    }

    proptest! {
        #[test]
        fn a_name_never_becomes_another_host(name in "[a-z@:?#.%\\\\ ]{1,20}") {
            let address = Multiaddr::empty()
                .with(Protocol::Dns(name.clone().into()))
                .with(Protocol::Tcp(443))
                .with(Protocol::Wss("".into()));
            if let Ok(url) = url(&address) {
                prop_assert_eq!(url, format!("wss://{name}:443/"));
                prop_assert!(!name.contains(['@', ':', '?', '#', '%', '\\', ' ']));
            }
        }
    }
}
