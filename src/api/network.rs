//! Who is connected, and who has what.

use std::str::FromStr;

use futures::{StreamExt, TryStreamExt, stream};
use js_sys::Array;
use libp2p::PeerId;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    error::Failure,
    node::Node,
    object,
    options::{address, parse_cid},
    stream::Pull,
    task::Task,
};
use crate::platform;

#[wasm_bindgen]
impl Node {
    /// Addresses that others can dial.
    pub fn addrs(&self) -> JsValue {
        object::addrs(&self.peer.net().addrs())
    }

    /// Who is connected.
    pub fn peers(&self) -> Array {
        self.peer.net().peers().iter().map(object::peer).collect()
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
}
