//! From the browser's errors to the store's.

use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::store::StoreError;

/// A share of the quota, one in so many: with less than this left, a transaction that the
/// browser ended on its own was ended for lack of room.
const NEARLY_FULL: f64 = 20.0;

/// What the error says, for people.
pub(super) fn words(error: &JsValue) -> String {
    let field = |name: &str| Reflect::get(error, &name.into()).ok()?.as_string();
    match (field("name"), field("message")) {
        (Some(name), Some(message)) if !message.is_empty() => format!("{name}: {message}"),
        (Some(name), _) => name,
        _ => format!("{error:?}"),
    }
}

/// The error's name: what tells one from another.
pub(super) fn name(error: &JsValue) -> String {
    let name = Reflect::get(error, &"name".into()).ok();
    name.and_then(|name| name.as_string()).unwrap_or_default()
}

/// What the error says besides its name.
pub(super) fn message(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok();
    message.and_then(|message| message.as_string()).unwrap_or_default()
}

/// Whether there was no room.
pub(super) fn is_quota(error: &JsValue) -> bool {
    name(error) == "QuotaExceededError"
}

/// An error of the database `database` that needs no look at the quota.
pub(super) fn explain(database: &str, error: &JsValue) -> StoreError {
    match name(error).as_str() {
        "QuotaExceededError" => StoreError::Quota { name: database.to_owned(), bytes: 0 },
        _ => StoreError::Failed { name: database.to_owned(), reason: words(error) },
    }
}

/// Why a transaction that wrote `bytes` was ended by the browser.
///
/// Near the quota Chromium says `AbortError` as well as `QuotaExceededError`.
pub(super) async fn explain_abort(database: &str, error: &JsValue, bytes: u64) -> StoreError {
    let full = match name(error).as_str() {
        "QuotaExceededError" => true,
        // No error at all is an abort that nobody asked for.
        "AbortError" | "" => is_nearly_full(bytes).await,
        _ => false,
    };
    match full {
        true => StoreError::Quota { name: database.to_owned(), bytes },
        false => StoreError::Failed { name: database.to_owned(), reason: words(error) },
    }
}

/// Whether there is little room. A page by plain http cannot ask, and assumes it.
async fn is_nearly_full(bytes: u64) -> bool {
    let Some((used, quota)) = estimate().await else { return true };
    quota - used < (bytes as f64).max(quota / NEARLY_FULL)
}

/// Bytes that this origin uses, and that it may use.
async fn estimate() -> Option<(f64, f64)> {
    let field = |object: &JsValue, name: &str| {
        Reflect::get(object, &name.into()).ok().filter(|found| !found.is_undefined())
    };
    let storage = field(&field(&js_sys::global(), "navigator")?, "storage")?;
    let ask: js_sys::Function = field(&storage, "estimate")?.dyn_into().ok()?;
    let answer: Promise = ask.call0(&storage).ok()?.dyn_into().ok()?;
    let answer = JsFuture::from(answer).await.ok()?;
    Some((field(&answer, "usage")?.as_f64()?, field(&answer, "quota")?.as_f64()?))
}
