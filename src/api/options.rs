//! What a caller gives, understood.

use avocet_dag::{
    Cid, Version,
    unixfs::{Chunking, ImportOptions, Profile},
};
use js_sys::Array;
use libp2p::Multiaddr;
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};

use super::error::Failure;
use crate::{files::Import, net::IceServer, peer::Options, store::StoreName};

#[wasm_bindgen]
extern "C" {
    /// The options of `createPeer`, all of them there.
    pub type StartOptions;
    #[wasm_bindgen(method, getter)]
    fn store(this: &StartOptions) -> String;
    #[wasm_bindgen(method, getter)]
    fn relays(this: &StartOptions) -> Vec<String>;
    #[wasm_bindgen(method, getter)]
    fn bootstrap(this: &StartOptions) -> Vec<String>;
    #[wasm_bindgen(method, getter, js_name = iceServers)]
    fn ice_servers(this: &StartOptions) -> Array;

    type JsIceServer;
    #[wasm_bindgen(method, getter)]
    fn urls(this: &JsIceServer) -> Vec<String>;
    #[wasm_bindgen(method, getter)]
    fn username(this: &JsIceServer) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn credential(this: &JsIceServer) -> Option<String>;

    /// The options of `add`; what is not there keeps the profile's value.
    pub type AddConfig;
    #[wasm_bindgen(method, getter)]
    fn directory(this: &AddConfig) -> bool;
    #[wasm_bindgen(method, getter)]
    fn name(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn pin(this: &AddConfig) -> bool;
    #[wasm_bindgen(method, getter)]
    fn profile(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = cidVersion)]
    fn cid_version(this: &AddConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = rawLeaves)]
    fn raw_leaves(this: &AddConfig) -> Option<bool>;
    #[wasm_bindgen(method, getter, js_name = chunkSize)]
    fn chunk_size(this: &AddConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = maxLinks)]
    fn max_links(this: &AddConfig) -> Option<f64>;
}

/// The options of a start, understood.
pub fn start(options: &StartOptions) -> Result<Options, Failure> {
    let ice_servers = options.ice_servers();
    let ice_servers = ice_servers.iter().map(|server| {
        let server: JsIceServer = server.unchecked_into();
        IceServer {
            urls: server.urls(),
            username: server.username(),
            credential: server.credential(),
        }
    });
    Ok(Options {
        store: StoreName::from(options.store().as_str()),
        relays: addresses(&options.relays())?,
        bootstrap: addresses(&options.bootstrap())?,
        ice_servers: ice_servers.collect(),
    })
}

/// The options of an import, understood.
pub fn import(config: &AddConfig) -> Result<Import, Failure> {
    let profile = config.profile().map_or(Ok(Profile::default()), |name| name.parse::<Profile>());
    let profile = profile.map_err(|error| Failure::new("INVALID_OPTION", error))?;
    let mut options = ImportOptions::from(profile);
    if let Some(version) = config.cid_version() {
        options.cid_version = if version == 0.0 { Version::V0 } else { Version::V1 };
    }
    options.raw_leaves = config.raw_leaves().unwrap_or(options.raw_leaves);
    if let Some(size) = config.chunk_size() {
        options.chunking = Chunking::Size(size as usize);
    }
    options.max_links = config.max_links().map_or(options.max_links, |links| links as usize);
    let (directory, pin, name) = (config.directory(), config.pin(), config.name());
    Ok(Import { options, directory, pin, name })
}

/// Text that is to be a CID.
pub fn parse_cid(text: &str) -> Result<Cid, Failure> {
    text.parse()
        .map_err(|error| Failure::new("INVALID_CID", format!("{:?}: {error}", shorten(text))))
}

/// Text that is to be an address.
pub fn address(text: &str) -> Result<Multiaddr, Failure> {
    text.parse().map_err(|error| {
        Failure::new("INVALID_ADDR", format!("{:?} is no multiaddr: {error}", shorten(text)))
    })
}

/// As [`address`], for many.
pub fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, Failure> {
    texts.iter().map(|text| address(text)).collect()
}

/// Enough of a text to know it again in a message.
fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}
