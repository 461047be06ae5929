//! Real browsers: found, or brought.

use std::{env, path::PathBuf, process::Command};

use crate::{
    project::{node, node_tool},
    run::{self, Result, capture},
};

/// The browsers of the tests.
pub struct Browsers {
    /// Chromium, or Chrome.
    pub chromium: Option<PathBuf>,
    /// Firefox.
    pub firefox: Option<PathBuf>,
}

const CHROMIUM: &[&str] =
    &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];
const FIREFOX: &[&str] = &["firefox-esr", "firefox"];

/// What to do when one is missing and could not be brought.
pub const CHROMIUM_HINT: &str = "\
no Chromium was found, and none could be installed. One of these helps:
  Debian, Ubuntu:    sudo apt-get install chromium
  anywhere:          npx playwright-core install --with-deps chromium
  one that is there: CHROMIUM=/path/to/chromium npm test";

/// The same for Firefox.
pub const FIREFOX_HINT: &str = "\
no Firefox was found. One of these helps:
  Debian:            sudo apt-get install firefox-esr
  Ubuntu, Fedora, …: the system's package `firefox`
  one that is there: FIREFOX=/path/to/firefox npm test";

/// Looks at CHROMIUM and FIREFOX, then on the PATH; what is missing is installed where that can be
/// done without asking: as root by apt-get, else Chromium by Playwright into its own folder.
pub fn find_or_install() -> Browsers {
    let mut found = find();
    if (found.chromium.is_none() || found.firefox.is_none()) && may_use_apt() {
        println!("Installing the missing browsers with apt-get.");
        let missing = [(&found.chromium, "chromium"), (&found.firefox, "firefox-esr")];
        let missing = missing.into_iter().filter(|(have, _)| have.is_none()).map(|(_, name)| name);
        if let Err(failure) = apt(&missing.collect::<Vec<_>>()) {
            println!("{failure}");
        }
        found = find();
    }
    if found.chromium.is_none() {
        found.chromium = playwright();
    }
    found
}

fn find() -> Browsers {
    Browsers { chromium: one("CHROMIUM", CHROMIUM), firefox: one("FIREFOX", FIREFOX) }
}

/// The first that answers: on Ubuntu `chromium-browser` may be a script that only gives advice.
fn one(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let given = env::var_os(variable).map(PathBuf::from).into_iter();
    let on_path = names.iter().filter_map(|name| on_path(name));
    given.chain(on_path).find(|path| run::succeeds(Command::new(path).arg("--version")))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(&name)).find(|path| path.is_file())
}

/// Only as root, and only where nobody would have to type a password.
fn may_use_apt() -> bool {
    on_path("apt-get").is_some() && is_root()
}

/// Whether we are root on a Unix.
pub fn is_root() -> bool {
    cfg!(unix) && capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt(packages: &[&str]) -> Result {
    let mut update = Command::new("apt-get");
    run::run(update.args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    run::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn playwright() -> Option<PathBuf> {
    println!("Installing Chromium with Playwright.");
    let mut install = node_tool("playwright-core/cli.js");
    install.args(["install", "chromium"]);
    if let Err(failure) = run::run(&mut install) {
        println!("{failure}");
        return None;
    }
    let ask = "import('playwright-core').then(p => console.log(p.chromium.executablePath()))";
    let path = PathBuf::from(capture(node().args(["-e", ask])).ok()?.trim());
    run::succeeds(Command::new(&path).arg("--version")).then_some(path)
}
