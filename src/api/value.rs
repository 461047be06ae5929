//! The values of IPLD as JavaScript's, and the reverse.
//!
//! | IPLD | JavaScript |
//! |---|---|
//! | integer | number up to 2^53, `BigInt` beyond |
//! | float | number |
//! | bytes | `Uint8Array` |
//! | link | `{ '/': '<cid>' }` |
//! | list, map | array, plain object |
//!
//! The other way a number becomes an integer when it is a safe one (-0 becomes 0), else a float.

mod read;

use avocet_dag::codec::Value;
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::JsValue;

pub use read::from_js;

use super::{error::Failure, object};

/// The integers that a number holds exactly: below 2^53.
const SAFE: i128 = 1 << 53;

/// A value as JavaScript has it. Refused: a map that JavaScript could not tell from a link.
pub fn to_js(value: Value) -> Result<JsValue, Failure> {
    let mut open: Vec<Open> = Vec::new();
    let mut done = begin(value, &mut open)?;
    loop {
        let Some(last) = open.last_mut() else { return Ok(done.unwrap_or_default()) };
        if let Some(value) = done.take() {
            last.add(value);
        }
        done = match last.rest.next() {
            Some((key, value)) => {
                last.key = key;
                begin(value, &mut open)?
            }
            None => open.pop().map(Open::finish),
        };
    }
}

/// A list or map of which some items have been made.
struct Open {
    /// What is left of it; the items of a map have keys.
    rest: Box<dyn Iterator<Item = (Option<String>, Value)>>,
    /// The key of the item that is being made.
    key: Option<String>,
    is_map: bool,
    /// The items, or the pairs of a map.
    made: Array,
}

impl Open {
    fn add(&mut self, value: JsValue) {
        match self.key.take() {
            Some(key) => self.made.push(&Array::of2(&key.into(), &value)),
            None => self.made.push(&value),
        };
    }

    fn finish(self) -> JsValue {
        if !self.is_map {
            return self.made.into();
        }
        // Unlike an assignment this makes a member of `__proto__` too. It takes any pairs.
        Object::from_entries(&self.made).map(JsValue::from).unwrap_or_default()
    }
}

/// A value that has nothing inside it; else it is opened.
fn begin(value: Value, open: &mut Vec<Open>) -> Result<Option<JsValue>, Failure> {
    let (is_map, rest): (_, Box<dyn Iterator<Item = _>>) = match value {
        Value::Null => return Ok(Some(JsValue::NULL)),
        Value::Bool(bool) => return Ok(Some(bool.into())),
        Value::Int(int) if -SAFE < int && int < SAFE => return Ok(Some((int as f64).into())),
        Value::Int(int) => return Ok(Some(JsValue::from(int))),
        Value::Float(float) => return Ok(Some(float.into())),
        Value::Text(text) => return Ok(Some(text.into())),
        Value::Bytes(bytes) => return Ok(Some(Uint8Array::from(&bytes[..]).into())),
        Value::Link(cid) => return Ok(Some(object::object([("/", object::cid(&cid))]))),
        Value::List(items) => (false, Box::new(items.into_iter().map(|value| (None, value)))),
        Value::Map(entries) => {
            if let [(key, Value::Text(_))] = &entries[..]
                && key == "/"
            {
                let why = "a map of nothing but text at \"/\" cannot be told from a link";
                return Err(Failure::new("UNSUPPORTED", why));
            }
            (true, Box::new(entries.into_iter().map(|(key, value)| (Some(key), value))))
        }
    };
    open.push(Open { rest, key: None, is_map, made: Array::new() });
    Ok(None)
}
