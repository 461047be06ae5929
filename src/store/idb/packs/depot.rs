//! The worker that has the packs' files, and the questions to it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use futures::channel::oneshot;
use js_sys::{Array, ArrayBuffer, JsString, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Blob, MessageEvent, Url, Worker};

use crate::{platform, store::idb::event};

/// All that the worker runs. From here, so that it is found wherever the package lies; a page whose
/// policy allows no such worker keeps blobs.
const SOURCE: &str = include_str!("worker.js");

/// What the worker said; an error is an object with a `name` and a `message`.
type Answer = Result<JsValue, JsValue>;

/// What waits for an answer, by number. Bounded by what may be under way at once: the batches, wants
/// and chunks of those who ask.
type Asked = RefCell<HashMap<u32, oneshot::Sender<Answer>>>;

/// A worker that is ready.
pub(in crate::store::idb) struct Depot {
    worker: Worker,
    asked: Rc<Asked>,
    last: Cell<u32>,
    ended: Cell<bool>,
    /// Places that are done with, kept and left, of which the worker was not told yet.
    done: RefCell<Option<[Array; 2]>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut()>,
}

impl Depot {
    /// Starts a worker that keeps packs in the folder `path`, and holds the lock `lock` with its own
    /// name behind it. `tidy` is called when another tab asks for it.
    pub async fn open(
        path: &str,
        lock: &str,
        tidy: impl Fn() + 'static,
    ) -> Result<Rc<Self>, JsValue> {
        let blob = Blob::new_with_str_sequence(&Array::of1(&SOURCE.into()))?;
        let url = Url::create_object_url_with_blob(&blob)?;
        let worker = Worker::new(&url)?;
        let asked = Rc::<Asked>::default();
        let on_message = {
            let asked = Rc::clone(&asked);
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                let answer = Array::from(&event.data());
                match answer.get(0).as_f64() {
                    Some(number) if number > 0.0 => tell(&asked, number as u32, &answer),
                    _ => tidy(),
                }
            })
        };
        let on_error = {
            let asked = Rc::clone(&asked);
            // Nobody waits for ever: whoever asked is told by the end of the channel.
            Closure::<dyn FnMut()>::new(move || asked.borrow_mut().clear())
        };
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        event::on(&worker, "error", &on_error);
        let depot = Rc::new(Self {
            worker,
            asked,
            last: Cell::default(),
            ended: Cell::default(),
            done: RefCell::default(),
            _on_message: on_message,
            _on_error: on_error,
        });
        let opened = depot.ask("open", &[path.into(), lock.into()], &Array::new()).await;
        Url::revoke_object_url(&url)?;
        opened.map(|_| depot)
    }

    /// Writes a buffer, which is given away; the place where its bytes lie.
    pub fn write(&self, buffer: &ArrayBuffer) -> impl Future<Output = Answer> + use<> {
        self.ask("write", &[buffer.clone().into()], &Array::of1(buffer))
    }

    /// Hashes and writes a part of a file, or a buffer that is given away: its SHA-256 and place.
    pub fn take(&self, part: &JsValue) -> impl Future<Output = Answer> + use<> {
        let given = match part.has_type::<ArrayBuffer>() {
            true => Array::of1(part),
            false => Array::new(),
        };
        self.ask("take", std::slice::from_ref(part), &given)
    }

    /// A buffer of what lies at a place.
    pub fn read(&self, place: &JsValue) -> impl Future<Output = Answer> + use<> {
        self.ask("read", std::slice::from_ref(place), &Array::new())
    }

    /// Sees to it that all that was written is on the disk.
    pub fn flush(&self) -> impl Future<Output = Answer> + use<> {
        self.ask("flush", &[], &Array::new())
    }

    /// All packs of the folder, of every tab.
    pub fn list(&self) -> impl Future<Output = Answer> + use<> {
        self.ask("list", &[], &Array::new())
    }

    /// Whether nothing more will lie in a pack of ours than what rows tell of.
    pub fn seal(&self, name: &JsString) -> impl Future<Output = Answer> + use<> {
        self.ask("seal", &[name.clone().into()], &Array::new())
    }

    /// Copies what lies at `places` to new ones.
    pub fn copy(&self, places: &Array) -> impl Future<Output = Answer> + use<> {
        self.ask("move", &[places.clone().into()], &Array::new())
    }

    /// Removes packs.
    pub fn remove(&self, names: &Array) -> impl Future<Output = Answer> + use<> {
        self.ask("remove", &[names.clone().into()], &Array::new())
    }

    /// Asks other tabs to tidy up what is theirs.
    pub fn call_others(&self) -> impl Future<Output = Answer> + use<> {
        self.ask("call", &[], &Array::new())
    }

    /// Nobody waits for this place any more: a row tells of it, or it is free. What is done with in one
    /// turn is told together.
    pub fn done(self: &Rc<Self>, place: &JsValue, kept: bool) {
        let mut done = self.done.borrow_mut();
        if done.is_none() {
            let depot = Rc::clone(self);
            platform::spawn(async move { depot.tell_done() });
        }
        let [keep, left] = done.get_or_insert_with(|| [Array::new(), Array::new()]);
        if kept {
            keep.push(place)
        } else {
            left.push(place)
        };
    }

    /// Ends the worker: whoever waits for it is told, and so is whoever asks.
    pub fn end(&self) {
        self.worker.set_onmessage(None);
        event::off(&self.worker, "error");
        self.worker.terminate();
        self.ended.set(true);
        self.asked.borrow_mut().clear();
    }

    fn tell_done(&self) {
        if let Some([kept, left]) = self.done.take() {
            // Nothing hangs on the answer.
            drop(self.ask("done", &[kept.into(), left.into()], &Array::new()));
        }
    }

    /// Asks at once, and gives the answer when it comes.
    fn ask(
        &self,
        act: &str,
        with: &[JsValue],
        given: &Array,
    ) -> impl Future<Output = Answer> + use<> {
        // First, so that the room may be used at once.
        self.tell_done();
        let number = self.last.get().wrapping_add(1).max(1);
        self.last.set(number);
        let message = Array::of2(&number.into(), &act.into());
        for argument in with {
            message.push(argument);
        }
        let (tell, told) = oneshot::channel();
        let sent = self.worker.post_message_with_transfer(&message, given);
        if sent.is_ok() && !self.ended.get() {
            self.asked.borrow_mut().insert(number, tell);
        }
        async move {
            sent?;
            told.await
                .unwrap_or_else(|_| Err(error("WorkerError", "the worker of the store has ended")))
        }
    }
}

impl Drop for Depot {
    fn drop(&mut self) {
        self.end();
    }
}

fn tell(asked: &Asked, number: u32, answer: &Array) {
    let Some(tell) = asked.borrow_mut().remove(&number) else { return };
    let error = answer.get(2);
    let answer = if error.is_undefined() { Ok(answer.get(1)) } else { Err(error) };
    // Whoever asked may have gone.
    let _ = tell.send(answer);
}

/// An error as the worker's are.
pub(super) fn error(name: &str, message: &str) -> JsValue {
    let error = Object::new();
    // An object of our own takes any field.
    let _ = Reflect::set(&error, &"name".into(), &name.into());
    let _ = Reflect::set(&error, &"message".into(), &message.into());
    error.into()
}
