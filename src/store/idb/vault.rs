//! Secrets at rest: sealed by a key of the browser's that no script can read out.
//!
//! Who copies the database's files or reads its rows gets no secret; who runs code on the page
//! can still use it. Where there is no WebCrypto (plain http), or the browser does not store its
//! keys (some private windows), a secret lies open, and its first byte says so.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, IdbTransaction, SubtleCrypto};

use super::{Link, event, event::Listening, fault};
use crate::{
    platform,
    store::{
        StoreError,
        backend::{Access, Table},
    },
};

/// Where the sealing key is, in [`Table::Keys`]. Slots have keys of four bytes.
const SEALING_KEY: &[u8] = b"sealing key";
/// First byte of what lies open.
const OPEN: u8 = 0;
/// First byte of what AES-256-GCM sealed: then 12 bytes of nonce, then the rest.
const SEALED: u8 = 1;
const NONCE: usize = 12;

/// Makes of a secret what may lie in the database.
pub(super) async fn seal(link: &Link, secret: &[u8; 32]) -> Result<Vec<u8>, StoreError> {
    if let Some(subtle) = platform::subtle() {
        match sealed(link, &subtle, secret).await {
            Ok(sealed) => return Ok(sealed),
            Err(error) => {
                let error = fault::words(&error);
                tracing::warn!(%error, "this browser stores no keys of its own");
            }
        }
    }
    Ok([&[OPEN], &secret[..]].concat())
}

/// Undoes [`seal`].
pub(super) async fn unseal(link: &Link, stored: &[u8]) -> Result<[u8; 32], StoreError> {
    let failed =
        |reason: &str| StoreError::Failed { name: link.name.clone(), reason: reason.to_owned() };
    let secret = match stored.split_first() {
        Some((&OPEN, secret)) => secret.to_vec(),
        Some((&SEALED, rest)) if rest.len() > NONCE => {
            let subtle = platform::subtle().ok_or_else(|| failed("there is no WebCrypto here"))?;
            let opened = opened(link, &subtle, rest).await;
            opened.map_err(|error| failed(&fault::words(&error)))?
        }
        _ => return Err(StoreError::Row { table: Table::Keys.name() }),
    };
    secret.try_into().map_err(|_| StoreError::Row { table: Table::Keys.name() })
}

async fn sealed(link: &Link, subtle: &SubtleCrypto, secret: &[u8; 32]) -> Result<Vec<u8>, JsValue> {
    let key = match load(link).await? {
        Some(key) => key,
        None => make(link, subtle).await?,
    };
    let mut nonce = [0; NONCE];
    platform::random_bytes(&mut nonce);
    let secret = Uint8Array::from(&secret[..]);
    let sealed =
        subtle.encrypt_with_object_and_buffer_source(&algorithm(&nonce)?, &key, &secret)?;
    let sealed = Uint8Array::new(&JsFuture::from(sealed).await?).to_vec();
    Ok([&[SEALED], &nonce[..], &sealed].concat())
}

async fn opened(link: &Link, subtle: &SubtleCrypto, rest: &[u8]) -> Result<Vec<u8>, JsValue> {
    let (nonce, sealed) = rest.split_at(NONCE);
    let key = load(link).await?.ok_or_else(|| JsValue::from_str("the sealing key is gone"))?;
    let sealed = Uint8Array::from(sealed);
    let opened = subtle.decrypt_with_object_and_buffer_source(&algorithm(nonce)?, &key, &sealed)?;
    Ok(Uint8Array::new(&JsFuture::from(opened).await?).to_vec())
}

async fn load(link: &Link) -> Result<Option<CryptoKey>, JsValue> {
    let transaction = begin(link, Access::Read)?;
    Ok(read(&transaction).await?.dyn_into().ok())
}

/// Makes the sealing key, unless another tab was faster; then that one's.
async fn make(link: &Link, subtle: &SubtleCrypto) -> Result<CryptoKey, JsValue> {
    let kind = Object::new();
    Reflect::set(&kind, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&kind, &"length".into(), &256.into())?;
    let uses = Array::of2(&"encrypt".into(), &"decrypt".into());
    // Not extractable.
    let key = JsFuture::from(subtle.generate_key_with_object(&kind, false, &uses)?).await?;
    let transaction = begin(link, Access::Strict)?;
    let end = Listening::to(&transaction, ["complete", "abort"]);
    let found = read(&transaction).await?;
    if let Ok(found) = found.dyn_into() {
        return Ok(found);
    }
    let rows = transaction.object_store(Table::Keys.name())?;
    rows.put_with_key(&key, &Uint8Array::from(SEALING_KEY))?;
    match end.await {
        true => Ok(key.unchecked_into()),
        false => Err(transaction.error().map_or(JsValue::NULL, Into::into)),
    }
}

async fn read(transaction: &IdbTransaction) -> Result<JsValue, JsValue> {
    let rows = transaction.object_store(Table::Keys.name())?;
    event::answer(&rows.get(&Uint8Array::from(SEALING_KEY))?.unchecked_into()).await
}

fn begin(link: &Link, access: Access) -> Result<IdbTransaction, JsValue> {
    link.transaction(&[Table::Keys], access).map_err(|error| error.to_string().into())
}

fn algorithm(nonce: &[u8]) -> Result<Object, JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"AES-GCM".into())?;
    Reflect::set(&algorithm, &"iv".into(), &Uint8Array::from(nonce))?;
    Ok(algorithm)
}
