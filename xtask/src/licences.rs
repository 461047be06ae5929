//! Licences and advisories of what others wrote.

use std::fs;

use serde_json::Value;

use crate::{
    project::root,
    report::Report,
    run::{Context, Failure, Result, run, succeeds},
    setup,
};

/// The version of cargo-deny that reads `deny.toml`.
const CARGO_DENY: &str = "0.18.9";

/// Licences that the page may carry, as SPDX names.
const ALLOWED: &[&str] = &["0BSD", "Apache-2.0", "Apache-2.0 OR MIT", "BSD-3-Clause", "ISC", "MIT"];

/// cargo-deny over the crates: licences, bans and sources always; advisories where their database
/// can be fetched.
pub fn of_crates(report: &mut Report) {
    let folder = format!("cargo-deny-{CARGO_DENY}");
    let mut deny = None;
    report.check("cargo-deny is installed", || {
        deny = Some(setup::cargo_tool("cargo-deny", CARGO_DENY, &folder, "cargo-deny")?);
        Ok(())
    });
    let Some(bin) = deny else { return };
    let deny = |args: &[&str]| {
        let mut command = std::process::Command::new(bin.join("cargo-deny"));
        command.current_dir(root()).args(["--workspace", "--log-level", "error"]).args(args);
        command
    };
    report.check("licences and sources of the crates", || {
        run(&mut deny(&["check", "licenses", "bans", "sources"]))
    });
    if succeeds(&mut deny(&["fetch", "db"])) {
        report.check("advisories", || run(&mut deny(&["check", "--disable-fetch", "advisories"])));
    } else {
        report.leave_out("advisories: their database cannot be reached from here");
    }
}

/// The npm packages under `dependencies` and all below them; those for development do not ship.
pub fn of_page() -> Result {
    let lock =
        fs::read_to_string(root().join("package-lock.json")).context("read package-lock.json")?;
    let lock: Value = serde_json::from_str(&lock).context("read package-lock.json")?;
    let bad = not_allowed(&lock);
    if bad.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("licences that are not allowed: {}", bad.join(", "))))
}

fn not_allowed(lock: &Value) -> Vec<String> {
    let packages = lock.get("packages").and_then(Value::as_object).into_iter().flatten();
    packages
        .filter(|(path, package)| !path.is_empty() && package.get("dev").is_none())
        .map(|(path, package)| {
            (path, package.get("license").and_then(Value::as_str).unwrap_or("none"))
        })
        .filter(|(_, licence)| !ALLOWED.contains(licence))
        .map(|(path, licence)| format!("{path} ({licence})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ships_is_judged() {
        let lock = serde_json::json!({ "packages": {
            "": { "license": "none of ours" },
            "node_modules/good": { "license": "MIT" },
            "node_modules/tool": { "license": "GPL-3.0", "dev": true },
            "node_modules/bad": { "license": "GPL-3.0" },
            "node_modules/silent": {},
        }});
        assert_eq!(
            not_allowed(&lock),
            ["node_modules/bad (GPL-3.0)", "node_modules/silent (none)"]
        );
    }
}
