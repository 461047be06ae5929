//! The peer, as the JavaScript around it sees it: its life, and its files.

use std::future::ready;

use futures::{StreamExt, TryFutureExt, TryStreamExt, stream};
use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    error::Failure,
    events, object,
    options::{self, AddConfig, StartOptions, addresses, parse_cid},
    source::{JsEntries, entries},
    stream::Pull,
    task::Task,
};
use crate::{
    files::{self, Export, Keep, Part},
    peer::Peer,
    platform::Payload,
};

/// A peer.
#[wasm_bindgen]
pub struct Node {
    pub(super) peer: Peer,
}

#[wasm_bindgen]
impl Node {
    /// Starts a peer; `listener` is called with the name and the detail of every event.
    pub fn start(options: &StartOptions, listener: Function) -> Task {
        let options = options::start(options);
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

    /// Imports what `plan` gives; `progress` is called with bytes done and a path.
    pub fn add(&self, plan: JsEntries, config: &AddConfig, progress: Function) -> Task {
        let (peer, import) = (self.peer.clone(), options::import(config));
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

    /// Ends everything.
    pub fn stop(&self) -> Task {
        let peer = self.peer.clone();
        Task::start(async move {
            peer.stop().await;
            Ok::<_, Failure>(JsValue::UNDEFINED)
        })
    }
}
