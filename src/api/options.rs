//! What a caller gives, understood.

use avocet_dag::{
    Cid, Version,
    car::Scope,
    unixfs::{ImportOptions, OptionsError, Profile, hash_code},
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
    #[wasm_bindgen(method, getter)]
    fn chunker(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn layout(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = maxLinks)]
    fn max_links(this: &AddConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn hash(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = inlineLimit)]
    fn inline_limit(this: &AddConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = hamtThreshold)]
    fn hamt_threshold(this: &AddConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = hamtSize)]
    fn hamt_size(this: &AddConfig) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = hamtFanout)]
    fn hamt_fanout(this: &AddConfig) -> Option<f64>;
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
    let options = import_options(config);
    let options = options.map_err(|error| Failure::new("INVALID_OPTION", error))?;
    let (directory, pin, name) = (config.directory(), config.pin(), config.name());
    Ok(Import { options, directory, pin, name })
}

/// The profile's values, and what overrides them. That they make an import is checked with it.
fn import_options(config: &AddConfig) -> Result<ImportOptions, OptionsError> {
    let profile = config.profile().map_or(Ok(Profile::default()), |name| name.parse())?;
    let of = ImportOptions::from(profile);
    let size = |given: Option<f64>, other| given.map_or(other, |number| number as usize);
    Ok(ImportOptions {
        cid_version: match config.cid_version() {
            Some(0.0) => Version::V0,
            Some(_) => Version::V1,
            None => of.cid_version,
        },
        raw_leaves: config.raw_leaves().unwrap_or(of.raw_leaves),
        chunking: config.chunker().map_or(Ok(of.chunking), |name| name.parse())?,
        layout: config.layout().map_or(Ok(of.layout), |name| name.parse())?,
        max_links: size(config.max_links(), of.max_links),
        hash: config.hash().map_or(Ok(of.hash), |name| hash_code(&name))?,
        inline_limit: size(config.inline_limit(), of.inline_limit),
        hamt_threshold: size(config.hamt_threshold(), of.hamt_threshold),
        hamt_size: config.hamt_size().map_or(Ok(of.hamt_size), |name| name.parse())?,
        hamt_fanout: size(config.hamt_fanout(), of.hamt_fanout),
    })
}

/// How much of a graph; `js/` lets no other word through.
pub fn car_scope(word: &str) -> Scope {
    match word {
        "block" => Scope::Block,
        "entity" => Scope::Entity,
        _ => Scope::All,
    }
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
