//! What happens, as the names and details of events.

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::object::{addrs, cid, number, object, peer};
use crate::{
    fetch::Looking,
    peer::{Event, Moved},
};

/// Tells `listener` of every event, as `(name, detail)`.
pub fn tell(listener: &Function, event: Event) {
    let (name, detail) = match event {
        Event::PeerConnected(info) => ("peer:connect", peer(&info)),
        Event::PeerDisconnected(info) => ("peer:disconnect", peer(&info)),
        Event::Addrs(all) => ("addrs", addrs(&all)),
        Event::Online => ("online", JsValue::UNDEFINED),
        Event::Offline => ("offline", JsValue::UNDEFINED),
        Event::Sent(block) => ("sent", moved(&block)),
        Event::Received(block) => ("received", moved(&block)),
        Event::Looking(search) => ("looking", looking(&search)),
        Event::Replaced => ("replaced", JsValue::UNDEFINED),
    };
    // The listener dispatches an event, and that never throws.
    let _ = listener.call2(&JsValue::UNDEFINED, &name.into(), &detail);
}

fn moved(block: &Moved) -> JsValue {
    object([
        ("cid", cid(&block.cid)),
        ("root", block.root.as_ref().map_or(JsValue::UNDEFINED, cid)),
        ("bytes", number(block.bytes)),
        ("peer", block.peer.to_string().into()),
    ])
}

fn looking(search: &Looking) -> JsValue {
    object([
        ("root", cid(&search.root)),
        ("asked", number(search.asked as u64)),
        ("found", number(search.search.found as u64)),
        ("connected", number(search.search.connected as u64)),
        ("failed", number(search.search.failed as u64)),
    ])
}
