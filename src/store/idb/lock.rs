//! The browser's locks: held until let go, or until the tab ends in whatever way.

use std::{cell::RefCell, rc::Rc};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use wasm_bindgen_futures::JsFuture;

use crate::store::backend::Locked;

#[wasm_bindgen]
extern "C" {
    /// `LockManager`, which web-sys counts as unstable.
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        callback: &Function,
    ) -> Result<Promise, JsValue>;
}

/// Takes the lock `name` of this origin if nobody has it.
pub(super) async fn take(name: &str) -> Locked {
    let Some(locks) = manager() else { return Locked::NoLocks };
    let options = Object::new();
    if Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE).is_err() {
        return Locked::NoLocks;
    }
    let (tell, told) = oneshot::channel();
    // The browser holds the lock for as long as the promise that this returns is open.
    let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        if lock.is_null() {
            let _ = tell.send(Locked::Taken);
            return JsValue::UNDEFINED;
        }
        let release = Rc::new(RefCell::new(None));
        let until_released = Promise::new(&mut |resolve, _| *release.borrow_mut() = Some(resolve));
        let held = Held { release: release.take() };
        // Where nobody waits any more, this drops `held` and so lets go at once.
        let _ = tell.send(Locked::Ours(Box::new(held)));
        until_released.into()
    });
    let Ok(request) = locks.request(name, &options, granted.unchecked_ref()) else {
        return Locked::NoLocks;
    };
    match select(told, JsFuture::from(request)).await {
        Either::Left((Ok(locked), _)) => locked,
        // It was refused before the callback ran, or answered while this was looked at.
        Either::Right((Ok(_), told)) => told.await.unwrap_or(Locked::NoLocks),
        Either::Left((Err(_), _)) | Either::Right((Err(_), _)) => Locked::NoLocks,
    }
}

struct Held {
    release: Option<Function>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

fn manager() -> Option<LockManager> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}
