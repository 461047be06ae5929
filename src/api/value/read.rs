//! From JavaScript's values to IPLD's.

use avocet_dag::{
    BlockError, MAX_BLOCK,
    codec::{MAX_DEPTH, MAX_TREE, Value},
};
use js_sys::{Array, ArrayBuffer, JsString, Number, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use crate::api::{error::Failure, options::parse_cid};

/// The most parts of a value: what takes more could not be got again.
const MAX_PARTS: usize = MAX_TREE / size_of::<(String, Value)>();

// With getters and proxies these run code of the caller's.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Object, js_name = getPrototypeOf)]
    fn prototype(object: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn items(list: &JsValue) -> Result<Array, JsValue>;
}

/// What `value` is to IPLD. What is nothing to it is refused, with its place.
pub fn from_js(value: &JsValue) -> Result<Value, Failure> {
    let mut reader = Reader { open: Vec::new(), parts: 0, bytes: 0 };
    let mut done = reader.begin(value).map_err(|error| reader.say(error))?;
    loop {
        let Some(last) = reader.open.last_mut() else { return Ok(done.unwrap_or(Value::Null)) };
        if let Some(value) = done.take() {
            last.add(value);
        }
        let next = last.next(&mut reader.bytes);
        done = match next.map_err(|error| reader.say(error))? {
            Some(value) => reader.begin(&value).map_err(|error| reader.say(error))?,
            None => reader.open.pop().map(|open| open.made),
        };
    }
}

struct Reader {
    open: Vec<Open>,
    parts: usize,
    /// Bytes of all text and bytes so far.
    bytes: usize,
}

/// A list or map of which some items have been read.
struct Open {
    /// The items, or the pairs of a map.
    items: Array,
    /// Items that have been begun.
    at: u32,
    /// The key of the one that was begun last.
    key: String,
    made: Value,
}

/// What is wrong with a value.
enum Wrong {
    /// It is nothing to IPLD.
    Value(String),
    /// It is a link to this, which is no CID.
    Link(Failure),
    /// It is too much for a block.
    Size(usize),
    /// It is too deep, or has too many parts.
    Parts,
}

impl Reader {
    /// A value that has nothing inside it; else it is opened.
    fn begin(&mut self, value: &JsValue) -> Result<Option<Value>, Wrong> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Wrong::Parts);
        }
        if value.is_null() {
            return Ok(Some(Value::Null));
        }
        if let Some(bool) = value.as_bool() {
            return Ok(Some(Value::Bool(bool)));
        }
        if let Some(number) = value.as_f64() {
            return self::number(value, number).map(Some);
        }
        if value.is_bigint() {
            // whether it fits a codec is the codec's business
            let int = i128::try_from(value.clone());
            return int.map(|int| Some(Value::Int(int))).map_err(|_| not("an integer of 64 bits"));
        }
        if let Some(string) = value.dyn_ref::<JsString>() {
            return text(string, &mut self.bytes).map(|text| Some(Value::Text(text)));
        }
        let bytes = match value.dyn_ref::<ArrayBuffer>() {
            Some(buffer) => Some(Uint8Array::new(buffer)),
            None => value.dyn_ref::<Uint8Array>().cloned(),
        };
        if let Some(bytes) = bytes {
            charge(bytes.length(), &mut self.bytes)?;
            return Ok(Some(Value::Bytes(bytes.to_vec())));
        }
        self.inside(value)
    }

    /// Opens a list or map. A map may turn out to be a link.
    fn inside(&mut self, value: &JsValue) -> Result<Option<Value>, Wrong> {
        let unreadable = |_| Wrong::Value("it cannot be read: a getter threw".into());
        let (items, made) = if Array::is_array(value) {
            (items(value).map_err(unreadable)?, Value::List(Vec::new()))
        } else if is_plain(value) {
            (entries(value).map_err(unreadable)?, Value::Map(Vec::new()))
        } else {
            return Err(Wrong::Value(describe(value)));
        };
        if matches!(made, Value::Map(_)) && items.length() == 1 {
            let pair: Array = items.get(0).unchecked_into();
            if let (Some("/"), Some(cid)) =
                (pair.get(0).as_string().as_deref(), pair.get(1).as_string())
            {
                return parse_cid(&cid).map(|cid| Some(Value::Link(cid))).map_err(Wrong::Link);
            }
        }
        if self.open.len() == MAX_DEPTH {
            return Err(Wrong::Parts);
        }
        self.open.push(Open { items, at: 0, key: String::new(), made });
        Ok(None)
    }

    fn say(&self, wrong: Wrong) -> Failure {
        let mut place = String::new();
        for Open { at, key, made, .. } in &self.open {
            place.push('/');
            match made {
                Value::Map(_) => place.push_str(key),
                _ => place.push_str(&at.saturating_sub(1).to_string()),
            }
        }
        let place = if place.is_empty() { "/".into() } else { place };
        let place: String = place.chars().take(100).collect();
        match wrong {
            Wrong::Value(why) => {
                Failure::new("INVALID_OPTION", format!("what is at {place:?} cannot be put: {why}"))
            }
            Wrong::Link(failure) => failure.within(&format!("the link at {place:?}")),
            Wrong::Size(bytes) => BlockError::TooLarge(bytes).into(),
            Wrong::Parts => Failure::new(
                "LIMIT",
                format!("at {place:?} the value is too deep, or has too many parts, for one block"),
            ),
        }
    }
}

