//! Places in packs: how a row tells of one, and who answers for one that no row tells of yet.

use std::{cell::RefCell, rc::Rc};

use avocet_dag::MAX_BLOCK;
use bytes::Bytes;
use futures::{FutureExt, future::LocalBoxFuture};
use js_sys::{JsString, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::depot::Depot;
use crate::{platform::Payload, store::idb::fault};

/// Whether a value of a row is a place. What the place says of itself is not trusted: bytes that lie
/// elsewhere are verified as any others are.
pub(in crate::store::idb) fn is_place(value: &JsValue) -> bool {
    let at = field(value, "at").and_then(|at| at.as_f64());
    name(value).is_some()
        && at.is_some_and(|at| at >= 0.0 && at.fract() == 0.0)
        && len(value).is_some()
}

/// The pack that the place is in.
pub(super) fn name(place: &JsValue) -> Option<JsString> {
    field(place, "pack").and_then(|name| name.dyn_into().ok())
}

/// Bytes at the place: no more than a block has.
pub(super) fn len(place: &JsValue) -> Option<usize> {
    let len = field(place, "len")?.as_f64()?;
    (len >= 0.0 && len <= MAX_BLOCK as f64).then_some(len as usize)
}

/// Whether both are the same place.
pub(super) fn same(one: &JsValue, other: &JsValue) -> bool {
    is_place(other)
        && ["pack", "at", "len"].iter().all(|name| field(one, name) == field(other, name))
}

fn field(of: &JsValue, name: &str) -> Option<JsValue> {
    of.is_object().then(|| Reflect::get(of, &name.into()).ok()).flatten()
}

/// A place that a row is to tell of. Dropped before [`Self::keep`], its room is used again.
pub(super) struct Place {
    depot: Rc<Depot>,
    place: JsValue,
    kept: bool,
}

impl Place {
    pub fn new(depot: &Rc<Depot>, place: JsValue) -> Self {
        Self { depot: Rc::clone(depot), place, kept: false }
    }

    /// What a row tells of it.
    pub fn row(&self) -> &JsValue {
        &self.place
    }

    /// A row that was committed tells of it.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.depot.done(&self.place, self.kept);
    }
}

/// A value on its way into a pack.
pub(in crate::store::idb) struct Packed {
    depot: Rc<Depot>,
    state: RefCell<State>,
}

enum State {
    Writing(LocalBoxFuture<'static, Result<JsValue, JsValue>>, Payload),
    Placed(Place),
    /// There was no room for it.
    Nowhere(Payload),
    /// No pack takes it.
    Loose(Payload),
    /// Whoever waited for it to be written went away meanwhile.
    Left(Payload),
}

/// What a row is to have of a value.
pub(in crate::store::idb) enum Row {
    Place(JsValue),
    Bytes(Payload),
}

impl Packed {
    /// Writes the bytes; they are on their way when this returns.
    pub fn write(depot: Rc<Depot>, bytes: Payload) -> Self {
        let state = State::write(&depot, bytes);
        Self { depot, state: RefCell::new(state) }
    }

    /// What has its place already.
    pub(super) fn at(place: Place) -> Self {
        Self { depot: Rc::clone(&place.depot), state: RefCell::new(State::Placed(place)) }
    }

    /// Waits until it is clear where the value lies. Without room it may be called again, once there is some.
    pub async fn settle(&self) -> Result<(), JsValue> {
        let state = match self.state.replace(State::Left(Bytes::new().into())) {
            State::Nowhere(bytes) | State::Left(bytes) => State::write(&self.depot, bytes),
            state => state,
        };
        let State::Writing(answer, bytes) = state else {
            self.state.replace(state);
            return Ok(());
        };
        self.state.replace(State::Left(bytes.clone()));
        let answer = answer.await;
        let full = answer.as_ref().err().is_some_and(fault::is_quota);
        let (state, outcome) = match answer {
            Ok(place) => (State::Placed(Place::new(&self.depot, place)), Ok(())),
            Err(error) if full => (State::Nowhere(bytes), Err(error)),
            Err(error) => {
                tracing::warn!(error = fault::words(&error), "no pack took a value");
                (State::Loose(bytes), Ok(()))
            }
        };
        self.state.replace(state);
        outcome
    }

    /// What a row is to have of it, once it is settled.
    pub fn row(&self) -> Row {
        match &*self.state.borrow() {
            State::Placed(place) => Row::Place(place.row().clone()),
            State::Writing(_, bytes)
            | State::Nowhere(bytes)
            | State::Loose(bytes)
            | State::Left(bytes) => Row::Bytes(bytes.clone()),
        }
    }

    /// A row that was committed tells of it.
    pub fn keep(&self) {
        if let State::Placed(place) = &mut *self.state.borrow_mut() {
            place.keep();
        }
    }
}

impl State {
    fn write(depot: &Depot, bytes: Payload) -> Self {
        let buffer = match &bytes {
            Payload::Wasm(bytes) => Uint8Array::from(&bytes[..]),
            // Others have it as well.
            Payload::Js(view) => view.slice(0, view.length()),
        };
        Self::Writing(depot.write(&buffer.buffer()).boxed_local(), bytes)
    }
}
