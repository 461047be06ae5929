//! The house rules, held by a test: who may know whom, how long things may be, which words may not
//! occur. Files are read as text; each rule is tried on a text that breaks it, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod edges;
mod lengths;
mod rooms;
mod source;
mod words;

use source::{Source, all};

/// A rule: what it finds in one file, each as `line: what`.
type Rule = fn(&Source) -> Vec<(usize, String)>;

#[track_caller]
fn holds(rule: Rule) {
    let mut found = Vec::new();
    for source in all() {
        found.extend(
            rule(source).into_iter().map(|(line, what)| format!("{}:{line}: {what}", source.path)),
        );
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// How often `rule` objects to such a file.
fn objections(rule: Rule, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn there_is_something_to_read() {
    for path in
        ["src/lib.rs", "crates/dag/src/lib.rs", "js/index.js", "package.json", "xtask/net/own-net"]
    {
        assert!(all().iter().any(|source| source.path == path), "{path} was not read");
    }
}
