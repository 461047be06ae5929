//! Where the browser, the target and unproved digests may be spoken of.

use super::{Source, holds, objections};

/// The crates that speak to the browser.
const BROWSER: &[&str] =
    &["web_sys", "js_sys", "wasm_bindgen", "wasm_bindgen_futures", "serde_wasm_bindgen", "rexie"];

/// The places that may: the face to JavaScript, the platform, the store's IndexedDB, the transports.
const BROWSER_PLACES: &[&str] =
    &["src/api", "src/platform", "src/store/idb", "crates/transport/src"];

fn is_in(path: &str, places: &[&str]) -> bool {
    let inside = |place: &&str| {
        path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    };
    places.iter().any(inside)
}

fn browser(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust() || is_in(&source.path, BROWSER_PLACES) {
        return Vec::new();
    }
    let words = |line: &str| -> Vec<String> {
        let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.filter(|word| BROWSER.contains(word)).map(Into::into).collect()
    };
    let ours = |path: &str| path.starts_with("src/") || path.starts_with("crates/");
    let lines = source.code().filter(|_| ours(&source.path));
    lines
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(number, line)| words(line).into_iter().map(move |word| (number, word)))
        .map(|(number, word)| {
            (number, format!("{word}: only {} speak to the browser", BROWSER_PLACES.join(", ")))
        })
        .collect()
}

/// `#[wasm_bindgen]` outside of `api` is for what the browser gives us, never for what we give it.
fn exports(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust() || is_in(&source.path, &["src/api"]) {
        return Vec::new();
    }
    let (mut found, mut marked, mut in_extern) = (Vec::new(), None, false);
    for (number, line) in source.code() {
        let line_trimmed = line.trim();
        if line_trimmed.starts_with("extern \"C\"")
            || line_trimmed.starts_with("unsafe extern \"C\"")
        {
            in_extern = true;
            marked = None;
        } else if in_extern {
            in_extern = line != "}";
        } else if line_trimmed.starts_with("#[wasm_bindgen]")
            || line_trimmed.starts_with("#[wasm_bindgen(")
        {
            marked = Some(number);
        } else if !line_trimmed.is_empty()
            && !line_trimmed.starts_with('#')
            && let Some(number) = marked.take()
        {
            found.push((number, "exports to JavaScript are in src/api only".into()));
        }
    }
    found
}

/// Which target it is, matters to the platform, and to others only in choosing a file.
fn target(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust()
        || is_in(&source.path, &["src/platform"])
        || source.path.starts_with("xtask/")
    {
        return Vec::new();
    }
    let lines: Vec<_> = source.code().collect();
    let chooses = |from: usize| {
        let mut following = lines[from + 1..].iter().map(|(_, line)| line.trim());
        let item = following.find(|line| !line.is_empty() && !line.starts_with("#["));
        item.is_some_and(|item| {
            let item =
                item.strip_prefix("pub(crate) ").or(item.strip_prefix("pub ")).unwrap_or(item);
            item.starts_with("mod ") || item.starts_with("use ")
        })
    };
    lines
        .iter()
        .enumerate()
        .filter(|(at, (_, line))| line.contains("target_arch") && !chooses(*at))
        .map(|(_, (number, _))| (*number, "target_arch: only in platform and on mod lines".into()))
        .collect()
}

/// A block is proved by hashing it; taking a digest on trust is the platform's alone, which lets the
/// browser hash.
fn digests(source: &Source) -> Vec<(usize, String)> {
    if !source.is_rust() || is_in(&source.path, &["src/platform", "crates/dag/src/block"]) {
        return Vec::new();
    }
    // What the store's own worker hashed comes in there, and nowhere else.
    let edge = source.path == "src/store/idb/packs/take.rs";
    let calls = |line: &str| {
        line.contains("from_digest(")
            || line.contains("verify_digest(")
            || (line.contains("Taken::new(") && !edge)
    };
    source
        .code()
        .filter(|(_, line)| calls(line))
        .map(|(number, _)| (number, "only platform may vouch for a digest".into()))
        .collect()
}

#[test]
fn the_browser_is_spoken_to_at_the_edge() {
    holds(browser);
    assert_eq!(objections(browser, "src/net/swarm.rs", "use web_sys::{Window, console};\n"), 1);
    assert_eq!(objections(browser, "src/store/idbx.rs", "fn a(b: js_sys::Array) {}\n"), 1);
    assert_eq!(objections(browser, "src/store/idb/open.rs", "use rexie::Rexie;\n"), 0);
    assert_eq!(objections(browser, "src/store/idb.rs", "use web_sys::Window;\n"), 0);
    assert_eq!(
        objections(browser, "src/net.rs", "// web_sys has none\nuse wasm_bindgen_test::*;\n"),
        0
    );
}

#[test]
fn only_api_exports() {
    holds(exports);
    assert_eq!(objections(exports, "src/platform/web.rs", "#[wasm_bindgen]\npub fn a() {}\n"), 1);
    assert_eq!(
        objections(
            exports,
            "src/platform/web.rs",
            "#[wasm_bindgen(js_name = a)]\n#[b]\nimpl C {\n"
        ),
        1
    );
    let import =
        "#[wasm_bindgen]\nextern \"C\" {\n    #[wasm_bindgen(method)]\n    fn a(this: &B);\n}\n";
    assert_eq!(objections(exports, "src/platform/web.rs", import), 0);
    assert_eq!(objections(exports, "src/api/node.rs", "#[wasm_bindgen]\npub fn a() {}\n"), 0);
}

#[test]
fn the_target_only_chooses_files() {
    holds(target);
    assert_eq!(
        objections(target, "src/net.rs", "#[cfg(target_arch = \"wasm32\")]\nfn a() {}\n"),
        1
    );
    assert_eq!(objections(target, "src/net.rs", "    if cfg!(target_arch = \"wasm32\") {\n"), 1);
    let chosen = "#[cfg(target_arch = \"wasm32\")]\n#[path = \"a.rs\"]\nmod a;\n#[cfg(not(target_arch = \"b\"))]\npub use a::C;\n";
    assert_eq!(objections(target, "src/net.rs", chosen), 0);
}

#[test]
fn only_the_platform_vouches_for_digests() {
    holds(digests);
    assert_eq!(objections(digests, "src/files/import.rs", "Block::from_digest(v, c, d, b)\n"), 1);
    assert_eq!(objections(digests, "src/files/leaves.rs", "Taken::new(d, 1, f)\n"), 1);
    assert_eq!(objections(digests, "src/platform.rs", "Block::verify_digest(c, d, b)\n"), 0);
}
