//! Published import vectors: the root CIDs that other implementations give.
//!
//! The large ones, which `npm run test:slow` runs, are made and read back as a stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::collections::HashMap;

use avocet_dag::{
    Block, Cid, Version, codec,
    unixfs::{
        Entry, HamtSize, ImportOptions, Imported, Layout, Meta, Mtime, Reader, Tree, Window,
        Writer, hash_code, stat, symlink,
    },
};
use bytes::Bytes;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use common::{Store, import_with, read_each};
use serde_json::Value;
use sha2::{Digest, Sha256};

#[test]
fn quick_vectors() {
    assert_eq!(run("quick", run_one), 55);
}

#[test]
fn medium_vectors() {
    assert_eq!(run("medium", run_one), 4);
}

#[test]
#[ignore = "256 MiB"]
fn slow_vectors() {
    assert_eq!(run("slow", stream_one), 1);
}

#[test]
#[ignore = "two of 1 GiB"]
fn very_slow_vectors() {
    assert_eq!(run("slow-1GiB", stream_one), 2);
}

/// Runs the vectors of a tier; gives how many there were.
fn run(tier: &str, run_one: fn(&Value)) -> usize {
    let file: Value = serde_json::from_str(include_str!("vectors/unixfs.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let vectors: Vec<_> = vectors.iter().filter(|vector| vector["tier"] == tier).collect();
    vectors.iter().for_each(|vector| run_one(vector));
    vectors.len()
}

fn run_one(vector: &Value) {
    let name = vector["name"].as_str().unwrap();
    let options = options(&vector["params"]);
    let mut importing = Importing { options, ..Importing::default() };
    let root = importing.add(&vector["input"]);
    check_root(vector, &root);
    for (path, cid) in vector["expected_child_cids"].as_object().into_iter().flatten() {
        let found = common::resolve(&importing.store, &root.cid, path).unwrap();
        assert_eq!(found.to_string(), cid.as_str().unwrap(), "{name}: {path}");
    }
    importing.read_back(&root, &vector["input"], name);
}

fn check_root(vector: &Value, root: &Entry) {
    let name = vector["name"].as_str().unwrap();
    let expected: Cid = vector["expected_root_cid"].as_str().unwrap().parse().unwrap();
    if vector["compare"] == "cid-v1-upgraded" {
        assert_eq!(root.cid.to_v1(), expected, "{name}");
    } else {
        assert_eq!(root.cid, expected, "{name}");
    }
    if let Some(size) = vector["expected_cumulative_size"].as_u64() {
        assert_eq!(root.tsize, size, "{name}");
    }
}

/// Adds a file and reads it back with no more in memory than the blocks above its leaves: those
/// are made once more when they are read.
fn stream_one(vector: &Value) {
    let (name, input) = (vector["name"].as_str().unwrap(), &vector["input"]);
    let options = options(&vector["params"]);
    let is_leaf = |block: &Block| codec::links(block).unwrap().is_empty();
    let mut inner = Store::default();
    let mut keep = |blocks: Vec<Block>| {
        let blocks = blocks.into_iter().filter(|block| !is_leaf(block));
        blocks.for_each(|block| drop(inner.put(block)));
    };
    let mut writer = Writer::new(&options, Meta::default()).unwrap();
    let mut expected = Sha256::new();
    for piece in content(input) {
        expected.update(&piece);
        keep(writer.push(piece).unwrap());
    }
    let Imported { blocks, root } = writer.finish().unwrap();
    keep(blocks);
    check_root(vector, &root.clone().into());

    let mut writer = Some(Writer::new(&options, Meta::default()).unwrap());
    let mut pieces = content(input);
    let again = std::iter::from_fn(|| match pieces.next() {
        Some(piece) => Some(writer.as_mut()?.push(piece).unwrap()),
        None => Some(writer.take()?.finish().unwrap().blocks),
    });
    let mut leaves = again.flatten().filter(|block| is_leaf(block));
    let mut reader = Reader::<Bytes>::new(root.cid, .., Window::default());
    let mut found = Sha256::new();
    while !reader.is_done() {
        for cid in reader.wants() {
            // every leaf is another one, and they are asked for in their order
            let block = inner.0.get(&cid).cloned().or_else(|| leaves.next());
            assert!(reader.give(&block.expect("a block")).unwrap(), "{name}: {cid} is the next");
        }
        while let Some(bytes) = reader.read().unwrap() {
            found.update(&bytes);
        }
    }
    assert_eq!(found.finalize(), expected.finalize(), "{name} is read back otherwise");
}

fn options(params: &Value) -> ImportOptions {
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
    options
}

#[derive(Default)]
struct Importing {
    options: ImportOptions,
    store: Store,
    /// The hash of every file that was added, by its root.
    files: HashMap<Cid, Vec<u8>>,
}

impl Importing {
    fn add(&mut self, input: &Value) -> Entry {
        let meta = meta(input);
        match input["kind"].as_str().unwrap() {
            "symlink" => {
                let target = input["target"].as_str().unwrap();
                let block = symlink(&self.options, target.as_bytes(), meta).unwrap();
                let (cid, tsize) = (block.cid().clone(), block.len() as u64);
                assert_eq!(stat(&block).unwrap().target.unwrap(), target.as_bytes());
                self.store.put(block);
                Entry { cid, tsize, size: 0 }
            }
            "link" => Entry {
                cid: input["cid"].as_str().unwrap().parse().unwrap(),
                tsize: input["tsize"].as_u64().unwrap(),
                size: 0,
            },
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
                root.into()
            }
        }
    }

    fn add_dir(&mut self, entries: impl Iterator<Item = (String, Value)>, meta: Meta) -> Entry {
        let mut tree = Tree::new(&self.options).unwrap();
        for (name, input) in entries {
            tree.insert(&name, self.add(&input)).unwrap();
        }
        tree.set_meta("/", meta).unwrap();
        let built = tree.finish().unwrap();
        built.blocks.into_iter().for_each(|block| drop(self.store.put(block)));
        built.root
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
