//! Single blocks, and the values in them.

use avocet_dag::{Version, codec};
use js_sys::Uint8Array;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    error::Failure,
    node::Node,
    object,
    options::{addresses, parse_cid},
    task::Task,
    value,
};
use crate::{
    files::{self, Keep},
    peer::Peer,
    platform::{self, Payload},
};

#[wasm_bindgen]
impl Node {
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
    pub fn block_put(&self, bytes: Uint8Array, codec: f64, hash: f64) -> Task {
        let peer = self.peer.clone();
        Task::start(async move { put(&peer, bytes.into(), codec as u64, hash as u64, false).await })
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

    /// The value that a path leads to.
    #[wasm_bindgen(js_name = dagGet)]
    pub fn dag_get(&self, path: String, providers: Vec<String>) -> Task {
        let fetcher = self.peer.fetcher().clone();
        Task::start(async move {
            value::to_js(files::data(&fetcher, &path, addresses(&providers)?).await?)
        })
    }

    /// Stores a value, which is read before this returns.
    #[wasm_bindgen(js_name = dagPut)]
    pub fn dag_put(&self, value: JsValue, codec: f64, hash: f64, pin: bool) -> Task {
        let codec = codec as u64;
        let bytes = value::from_js(&value).and_then(|value| Ok(codec::encode(codec, &value)?));
        let peer = self.peer.clone();
        Task::start(async move { put(&peer, bytes?.into(), codec, hash as u64, pin).await })
    }
}

/// Stores a block; pinned with all that it links to, if it is to be.
async fn put(
    peer: &Peer,
    payload: Payload,
    codec: u64,
    hash: u64,
    pin: bool,
) -> Result<JsValue, Failure> {
    let block = platform::hash(Version::V1, codec, hash, payload).await?;
    let cid = block.cid().clone();
    let draft = if pin { Some(peer.store().draft().await?) } else { None };
    peer.store().put(vec![block]).await?;
    peer.net().exchange().stored(std::slice::from_ref(&cid));
    if draft.is_some() {
        let keep = Keep { cid: cid.clone(), recursive: true, name: None };
        files::keep(peer.fetcher(), peer.store(), &keep, Vec::new(), &|_, _| {}).await?;
        peer.kept(&cid).await;
    }
    Ok(object::object([("cid", object::cid(&cid))]))
}
