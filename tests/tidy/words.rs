//! Words that may not occur.

use super::{Source, holds, objections};

/// Found anywhere outside this file, with the reason why not.
const NOWHERE: &[(&str, &str)] = &[
    ("TODO", "do it, or say in the documentation that it is absent"),
    ("FIXME", "fix it"),
    ("/work/", "a path of one machine"),
    ("/root/", "a path of one machine"),
    ("/home/", "a path of one machine"),
    ("registry.npmjs", "the host of a registry: whoever builds chooses theirs"),
    ("index.crates.io", "the host of a registry: whoever builds chooses theirs"),
    ("static.crates.io", "the host of a registry: whoever builds chooses theirs"),
    ("artifactory", "the host of a registry: whoever builds chooses theirs"),
    ("\"resolved\":", "the host of a registry: whoever builds chooses theirs"),
];

/// Ways to make code or markup from text: a file's name may say anything.
const FROM_TEXT: &[&str] = &[
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "unsafeHTML",
    "unsafeSVG",
    "document.write",
    "eval(",
    "new Function",
];

fn nowhere(source: &Source) -> Vec<(usize, String)> {
    if source.path == "tests/tidy/words.rs" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        for (word, why) in NOWHERE.iter().filter(|(word, _)| occurs(line, word)) {
            found.push((at + 1, format!("{word}: {why}")));
        }
    }
    found
}

/// Not as the middle of a longer word or path: `a/home/b` is an address, `/home/b` a machine's path.
fn occurs(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '}' | '.' | '>'))
    })
}

fn from_text(source: &Source) -> Vec<(usize, String)> {
    let ships = source.path.starts_with("js/") || source.path.starts_with("www/");
    if !ships || !source.is_script() {
        return Vec::new();
    }
    let lines = source.code();
    lines
        .flat_map(|(number, line)| {
            FROM_TEXT.iter().filter(|word| line.contains(**word)).map(move |word| (number, *word))
        })
        .map(|(number, word)| (number, format!("{word}: text stays text")))
        .collect()
}

#[test]
fn nothing_is_put_off_and_no_machine_is_named() {
    holds(nowhere);
    for bad in [
        "// TODO: later",
        "a FIXME",
        "see /home/me/a",
        "\"/root/x\"",
        "https://registry.npmjs.org/a",
    ] {
        assert_eq!(objections(nowhere, "src/a.rs", bad), 1, "{bad}");
    }
    for fine in ["toDo", "AUTODOC", "https://a.example/home/b", "$HOME/.cache"] {
        assert_eq!(objections(nowhere, "src/a.rs", fine), 0, "{fine}");
    }
}

#[test]
fn text_stays_text() {
    holds(from_text);
    assert_eq!(objections(from_text, "www/a.js", "a.innerHTML = name"), 1);
    assert_eq!(objections(from_text, "www/a.js", "// no innerHTML here"), 0);
}
