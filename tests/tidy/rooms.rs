//! Who may know whom.

use super::{Source, holds, objections};

/// The rooms of the peer, each with those that it may name. Always downward; `store` and `net` never
/// meet.
const ROOMS: &[(&str, &[&str])] = &[
    ("platform", &[]),
    ("store", &["platform"]),
    ("net", &["platform"]),
    ("route", &["net", "platform"]),
    ("fetch", &["net", "platform", "route", "store"]),
    ("files", &["fetch", "platform", "store"]),
    ("naming", &["fetch", "platform", "route", "store"]),
    ("peer", &["fetch", "files", "naming", "net", "platform", "route", "store"]),
    ("api", &["fetch", "files", "naming", "net", "peer", "platform", "route", "store"]),
];

/// The members of the workspace, each with those that it may depend on.
const MEMBERS: &[(&str, &[&str])] = &[
    ("crates/dag", &[]),
    ("crates/transport", &[]),
    ("crates/bitswap", &["avocet-dag"]),
    ("crates/chacha20", &[]),
    ("crates/ed25519-dalek", &[]),
    ("crates/multibase", &[]),
    ("crates/x25519-dalek", &[]),
    ("crates/names", &["avocet-dag"]),
    ("crates/relay", &[]),
    ("bench/content", &["avocet-dag"]),
    ("fuzz/targets", &["avocet-bitswap", "avocet-dag"]),
    ("fuzz", &["avocet-fuzz-targets"]),
    ("xtask", &[]),
];

/// What keeps a crate pure: these bring IO, a runtime or a browser.
const IMPURE: &[&str] = &["libp2p", "tokio", "web-sys", "js-sys", "wasm-bindgen"];
const PURE: &[&str] = &["crates/dag", "crates/bitswap", "crates/names"];

fn rooms(source: &Source) -> Vec<(usize, String)> {
    let Some(path) = source.path.strip_prefix("src/").filter(|_| source.is_rust()) else {
        return Vec::new();
    };
    let room = path.split(['/', '.']).next().unwrap_or_default();
    if room == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![(
            1,
            format!("{room} is no room of the house: name it in tests/tidy/rooms.rs"),
        )];
    };
    named_rooms(source)
        .into_iter()
        .filter(|(_, named)| named != room && !allowed.contains(&named.as_str()))
        .map(|(line, named)| (line, format!("{room} may not know {named}")))
        .collect()
}

/// Every room that the file names by `crate::room` or `crate::{room::…, room}`, with its line.
fn named_rooms(source: &Source) -> Vec<(usize, String)> {
    let lines: Vec<_> = source.code().collect();
    let mut named = Vec::new();
    for (at, (number, line)) in lines.iter().enumerate() {
        for (found, _) in line.match_indices("crate::") {
            let rest = &line[found + "crate::".len()..];
            if rest.starts_with('{') {
                let tree: Vec<_> = lines[at..].iter().map(|(_, line)| *line).collect();
                let tree = tree.join("\n");
                let open = tree.find("crate::{").unwrap() + "crate::".len();
                named.extend(heads(&tree[open..]).into_iter().map(|head| (*number, head)));
            } else {
                named.push((*number, word(rest)));
            }
        }
    }
    named.retain(|(_, head)| head.starts_with(|c: char| c.is_ascii_lowercase()));
    named
}

/// The first words of a use tree's branches: of `{a::b, c::{d, e}}` they are `a` and `c`.
fn heads(tree: &str) -> Vec<String> {
    let (mut depth, mut at_head, mut heads) = (0, false, Vec::new());
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match c {
            '{' | ',' if depth == 1 => at_head = true,
            _ if at_head && !c.is_whitespace() => {
                heads.push(word(&tree[at..]));
                at_head = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn members(source: &Source) -> Vec<(usize, String)> {
    let Some(member) = source.path.strip_suffix("/Cargo.toml") else { return Vec::new() };
    let Some((_, allowed)) = MEMBERS.iter().find(|(name, _)| *name == member) else {
        return vec![(
            1,
            format!("{member} is no member of the house: name it in tests/tidy/rooms.rs"),
        )];
    };
    let mut found = Vec::new();
    let mut section = "";
    for (number, line) in source.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if name.starts_with("avocet")
            && section.contains("dependencies")
            && !allowed.contains(&name)
        {
            found.push((number + 1, format!("{member} may not depend on {name}")));
        }
        let impure =
            IMPURE.contains(&name) && section == "[dependencies]" && PURE.contains(&member);
        if impure {
            found.push((number + 1, format!("{member} is pure: no {name}")));
        }
    }
    found
}

#[test]
fn rooms_know_only_those_below() {
    holds(rooms);
    assert_eq!(objections(rooms, "src/store/keys.rs", "use crate::net::Handle;\n"), 1);
    assert_eq!(
        objections(
            rooms,
            "src/net.rs",
            "use crate::{\n    platform,\n    store::{Store, Pin},\n};\n"
        ),
        1
    );
    assert_eq!(objections(rooms, "src/route/dht.rs", "fn a() { crate::peer::start() }\n"), 1);
    assert_eq!(objections(rooms, "src/cellar.rs", ""), 1);
    let fine = "//! See [`crate::peer`].\nuse crate::{net::{dial, Handle}, platform};\nuse crate::route::Finder;\n";
    assert_eq!(objections(rooms, "src/route/dht.rs", fine), 0);
    let in_tests = "#[cfg(test)]\nmod tests {\n    use crate::net::Handle;\n}\n";
    assert_eq!(objections(rooms, "src/store/keys.rs", in_tests), 0);
}

#[test]
fn members_depend_only_on_those_below() {
    holds(members);
    let upward = "[dependencies]\navocet-bitswap.workspace = true\nlibp2p = \"1\"\n";
    assert_eq!(objections(members, "crates/dag/Cargo.toml", upward), 2);
    assert_eq!(objections(members, "crates/new/Cargo.toml", ""), 1);
    let fine =
        "[package]\nname = \"avocet-bitswap\"\n[dependencies]\navocet-dag.workspace = true\n";
    assert_eq!(objections(members, "crates/bitswap/Cargo.toml", fine), 0);
}

#[test]
fn the_table_of_rooms_has_no_ring() {
    for (at, (room, allowed)) in ROOMS.iter().enumerate() {
        let below: Vec<_> = ROOMS[..at].iter().map(|(name, _)| name).collect();
        assert!(
            allowed.iter().all(|name| below.contains(&name)),
            "{room} is above one that it knows"
        );
    }
}
