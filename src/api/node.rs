//! The peer, as the JavaScript around it sees it.

use std::{cell::RefCell, future::ready, str::FromStr};

use avocet_dag::{
    Cid, Version, code,
    unixfs::{Chunking, ImportOptions, Profile},
};
use futures::{StreamExt, TryFutureExt, TryStreamExt, stream};
use js_sys::{Array, Function, Uint8Array};
use libp2p::{Multiaddr, PeerId};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use super::{
    error::Failure,
    events, object,
    source::{JsEntries, entries},
    stream::Pull,
    task::Task,
};
use crate::{
    files::{self, Export, Import, Keep, Part},
    net::IceServer,
    peer::{Options, Peer},
    platform::{self, Payload},
    store::StoreName,
};

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

/// A peer.
#[wasm_bindgen]
pub struct Node {
    peer: Peer,
}

#[wasm_bindgen]
impl Node {
    /// Starts a peer; `listener` is called with the name and the detail of every event.
    pub fn start(options: &StartOptions, listener: Function) -> Task {
        let options = start_options(options);
        Task::start(async move {
            let peer = Peer::start(options?, move |event| events::tell(&listener, event)).await?;
            Ok::<_, Failure>(Self { peer })
        })
    }

    /// The peer id.
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> String {
        self.peer.net().peer_id().to_string()
    }

    /// Addresses that others can dial.
    pub fn addrs(&self) -> JsValue {
        object::addrs(&self.peer.net().addrs())
    }

    /// Who is connected.
    pub fn peers(&self) -> Array {
        self.peer.net().peers().iter().map(object::peer).collect()
    }

    /// Imports what `plan` gives; `progress` is called with bytes done and a path.
    pub fn add(&self, plan: JsEntries, config: &AddConfig, progress: Function) -> Task {
        let (peer, import) = (self.peer.clone(), import_of(config));
        Task::start(async move {
            let import = import?;
            let tell = |loaded, path: &str| {
                let _ = progress.call2(&JsValue::UNDEFINED, &object::number(loaded), &path.into());
            };
            let added = files::import(peer.store(), entries(plan), &import, &tell).await?;
            if import.pin {
                peer.kept(&added.cid).await;
            }
            Ok::<_, Failure>(object::added(&added))
        })
    }

    /// The bytes of a file.
    pub fn cat(
        &self,
        path: String,
        offset: f64,
        length: Option<f64>,
        providers: Vec<String>,
    ) -> Pull {
        let peer = self.peer.clone();
        let part = Part { offset: offset as u64, length: length.map(|length| length as u64) };
        Pull::with_total(|total| {
            let open = async move {
                let providers = addresses(&providers)?;
                let export = Export::open(peer.fetcher(), &path, part, providers).await?;
                total.set(Some(export.total() as f64));
                Ok::<_, Failure>(export.into_stream().map_err(Failure::from))
            };
            stream::once(open).try_flatten().map_ok(|bytes: Payload| bytes.to_js())
        })
    }

    /// What a directory holds.
    pub fn ls(&self, path: String, providers: Vec<String>) -> Pull {
        let fetcher = self.peer.fetcher().clone();
        let open = ready(addresses(&providers))
            .map_ok(move |providers| files::list(fetcher, path, providers).map_err(Failure::from));
        Pull::new(stream::once(open).try_flatten().map_ok(|entry| object::listed(&entry)))
    }

