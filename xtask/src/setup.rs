//! The tools, brought once: the wasm target, wasm-bindgen, the npm packages.
//!
//! Each step looks first and does nothing when all is there, so it may be called again and again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::{
    project::{self, WASM, cargo, root},
    run::{Context, Failure, Result, capture, run},
};

/// Everything that a build needs.
pub fn for_build() -> Result {
    wasm_target()?;
    wasm_bindgen()?;
    node_modules()
}

/// Rust's standard library for wasm.
fn wasm_target() -> Result {
    let sysroot = capture(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).exists() {
        return Ok(());
    }
    println!("Adding Rust's target for WebAssembly.");
    run(Command::new("rustup").args(["target", "add", WASM]).current_dir(root())).map_err(|error| {
        Failure::new(format!(
            "{error}\nRust's target {WASM} is missing. With rustup: rustup target add {WASM}\n\
             A Rust of your system's packages may have it as one of them."
        ))
    })
}

/// Whether the source of Rust's standard library is there, or could be brought.
pub fn rust_source() -> bool {
    let sysroot = capture(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()));
    let Ok(sysroot) = sysroot else { return false };
    let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
    source.exists() || {
        println!("Adding the source of Rust's standard library, to compile it for size.");
        let added =
            run(Command::new("rustup").args(["component", "add", "rust-src"]).current_dir(root()));
        if let Err(error) = &added {
            println!("{error}\nWithout it the wasm file is a tenth larger.");
        }
        added.is_ok() && source.exists()
    }
}

/// The folder with `wasm-bindgen` and `wasm-bindgen-test-runner`, of exactly the library's version:
/// any other refuses to work.
pub fn wasm_bindgen() -> Result<PathBuf> {
    let version = project::locked_version("wasm-bindgen")?;
    cargo_tool("wasm-bindgen-cli", &version, &format!("wasm-bindgen-{version}"), "wasm-bindgen")
}

/// Installs a crate's programs into a folder of the cache, unless `probe` is there already.
pub fn cargo_tool(package: &str, version: &str, folder: &str, probe: &str) -> Result<PathBuf> {
    let home = project::cache()?.join("tools").join(folder);
    let bin = home.join("bin");
    if bin.join(format!("{probe}{}", std::env::consts::EXE_SUFFIX)).exists() {
        return Ok(bin);
    }
    println!("Installing {package} {version}, once; this takes some minutes.");
    // A target folder of its own, so that nothing of the workspace's settings gets in.
    let target = home.join("target");
    let mut install = cargo();
    install.current_dir(std::env::temp_dir());
    install.args(["install", package, "--version", version, "--locked", "--root"]).arg(&home);
    run(install.env("CARGO_TARGET_DIR", &target))?;
    // It is of no further use, and large; when it cannot be removed, nothing is lost but room.
    let _ = fs::remove_dir_all(target);
    Ok(bin)
}

/// The npm packages of the lock file. None of them runs code of its own here: `.npmrc` says so.
fn node_modules() -> Result {
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return Ok(());
    }
    println!("Installing the npm packages.");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = Command::new(npm);
    run(install.args(["ci", "--ignore-scripts", "--loglevel", "error"]).current_dir(root()))?;
    // `npm ci` keeps the time of the archive for some files: this one stands for "done now".
    let mark = root().join("node_modules/.package-lock.json");
    let text = fs::read(&mark).context("read node_modules/.package-lock.json")?;
    fs::write(&mark, text).context("write node_modules/.package-lock.json")
}

/// When a file was last written; what is not there, never.
fn changed(path: &str) -> Option<SystemTime> {
    fs::metadata(root().join(path)).and_then(|meta| meta.modified()).ok()
}
