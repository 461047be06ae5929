//! JavaScript objects.

use avocet_dag::{Cid, unixfs::Mtime};
use js_sys::{Array, Object, Reflect};
use libp2p::Multiaddr;
use wasm_bindgen::JsValue;

use crate::{
    files::{Added, Listed, Stat, Type},
    net::{PeerInfo, Provider},
    store::Pin,
};

/// An object of these members; what is undefined is left out.
pub fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        if !value.is_undefined() {
            // An object that was made just now takes any member.
            let _ = Reflect::set(&object, &JsValue::from_str(name), &value);
        }
    }
    object.into()
}

/// A count or a size. Exact up to 2^53, and no store holds as much.
pub fn number(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

/// As in the contract: version 0 in base58btc, version 1 in base32.
pub fn cid(cid: &Cid) -> JsValue {
    cid.to_string().into()
}

/// Addresses as text.
pub fn addrs(addrs: &[Multiaddr]) -> JsValue {
    addrs.iter().map(|addr| JsValue::from(addr.to_string())).collect::<Array>().into()
}

/// What `add` resolves to.
pub fn added(added: &Added) -> JsValue {
    object([
        ("cid", cid(&added.cid)),
        ("size", number(added.size)),
        ("blocks", number(added.blocks)),
    ])
}

/// What `ls` gives.
pub fn listed(entry: &Listed) -> JsValue {
    object([
        ("name", entry.name.as_str().into()),
        ("cid", cid(&entry.cid)),
        ("size", number(entry.size)),
        ("type", kind(entry.kind)),
    ])
}

/// What `stat` resolves to.
pub fn stat(stat: &Stat) -> JsValue {
    object([
        ("cid", cid(&stat.cid)),
        ("type", kind(stat.kind)),
        ("size", number(stat.size)),
        ("localSize", number(stat.local_size)),
        ("blocks", number(stat.blocks)),
        ("mode", stat.mode.into()),
        ("mtime", stat.mtime.map_or(JsValue::UNDEFINED, mtime)),
    ])
}

/// What `pins.ls` gives.
pub fn pin((root, pin): &(Cid, Pin)) -> JsValue {
    object([
        ("cid", cid(root)),
        ("recursive", pin.recursive.into()),
        ("name", pin.name.clone().into()),
        ("size", pin.size.map_or(JsValue::UNDEFINED, number)),
    ])
}

/// A peer, as in `peers()`.
pub fn peer(info: &PeerInfo) -> JsValue {
    let latency = info.latency.map(|latency| latency.as_secs_f64() * 1000.0);
    object([
        ("id", info.id.to_string().into()),
        ("addr", info.addr.to_string().into()),
        ("transport", info.transport.into()),
        ("direct", info.direct.into()),
        ("direction", info.direction.into()),
        ("latencyMs", latency.into()),
        ("sent", number(info.sent)),
        ("received", number(info.received)),
        ("agent", info.agent.as_str().into()),
    ])
}

/// Who has a CID.
pub fn provider(provider: &Provider) -> JsValue {
    object([("id", provider.id.to_string().into()), ("addrs", addrs(&provider.addrs))])
}

fn kind(kind: Type) -> JsValue {
    let name = match kind {
        Type::File => "file",
        Type::Directory => "directory",
        Type::Symlink => "symlink",
        Type::Raw => "raw",
        Type::Ipld => "ipld",
    };
    name.into()
}

fn mtime(mtime: Mtime) -> JsValue {
    let nsecs = (mtime.nanos > 0).then_some(mtime.nanos);
    object([("secs", JsValue::from_f64(mtime.secs as f64)), ("nsecs", nsecs.into())])
}
