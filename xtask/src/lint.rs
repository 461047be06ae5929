//! `lint`: what can be said of the code without running it.

use crate::{
    build, licences,
    project::{WASM, cargo},
    report::Report,
    run::{Result, run},
    setup,
};

/// Formatting, clippy on both targets with warnings as errors, types, licences.
pub fn lint() -> Result {
    setup::for_build()?;
    let mut report = Report::default();
    report.check("formatting", formatting);
    report.check("clippy, native", || {
        let args = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        run(cargo().args(args))
    });
    report.check("clippy, wasm", || {
        let args =
            ["clippy", "--target", WASM, "--package", "avocet", "--package", "avocet-transport"];
        run(cargo().args(args).args(["--lib", "--tests", "--", "--deny", "warnings"]))
    });
    report.check("types", || build::build().map(drop));
    report.check("licences of the npm packages that ship", licences::of_page);
    licences::of_crates(&mut report);
    report.finish()
}

/// All Rust is as rustfmt has it.
pub fn formatting() -> Result {
    run(cargo().args(["fmt", "--all", "--check"]))
}
