//! Sequences, one value at a time.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::{Stream, StreamExt, stream::LocalBoxStream};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{error::Failure, task::Task};

/// Values for JavaScript.
type Values = LocalBoxStream<'static, Result<JsValue, Failure>>;

/// A sequence that is made as it is pulled.
#[wasm_bindgen]
pub struct Pull {
    /// `None` while a value is being made, after the last and when cancelled.
    stream: Rc<RefCell<Option<Values>>>,
    cancelled: Rc<Cell<bool>>,
    total: Rc<Cell<Option<f64>>>,
}

#[wasm_bindgen]
impl Pull {
    /// The next value; `undefined` after the last. To be called again only when that is there.
    pub fn next(&self) -> Task {
        let (place, cancelled) = (self.stream.clone(), self.cancelled.clone());
        Task::start(async move {
            let stream = place.borrow_mut().take();
            let Some(mut stream) = stream else { return Ok(JsValue::UNDEFINED) };
            match stream.next().await {
                None => Ok(JsValue::UNDEFINED),
                Some(Err(failure)) => Err(failure),
                Some(Ok(value)) => {
                    if !cancelled.get() {
                        place.replace(Some(stream));
                    }
                    Ok(value)
                }
            }
        })
    }

    /// No more is wanted.
    pub fn cancel(&self) {
        self.cancelled.set(true);
        self.stream.borrow_mut().take();
    }

    /// The number of bytes to come in all, once it is known.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> Option<f64> {
        self.total.get()
    }
}

impl Pull {
    /// Gives `stream` out.
    pub fn new<E: Into<Failure>>(
        stream: impl Stream<Item = Result<impl Into<JsValue>, E>> + 'static,
    ) -> Self {
        Self::with_total(|_| stream)
    }

    /// Gives out the stream that is made by `begin`, which is given the place for the total.
    pub fn with_total<S, T, E>(begin: impl FnOnce(Rc<Cell<Option<f64>>>) -> S) -> Self
    where
        S: Stream<Item = Result<T, E>> + 'static,
        T: Into<JsValue>,
        E: Into<Failure>,
    {
        let total = Rc::<Cell<Option<f64>>>::default();
        let stream = begin(total.clone());
        let stream = stream.map(|item| item.map(Into::into).map_err(Into::into)).boxed_local();
        let stream = Rc::new(RefCell::new(Some(stream)));
        Self { stream, cancelled: Rc::default(), total }
    }
}
