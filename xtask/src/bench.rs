//! `bench`: the programs of `bench/`, in a network of their own where that can be had.

use crate::{
    browsers, build,
    network::Network,
    project::{binary, cargo, node, root},
    run::{Failure, Result, run},
};

/// Builds everything as it ships and runs `bench/run.mjs`; `args` are its own.
pub fn bench(args: &[String]) -> Result {
    build::build()?;
    run(cargo().args(["build", "--profile", "native", "--package", "avocet-relay"]))?;
    let found = browsers::find_or_install();
    let chromium = found.chromium.ok_or_else(|| Failure::new(browsers::CHROMIUM_HINT))?;
    let script = "bench/run.mjs";
    if !root().join(script).exists() {
        return Err(Failure::new(format!("{script} is missing")));
    }
    let mut command = node();
    command.arg(script).args(args).env("CHROMIUM", chromium);
    command.env("AVOCET_RELAY_BIN", binary("native", "avocet-relay"));
    if let Some(firefox) = found.firefox {
        command.env("FIREFOX", firefox);
    }
    run(&mut Network::choose().wrap(command))
}
