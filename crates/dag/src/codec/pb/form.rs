//! DAG-PB nodes as values: `{ Data?: bytes, Links: [{ Hash: link, Name?: text, Tsize?: integer }] }`
//! (DAG-PB specification, logical format).

use super::{Link, Node, PbError, encode};
use crate::codec::{EncodeError, MAX_TREE, Unfit, Value};

const DATA: &str = "Data";
const LINKS: &str = "Links";
const HASH: &str = "Hash";
const NAME: &str = "Name";
const TSIZE: &str = "Tsize";

/// What a link takes as a value, its name aside: a map of three in a list, and their keys.
const LINK_COST: usize = size_of::<Value>() + 3 * (size_of::<(String, Value)>() + 24) + 16;

/// The node in `bytes` as a value.
pub fn to_value(bytes: &[u8]) -> Result<Value, PbError> {
    let node = Node::decode(bytes)?;
    if bytes.len() + node.len() * LINK_COST > MAX_TREE {
        return Err(PbError::TooMuch(node.len()));
    }
    let mut links = Vec::with_capacity(node.len());
    for (at, Link { cid, name, tsize }) in node.links().enumerate() {
        let mut link = Vec::with_capacity(3);
        link.push((HASH.to_owned(), Value::Link(cid)));
        if let Some(name) = name {
            let name = str::from_utf8(name).map_err(|_| PbError::Name(at))?;
            link.push((NAME.to_owned(), Value::Text(name.to_owned())));
        }
        link.extend(tsize.map(|tsize| (TSIZE.to_owned(), Value::Int(tsize.into()))));
        links.push(Value::Map(link));
    }
    let data = node.data().map(|data| (DATA.to_owned(), Value::Bytes(data.to_vec())));
    Ok(Value::Map(data.into_iter().chain([(LINKS.to_owned(), Value::List(links))]).collect()))
}

/// The bytes of the node that `value` describes; its links are sorted here. Nothing may be there
/// that DAG-PB does not have, and nothing be null.
pub fn from_value(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let [data, links] = fields(value, [DATA, LINKS])
        .ok_or_else(|| Unfit::Shape("a map of Links, and Data or not").at(String::new()))?;
    let data = match data {
        None => None,
        Some(Value::Bytes(data)) => Some(data.as_slice()),
        Some(_) => return Err(Unfit::Shape("bytes").at(format!("/{DATA}"))),
    };
    let Some(Value::List(links)) = links else {
        return Err(Unfit::Shape("a list of links").at(format!("/{LINKS}")));
    };
    let links: Result<Vec<_>, _> = links
        .iter()
        .enumerate()
        .map(|(at, link)| {
            let place = |name: &str| format!("/{LINKS}/{at}{name}");
            to_link(link).map_err(|(name, shape)| Unfit::Shape(shape).at(place(name)))
        })
        .collect();
    Ok(encode(&links?, data))
}

/// The link that `value` describes; or where in it something else should be, and what.
fn to_link(value: &Value) -> Result<Link<'_>, (&'static str, &'static str)> {
    let [hash, name, tsize] = fields(value, [HASH, NAME, TSIZE])
        .ok_or(("", "a map of Hash, and Name and Tsize or not"))?;
    let Some(Value::Link(cid)) = hash else { return Err(("/Hash", "a link")) };
    let name = match name {
        None => None,
        Some(Value::Text(name)) => Some(name.as_bytes()),
        Some(_) => return Err(("/Name", "text")),
    };
    let tsize = match tsize {
        None => None,
        Some(Value::Int(tsize)) if u64::try_from(*tsize).is_ok() => Some(*tsize as u64),
        Some(_) => return Err(("/Tsize", "an integer of 64 bits and not negative")),
    };
    Ok(Link { cid: cid.clone(), name, tsize })
}

/// The entries of a map under these keys; `None` if it is no map, or has another key or one twice.
fn fields<'v, const N: usize>(value: &'v Value, keys: [&str; N]) -> Option<[Option<&'v Value>; N]> {
    let Value::Map(entries) = value else { return None };
    let mut found = [None; N];
    for (key, value) in entries {
        let at = keys.iter().position(|known| known == key)?;
        if found[at].replace(value).is_some() {
            return None;
        }
    }
    Some(found)
}
