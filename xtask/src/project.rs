//! Where things lie.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::run::{Context, Failure, Result};

/// The target of the peer.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Cargo's folder for what it builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// What a build with this profile (`debug`, `native`, `release`) leaves, by its name.
pub fn binary(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The folder for tools that serve every checkout of this user.
pub fn cache() -> Result<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    given
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("avocet"))
        .ok_or_else(|| Failure::new("there is neither XDG_CACHE_HOME nor a home folder for tools"))
}

/// `cargo` in the workspace.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Set by the cargo that runs us: it must not reach the one that we run.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// `node` in the workspace.
pub fn node() -> Command {
    let mut command = Command::new("node");
    command.current_dir(root());
    command
}

/// A tool of `node_modules`, by its script: the same on every system, no shell in between.
pub fn node_tool(script: &str) -> Command {
    let mut command = node();
    command.arg(root().join("node_modules").join(script));
    command
}

/// The version of a package in Cargo.lock.
pub fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).context("read Cargo.lock")?;
    version_in(&lock, package)
        .map(Into::into)
        .ok_or_else(|| Failure::new(format!("Cargo.lock has no package {package}")))
}

fn version_in<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\""));
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// The files of a folder whose names end so, sorted; none where there is no such folder.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending))
        .map(|entry| Path::new(folder).join(entry.file_name()))
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_version_is_found_by_the_whole_name() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n\
            [[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(version_in(lock, "a"), Some("2.0.0"));
        assert_eq!(version_in(lock, "b"), None);
    }
}
