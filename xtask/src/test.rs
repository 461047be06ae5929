//! `test`: everything that can fail, from the cheap to the slow.

use std::{env, path::PathBuf, process::Command};

use crate::{
    browsers::{self, Browsers},
    build, kubo, lint,
    network::Network,
    project::{WASM, binary, cargo, files, node, root},
    report::{Counts, Report},
    run::{Failure, Result, count, run},
    setup,
};

/// The packages whose tests run in browsers.
const IN_BROWSERS: &[&str] = &["avocet", "avocet-transport", "chacha20@0.9.100"];

/// Line tables are all that a test's backtrace needs; half the time and room of full debug info.
const DEBUG: (&str, &str) = ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");

/// Runs every test; `--slow` adds the long ones, `--kubo` runs those beside Kubo and nothing else.
/// Goes on after a failure.
pub fn test(args: &[String]) -> Result {
    let slow = match args {
        [] => false,
        [arg] if arg == "--slow" => true,
        [arg] if arg == "--kubo" => return kubo::test(),
        _ => return Err(Failure::new(format!("test knows --slow and --kubo, not {args:?}"))),
    };
    setup::for_build()?;
    let bindgen = setup::wasm_bindgen()?;
    let found = browsers::find_or_install();
    let mut bench =
        Bench { slow, network: Network::choose(), bindgen, browsers: found, kubo: None };

    let mut report = Report::default();
    report.check("formatting", lint::formatting);
    report.tests("native tests", || {
        count(cargo().args(["test", "--workspace", "--no-fail-fast"]).env(DEBUG.0, DEBUG.1))
    });
    if slow {
        report.tests("the long native tests", || {
            let vectors = ["--package", "avocet-dag", "--test", "vectors", "--", "--ignored"];
            count(cargo().args(["test", "--profile", "native"]).args(vectors))
        });
    }
    bench.kubo = kubo::tests(&mut report);
    let mut built = None;
    report.check("the package and the page are built", || {
        built = Some(build::build()?);
        Ok(())
    });
    if let Some(built) = &built {
        report.check("the package is small enough", || built.check_sizes());
    }
    report.check("the relay is built", || {
        run(cargo().args(["build", "--package", "avocet-relay"]).env(DEBUG.0, DEBUG.1))
    });
    report.tests("JavaScript tests", || {
        bench.node(&[files("js", ".test.mjs"), files("www", ".test.mjs")].concat())
    });
    bench.in_browsers(&mut report, "chromium", bench.browsers.chromium.is_some());
    bench.in_browsers(&mut report, "firefox", bench.browsers.firefox.is_some());
    if bench.browsers.chromium.is_none() {
        missing(&mut report, browsers::CHROMIUM_HINT, true);
    } else if built.is_some() {
        report.tests("journeys through real browsers", || {
            bench.journeys(&files("tests/browser", ".test.mjs"))
        });
        report.tests("together with others' software", || {
            bench.journeys(&files("tests/interop", ".test.mjs"))
        });
    } else {
        report.leave_out("journeys through real browsers: nothing was built");
    }
    if bench.browsers.firefox.is_none() {
        missing(&mut report, browsers::FIREFOX_HINT, env::var_os("CI").is_some());
    }
    report.finish()
}

/// What the tests run with.
struct Bench {
    slow: bool,
    network: Network,
    bindgen: PathBuf,
    browsers: Browsers,
    /// The real Kubo's program, where it can be had.
    kubo: Option<PathBuf>,
}

impl Bench {
    /// The wasm tests of `IN_BROWSERS` in one browser.
    fn in_browsers(&self, report: &mut Report, browser: &str, have: bool) {
        if !have {
            return;
        }
        for package in IN_BROWSERS {
            report.tests(&format!("{package} in {browser}"), || {
                let args = ["test", "--target", WASM, "--package", package, "--lib", "--locked"];
                let mut prepare = cargo();
                // Compiled outside: in a network of its own no crate could be fetched.
                if let Err(failure) = run(prepare.args(args).arg("--no-run").env(DEBUG.0, DEBUG.1))
                {
                    return (Err(failure), Counts::default());
                }
                let mut command = cargo();
                command.args(args).args(["--offline", "--config", &runner()]);
                command.env(DEBUG.0, DEBUG.1);
                command.env("WASM_TEST_RUNNER", self.bindgen.join("wasm-bindgen-test-runner"));
                command.env("AVOCET_BROWSER", browser);
                let mut command = self.prepare(command);
                once_more(|| count(&mut command))
            });
        }
    }

    /// Files of journeys through browsers, each by itself.
    fn journeys(&self, files: &[PathBuf]) -> (Result, Counts) {
        let (mut result, mut sum) = (Ok(()), Counts::default());
        for file in files {
            let (outcome, counts) = once_more(|| self.node(std::slice::from_ref(file)));
            sum.passed += counts.passed;
            sum.failed += counts.failed;
            sum.skipped += counts.skipped;
            result = result.and(outcome);
        }
        (result, sum)
    }

    /// Node's test runner over some files, one after the other: browsers fill the machine alone.
    fn node(&self, files: &[PathBuf]) -> (Result, Counts) {
        if files.is_empty() {
            return (Ok(()), Counts::default());
        }
        let mut command = node();
        command.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]).args(files);
        if self.slow {
            command.env("AVOCET_SLOW", "1");
        }
        count(&mut self.prepare(command))
    }

    /// The browsers, the relay and the network, by the variables that the tests read.
    fn prepare(&self, mut command: Command) -> Command {
        command.env("AVOCET_RELAY_BIN", binary("debug", "avocet-relay"));
        if let Some(chromium) = &self.browsers.chromium {
            command.env("CHROMIUM", chromium);
        }
        if let Some(firefox) = &self.browsers.firefox {
            command.env("FIREFOX", firefox);
        }
        if let Some(kubo) = &self.kubo {
            command.env("AVOCET_KUBO", kubo);
        }
        self.network.wrap(command)
    }
}

/// A step that drives a browser has a second try: on a busy machine a browser may miss any bound. That it was
/// needed is said.
fn once_more(mut step: impl FnMut() -> (Result, Counts)) -> (Result, Counts) {
    let (result, counts) = step();
    let Err(failure) = result else { return (result, counts) };
    println!("--- {failure}\n--- once more:");
    step()
}

/// Cargo's setting for who runs a wasm file. As a list: the path may have spaces.
fn runner() -> String {
    let script = root().join("xtask/browser-runner.mjs");
    let list = serde_json::json!(["node", script]);
    format!("target.{WASM}.runner={list}")
}

/// Without a browser its tests cannot run: on a machine that checks changes that is a failure.
fn missing(report: &mut Report, hint: &str, failure: bool) {
    if failure {
        report.check("the browsers are there", || Err(Failure::new(hint)));
    } else {
        report.leave_out(hint);
    }
}
