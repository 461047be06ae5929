//! What can be said on the command line.

use std::{
    env,
    ffi::OsString,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use axum::http::Uri;
use libp2p::{Multiaddr, multiaddr::Protocol};

/// The meeting point of Avocet peers: a libp2p circuit relay and DHT server that serves the page.
///
/// When it is ready it prints one line of JSON with the page's and the relay's address to stdout;
/// logs go to stderr (RUST_LOG sets how much).
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct Options {
    /// The address to listen on; 0.0.0.0 for all of this machine's.
    #[arg(long, default_value = "127.0.0.1", value_parser = host)]
    pub host: IpAddr,

    /// The page's port; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,

    /// The relay's port; 0 takes a free one.
    #[arg(long, default_value_t = 8081)]
    pub ws_port: u16,

    /// The folder of the built page.
    #[arg(long, default_value = "dist", value_name = "DIR")]
    pub www: PathBuf,

    /// Where the relay's key is kept [default: the user's data folder].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// An address by which the relay is reached from outside, such as
    /// /dns4/relay.example/tcp/443/wss; may be given several times.
    #[arg(long, value_name = "MULTIADDR", value_parser = announced)]
    pub announce: Vec<Multiaddr>,

    /// The page's address as people outside know it, such as https://relay.example/.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    pub public_url: Option<Uri>,

    /// A STUN or TURN server for the page to use; may be given several times.
    #[arg(long, value_name = "URL", value_parser = ice_server)]
    pub ice_server: Vec<String>,
}

impl Options {
    /// The folder of the key: as given, else the user's data folder, else one beside the caller.
    pub fn data(&self) -> PathBuf {
        let folder = || user_data(|name| env::var_os(name).filter(|value| !value.is_empty()));
        self.data.clone().or_else(folder).unwrap_or_else(|| "avocet-data".into())
    }
}

/// Where this system keeps a program's data for one user, by its environment.
fn user_data(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name, below: &str| variable(name).map(|home| Path::new(&home).join(below));
    if cfg!(windows) {
        folder("LOCALAPPDATA", "avocet")
    } else if cfg!(target_os = "macos") {
        folder("HOME", "Library/Application Support/avocet")
    } else {
        folder("XDG_DATA_HOME", "avocet").or_else(|| folder("HOME", ".local/share/avocet"))
    }
}

fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse().map_err(|_| "not an IP address (nor localhost)".into()),
    }
}

/// With or without a peer id at its end; whose it is, is known only later, so it is left out.
fn announced(text: &str) -> Result<Multiaddr, String> {
    let mut addr: Multiaddr = text.parse().map_err(|e| format!("not a multiaddr: {e}"))?;
    if matches!(addr.iter().last(), Some(Protocol::P2p(_))) {
        addr.pop();
    }
    let is_websocket = |p: Protocol| matches!(p, Protocol::Ws(_) | Protocol::Wss(_));
    if addr.iter().any(is_websocket) {
        Ok(addr)
    } else {
        Err("browsers cannot dial it: it must hold /ws or /wss (or /tls/ws)".into())
    }
}

fn public_url(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|e| format!("not a URL: {e}"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err("it must begin with http:// or https:// and name a host".into()),
    }
}

fn ice_server(text: &str) -> Result<String, String> {
    let known = ["stun:", "stuns:", "turn:", "turns:"];
    if known.iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme)) {
        Ok(text.into())
    } else {
        Err("it must begin with stun:, stuns:, turn: or turns:".into())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn parse(args: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["avocet-relay"], args].concat())
    }

    #[test]
    fn the_defaults_are_this_machine_only() {
        let options = parse(&[]).unwrap();
        assert!(options.host.is_loopback());
        assert_eq!((options.port, options.ws_port), (8080, 8081));
        assert!(options.announce.is_empty() && options.ice_server.is_empty());
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_key_is_kept_in_the_users_data_folder() {
        let with = |set: &'static str| user_data(move |name| (name == set).then(|| "/u".into()));
        assert_eq!(with("HOME"), Some("/u/.local/share/avocet".into()));
        assert_eq!(with("XDG_DATA_HOME"), Some("/u/avocet".into()));
        assert_eq!(with("none"), None);
        assert_eq!(parse(&["--data", "/kept"]).unwrap().data(), Path::new("/kept"));
    }

    #[test]
    fn an_announced_address_loses_its_peer_id() {
        let id = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
        let given = format!("/dns4/relay.example/tcp/443/wss/p2p/{id}");
        let options =
            parse(&["--announce", &given, "--announce", "/ip4/192.0.2.1/tcp/1/ws"]).unwrap();
        let kept: Vec<_> = options.announce.iter().map(ToString::to_string).collect();
        assert_eq!(kept, ["/dns4/relay.example/tcp/443/wss", "/ip4/192.0.2.1/tcp/1/ws"]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for args in [
            ["--host", "example.org"],
            ["--port", "65536"],
            ["--announce", "/ip4/192.0.2.1/tcp/1"],
            ["--announce", "relay.example"],
            ["--public-url", "relay.example"],
            ["--public-url", "ftp://relay.example/"],
            ["--ice-server", "stun:"],
            ["--ice-server", "https://relay.example/"],
        ] {
            assert!(parse(&args).is_err(), "{args:?}");
        }
    }
}
