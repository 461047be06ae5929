//! Kubo, which the tests compare with: the real one, built once by Go.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    project::{self, cargo, root},
    report::{Counts, Report},
    run::{Context, Failure, Result, count, run, succeeds},
};

/// Its `go.mod` and `go.sum` say which versions of what are built.
const MODULE: &str = "tests/interop/kubo";
const PACKAGE: &str = "github.com/ipfs/kubo";

const HINT: &str = "\
what needs Kubo: there is no `go` on the PATH, which builds it. One of these helps:
  Go:                https://go.dev/dl/
  one that is there: AVOCET_KUBO=/path/to/ipfs npm run test:kubo";

/// The tests beside Kubo and nothing else.
pub fn test() -> Result {
    let mut report = Report::default();
    let kubo = tests(&mut report);
    report.finish()?;
    kubo.map(drop).ok_or_else(|| Failure::new("nothing was compared"))
}

/// Content beside Kubo's, as steps of a report; gives the program. `None`: it cannot be had here,
/// and the report says so.
pub fn tests(report: &mut Report) -> Option<PathBuf> {
    if !obtainable() {
        report.leave_out(HINT);
        return None;
    }
    let mut kubo = None;
    report.check("Kubo is there", || {
        kubo = Some(find_or_build()?);
        Ok(())
    });
    let kubo = kubo?;
    report.tests("content beside Kubo's", || {
        let built = ["test", "--profile", "native", "--package", "avocet-dag", "--test", "kubo"];
        let mut compile = cargo();
        if let Err(failure) = run(compile.args(built).arg("--no-run")) {
            return (Err(failure), Counts::default());
        }
        count(cargo().args(built).args(["--", "--ignored"]).env("AVOCET_KUBO", &kubo))
    });
    Some(kubo)
}

/// Whether it is given, or Go is there to build it.
fn obtainable() -> bool {
    env::var_os("AVOCET_KUBO").is_some() || succeeds(Command::new("go").arg("version"))
}

/// The program where it can be had; else says what would help, and gives none.
pub fn if_there() -> Option<PathBuf> {
    if !obtainable() {
        println!("Left out: {HINT}");
        return None;
    }
    find_or_build().map_err(|failure| println!("Left out: {failure}")).ok()
}

/// The program `ipfs`: the one that AVOCET_KUBO names, else the cache's, built when it is missing.
fn find_or_build() -> Result<PathBuf> {
    if let Some(given) = env::var_os("AVOCET_KUBO") {
        let given = PathBuf::from(given);
        return match succeeds(Command::new(&given).arg("version")) {
            true => Ok(given),
            false => Err(Failure::new(format!("AVOCET_KUBO: {} does not run", given.display()))),
        };
    }
    let module = root().join(MODULE);
    let text = fs::read_to_string(module.join("go.mod")).context("read Kubo's go.mod")?;
    let version = version_in(&text)
        .ok_or_else(|| Failure::new(format!("{MODULE}/go.mod does not name {PACKAGE}")))?;
    let bin = project::cache()?.join("tools").join(format!("kubo-{version}")).join("bin");
    let program = bin.join(format!("ipfs{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        println!("Building Kubo {version}, once; this takes some minutes.");
        build(&module, &program)?;
    }
    Ok(program)
}

/// Under another name first: a build that was cut short is no Kubo.
fn build(module: &Path, program: &Path) -> Result {
    let unfinished = program.with_extension("unfinished");
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-mod=readonly", "-o"]).arg(&unfinished);
    // A vendored or a surrounding workspace's setting would build something else.
    run(go.arg(format!("{PACKAGE}/cmd/ipfs")).current_dir(module).env("GOWORK", "off"))?;
    fs::rename(&unfinished, program).context("put Kubo into its place")
}

fn version_in(go_mod: &str) -> Option<&str> {
    let mut words = go_mod.lines().map(str::split_whitespace);
    words.find_map(|mut line| match line.next()? {
        PACKAGE => line.next()?.strip_prefix('v'),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_module() {
        let text = "module a\n\nrequire (\n\tgithub.com/ipfs/kubo-x v9.9.9\n\
            \tgithub.com/ipfs/kubo v0.1.2 // indirect\n)\n";
        assert_eq!(version_in(text), Some("0.1.2"));
        assert_eq!(version_in("module a\n"), None);
        let real = fs::read_to_string(root().join(MODULE).join("go.mod")).unwrap();
        assert!(version_in(&real).is_some());
    }
}
