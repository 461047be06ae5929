//! What writing a value has in common, whichever the codec: going through it without recursion,
//! sorting its maps, and saying where it does not fit.

use std::cmp::Ordering;

use super::{MAX_DEPTH, Value};
use crate::path::shorten;

/// Why a value has no form in a codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is at {place:?} cannot be encoded: {fault}")]
pub struct EncodeError {
    /// Where in the value, as a path, cut short if long; `/` is the value itself.
    pub place: String,
    /// What is wrong there.
    pub fault: Unfit,
}

/// What does not fit a codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// NaN, an infinity, in DAG-CBOR negative zero, or an integer outside of -2^64 to 2^64 - 1.
    #[error("a number that the codec does not have")]
    Number,
    /// A map with the same key twice.
    #[error("the map has a key twice")]
    Duplicate,
    /// More than [`MAX_DEPTH`] lists and maps inside one another.
    #[error("more than {MAX_DEPTH} lists and maps inside one another")]
    TooDeep,
    /// A map that DAG-JSON would read as a link or bytes, or refuse.
    #[error("DAG-JSON keeps maps that begin with \"/\" for links and bytes")]
    Reserved,
    /// Not of the shape that the codec demands.
    #[error("it has to be {0}")]
    Shape(&'static str),
    /// A codec that is not written.
    #[error("codec {0:#x} is not supported")]
    Codec(u64),
}

impl Unfit {
    /// This, at a place such as `/a/0`; empty for the value itself.
    pub(super) fn at(self, place: String) -> EncodeError {
        let place = if place.is_empty() { "/".into() } else { shorten(&place) };
        EncodeError { place, fault: self }
    }
}

/// What a codec makes of the parts of a value.
pub(super) trait Sink {
    /// Anything but a list or map.
    fn scalar(&mut self, value: &Value) -> Result<(), Unfit>;
    /// A list of so many items begins.
    fn list(&mut self, len: usize);
    /// A map of these entries, sorted, begins.
    fn map(&mut self, entries: &[&(String, Value)]) -> Result<(), Unfit>;
    /// An item, or an entry of this key, is next.
    fn item(&mut self, is_first: bool, key: Option<&str>);
    /// The innermost list or map ends.
    fn end(&mut self, is_map: bool);
}

/// A list or map of which `done` items have been begun.
struct Open<'v> {
    items: Items<'v>,
    done: usize,
}

enum Items<'v> {
    List(&'v [Value]),
    Map(Vec<&'v (String, Value)>),
}

/// Writes `root` to `sink`, the entries of maps in this order of their keys.
pub(super) fn write_value(
    root: &Value,
    order: fn(&str, &str) -> Ordering,
    sink: &mut dyn Sink,
) -> Result<(), EncodeError> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut value = root;
    loop {
        begin(value, order, sink, &mut open).map_err(|fault| place(fault, &open))?;
        value = loop {
            let Some(Open { items, done }) = open.last_mut() else { return Ok(()) };
            let at = *done;
            *done += 1;
            let next = match items {
                Items::List(items) => items.get(at).map(|value| (None, value)),
                Items::Map(entries) => {
                    entries.get(at).map(|(key, value)| (Some(key.as_str()), value))
                }
            };
            if let Some((key, value)) = next {
                sink.item(at == 0, key);
                break value;
            }
            sink.end(matches!(items, Items::Map(_)));
            open.pop();
        };
    }
}

fn begin<'v>(
    value: &'v Value,
    order: fn(&str, &str) -> Ordering,
    sink: &mut dyn Sink,
    open: &mut Vec<Open<'v>>,
) -> Result<(), Unfit> {
    let items = match value {
        Value::List(items) => {
            sink.list(items.len());
            Items::List(items)
        }
        Value::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_unstable_by(|a, b| order(&a.0, &b.0));
            if sorted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err(Unfit::Duplicate);
            }
            sink.map(&sorted)?;
            Items::Map(sorted)
        }
        scalar => return sink.scalar(scalar),
    };
    if open.len() == MAX_DEPTH {
        return Err(Unfit::TooDeep);
    }
    open.push(Open { items, done: 0 });
    Ok(())
}

/// Names the place of what was begun last.
fn place(fault: Unfit, open: &[Open<'_>]) -> EncodeError {
    let mut place = String::new();
    for Open { items, done } in open {
        place.push('/');
        match items {
            Items::List(_) => place.push_str(&(done - 1).to_string()),
            Items::Map(entries) => place.push_str(&entries[done - 1].0),
        }
    }
    fault.at(place)
}
