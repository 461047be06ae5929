//! `fuzz`: every target of `fuzz/`, one after the other, each from the committed corpus on.
//!
//! What is found on the way lies in `target/fuzz/corpus/`, and is where the next run goes on; an
//! input that breaks a target lies in `target/fuzz/artifacts/`. Mend what it breaks, then commit it
//! to `fuzz/corpus/`: the tests replay that.

use std::{fs, path::Path, process::Command};

use crate::{
    project::{files, root, target},
    report::Report,
    run::{Context, Failure, Result, run},
    setup,
};

const CARGO_FUZZ: &str = "0.13.1";

/// How long a target runs unless told otherwise.
const SECONDS: u32 = 60;
/// Larger inputs are slower, and what they break a smaller one breaks too.
const MAX_INPUT: usize = 16 * 1024;
/// A parser has 2 s for a MiB; here it has less than a thirtieth of that, on a busy machine, with
/// the fuzzer's counters in it.
const TIMEOUT_SECONDS: u32 = 2;

/// Runs the targets that `args` name, or all; `--seconds N` for each.
pub fn fuzz(args: &[String]) -> Result {
    let (names, seconds) = parse(args)?;
    let folder = format!("cargo-fuzz-{CARGO_FUZZ}");
    let bin = setup::cargo_tool("cargo-fuzz", CARGO_FUZZ, &folder, "cargo-fuzz")?;
    let mut report = Report::default();
    for name in names {
        report.check(&format!("fuzz {name}"), || one(&bin, &name, seconds));
    }
    report.finish()
}

fn one(bin: &Path, name: &str, seconds: u32) -> Result {
    let built = target().join("fuzz");
    let found = built.join("corpus").join(name);
    let broken = built.join("artifacts").join(name);
    for dir in [&found, &broken] {
        fs::create_dir_all(dir).context(format!("make {}", dir.display()))?;
    }
    let mut command = Command::new(bin.join("cargo-fuzz"));
    // The instrumentation is not stable; the crates themselves have nothing for a sanitizer, since
    // no code of theirs is unsafe.
    command.current_dir(root()).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    command.args(["run", "--fuzz-dir", "fuzz", "--sanitizer", "none", "--target-dir"]).arg(&built);
    command.arg(name).arg(&found).arg(root().join("fuzz/corpus").join(name)).arg("--");
    command.arg(format!("-artifact_prefix={}/", broken.display()));
    command.args([format!("-max_total_time={seconds}"), format!("-max_len={MAX_INPUT}")]);
    command.args([format!("-timeout={TIMEOUT_SECONDS}"), "-print_final_stats=1".into()]);
    run(&mut command)
}

fn parse(args: &[String]) -> Result<(Vec<String>, u32)> {
    let all: Vec<String> =
        files("fuzz/fuzz_targets", ".rs").iter().filter_map(|path| stem(path)).collect();
    let (mut names, mut seconds) = (Vec::new(), SECONDS);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or_else(|| Failure::new("--seconds wants a number"))?;
        } else if all.contains(arg) {
            names.push(arg.clone());
        } else {
            let known = all.join(", ");
            return Err(Failure::new(format!("{arg} is no target; these are: {known}")));
        }
    }
    Ok((if names.is_empty() { all } else { names }, seconds))
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_seconds_are_told() {
        let parse =
            |args: &[&str]| parse(&args.iter().map(|arg| (*arg).into()).collect::<Vec<_>>());
        let (all, seconds) = parse(&[]).unwrap();
        assert!(all.contains(&"cid".to_owned()) && seconds == SECONDS);
        assert_eq!(parse(&["pb", "--seconds", "5"]).unwrap(), (vec!["pb".to_owned()], 5));
        assert!(parse(&["nothing"]).is_err() && parse(&["--seconds"]).is_err());
    }
}
