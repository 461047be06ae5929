//! Archives.

use avocet_dag::car::{ByteRange, ExportOptions};
use futures::{TryStreamExt, stream};
use js_sys::{Array, Function};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    error::Failure,
    node::Node,
    object,
    options::{addresses, car_scope},
    source::JsBytes,
    stream::Pull,
    task::Task,
};
use crate::{
    files::{self, CarExport, CarImport},
    platform::Payload,
};

#[wasm_bindgen]
extern "C" {
    /// What to export, all of it there but the range.
    pub type CarConfig;
    #[wasm_bindgen(method, getter)]
    fn scope(this: &CarConfig) -> String;
    #[wasm_bindgen(method, getter)]
    fn dups(this: &CarConfig) -> bool;
    #[wasm_bindgen(method, getter)]
    fn from(this: &CarConfig) -> Option<f64>;
    #[wasm_bindgen(method, getter)]
    fn to(this: &CarConfig) -> Option<f64>;
}

#[wasm_bindgen]
impl Node {
    /// Imports the archive that `bytes` gives, of which the length may be known; `progress` is
    /// called with the bytes done.
    #[wasm_bindgen(js_name = carImport)]
    pub fn car_import(
        &self,
        bytes: JsBytes,
        len: Option<f64>,
        pin: bool,
        name: Option<String>,
        progress: Function,
    ) -> Task {
        let peer = self.peer.clone();
        let import = CarImport { pin, name, len: len.map(|len| len as u64) };
        Task::start(async move {
            let tell = |loaded| {
                let _ = progress.call1(&JsValue::UNDEFINED, &object::number(loaded));
            };
            let source = Box::new(bytes);
            let imported = files::import_car(peer.store(), source, &import, &tell).await?;
            if pin {
                for root in &imported.roots {
                    peer.kept(root).await;
                }
            }
            Ok::<_, Failure>(object::object([
                ("roots", imported.roots.iter().map(object::cid).collect::<Array>().into()),
                ("blocks", object::number(imported.blocks)),
                ("bytes", object::number(imported.bytes)),
            ]))
        })
    }

    /// The bytes of an archive of what a path leads to, in arrays of pieces.
    #[wasm_bindgen(js_name = carExport)]
    pub fn car_export(&self, path: String, config: &CarConfig, providers: Vec<String>) -> Pull {
        let peer = self.peer.clone();
        let range = config
            .from()
            .map(|from| ByteRange { from: from as i64, to: config.to().map(|to| to as i64) });
        let scope = car_scope(&config.scope());
        let options = ExportOptions { scope, range, dups: config.dups(), ..Default::default() };
        let open = async move {
            let providers = addresses(&providers)?;
            let export = CarExport::open(peer.fetcher(), &path, options, providers)?;
            Ok::<_, Failure>(export.into_stream().map_err(Failure::from))
        };
        let bytes = stream::once(open).try_flatten();
        Pull::new(
            bytes.map_ok(|pieces: Vec<Payload>| {
                pieces.iter().map(Payload::to_js).collect::<Array>()
            }),
        )
    }
}
