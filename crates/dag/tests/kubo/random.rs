//! Random trees and parameters, the same in every run.

use std::collections::BTreeMap;

use avocet_dag::{
    Version, code,
    unixfs::{HamtSize, Meta, Mtime},
};

/// SplitMix64: small, and its stream is fixed by its seed for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// At least `low`, less than `high`.
    pub fn within(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.within(0, n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.within(0, from.len())]
    }
}

/// What Kubo reads when it starts: the rule by which directories are sharded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharding {
    pub threshold: usize,
    pub size: HamtSize,
}

pub const SHARDINGS: &[Sharding] = &[
    Sharding { threshold: 256 * 1024, size: HamtSize::Links },
    Sharding { threshold: 256 * 1024, size: HamtSize::Block },
    Sharding { threshold: 600, size: HamtSize::Links },
    Sharding { threshold: 1024, size: HamtSize::Block },
    Sharding { threshold: 5000, size: HamtSize::Block },
];

/// What Kubo keeps of every entry besides its content. Of a link it never keeps the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    Mode,
    Mtime,
    Both,
}

/// Everything that may change a CID, but for the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pub sharding: Sharding,
    pub version: Version,
    pub raw_leaves: bool,
    /// As Kubo spells it, and so do we.
    pub chunker: String,
    pub trickle: bool,
    pub max_links: usize,
    pub hash: u64,
    /// 0: nothing is inlined.
    pub inline_limit: usize,
    pub fanout: usize,
    pub keeps: Keeps,
}

/// Hash functions as Kubo names them.
pub const HASHES: &[(u64, &str)] =
    &[(code::SHA2_256, "sha2-256"), (0x13, "sha2-512"), (0xb220, "blake2b-256"), (0x1e, "blake3")];

impl Parameters {
    pub fn random(random: &mut Random, sharding: Sharding) -> Self {
        let hash = if random.one_in(3) { random.pick(HASHES).0 } else { code::SHA2_256 };
        let v0 = hash == code::SHA2_256 && random.one_in(2);
        let keeps = match random.within(0, 6) {
            0 => Keeps::Mode,
            1 => Keeps::Mtime,
            2 => Keeps::Both,
            _ => Keeps::Nothing,
        };
        let max_links = *random.pick(&[174, 1024, 2, 3, 5, 11]);
        Self {
            sharding,
            version: if v0 { Version::V0 } else { Version::V1 },
            // Kubo refuses raw leaves where a mode or a time is to be kept.
            raw_leaves: keeps == Keeps::Nothing && random.one_in(2),
            chunker: chunker(random),
            trickle: random.one_in(4),
            max_links,
            hash,
            inline_limit: if random.one_in(4) { *random.pick(&[1, 32, 64, 128]) } else { 0 },
            fanout: *random.pick(&[256, 256, 8, 16, 64, 1024]),
            keeps,
        }
    }

    /// The largest chunk, as a measure for the files to make.
    fn chunk(&self) -> usize {
        let last = self.chunker.rsplit('-').next().unwrap_or_default();
        last.parse().unwrap_or(512 * 1024)
    }
}

fn chunker(random: &mut Random) -> String {
    match random.within(0, 8) {
        0 => "size-262144".into(),
        1 => "size-1048576".into(),
        2 => "buzhash".into(),
        3 => {
            let min = random.within(16, 200);
            let avg = min + random.within(1, 400);
            format!("rabin-{min}-{avg}-{}", avg + random.within(1, 1000))
        }
        4 => "rabin-4096-16384-65536".into(),
        _ => format!("size-{}", random.within(1, 2000)),
    }
}

/// A tree to add.
#[derive(Debug, Clone)]
pub enum Node {
    File(Vec<u8>, Meta),
    Folder(BTreeMap<String, Node>, Meta),
    Symlink(String, Meta),
}

/// How much is left to be made.
struct Room {
    bytes: usize,
    entries: usize,
}

impl Node {
    pub fn random(random: &mut Random, parameters: &Parameters) -> Self {
        let bytes = if random.one_in(12) { 3 << 20 } else { 200 << 10 };
        let mut room = Room { bytes, entries: 60 };
        // thousands of entries cost seconds, hundreds do not
        let many = parameters.sharding.threshold > 10_000;
        match random.within(0, 8) {
            0 => file(random, parameters, &mut room),
            1 | 2 if !many || random.one_in(6) => wide(random, parameters),
            _ => folder(random, parameters, &mut room, 0),
        }
    }

    /// Every file by its path from here, which is empty for a file itself.
    pub fn files(&self) -> Vec<(String, &[u8])> {
        let (mut files, mut left) = (Vec::new(), vec![(String::new(), self)]);
        while let Some((path, node)) = left.pop() {
            match node {
                Self::File(content, _) => files.push((path, content.as_slice())),
                Self::Symlink(..) => {}
                Self::Folder(entries, _) => {
                    left.extend(
                        entries.iter().map(|(name, node)| (format!("{path}/{name}"), node)),
                    );
                }
            }
        }
        files
    }

    /// One line about each entry, for a failure.
    pub fn outline(&self) -> String {
        let mut lines = Vec::new();
        self.add_outline(".", &mut lines);
        let more = lines.len().saturating_sub(40);
        lines.truncate(40);
        if more > 0 {
            lines.push(format!("… and {more} more"));
        }
        lines.join("\n")
    }