impl Open {
    /// The next item, if there is one; the key of a map's is kept.
    fn next(&mut self, bytes: &mut usize) -> Result<Option<JsValue>, Wrong> {
        if self.at == self.items.length() {
            return Ok(None);
        }
        let item = self.items.get(self.at);
        self.at += 1;
        if !matches!(self.made, Value::Map(_)) {
            return Ok(Some(item));
        }
        let pair: Array = item.unchecked_into();
        self.key = text(&pair.get(0).unchecked_into(), bytes)?;
        Ok(Some(pair.get(1)))
    }

    fn add(&mut self, value: Value) {
        match &mut self.made {
            Value::Map(entries) => entries.push((std::mem::take(&mut self.key), value)),
            Value::List(items) => items.push(value),
            _ => {}
        }
    }
}

fn number(value: &JsValue, number: f64) -> Result<Value, Wrong> {
    if Number::is_safe_integer(value) {
        return Ok(Value::Int(number as i128));
    }
    match number.is_finite() {
        true => Ok(Value::Float(number)),
        false => Err(Wrong::Value("NaN and infinities are nothing to IPLD".into())),
    }
}

fn text(string: &JsString, bytes: &mut usize) -> Result<String, Wrong> {
    charge(string.length(), bytes)?;
    let text = String::from(string);
    // half a surrogate pair would have become U+FFFD in silence
    match text.contains('\u{fffd}') && !string.is_valid_utf16() {
        true => Err(Wrong::Value("half of a surrogate pair is no text".into())),
        false => Ok(text),
    }
}

fn charge(len: u32, bytes: &mut usize) -> Result<(), Wrong> {
    *bytes += len as usize;
    if *bytes > MAX_BLOCK { Err(Wrong::Size(*bytes)) } else { Ok(()) }
}

/// An object that `{}` or `Object.create(null)` made, in this window or another.
fn is_plain(value: &JsValue) -> bool {
    let parent = |object: &JsValue| prototype(object).ok();
    value.is_object()
        && parent(value).is_some_and(|first| {
            first.is_null() || parent(&first).is_some_and(|second| second.is_null())
        })
}

fn not(what: &str) -> Wrong {
    Wrong::Value(format!("it is not {what}"))
}

fn describe(value: &JsValue) -> String {
    if value.is_object() {
        return "an object of a class has no form; links are { '/': cid }, bytes Uint8Array".into();
    }
    let kind = value.js_typeof().as_string().unwrap_or_default();
    format!("{kind} is nothing to IPLD")
}
