//! The suite on the memory backend.

use super::*;
use crate::store::memory::Memory;

fn run<F: Future<Output = ()>>(case: impl FnOnce(Rig) -> F) {
    let memory = Memory::default();
    let open = move || -> Opened {
        let memory = memory.clone();
        Box::pin(async move { Rc::new(memory) as Rc<dyn Backend> })
    };
    platform::block_on(case(Rig::new(300, open))).unwrap();
}

macro_rules! test {
    ($($case:ident,)*) => { $(#[test] fn $case() { run(super::$case); })* };
}

every_case!(test);