    /// What a path leads to.
    pub fn stat(&self, path: String, providers: Vec<String>) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            let providers = addresses(&providers)?;
            let stat = files::stat(peer.fetcher(), peer.store(), &path, providers).await?;
            Ok::<_, Failure>(object::stat(&stat))
        })
    }

    /// Fetches and pins; `progress` is called with bytes here and bytes in all.
    pub fn pin(
        &self,
        cid: String,
        recursive: bool,
        name: Option<String>,
        providers: Vec<String>,
        progress: Function,
    ) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            let (cid, providers) = (parse_cid(&cid)?, addresses(&providers)?);
            let keep = Keep { cid: cid.clone(), recursive, name };
            let tell = |loaded, total: Option<u64>| {
                let total = total.map_or(JsValue::UNDEFINED, object::number);
                let _ = progress.call2(&JsValue::UNDEFINED, &object::number(loaded), &total);
            };
            files::keep(peer.fetcher(), peer.store(), &keep, providers, &tell).await?;
            if recursive {
                peer.kept(&cid).await;
            }
            Ok::<_, Failure>(JsValue::UNDEFINED)
        })
    }

    /// Removes a pin.
    pub fn unpin(&self, cid: String) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            let cid = parse_cid(&cid)?;
            if !peer.store().unpin(&cid).await? {
                return Err(Failure::new("NOT_FOUND", format!("{cid} is not pinned")));
            }
            peer.released(&cid).await;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// All pins.
    pub fn pins(&self) -> Pull {
        let store = self.peer.store().clone();
        let all = async move {
            let pins = store.pins().await?;
            Ok::<_, Failure>(stream::iter(pins).map(Ok::<_, Failure>))
        };
        Pull::new(stream::once(all).try_flatten().map_ok(|entry| object::pin(&entry)))
    }

    /// Collects what nothing holds.
    pub fn gc(&self) -> Task {
        let store = self.peer.store().clone();
        Task::start(async move {
            let freed = store.gc().await?;
            let members =
                [("blocks", object::number(freed.blocks)), ("bytes", object::number(freed.bytes))];
            Ok::<_, Failure>(object::object(members))
        })
    }

    /// What the store holds.
    pub fn usage(&self) -> Task {
        let store = self.peer.store().clone();
        Task::start(async move {
            let usage = store.usage().await?;
            let members =
                [("used", object::number(usage.used)), ("blocks", object::number(usage.blocks))];
            Ok::<_, Failure>(object::object(members))
        })
    }

    /// The bytes of a block, from here or from others.
    #[wasm_bindgen(js_name = blockGet)]
    pub fn block_get(&self, cid: String, providers: Vec<String>) -> Task {
        let fetcher = self.peer.fetcher().clone();
        Task::start(async move {
            let cid = parse_cid(&cid)?;
            let session = fetcher.session(cid.clone(), addresses(&providers)?);
            let (_, bytes) = session.get(&cid).await?.into_parts();
            Ok::<_, Failure>(bytes.to_js())
        })
    }

    /// Stores a block; `bytes` belong to the store from now on.
    #[wasm_bindgen(js_name = blockPut)]
    pub fn block_put(&self, bytes: Uint8Array, codec: f64) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            let payload = Payload::from(bytes);
            let block = platform::hash(Version::V1, codec as u64, code::SHA2_256, payload).await?;
            let cid = block.cid().clone();
            peer.store().put(vec![block]).await?;
            peer.net().exchange().stored(std::slice::from_ref(&cid));
            Ok::<_, Failure>(object::object([("cid", object::cid(&cid))]))
        })
    }

    /// Is it here?
    #[wasm_bindgen(js_name = blockHas)]
    pub fn block_has(&self, cid: String) -> Task {
        let store = self.peer.store().clone();
        Task::start(async move { Ok::<_, Failure>(store.has(&parse_cid(&cid)?).await?) })
    }

    /// Removes a block that nothing pinned needs.
    #[wasm_bindgen(js_name = blockRm)]
    pub fn block_rm(&self, cid: String) -> Task {
        let store = self.peer.store().clone();
        Task::start(async move { Ok::<_, Failure>(store.delete(&parse_cid(&cid)?).await?) })
    }

    /// Connects to a peer.
    pub fn connect(&self, addr: String) -> Task {
        let net = self.peer.net().clone();
        Task::start(async move {
            let info = net.connect(address(&addr)?).await?;
            Ok::<_, Failure>(object::peer(&info))
        })
    }

    /// Closes every connection to a peer.
    pub fn disconnect(&self, id: String) -> Task {
        let net = self.peer.net().clone();
        Task::start(async move {
            let bad =
                |error| Failure::new("INVALID_ADDR", format!("{id:?} is no peer id: {error}"));
            let peer = PeerId::from_str(&id).map_err(bad)?;
            net.disconnect(peer).await;
            Ok::<_, Failure>(JsValue::UNDEFINED)
        })
    }

    /// Who has a CID, as the network tells.
    pub fn providers(&self, cid: String) -> Pull {
        let net = self.peer.net().clone();
        let find = async move {
            let found = net.find_providers(&parse_cid(&cid)?).await;
            Ok::<_, Failure>(found.map(Ok::<_, Failure>))
        };
        Pull::new(stream::once(find).try_flatten().map_ok(|found| object::provider(&found)))
    }

    /// Tells the network that we have a CID.
    pub fn provide(&self, cid: String) -> Task {
        let net = self.peer.net().clone();
        Task::start(async move {
            let told = net.provide(&parse_cid(&cid)?).await;
            Ok::<_, Failure>(object::number(told as u64))
        })
    }

    /// How many connected peers said lately that they have a CID.
    pub fn holders(&self, cid: String) -> Task {
        let net = self.peer.net().clone();
        Task::start(async move {
            let holders = net.exchange().holders(&parse_cid(&cid)?);
            Ok::<_, Failure>(object::number(holders as u64))
        })
    }

    /// Counters.
    pub fn stats(&self) -> JsValue {
        let wire = self.peer.net().exchange().stats();
        let store = self.peer.store().counters();
        object::object([
            ("blocksSent", object::number(wire.blocks_sent)),
            ("bytesSent", object::number(wire.bytes_sent)),
            ("blocksReceived", object::number(wire.blocks_received)),
            ("bytesReceived", object::number(wire.bytes_received)),
            ("duplicates", object::number(wire.duplicates)),
            ("wants", object::number(wire.wants)),
            ("cacheHits", object::number(store.hits)),
            ("cacheMisses", object::number(store.misses)),
            ("corrupt", object::number(store.corrupt)),
        ])
    }

    /// The page goes away: whoever is connected directly is told at once.
    #[wasm_bindgen(js_name = closeNow)]
    pub fn close_now(&self) {
        self.peer.close_now();
    }

    /// The page or the network came back.
    pub fn resume(&self) {
        let net = self.peer.net().clone();
        platform::spawn(async move { net.online().await });
    }

    /// Ends everything.
    pub fn stop(&self) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            peer.stop().await;
            Ok::<_, Failure>(JsValue::UNDEFINED)
        })
    }
}

thread_local! {
    static PANICKED: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Calls `listener` with the message of a panic, after which nothing here can be relied on.
#[wasm_bindgen(js_name = onPanic)]
pub fn on_panic(listener: Function) {
    PANICKED.set(Some(listener));
    std::panic::set_hook(Box::new(|info| {
        PANICKED.with_borrow(|listener| {
            if let Some(listener) = listener {
                let _ = listener.call1(&JsValue::UNDEFINED, &info.to_string().into());
            }
        });
    }));
}

fn start_options(options: &StartOptions) -> Result<Options, Failure> {
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

fn import_of(config: &AddConfig) -> Result<Import, Failure> {
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

fn parse_cid(text: &str) -> Result<Cid, Failure> {
    text.parse().map_err(|error| {
        Failure::new("INVALID_CID", format!("{:?}: {error}", shorten(text)))
    })
}

fn address(text: &str) -> Result<Multiaddr, Failure> {
    text.parse().map_err(|error| {
        Failure::new("INVALID_ADDR", format!("{:?} is no multiaddr: {error}", shorten(text)))
    })
}

fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, Failure> {
    texts.iter().map(|text| address(text)).collect()
}

/// Enough of a text to know it again in a message.
fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}
