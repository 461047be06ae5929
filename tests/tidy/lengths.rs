//! How long a file and a function may be, and which may be longer, for which reason.

use super::{Source, all, holds, objections};

const FILE: usize = 300;
const FUNCTION: usize = 60;

/// Files of more than `FILE` lines without their tests: at most so many, for this reason.
const LONG_FILES: &[(&str, usize, &str)] = &[(
    "crates/bitswap/src/sorted.rs",
    320,
    "a map and a set that share their search, with the calls of the standard library's",
)];

/// Functions of more than `FUNCTION` lines, by file and name.
const LONG_FUNCTIONS: &[(&str, &str, usize, &str)] = &[];

fn files(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust() && !source.is_script() {
        return Vec::new();
    }
    let exception = LONG_FILES.iter().find(|(path, ..)| *path == source.path);
    let allowed = exception.map_or(FILE, |(_, allowed, _)| *allowed);
    let length = source.lines().count();
    if length <= allowed {
        return Vec::new();
    }
    vec![(
        1,
        format!("{length} lines without tests, {allowed} are allowed: does it hold one idea?"),
    )]
}

fn functions(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust() {
        return Vec::new();
    }
    let too_long = |(name, _, length): &(String, usize, usize)| {
        let exception =
            LONG_FUNCTIONS.iter().find(|(path, f, ..)| *path == source.path && f == name);
        *length > exception.map_or(FUNCTION, |(_, _, allowed, _)| *allowed)
    };
    let functions = functions_in(source).into_iter().filter(too_long);
    functions.map(|(name, line, length)| (line, format!("{name} has {length} lines"))).collect()
}

/// Name, first line and length of every function with a body. rustfmt puts the brace that ends one
/// under the first letter of its first line, and so the last line of a mere declaration.
fn functions_in(source: &Source) -> Vec<(String, usize, usize)> {
    let lines: Vec<_> = source.lines().collect();
    let mut functions = Vec::new();
    for (at, (number, line)) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        if line.ends_with([';', '}']) {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &str| {
            let rest = line.strip_prefix(indent)?;
            let declares = !rest.starts_with(' ') && rest.ends_with(';');
            (rest.starts_with('}') || declares).then_some(!declares)
        };
        let mut following = lines[at + 1..].iter().enumerate();
        let end = following.find_map(|(n, (_, line))| ends(line).map(|body| (n + 2, body)));
        if let Some((length, true)) = end {
            functions.push((name, *number, length));
        }
    }
    functions
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    loop {
        let (first, after) = rest.split_once(' ')?;
        match first {
            "pub" | "pub(crate)" | "pub(super)" | "const" | "async" | "unsafe" => rest = after,
            "fn" => {
                return Some(
                    after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
                );
            }
            _ => return None,
        }
    }
}

#[test]
fn files_hold_one_idea() {
    holds(files);
    assert_eq!(objections(files, "src/a.rs", &"\n".repeat(FILE + 1)), 1);
    assert_eq!(objections(files, "www/a.js", &"\n".repeat(FILE + 1)), 1);
    let with_tests =
        format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(FILE), "\n".repeat(999));
    assert_eq!(objections(files, "src/a.rs", &with_tests), 0);
    assert_eq!(objections(files, "src/a/tests.rs", &"\n".repeat(FILE + 1)), 0);
}

#[test]
fn functions_do_one_thing() {
    holds(functions);
    let with = |lines| {
        format!(
            "impl A {{\n    pub async fn b(\n        &self,\n    ) {{\n{}    }}\n}}\n",
            "        c();\n".repeat(lines)
        )
    };
    assert_eq!(objections(functions, "src/a.rs", &with(FUNCTION)), 1);
    assert_eq!(objections(functions, "src/a.rs", &with(FUNCTION - 5)), 0);
    let many = "fn a() {}\nfn b() -> u8;\nfn c(\n    d: u8,\n) -> u8;\n".repeat(FUNCTION);
    assert_eq!(objections(functions, "src/a.rs", &many), 0);
}

#[test]
fn every_exception_is_still_needed() {
    let length = |path: &str| {
        let source = all().iter().find(|source| source.path == path);
        source.map_or(0, |source| source.lines().count())
    };
    for (path, allowed, reason) in LONG_FILES {
        assert!(length(path) > FILE, "{path} is no longer long: take it off the list");
        assert!(*allowed < 2 * FILE && reason.len() > 20, "{path}: that is no exception any more");
    }
    for (path, name, allowed, reason) in LONG_FUNCTIONS {
        let source = all().iter().find(|source| source.path == *path).unwrap();
        let longest =
            functions_in(source).into_iter().filter(|(f, ..)| f == name).map(|(.., n)| n).max();
        assert!(longest > Some(FUNCTION), "{path}: {name} is no longer long: take it off the list");
        assert!(*allowed < 3 * FUNCTION && reason.len() > 20, "{path}: {name}");
    }
}
