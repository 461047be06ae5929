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

async fn run<F: Future<Output = ()>>(locks: bool, case: impl FnOnce(Rig) -> F) {
    let name = fresh_name();
    let open = {
        let name = name.clone();
        move || -> Opened {
            let name = name.clone();
            Box::pin(async move {
                let mut backend = Idb::open(&name, STEPS).await.unwrap();
                backend.locks = locks;
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
            $(#[wasm_bindgen_test] async fn $case() { run(true, super::super::$case).await; })*
        };
    }

    every_case!(test);
}

mod with_leases {
    use super::*;

    macro_rules! test {
        ($($case:ident,)*) => {
            $(#[wasm_bindgen_test] async fn $case() { run(false, super::super::$case).await; })*
        };
    }

    test! {
        each_tab_has_its_own_identity,
        an_identity_stays_with_its_slot,
        tabs_that_start_together_differ,
    }
}
