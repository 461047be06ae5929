//! Single blocks.

use avocet_dag::{Version, code};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{
    error::Failure,
    node::Node,
    object,
    options::{addresses, parse_cid},
    task::Task,
};
use crate::platform::{self, Payload};

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
}
