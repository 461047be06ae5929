//! The one bridge from futures to promises.

use futures::{
    FutureExt,
    future::{AbortHandle, LocalBoxFuture, abortable},
};
use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

use super::error::Failure;

/// A call under way.
#[wasm_bindgen]
pub struct Task {
    promise: Promise,
    handle: AbortHandle,
}

#[wasm_bindgen]
impl Task {
    /// What it comes to.
    #[wasm_bindgen(getter)]
    pub fn promise(&self) -> Promise {
        self.promise.clone()
    }

    /// Ends it: what it does is dropped, and the promise rejects.
    pub fn cancel(&self) {
        self.handle.abort();
    }
}

impl Task {
    /// Starts `work`.
    pub fn start<T, E>(work: impl Future<Output = Result<T, E>> + 'static) -> Self
    where
        T: Into<JsValue>,
        E: Into<Failure>,
    {
        Self::run(
            async move {
                match work.await {
                    Ok(value) => Ok(value.into()),
                    Err(error) => Err(error.into().into()),
                }
            }
            .boxed_local(),
        )
    }

    /// One kind of future for all calls: what follows is compiled once, not once a call.
    fn run(work: LocalBoxFuture<'static, Result<JsValue, JsValue>>) -> Self {
        let (work, handle) = abortable(work);
        let promise = future_to_promise(async move {
            work.await.unwrap_or_else(|_aborted| Err(Failure::cancelled().into()))
        });
        Self { promise, handle }
    }
}
