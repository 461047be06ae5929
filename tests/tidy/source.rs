//! The project's files as text.

use std::{fs, path::Path, sync::OnceLock};

/// What is not ours to judge: built, installed, or kept by git itself.
const SKIPPED: &[&str] =
    &[".git", "target", "node_modules", "dist", "js/pkg", "js/types", "tests/out"];

/// A text file.
pub struct Source {
    /// From the root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Every text file of the project, read once.
pub fn all() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut sources = Vec::new();
        read(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut sources);
        sources
    })
}

fn read(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if SKIPPED.iter().any(|skipped| path == *skipped || path.ends_with(&format!("/{skipped}")))
        {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            read(root, &path, sources);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            sources.push(Source { path, text });
        }
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Rust that is part of the product or its tools, not of their tests.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.is_test()
    }

    /// JavaScript that is not a test.
    pub fn is_script(&self) -> bool {
        (self.path.ends_with(".js") || self.path.ends_with(".mjs")) && !self.is_test()
    }

    /// A file of tests only: by its name, or by its folder.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let in_folder = |folder: &str| self.path.split('/').any(|part| part == folder);
        matches!(name, "tests.rs" | "suite.rs")
            || name.ends_with("_tests.rs")
            || name.ends_with(".test.mjs")
            || in_folder("tests")
            || in_folder("suite")
    }

    /// Its lines without the tests at its end, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<_> = self.text.lines().collect();
        let tests = lines.windows(2).position(|two| {
            two[0].starts_with("#[cfg(")
                && two[0].contains("test")
                && two[1].starts_with("mod tests")
        });
        let end = tests.unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().map(|(at, line)| (at + 1, line))
    }

    /// The same without comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| (number, without_comment(line)))
    }
}

/// The line up to its `//`; one inside a string ends it too, which hides at most a string's rest.
fn without_comment(line: &str) -> &str {
    match line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')) {
        Some((at, _)) => &line[..at],
        None => line,
    }
}

#[test]
fn tests_and_comments_are_left_out() {
    let text = "//! doc\nfn a() {} // b\n\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
    let source = Source::new("src/a.rs", text);
    let code: Vec<_> = source.code().map(|(_, line)| line.trim()).collect();
    assert_eq!(code, ["", "fn a() {}", ""]);
    assert!(Source::new("src/a.rs", "").is_rust() && !Source::new("src/a/tests.rs", "").is_rust());
    assert!(!Source::new("crates/a/tests/b.rs", "").is_rust());
    assert_eq!(without_comment("let a = \"http://b\"; // c"), "let a = \"http://b\"; ");
}
