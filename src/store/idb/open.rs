//! Opening a database: made, upgraded or refused, never emptied.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{IdbDatabase, IdbFactory, IdbOpenDbRequest, IdbVersionChangeEvent};

use super::{
    Idb,
    event::{self, Listening},
    fault,
    schema::{STEPS, Step},
};
use crate::{
    platform,
    store::{
        StoreError,
        backend::{Backend, Table},
    },
};

/// How long tabs with an older version of the database have to let go of it. Ours do at once
/// when they are asked.
const BLOCKED: Duration = Duration::from_secs(5);
/// How long the browser may take in all, upgrades included.
const SILENT: Duration = Duration::from_secs(60);

/// Opens the database `name` with the schema of this program.
pub(in crate::store) async fn open(name: &str) -> Result<Rc<dyn Backend>, StoreError> {
    Ok(Rc::new(Idb::open(name, STEPS).await?))
}

impl Idb {
    /// Opens the database `name` with a schema of `steps`.
    pub(in crate::store) async fn open(
        name: &str,
        steps: &'static [Step],
    ) -> Result<Self, StoreError> {
        let unavailable = |reason| StoreError::Unavailable { name: name.to_owned(), reason };
        let factory = factory().ok_or_else(|| unavailable("it has no IndexedDB".to_owned()))?;
        let version = steps.len() as u32;
        let request = factory
            .open_with_u32(name, version)
            .map_err(|error| unavailable(fault::words(&error)))?;
        let attempt = Attempt::new(request, steps);
        let outcome = attempt.outcome().await;
        match outcome {
            Outcome::Open(database) => {
                if let Some(missing) = first_missing(&database) {
                    database.close();
                    return Err(StoreError::Foreign { name: name.to_owned(), missing });
                }
                Ok(Self::new(name.to_owned(), database))
            }
            Outcome::Blocked => Err(StoreError::Blocked { name: name.to_owned() }),
            Outcome::Silent => Err(unavailable("it did not answer".to_owned())),
            Outcome::Refused(error) => Err(match fault::name(&error).as_str() {
                "VersionError" => StoreError::TooNew { name: name.to_owned(), ours: version },
                "QuotaExceededError" => StoreError::Quota { name: name.to_owned(), bytes: 0 },
                _ => unavailable(fault::words(&error)),
            }),
        }
    }
}

enum Outcome {
    Open(IdbDatabase),
    Refused(JsValue),
    Blocked,
    Silent,
}

/// A request to open a database, and what listens to it.
struct Attempt {
    request: IdbOpenDbRequest,
    end: Listening,
    blocked: oneshot::Receiver<()>,
    /// What a step of the schema threw.
    thrown: Rc<RefCell<Option<JsValue>>>,
    settled: bool,
    _on_upgrade: Closure<dyn FnMut(IdbVersionChangeEvent)>,
    _on_blocked: Closure<dyn FnMut()>,
}

impl Attempt {
    fn new(request: IdbOpenDbRequest, steps: &'static [Step]) -> Self {
        let thrown = Rc::new(RefCell::new(None));
        let upgrade = {
            let (request, thrown) = (request.clone(), Rc::clone(&thrown));
            Closure::<dyn FnMut(IdbVersionChangeEvent)>::new(move |event| {
                if let Err(error) = upgrade(&request, &event, steps) {
                    *thrown.borrow_mut() = Some(error);
                    abort(&request);
                }
            })
        };
        let (tell, blocked) = oneshot::channel();
        let mut tell = Some(tell);
        let on_blocked = Closure::<dyn FnMut()>::new(move || {
            // It may be that nobody waits any more.
            let _ = tell.take().map(|tell| tell.send(()));
        });
        request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        event::on(&request, "blocked", &on_blocked);
        let end = Listening::to(&request, ["success", "error"]);
        Self {
            request,
            end,
            blocked,
            thrown,
            settled: false,
            _on_upgrade: upgrade,
            _on_blocked: on_blocked,
        }
    }

    async fn outcome(mut self) -> Outcome {
        let blocked = async {
            match (&mut self.blocked).await {
                Ok(()) => platform::sleep(BLOCKED).await,
                // Never: the sender lives as long as the listeners.
                Err(_) => futures::future::pending().await,
            }
        };
        let late = select(Box::pin(blocked), Box::pin(platform::sleep(SILENT)));
        let opened = match select(&mut self.end, late).await {
            Either::Left((opened, _)) => opened,
            Either::Right((Either::Left(_), _)) => return Outcome::Blocked,
            Either::Right((Either::Right(_), _)) => return Outcome::Silent,
        };
        self.settle(opened)
    }

    fn settle(&mut self, opened: bool) -> Outcome {
        self.settled = true;
        if opened {
            let database = self.request.result().map(JsCast::unchecked_into);
            return database.map_or_else(Outcome::Refused, Outcome::Open);
        }
        let error = self.request.error().ok().flatten().map_or(JsValue::NULL, Into::into);
        Outcome::Refused(self.thrown.take().unwrap_or(error))
    }
}

impl Drop for Attempt {
    /// What the browser opens after we gave up is closed at once, and not upgraded: else it
    /// would be in the way of others.
    fn drop(&mut self) {
        event::off(&self.request, "upgradeneeded");
        event::off(&self.request, "blocked");
        if self.settled {
            return;
        }
        let request = self.request.clone();
        let refuse = Closure::once_into_js(move || abort(&request));
        let request = self.request.clone();
        let close = Closure::once_into_js(move || {
            if let Ok(database) = request.result() {
                database.unchecked_into::<IdbDatabase>().close();
            }
        });
        for (event, listener) in [("upgradeneeded", refuse), ("success", close)] {
            let listener = listener.unchecked_ref();
            // A browser's own object takes any listener.
            let _ = self.request.add_event_listener_with_callback(event, listener);
        }
    }
}

/// Takes the steps that the database lacks.
fn upgrade(
    request: &IdbOpenDbRequest,
    event: &IdbVersionChangeEvent,
    steps: &[Step],
) -> Result<(), JsValue> {
    let database: IdbDatabase = request.result()?.unchecked_into();
    let transaction = request.transaction().ok_or(JsValue::NULL)?;
    for step in steps.iter().skip(event.old_version() as usize) {
        step(&database, &transaction)?;
    }
    Ok(())
}

fn abort(request: &IdbOpenDbRequest) {
    if let Some(transaction) = request.transaction() {
        // It fails only when the transaction has ended already.
        let _ = transaction.abort();
    }
}

fn first_missing(database: &IdbDatabase) -> Option<&'static str> {
    let names = database.object_store_names();
    Table::ALL.iter().map(|table| table.name()).find(|name| !names.contains(name))
}

/// `indexedDB`; where it is forbidden, asking for it may throw.
fn factory() -> Option<IdbFactory> {
    let factory = Reflect::get(&js_sys::global(), &"indexedDB".into()).ok()?;
    factory.is_object().then(|| factory.unchecked_into())
}
