//! The suite on IndexedDB: with the browser's locks, and as where there are none.

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::*;
use crate::store::idb::{
    Idb, STEPS,
    tests::{fresh_name, remove},
};

wasm_bindgen_test_configure!(run_in_browser);

/// As many interleavings as a few seconds allow: a transaction takes about a millisecond.
const SEEDS: u64 = 8;

/// What the browser has for a case to use.
#[derive(Clone, Copy, PartialEq)]
enum With {
    Locks,
    Leases,
    /// Locks, and every value is kept in a pack, however small it is.
    Packs,
}

async fn run<F: Future<Output = ()>>(with: With, case: impl FnOnce(Rig) -> F) {
    let name = fresh_name();
    let open = {
        let name = name.clone();
        move || -> Opened {
            let name = name.clone();
            Box::pin(async move {
                let mut backend = Idb::open(&name, STEPS).await.unwrap();
                backend.locks = with != With::Leases;
                if with == With::Packs {
                    backend.pack_all().await;
                }
                Rc::new(backend) as Rc<dyn Backend>
            })
        }
    };
    case(Rig::new(SEEDS, open)).await;
    remove(&name);
}

mod with_locks {
    use super::*;

    macro_rules! test {
        ($($case:ident,)*) => {
            $(#[wasm_bindgen_test] async fn $case() { run(With::Locks, super::super::$case).await; })*
        };
    }

    every_case!(test);
}

/// Where the browser has no packs, the same again as with locks.
mod with_packs {
    use super::*;

    macro_rules! test {
        ($($case:ident,)*) => {
            $(#[wasm_bindgen_test] async fn $case() { run(With::Packs, super::super::$case).await; })*
        };
    }

    every_case!(test);
}

mod with_leases {
    use super::*;

    macro_rules! test {
        ($($case:ident,)*) => {
            $(#[wasm_bindgen_test] async fn $case() { run(With::Leases, super::super::$case).await; })*
        };
    }

    test! {
        each_tab_has_its_own_identity,
        an_identity_stays_with_its_slot,
        tabs_that_start_together_differ,
    }
}