    fn add_outline(&self, path: &str, lines: &mut Vec<String>) {
        match self {
            Self::File(content, meta) => {
                lines.push(format!("{path:?}: {} bytes {meta:?}", content.len()));
            }
            Self::Symlink(target, meta) => lines.push(format!("{path:?} -> {target:?} {meta:?}")),
            Self::Folder(entries, meta) => {
                lines.push(format!("{path:?}: {} entries {meta:?}", entries.len()));
                for (name, node) in entries {
                    node.add_outline(&format!("{path}/{name}"), lines);
                }
            }
        }
    }
}

fn folder(random: &mut Random, parameters: &Parameters, room: &mut Room, depth: usize) -> Node {
    let mut entries = BTreeMap::new();
    let wanted = if random.one_in(8) { 0 } else { random.within(1, 12) };
    for _ in 0..wanted {
        if room.entries == 0 {
            break;
        }
        room.entries -= 1;
        let name = name(random);
        let node = match random.within(0, 10) {
            0 => Node::Symlink(target(random), Meta { mode: None, ..meta(random, parameters) }),
            1..=3 if depth < 4 => folder(random, parameters, room, depth + 1),
            _ => file(random, parameters, room),
        };
        entries.insert(name, node);
    }
    Node::Folder(entries, meta(random, parameters))
}

/// A directory about as large as the threshold, some larger and some smaller.
fn wide(random: &mut Random, parameters: &Parameters) -> Node {
    let each = 50 + if parameters.raw_leaves { 2 } else { 0 };
    let about = parameters.sharding.threshold / each;
    let count = random.within(about / 2, about * 3 + 2);
    let mut entries = BTreeMap::new();
    for index in 0..count {
        let name = match random.within(0, 40) {
            0 => name(random),
            _ => format!("{:x}-{index}", random.next() & 0xfff),
        };
        let content = index.to_string().into_bytes();
        entries.insert(name, Node::File(content, meta(random, parameters)));
    }
    if random.one_in(3) {
        let mut room = Room { bytes: 10_000, entries: 10 };
        entries.insert("folder".into(), folder(random, parameters, &mut room, 3));
    }
    Node::Folder(entries, meta(random, parameters))
}

fn file(random: &mut Random, parameters: &Parameters, room: &mut Room) -> Node {
    let chunk = parameters.chunk();
    let many = chunk * random.within(1, 60) + random.within(0, 3) - 1;
    let wanted = match random.within(0, 8) {
        0 => 0,
        1 => 1,
        2 => chunk - 1,
        3 => chunk,
        4 => chunk + 1,
        5 => random.within(0, 200),
        _ => many,
    };
    let size = wanted.min(room.bytes).min(chunk.saturating_mul(5000));
    room.bytes -= size;
    Node::File(content(random, size), meta(random, parameters))
}

fn content(random: &mut Random, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 8);
    match random.within(0, 5) {
        0 => bytes.resize(size, 0),
        1 => {
            let byte = random.next() as u8;
            bytes.resize(size, byte);
        }
        2 => {
            let period = random.next().to_le_bytes();
            while bytes.len() < size {
                bytes.extend_from_slice(&period);
            }
        }
        _ => {
            while bytes.len() < size {
                bytes.extend_from_slice(&random.next().to_le_bytes());
            }
        }
    }
    bytes.truncate(size);
    bytes
}

fn meta(random: &mut Random, parameters: &Parameters) -> Meta {
    let mode = matches!(parameters.keeps, Keeps::Mode | Keeps::Both);
    let mtime = matches!(parameters.keeps, Keeps::Mtime | Keeps::Both);
    if random.one_in(5) {
        return Meta::default();
    }
    let secs = *random.pick(&[0, 1, -1, 1_700_000_000, i64::from(u32::MAX), -62_000_000_000]);
    let nanos = *random.pick(&[0, 0, 1, 999_999_999, 123_456_789]);
    Meta {
        mode: mode.then(|| *random.pick(&[0o644, 0o755, 0o600, 0o444, 0o7777, 0o1, 0o4755])),
        mtime: mtime.then_some(Mtime { secs, nanos }),
    }
}

const NAMES: &[&str] = &[
    " ",
    "...",
    "-rf",
    "a b",
    "a%20b",
    "a+b",
    "a?b#c",
    "\"quoted\"",
    "new\nline",
    "tab\there",
    "<img>",
    "\\",
    "C:\\evil",
    "&amp;",
    "\u{202e}gpj",
    "é",
    "e\u{301}",
    "日本語",
    "🦆",
    "00",
    "FF",
    "0A",
    "A",
    "a",
    "aa",
    "CON",
    "\u{7f}",
    "'",
    ";",
    "`",
    "$HOME",
    "~",
    "ß",
    "ẞ",
    "\u{feff}bom",
    "z.tar.gz",
];

fn name(random: &mut Random) -> String {
    match random.within(0, 6) {
        0 => random.pick(NAMES).repeat(random.within(1, 4)),
        1 => "x".repeat(random.within(1, 250)),
        _ => format!("{:x}", random.next() >> random.within(0, 60)),
    }
}

fn target(random: &mut Random) -> String {
    let targets =
        ["a", "../a", "/etc/passwd", "a/../../b", "日本語 🦆", ".", "javascript:alert(1)"];
    let target = random.pick(&targets);
    target.repeat(if random.one_in(5) { random.within(1, 30) } else { 1 })
}
