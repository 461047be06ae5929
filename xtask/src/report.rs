//! What ran and what came of it.

use std::time::Duration;

use crate::run::{Failure, Result};

/// Tests of one step.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Those that held.
    pub passed: u64,
    /// Those that did not, or never came to an end.
    pub failed: u64,
    /// Those that were left out.
    pub skipped: u64,
}

impl Counts {
    /// Adds what a line says, when it is one that sums up: of Rust's test harness (also in a
    /// browser), or of Node's.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some((_, sums)) = line.strip_prefix("test result: ").and_then(|l| l.split_once(". "))
        {
            for sum in sums.split(';') {
                self.add(sum.trim(), |number, what| (what, number));
            }
        } else if let Some(sum) = line.strip_prefix("\u{2139} ") {
            self.add(sum, |what, number| (what, number));
        }
    }

    fn add<'a>(&mut self, sum: &'a str, order: impl Fn(&'a str, &'a str) -> (&'a str, &'a str)) {
        let Some((what, number)) = sum.split_once(' ').map(|(a, b)| order(a, b)) else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match what {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" => self.failed += number,
            "ignored" | "skipped" => self.skipped += number,
            _ => {}
        }
    }
}

/// All steps of a run.
#[derive(Debug, Default)]
pub struct Report {
    steps: Vec<(String, Counts, Duration)>,
    left_out: Vec<String>,
}

impl Report {
    /// A step that either holds or does not.
    pub fn check(&mut self, name: &str, step: impl FnOnce() -> Result) -> bool {
        let mut held = false;
        self.step(name, || {
            let result = step();
            held = result.is_ok();
            let counts = Counts { passed: held.into(), failed: (!held).into(), skipped: 0 };
            (result, counts)
        });
        held
    }

    /// A step of many tests. One that fails has at least one failure, and so has one without tests:
    /// it proves nothing.
    pub fn tests(&mut self, name: &str, step: impl FnOnce() -> (Result, Counts)) {
        self.step(name, || {
            let (mut result, mut counts) = step();
            if result.is_ok() && counts.passed + counts.failed == 0 {
                result = Err(Failure::new(format!("{name}: there was no test to run")));
            }
            if result.is_err() {
                counts.failed = counts.failed.max(1);
            }
            (result, counts)
        });
    }

    /// Something that this machine has no means for.
    pub fn leave_out(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("\nLeft out: {what}");
        self.left_out.push(what);
    }

    fn step(&mut self, name: &str, step: impl FnOnce() -> (Result, Counts)) {
        if crate::run::stopped() {
            return;
        }
        println!("\n=== {name}");
        let begun = now();
        let (result, counts) = step();
        if let Err(failure) = result {
            println!("--- {name}: {failure}");
        }
        self.steps.push((name.into(), counts, begun.elapsed()));
    }

    /// Prints the table and, last and alone on its line, the sum.
    pub fn finish(self) -> Result {
        println!();
        let mut sum = Counts::default();
        for (name, counts, time) in &self.steps {
            let mark = if counts.failed == 0 { "ok    " } else { "FAILED" };
            let Counts { passed, failed, skipped } = *counts;
            let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
            println!(
                "{mark} {:>4} s  {name}: {passed} passed, {failed} failed{skipped}",
                time.as_secs()
            );
            sum.passed += passed;
            sum.failed += failed;
        }
        for what in &self.left_out {
            println!("left out: {what}");
        }
        if crate::run::stopped() {
            return Err(Failure::new("stopped before the end"));
        }
        println!("\n{} passed, {} failed", sum.passed, sum.failed);
        if sum.failed == 0 { Ok(()) } else { Err(Failure::new("")) }
    }
}

#[expect(clippy::disallowed_methods, reason = "xtask runs natively only")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        text.lines().for_each(|line| counts.read(line));
        (counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn the_sums_of_rust_and_node_are_read() {
        let rust = "running 3 tests\ntest a ... ok\n\
            test result: ok. 22 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.99s\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out\n";
        assert_eq!(counts(rust), (25, 2, 1));
        let node = "\u{2714} a (1ms)\n\u{2139} tests 9\n\u{2139} suites 0\n\u{2139} pass 5\n\u{2139} fail 1\n\
            \u{2139} cancelled 1\n\u{2139} skipped 2\n\u{2139} todo 0\n\u{2139} duration_ms 50\n";
        assert_eq!(counts(node), (5, 2, 2));
        assert_eq!(counts("test result of the day: 5 passed\npass 3\n"), (0, 0, 0));
    }

    #[test]
    fn a_step_without_tests_or_with_a_failure_counts_as_failed() {
        let mut report = Report::default();
        report.tests("empty", || (Ok(()), Counts::default()));
        let one = Counts { passed: 1, ..Counts::default() };
        report.tests("broken", || (Err(Failure::new("it broke")), one));
        report.tests("good", || (Ok(()), one));
        report.check("check", || Ok(()));
        let failed: Vec<_> = report.steps.iter().map(|(_, counts, _)| counts.failed).collect();
        assert_eq!(failed, [1, 1, 0, 0]);
        assert!(report.finish().is_err());
    }
}
