//! Published import vectors: the root CIDs that other implementations give.
//!
//! Every vector whose features are built is run; the others are counted by the feature that they
//! wait for, and printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::{BTreeMap, HashMap};

use avocet_dag::{
    Cid, Version,
    unixfs::{Entry, HamtSize, ImportOptions, Layout, Meta, Mtime, Tree, hash_code, stat, symlink},
};
use bytes::Bytes;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use common::{Store, import_with, read_each};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Why a vector is not run: the feature that it waits for.
type Skip = &'static str;

#[test]
fn quick_vectors() {
    let skipped = run("quick");
    assert_eq!(skipped, counts(&[("run", 55)]));
}

#[test]
fn medium_vectors() {
    assert_eq!(run("medium"), counts(&[("run", 4)]));
}

#[test]
#[ignore = "256 MiB"]
fn slow_vectors() {
    assert_eq!(run("slow"), counts(&[("run", 1)]));
}

#[test]
#[ignore = "two of 1 GiB"]
fn very_slow_vectors() {
    assert_eq!(run("slow-1GiB"), counts(&[("run", 2)]));
}

fn counts(counts: &[(&'static str, usize)]) -> BTreeMap<&'static str, usize> {
    counts.iter().copied().collect()
}

/// Runs the vectors of a tier; gives how many were run, and skipped for which reason.
fn run(tier: &str) -> BTreeMap<&'static str, usize> {
    let file: Value = serde_json::from_str(include_str!("vectors/unixfs.json")).unwrap();
    let mut counts = BTreeMap::new();
    for vector in file["vectors"].as_array().unwrap() {
        if vector["tier"] != tier {
            continue;
        }
        let outcome = run_one(vector);
        if let Err(reason) = outcome {
            println!("skipped {}: {reason}", vector["name"]);
        }
        *counts.entry(outcome.err().unwrap_or("run")).or_default() += 1;
    }
    counts
}

fn run_one(vector: &Value) -> Result<(), Skip> {
    let name = vector["name"].as_str().unwrap();
    let options = options(&vector["params"])?;
    let mut importing = Importing { options, ..Importing::default() };
    let root = importing.add(&vector["input"])?;
    let expected: Cid = vector["expected_root_cid"].as_str().unwrap().parse().unwrap();
    if vector["compare"] == "cid-v1-upgraded" {
        assert_eq!(root.cid.to_v1(), expected, "{name}");
    } else {
        assert_eq!(root.cid, expected, "{name}");
    }
    if let Some(size) = vector["expected_cumulative_size"].as_u64() {
        assert_eq!(root.tsize, size, "{name}");
    }
    for (path, cid) in vector["expected_child_cids"].as_object().into_iter().flatten() {
        let found = common::resolve(&importing.store, &root.cid, path).unwrap();
        assert_eq!(found.to_string(), cid.as_str().unwrap(), "{name}: {path}");
    }
    importing.read_back(&root, &vector["input"], name);
    Ok(())
}

fn options(params: &Value) -> Result<ImportOptions, Skip> {
    let number = |key: &str| params[key].as_u64().unwrap() as usize;
    let mut options = ImportOptions {
        hash: hash_code(params["hash"].as_str().unwrap()).unwrap(),
        layout: params["layout"].as_str().unwrap().parse().unwrap(),
        inline_limit: params["inline_limit"].as_u64().unwrap_or(0) as usize,
        hamt_fanout: number("hamt_fanout"),
        cid_version: [Version::V0, Version::V1][number("cid_version")],
        raw_leaves: params["raw_leaves"].as_bool().unwrap(),
        chunking: params["chunker"].as_str().unwrap().parse().unwrap(),
        max_links: number("max_links"),
        hamt_threshold: number("hamt_threshold_bytes"),
        hamt_size: match params["hamt_size_estimation"].as_str().unwrap() {
            "block-bytes" => HamtSize::Block,
            "links-bytes" => HamtSize::Links,
            other => panic!("unknown rule {other}"),
        },
    };
    if params["mfs_write"] == true {
        options.layout = Layout::Trickle; // whatever the vector says of balance: see its note
    }
    assert_eq!(params["hamt_compare"], ">");
    Ok(options)
}

#[derive(Default)]
struct Importing {
    options: ImportOptions,
    store: Store,
    /// The hash of every file that was added, by its root.
    files: HashMap<Cid, Vec<u8>>,
}

impl Importing {
    fn add(&mut self, input: &Value) -> Result<Entry, Skip> {
        let meta = meta(input);
        match input["kind"].as_str().unwrap() {
            "symlink" => {
                let target = input["target"].as_str().unwrap();
                let block = symlink(&self.options, target.as_bytes(), meta).unwrap();
                let (cid, tsize) = (block.cid().clone(), block.len() as u64);
                assert_eq!(stat(&block).unwrap().target.unwrap(), target.as_bytes());
                self.store.put(block);
                Ok(Entry { cid, tsize, size: 0 })
            }
            "link" => Ok(Entry {
                cid: input["cid"].as_str().unwrap().parse().unwrap(),
                tsize: input["tsize"].as_u64().unwrap(),
                size: 0,
            }),
            "dir" => {
                let entries = input["entries"].as_object().unwrap();
                let entries = entries.iter().map(|(name, input)| (name.clone(), input.clone()));
                self.add_dir(entries, meta)
            }
            "generated_dir" => self.add_dir(generated(input), meta),
            _ => {
                let mut hasher = Sha256::new();
                let pieces = content(input).inspect(|piece| hasher.update(piece));
                let root = import_with(&self.options, meta, pieces, &mut self.store).unwrap();
                self.files.insert(root.cid.clone(), hasher.finalize().to_vec());
                Ok(root.into())
            }
        }
    }

    fn add_dir(
        &mut self,
        entries: impl Iterator<Item = (String, Value)>,
        meta: Meta,
    ) -> Result<Entry, Skip> {
        let mut tree = Tree::new(&self.options).unwrap();
        for (name, input) in entries {
            tree.insert(&name, self.add(&input)?).unwrap();
        }
        tree.set_meta("/", meta).unwrap();
        let built = tree.finish().unwrap();
        built.blocks.into_iter().for_each(|block| drop(self.store.put(block)));
        Ok(built.root)
    }

    /// What was added is what is read: every file whole, the root directory by its names.
    fn read_back(&self, root: &Entry, input: &Value, name: &str) {
        for (cid, expected) in &self.files {
            let mut hasher = Sha256::new();
            assert!(read_each(&self.store, cid, .., |bytes| hasher.update(bytes)).unwrap());
            assert_eq!(hasher.finalize()[..], expected[..], "{name}: {cid} is read back otherwise");
        }
        let count = match input["kind"].as_str().unwrap() {
            "dir" => input["entries"].as_object().unwrap().len(),
            "generated_dir" => count(input),
            _ => return,
        };
        let block = self.store.get(&root.cid);
        let stat = stat(block).unwrap();
        assert_eq!(stat.dag_size, Some(root.tsize), "{name}");
        assert_eq!(Meta { mode: stat.mode, mtime: stat.mtime }, meta(input), "{name}");
        assert_eq!(common::list(&self.store, &root.cid).unwrap().len(), count, "{name}");
    }
}

fn meta(input: &Value) -> Meta {
    let mtime = input["mtime"].as_array().map(|mtime| Mtime {
        secs: mtime[0].as_i64().unwrap(),
        nanos: mtime[1].as_u64().unwrap() as u32,
    });
    Meta { mode: input["mode"].as_u64().map(|mode| mode as u32), mtime }
}

/// Writes the next bytes of a file.
type Fill = Box<dyn FnMut(&mut [u8])>;

/// A file's bytes, in pieces that are not chunks.
fn content(input: &Value) -> impl Iterator<Item = Bytes> + use<> {
    const PIECE: usize = 1_000_003;
    let text = |key: &str| input[key].as_str().unwrap().to_owned();
    let (mut left, mut fill): (usize, Fill) = match input["kind"].as_str().unwrap() {
        "utf8" => from_bytes(text("text").into_bytes()),
        "hex" => from_bytes(unhex(&text("hex"))),
        "repeat" => {
            let byte = input["byte"].as_u64().unwrap() as u8;
            (count(input), Box::new(move |out| out.fill(byte)))
        }
        "chacha20" => {
            let mut cipher = keystream(&text("seed"));
            (count(input), Box::new(move |out| cipher.apply_keystream(out)))
        }
        other => panic!("unknown input {other}"),
    };
    std::iter::from_fn(move || {
        let mut piece = vec![0; left.min(PIECE)];
        fill(&mut piece);
        left -= piece.len();
        (!piece.is_empty()).then(|| piece.into())
    })
}

fn from_bytes(bytes: Vec<u8>) -> (usize, Fill) {
    let length = bytes.len();
    let mut at = 0;
    let fill = move |out: &mut [u8]| {
        out.copy_from_slice(&bytes[at..at + out.len()]);
        at += out.len();
    };
    (length, Box::new(fill))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

fn count(input: &Value) -> usize {
    input["count"].as_u64().unwrap() as usize
}

fn keystream(seed: &str) -> ChaCha20 {
    ChaCha20::new(&Sha256::digest(seed), &[0; 12].into())
}

/// The entries of a directory that is given by a rule.
fn generated(input: &Value) -> Box<dyn Iterator<Item = (String, Value)>> {
    let count = count(input);
    if input["rule"] == "sequence" {
        let start = input["start"].as_u64().unwrap() as usize;
        let format = |key: &str, index: usize| {
            let text = input[key].as_str().unwrap().replace("{i:06d}", &format!("{index:06}"));
            text.replace("{i}", &index.to_string())
        };
        let entries: Vec<_> = (start..start + count)
            .map(|index| {
                let content = format("content_format", index);
                (format("name_format", index), serde_json::json!({"kind": "utf8", "text": content}))
            })
            .collect();
        return Box::new(entries.into_iter());
    }
    assert_eq!(input["rule"], "kubo_createDeterministicFiles");
    const ALPHABET: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz01234567890-_";
    let length = |key: &str| input[key].as_u64().unwrap() as usize;
    let (len, last_len) = (length("name_len"), length("last_name_len"));
    let mut stream = vec![0; 1 << 20];
    keystream(input["seed"].as_str().unwrap()).apply_keystream(&mut stream);
    let content = input["content"].clone();
    let mut at = 0;
    Box::new((0..count).map(move |index| {
        let len = if index + 1 == count { last_len } else { len };
        let name = stream[at..at + len].iter().map(|byte| ALPHABET[usize::from(*byte) % 39]);
        at += len;
        (name.map(char::from).collect(), content.clone())
    }))
}
