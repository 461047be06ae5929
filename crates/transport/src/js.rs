//! What web-sys lacks, or does not catch: the browser's objects as the rest of the crate uses
//! them. Nothing outside this file makes a closure for the browser.

mod turns;

use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, closure::Closure, prelude::*};
use wasm_bindgen_futures::JsFuture;
pub(crate) use web_sys::{Event, EventTarget};

pub(crate) use self::turns::Turns;

use crate::webrtc::IceServer;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = EventTarget, js_name = RTCPeerConnection)]
    #[derive(Debug, Clone)]
    pub(crate) type PeerConnection;

    #[wasm_bindgen(constructor, catch, js_class = "RTCPeerConnection")]
    fn construct(configuration: &JsValue) -> Result<PeerConnection, JsValue>;

    /// Throws when the connection is closed, which web-sys's binding does not catch.
    #[wasm_bindgen(method, catch, js_name = createDataChannel)]
    pub(crate) fn create_data_channel(
        this: &PeerConnection,
        label: &str,
    ) -> Result<DataChannel, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createDataChannel)]
    fn create_data_channel_with(
        this: &PeerConnection,
        label: &str,
        options: &JsValue,
    ) -> Result<DataChannel, JsValue>;

    #[wasm_bindgen(method, js_name = createOffer)]
    pub(crate) fn create_offer(this: &PeerConnection) -> Promise;

    #[wasm_bindgen(method, js_name = createAnswer)]
    pub(crate) fn create_answer(this: &PeerConnection) -> Promise;

    #[wasm_bindgen(method, js_name = setLocalDescription)]
    pub(crate) fn set_local_description(this: &PeerConnection, description: &JsValue) -> Promise;

    #[wasm_bindgen(method, js_name = setRemoteDescription)]
    fn set_remote_description_raw(this: &PeerConnection, description: &JsValue) -> Promise;

    #[wasm_bindgen(method, getter, js_name = localDescription)]
    pub(crate) fn local_description(this: &PeerConnection) -> JsValue;

    #[wasm_bindgen(method, js_name = addIceCandidate)]
    fn add_ice_candidate_raw(this: &PeerConnection, candidate: &JsValue) -> Promise;

    #[wasm_bindgen(method, getter, js_name = connectionState)]
    pub(crate) fn connection_state(this: &PeerConnection) -> String;

    #[wasm_bindgen(method, getter, js_name = iceConnectionState)]
    pub(crate) fn ice_connection_state(this: &PeerConnection) -> String;

    /// The transport under the channels. It says that the other side has closed within
    /// milliseconds, where `connectionState` takes seconds.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sctp(this: &PeerConnection) -> Option<StateTarget>;

    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &PeerConnection);

    /// `RTCSctpTransport` and `RTCDtlsTransport`: things with a `state` that changes.
    #[wasm_bindgen(extends = EventTarget)]
    pub(crate) type StateTarget;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn state(this: &StateTarget) -> String;

    /// The `RTCDtlsTransport` of an `RTCSctpTransport`.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &StateTarget) -> Option<StateTarget>;

    #[wasm_bindgen(extends = EventTarget, js_name = RTCDataChannel)]
    #[derive(Debug, Clone)]
    pub(crate) type DataChannel;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn label(this: &DataChannel) -> String;

    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(crate) fn ready_state(this: &DataChannel) -> String;

    #[wasm_bindgen(method, getter, js_name = bufferedAmount)]
    fn buffered_amount_f64(this: &DataChannel) -> f64;

    #[wasm_bindgen(method, setter, js_name = bufferedAmountLowThreshold)]
    pub(crate) fn set_low_threshold(this: &DataChannel, bytes: u32);

    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &DataChannel, kind: &str);

    #[wasm_bindgen(method, catch)]
    pub(crate) fn send(this: &DataChannel, bytes: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn close(this: &DataChannel);

    #[wasm_bindgen(extends = Event)]
    pub(crate) type ChannelEvent;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn channel(this: &ChannelEvent) -> DataChannel;

    #[wasm_bindgen(extends = Event)]
    pub(crate) type CandidateEvent;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn candidate(this: &CandidateEvent) -> Option<Object>;

    #[wasm_bindgen(extends = Event)]
    pub(crate) type MessageEvent;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn data(this: &MessageEvent) -> JsValue;
}

/// Whether connections can be made here at all.
pub(crate) fn has_webrtc() -> bool {
    Reflect::get(&js_sys::global(), &"RTCPeerConnection".into()).is_ok_and(|it| it.is_function())
}

