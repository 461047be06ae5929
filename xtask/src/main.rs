//! All automation of the project: `cargo xtask <command>`, or `npm start`, `npm test` and the like.
//!
//! Every command does its own set-up first (see [`setup`]); what is there already is left alone.
//!
//! | command | what it does |
//! |---|---|
//! | `start` | builds, then runs the relay that serves the page; options after it go to the relay |
//! | `build` | the npm package in `js/`, the page in `dist/`, and how large they are |
//! | `test` | everything that can fail, ending in `N passed, N failed` |
//! | `bench` | the benchmarks of `bench/` |
//! | `fuzz` | every parser and sequences of edits under the fuzzer, a minute each |
//! | `lint` | formatting, clippy on both targets, types, licences |

use std::process::ExitCode;

mod bench;
mod browsers;
mod build;
mod fuzz;
mod kubo;
mod licences;
mod lint;
mod network;
mod order;
mod project;
mod report;
mod run;
mod setup;
mod start;
mod test;

const HELP: &str = "\
usage: cargo xtask <command>

  start [--host H] [--port P] …   build, serve the page and its relay, print the address
  build                           the npm package in js/, the page in dist/
  test [--slow|--kubo]            every test; --slow adds the long ones, --kubo is those beside Kubo alone
  bench [names…]                  the benchmarks, side by side
  fuzz [names…] [--seconds N]     the targets of fuzz/, 60 seconds each
  lint                            formatting, clippy, types, licences";

fn main() -> ExitCode {
    run::hand_on_signals();
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let command = if args.is_empty() { String::new() } else { args.remove(0) };
    // `npm start -- --port 1` arrives without the dashes, `cargo xtask start -- --port 1` with them.
    args.retain(|arg| arg != "--");
    let result = match command.as_str() {
        "start" => start::start(&args),
        "build" => build::build().map(|built| built.print_sizes()),
        "test" => test::test(&args),
        "bench" => bench::bench(&args),
        "fuzz" => fuzz::fuzz(&args),
        "lint" => lint::lint(),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(run::Failure::new(format!("no such command: {command:?}\n\n{HELP}"))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                eprintln!("\n{message}");
            }
            ExitCode::FAILURE
        }
    }
}
