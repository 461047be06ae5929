//! `bench`: the programs of `bench/`, in a network of their own where that can be had.

use std::fs;

use crate::{
    browsers, build, kubo,
    network::Network,
    project::{WASM, binary, cargo, node, root, target},
    run::{Context, Failure, Result, run},
    setup,
};

/// `content` as the first of `args` runs `bench/content.mjs` alone; else `bench/run.mjs` goes first,
/// and alone where they choose parts of it. Further arguments are the program's own.
pub fn bench(args: &[String]) -> Result {
    if let Some(("content", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest))
    {
        return content(rest);
    }
    browsers_and_network(args)?;
    let some_parts = args.iter().any(|arg| arg == "--show" || arg.starts_with("--only"));
    if some_parts { Ok(()) } else { content(&[]) }
}

/// Content natively, in wasm as it ships, and in JavaScript: no browser, no network.
fn content(args: &[String]) -> Result {
    setup::for_build()?;
    build::compile("avocet-bench")?;
    let compiled = target().join(WASM).join("release/avocet_bench.wasm");
    let wasm = compiled.with_extension("small.wasm");
    fs::copy(&compiled, &wasm).context(format!("copy {}", compiled.display()))?;
    build::optimise(&wasm)?;
    run(cargo().args(["build", "--profile", "native", "--package", "avocet-bench", "--bins"]))?;
    let mut command = node();
    command.arg("bench/content.mjs").args(args).env("AVOCET_BENCH_WASM", wasm);
    run(command.env("AVOCET_BENCH_BIN", binary("native", "avocet-bench")))
}

/// Builds everything as it ships and runs `bench/run.mjs`.
fn browsers_and_network(args: &[String]) -> Result {
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
    if let Some(kubo) = kubo::if_there() {
        command.env("AVOCET_KUBO", kubo);
    }
    run(&mut Network::choose().wrap(command))
}
