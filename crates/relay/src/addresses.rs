//! By which addresses the relay is reached, seen from whoever asks.
//!
//! A page must dial the relay by a name that holds for its own machine: the one by which it reached
//! the page. So the answer follows the request's `Host`, unless the options say better.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{Uri, uri::Authority};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// What is known of the relay's addresses once it listens.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The relay's peer id.
    pub id: PeerId,
    /// The TCP port of its WebSocket listener.
    pub ws_port: u16,
    /// `--announce`; when there are some, they alone hold.
    pub announce: Vec<Multiaddr>,
    /// `--public-url`; it stands for the `Host` of every request.
    pub public_url: Option<Uri>,
}

impl Addresses {
    /// The relay's addresses for one that reached the page as `host`.
    pub fn relays(&self, host: &Host) -> Vec<Multiaddr> {
        if !self.announce.is_empty() {
            return self.announce.iter().map(|a| a.clone().with(Protocol::P2p(self.id))).collect();
        }
        vec![self.public().unwrap_or_else(|| self.at(host, self.ws_port, false))]
    }

    /// Behind https a proxy hands on the WebSockets too; behind http the port is the relay's own.
    fn public(&self) -> Option<Multiaddr> {
        let url = self.public_url.as_ref()?;
        let host = Host::parse(url.host()?)?;
        Some(match url.scheme_str() {
            Some("https") => self.at(&host, url.port_u16().unwrap_or(443), true),
            _ => self.at(&host, self.ws_port, false),
        })
    }

    fn at(&self, host: &Host, port: u16, tls: bool) -> Multiaddr {
        let socket = if tls { Protocol::Wss("/".into()) } else { Protocol::Ws("/".into()) };
        Multiaddr::from(host.protocol())
            .with(Protocol::Tcp(port))
            .with(socket)
            .with(Protocol::P2p(self.id))
    }
}

/// A host by name or by number, without its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A number.
    Ip(IpAddr),
    /// A DNS name, in lower case, at most 253 bytes.
    Name(String),
}

impl Host {
    /// Reads a `Host` header. `None` for what is no host: an answer never repeats such a thing.
    pub fn from_header(value: &str) -> Option<Self> {
        let authority: Authority = value.parse().ok()?;
        // What stands before an `@` is no part of a Host; the port must be one, where there is any.
        let port = authority.as_str().strip_prefix(authority.host())?;
        if !port.is_empty() && authority.port_u16().is_none() {
            return None;
        }
        Self::parse(authority.host())
    }

    /// Reads a host without port: a name, an IPv4 address, or an IPv6 address in brackets.
    fn parse(text: &str) -> Option<Self> {
        if let Some(ip) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            return ip.parse::<Ipv6Addr>().ok().map(|ip| Self::Ip(ip.into()));
        }
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Some(Self::Ip(ip.into()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        is_dns_name(&name).then_some(Self::Name(name))
    }

    fn protocol(&self) -> Protocol<'_> {
        match self {
            Self::Ip(ip) => Protocol::from(*ip),
            Self::Name(name) => Protocol::Dns4(name.into()),
        }
    }
}

/// Labels of letters, digits and inner hyphens (RFC 1123); the last is no number, or browsers would
/// take the whole for an address.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_a_word =
        name.rsplit('.').next().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(is_label) && last_is_a_word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";

    fn addresses(announce: &[&str], public_url: Option<&str>) -> Addresses {
        Addresses {
            id: ID.parse().unwrap(),
            ws_port: 8081,
            announce: announce.iter().map(|a| a.parse().unwrap()).collect(),
            public_url: public_url.map(|url| url.parse().unwrap()),
        }
    }

    fn relay(addresses: &Addresses, header: &str) -> String {
        let relays = addresses.relays(&Host::from_header(header).unwrap());
        relays.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_answer_follows_the_host_of_the_question() {
        let plain = addresses(&[], None);
        for (header, start) in [
            ("127.0.0.1:8080", "/ip4/127.0.0.1"),
            ("192.0.2.7", "/ip4/192.0.2.7"),
            ("[::1]:8080", "/ip6/::1"),
            ("localhost:8080", "/dns4/localhost"),
            ("Relay.Example.:80", "/dns4/relay.example"),
        ] {
            assert_eq!(relay(&plain, header), format!("{start}/tcp/8081/ws/p2p/{ID}"));
        }
    }

    #[test]
    fn options_say_better() {
        let proxied = addresses(&[], Some("https://relay.example/page/"));
        assert_eq!(
            relay(&proxied, "10.0.0.1"),
            format!("/dns4/relay.example/tcp/443/wss/p2p/{ID}")
        );
        let other_port = addresses(&[], Some("https://relay.example:8443"));
        assert!(relay(&other_port, "x").starts_with("/dns4/relay.example/tcp/8443/wss/"));
        let plain = addresses(&[], Some("http://relay.example"));
        assert!(relay(&plain, "x").starts_with("/dns4/relay.example/tcp/8081/ws/"));
        let announced =
            addresses(&["/ip4/192.0.2.1/tcp/1/ws", "/dns4/a.b/tcp/443/wss"], Some("https://c.d"));
        let expected = format!("/ip4/192.0.2.1/tcp/1/ws/p2p/{ID} /dns4/a.b/tcp/443/wss/p2p/{ID}");
        assert_eq!(relay(&announced, "x"), expected);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ":80",
            "a b",
            "a/b",
            "a@b",
            "user:word@host",
            "-a",
            "a-",
            "a..b",
            ".",
            "[::1",
            "::1",
            "[127.0.0.1]",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "a:99999",
            "a:x",
            "<b>",
            "a_b",
            "ä.example",
            "/ip4/1.2.3.4",
            "a,b",
        ] {
            assert_eq!(Host::from_header(bad), None, "{bad:?}");
        }
        assert_eq!(Host::from_header(&format!("{}.example", "a".repeat(64))), None);
        assert_eq!(Host::from_header(&vec!["a"; 200].join(".")), None);
    }

    proptest! {
        #[test]
        fn any_answer_is_an_address_that_names_the_relay(header in "\\PC{0,80}") {
            if let Some(host) = Host::from_header(&header) {
                let plain = addresses(&[], None);
                let text = plain.relays(&host)[0].to_string();
                prop_assert_eq!(text.split('/').count(), 8);
                prop_assert_eq!(&text.parse::<Multiaddr>().unwrap(), &plain.relays(&host)[0]);
            }
        }
    }
}