impl PeerConnection {
    pub(crate) fn new(ice_servers: &[IceServer]) -> Result<Self, BrowserError> {
        let servers = Array::new();
        for server in ice_servers {
            let urls: Array = server.urls.iter().map(|url| JsValue::from_str(url)).collect();
            let object = object(&[("urls", urls.into())]);
            for (key, value) in [("username", &server.username), ("credential", &server.credential)]
            {
                if let Some(value) = value {
                    set(&object, key, &value.into());
                }
            }
            servers.push(&object);
        }
        Ok(Self::construct(&object(&[("iceServers", servers.into())]))?)
    }

    /// A data channel without a word to the other side, which makes the same one: its first.
    pub(crate) fn create_agreed_channel(&self) -> Result<DataChannel, BrowserError> {
        let options = object(&[("negotiated", true.into()), ("id", 0.into())]);
        Ok(self.create_data_channel_with("", &options)?)
    }

    pub(crate) async fn set_remote_description(
        &self,
        kind: &str,
        sdp: &str,
    ) -> Result<(), BrowserError> {
        let description = description(kind, sdp);
        JsFuture::from(self.set_remote_description_raw(&description)).await?;
        Ok(())
    }

    /// Adds a candidate given as JSON.
    pub(crate) async fn add_ice_candidate(&self, json: &str) -> Result<(), BrowserError> {
        let candidate = js_sys::JSON::parse(json)?;
        JsFuture::from(self.add_ice_candidate_raw(&candidate)).await?;
        Ok(())
    }
}

impl DataChannel {
    /// Bytes handed to the browser that it has not sent yet.
    pub(crate) fn buffered_amount(&self) -> usize {
        self.buffered_amount_f64() as usize
    }

    /// Lets binary messages come as buffers; Firefox's default was a blob.
    pub(crate) fn take_buffers(&self) {
        self.set_binary_type("arraybuffer");
    }
}

impl CandidateEvent {
    /// The candidate's JSON; `None` for the marks at the end of candidates.
    pub(crate) fn json(&self) -> Option<String> {
        let candidate = self.candidate()?;
        let line = Reflect::get(&candidate, &"candidate".into()).ok()?.as_string()?;
        if line.is_empty() {
            return None;
        }
        js_sys::JSON::stringify(&candidate).ok()?.as_string()
    }
}

impl MessageEvent {
    /// The message's bytes, copied into wasm memory, unless they are more than `most`; then their
    /// count.
    pub(crate) fn bytes(&self, most: usize) -> Result<Vec<u8>, NotTaken> {
        let data = self.data();
        let buffer = data.dyn_ref::<ArrayBuffer>().ok_or(NotTaken::Text)?;
        let length = buffer.byte_length() as usize;
        if length > most {
            return Err(NotTaken::TooLong(length));
        }
        Ok(Uint8Array::new(buffer).to_vec())
    }
}

/// Why a message's bytes are not to be had.
pub(crate) enum NotTaken {
    /// It has this many bytes.
    TooLong(usize),
    /// It is text.
    Text,
}

/// A session description.
pub(crate) fn description(kind: &str, sdp: &str) -> Object {
    object(&[("type", kind.into()), ("sdp", sdp.into())])
}

/// The session description's text.
pub(crate) fn sdp_of(description: &JsValue) -> Result<String, BrowserError> {
    let sdp = Reflect::get(description, &"sdp".into())?;
    sdp.as_string().ok_or_else(|| BrowserError("a session description without text".into()))
}

/// What the browser threw, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrowserError(pub String);

impl From<JsValue> for BrowserError {
    fn from(thrown: JsValue) -> Self {
        let text = |key: &str| Reflect::get(&thrown, &key.into()).ok()?.as_string();
        match (text("name"), text("message")) {
            (Some(name), Some(message)) => Self(format!("{name}: {message}")),
            _ => Self(format!("{thrown:?}")),
        }
    }
}

/// A handler on an object of the browser, taken off when this is dropped: the browser then never
/// calls a closure that is gone.
#[derive(Debug)]
pub(crate) struct Listener {
    target: EventTarget,
    kind: &'static str,
    closure: Closure<dyn FnMut(JsValue)>,
}

impl Listener {
    /// Calls `handler` for each event `kind` of `target`. The handler must not own the listener,
    /// nor drop it.
    pub(crate) fn new<E: JsCast>(
        target: &EventTarget,
        kind: &'static str,
        mut handler: impl FnMut(E) + 'static,
    ) -> Self {
        let closure = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            handler(event.unchecked_into());
        });
        let target = target.clone();
        // it throws only for arguments of wrong types
        let _ = target.add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref());
        Self { target, kind, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let handler = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.kind, handler);
    }
}

fn object(entries: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        set(&object, key, value);
    }
    object
}

/// Sets a property of a plain object, which cannot fail.
fn set(object: &Object, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}
