//! In and out again, through a real peer that has no network.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use avocet_dag::{
    Version,
    unixfs::{
        self, Chunking, DirError, HamtSize, ImportOptions, Layout, Leaf, Meta, Mtime, Profile,
        Tree, Writer, hash_code, single, symlink,
    },
};
use futures::{StreamExt, TryStreamExt, future::LocalBoxFuture, stream};
use proptest::prelude::*;

use super::*;
use crate::{
    peer::{Options, Peer},
    platform::{self, Payload},
    store::{Store, StoreName, Usage},
};

/// A file in memory that gives its chunks one turn of the loop later, or fails after some.
pub(super) struct Bytes {
    bytes: Vec<u8>,
    at: usize,
    pub(super) fails_at: Option<usize>,
    open: Rc<Cell<usize>>,
    most: Rc<Cell<usize>>,
}

impl Source for Bytes {
    fn next(&mut self, size: usize) -> LocalBoxFuture<'static, Result<Option<Payload>, String>> {
        let from = self.at;
        self.at = (from + size).min(self.bytes.len());
        let chunk = self.bytes[from..self.at].to_vec();
        let fails = self.fails_at.is_some_and(|at| self.at > at);
        let (open, most) = (self.open.clone(), self.most.clone());
        Box::pin(async move {
            open.set(open.get() + 1);
            most.set(most.get().max(open.get()));
            let mut yielded = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            open.set(open.get() - 1);
            match fails {
                true => Err("it changed".to_owned()),
                false => Ok((!chunk.is_empty()).then(|| chunk.into())),
            }
        })
    }
}

pub(super) fn source(bytes: Vec<u8>) -> Bytes {
    Bytes { bytes, at: 0, fails_at: None, open: Rc::default(), most: Rc::default() }
}

pub(super) fn file(path: &str, bytes: Vec<u8>) -> Result<Entry, SourceError> {
    Ok(entry(path, Content::File(Box::new(source(bytes)))))
}

fn folder(path: &str) -> Result<Entry, SourceError> {
    Ok(entry(path, Content::Folder))
}

fn entry(path: &str, content: Content) -> Entry {
    Entry { path: path.to_owned(), content, meta: Meta::default() }
}

/// Bytes that no compression or deduplication makes smaller, the same at each run.
pub(super) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn small(profile: Profile) -> ImportOptions {
    ImportOptions { chunking: Chunking::Size(1000), max_links: 3, ..profile.into() }
}

fn pinned(directory: bool) -> Import {
    Import { directory, pin: true, ..Import::default() }
}

pub(super) async fn offline() -> Peer {
    let options = Options {
        store: StoreName::Memory,
        relays: Vec::new(),
        bootstrap: Vec::new(),
        ice_servers: Vec::new(),
    };
    Peer::start(options, |_| {}).await.unwrap()
}

async fn add(
    store: &Store,
    entries: Vec<Result<Entry, SourceError>>,
    how: &Import,
) -> Result<Added, ImportError> {
    import(store, stream::iter(entries), how, &|_, _| {}).await
}

async fn cat(peer: &Peer, path: &str, part: Part) -> Result<Vec<u8>, FileError> {
    let export = Export::open(peer.fetcher(), path, part, Vec::new()).await?;
    let total = export.total();
    let chunks: Vec<Payload> = export.into_stream().try_collect().await?;
    let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.to_bytes().to_vec()).collect();
    assert_eq!(bytes.len() as u64, total);
    Ok(bytes)
}

pub(super) fn run<F: Future>(test: F) -> F::Output {
    platform::block_on(test).unwrap()
}

#[test]
fn known_content_has_the_cid_that_everyone_gives_it() {
    let v1 = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    let v0 = "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD";
    run(async {
        let peer = offline().await;
        for (profile, cid) in [(Profile::UnixfsV1_2025, v1), (Profile::UnixfsV0_2015, v0)] {
            let how = Import { options: profile.into(), ..pinned(false) };
            let added = add(peer.store(), vec![file("a", b"hello world".to_vec())], &how).await;
            let added = added.unwrap();
            assert_eq!((added.cid.to_string().as_str(), added.size, added.blocks), (cid, 11, 1));
        }
        let empty = add(peer.store(), vec![file("a", Vec::new())], &pinned(false)).await.unwrap();
        assert_eq!(
            empty.cid.to_string(),
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        );
        let nothing = add(peer.store(), Vec::new(), &pinned(true)).await.unwrap();
        assert_eq!(
            nothing.cid.to_string(),
            "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
        );
    });
}

#[test]
fn what_goes_in_comes_out() {
    run(async {
        let peer = offline().await;
        for profile in [Profile::UnixfsV1_2025, Profile::UnixfsV0_2015] {
            for len in [0, 1, 999, 1000, 1001, 3000, 3001, 9000, 40_017] {
                let bytes = noise(len as u64, len);
                let how = Import { options: small(profile), ..pinned(false) };
                let added = add(peer.store(), vec![file("a", bytes.clone())], &how).await.unwrap();
                assert_eq!(added.size, len as u64);
                let out = cat(&peer, &added.cid.to_string(), Part::default()).await.unwrap();
                assert!(out == bytes, "{len} bytes");
            }
        }
    });
}

/// The tree and the writer of `dag`, all in memory, with the same entries.
fn expected(options: &ImportOptions) -> Cid {
    let mut tree = Tree::new(options).unwrap();
    for (name, len, mode) in FILES {
        let mut writer = Writer::new(options, Meta { mode, mtime: None }).unwrap();
        writer.push(noise(len as u64, len).into()).unwrap();
        tree.insert(name, writer.finish().unwrap().root.into()).unwrap();
    }
    let link = symlink(options, b"../x", MTIME).unwrap();
    tree.insert("link", Leaf::new(&link, 0).into()).unwrap();
    let cid: Cid = V1.parse().unwrap();
    tree.insert("there", unixfs::Entry { cid, tsize: 11, size: 0 }).unwrap();
    tree.set_meta("d", MTIME).unwrap();
    tree.set_meta("/", Meta { mode: Some(0o755), mtime: None }).unwrap();
    tree.finish().unwrap().root.cid
}

const V1: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
const MTIME: Meta = Meta { mode: None, mtime: Some(Mtime { secs: -3, nanos: 5 }) };
const FILES: [(&str, usize, Option<u32>); 6] = [
    ("empty", 0, Some(0o600)),
    ("one", 900, Some(0o644)),
    ("exact", 1000, Some(0o644)),
    ("more", 1001, Some(0o644)),
    ("plain", 7000, None),
    ("tiny", 20, None),
];

#[test]
fn every_kind_of_entry_under_every_parameter() {
    let of = |name: &str, hash: &str, layout, inline_limit| ImportOptions {
        chunking: name.parse().unwrap(),
        hash: hash_code(hash).unwrap(),
        layout,
        inline_limit,
        max_links: 3,
        ..ImportOptions::default()
    };
    let v0 = ImportOptions { hash: 0x12, ..small(Profile::UnixfsV0_2015) };
    let all = [
        v0,
        of("size-1000", "sha2-512", Layout::Balanced, 0),
        of("rabin-200-500-900", "blake2b-256", Layout::Trickle, 0),
        of("rabin-200-500-900", "sha2-256", Layout::Balanced, 100),
        of("buzhash", "blake3", Layout::Balanced, 32),
        of("size-50", "blake3", Layout::Trickle, 128),
    ];
    run(async {
        let peer = offline().await;
        for options in all {
            let mut entries: Vec<_> = FILES
                .iter()
                .map(|(name, len, mode)| {
                    let meta = Meta { mode: *mode, mtime: None };
                    file(name, noise(*len as u64, *len)).map(|file| Entry { meta, ..file })
                })
                .collect();
            let link = entry("link", Content::Symlink("../x".to_owned()));
            let there = Content::Link { cid: V1.parse().unwrap(), tsize: 11 };
            let root = Meta { mode: Some(0o755), mtime: None };
            entries.extend([
                Ok(Entry { meta: MTIME, ..link }),
                Ok(entry("there", there)),
                folder("d").map(|folder| Entry { meta: MTIME, ..folder }),
                folder("").map(|folder| Entry { meta: root, ..folder }),
            ]);
            let how = Import { options: options.clone(), ..pinned(true) };
            let added = add(peer.store(), entries, &how).await.unwrap();
            assert_eq!(added.cid, expected(&options), "{options:?}");
            for (name, len, _) in FILES {
                let path = format!("{}/{name}", added.cid);
                let out = cat(&peer, &path, Part::default()).await.unwrap();
                assert!(out == noise(len as u64, len), "{name} under {options:?}");
            }
            settle().await;
            let before = peer.store().usage().await.unwrap();
            assert_eq!(peer.store().gc().await.unwrap().blocks, 0);
            assert_eq!(peer.store().usage().await.unwrap(), before);
        }
    });
}

#[test]
fn one_entry_of_every_kind_gives_its_own_cid() {
    run(async {
        let peer = offline().await;
        let one = async |content| {
            let entries = vec![Ok(Entry { meta: MTIME, ..entry("", content) })];
            add(peer.store(), entries, &pinned(false)).await.unwrap()
        };
        let options = ImportOptions::default();
        let link = one(Content::Symlink("x".to_owned())).await;
        assert_eq!(&link.cid, symlink(&options, b"x", MTIME).unwrap().cid());
        assert_eq!((link.size, link.blocks), (0, 1));
        let cid: Cid = V1.parse().unwrap();
        let there = one(Content::Link { cid: cid.clone(), tsize: 11 }).await;
        assert_eq!((there.cid, there.size, there.blocks), (cid, 0, 0));
        let file = one(Content::File(Box::new(source(noise(1, 5))))).await;
        let block = single(&options, MTIME, noise(1, 5).into()).unwrap();
        assert_eq!((file.cid, file.size, file.blocks), (block.root.cid, 5, 1));
        // what is inside a CID needs no block
        let inline = ImportOptions { inline_limit: 32, ..options };
        let how = Import { options: inline, ..pinned(false) };
        let tiny = add(peer.store(), vec![file_of(b"tiny")], &how).await.unwrap();
        assert_eq!((tiny.cid.inline(), tiny.size, tiny.blocks), (Some(&b"tiny"[..]), 4, 0));
        assert_eq!(cat(&peer, &tiny.cid.to_string(), Part::default()).await.unwrap(), b"tiny");
    });
}

fn file_of(bytes: &[u8]) -> Result<Entry, SourceError> {
    file("a", bytes.to_vec())
}

#[test]
fn large_chunks_come_out_too() {
    let bytes = noise(7, 5 * 1024 * 1024 + 3);
    run(async {
        let peer = offline().await;
        let added =
            add(peer.store(), vec![file("a", bytes.clone())], &pinned(false)).await.unwrap();
        assert_eq!(added.blocks, 7);
        assert!(cat(&peer, &added.cid.to_string(), Part::default()).await.unwrap() == bytes);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_part_is_the_slice(len in 0_usize..20_000, offset in 0_u64..25_000, length in proptest::option::of(0_u64..25_000), old in any::<bool>()) {
        let bytes = noise(len as u64, len);
        let profile = if old { Profile::UnixfsV0_2015 } else { Profile::UnixfsV1_2025 };
        let out = run(async {
            let peer = offline().await;
            let how = Import { options: small(profile), ..pinned(false) };
            let added = add(peer.store(), vec![file("a", bytes.clone())], &how).await.unwrap();
            cat(&peer, &added.cid.to_string(), Part { offset, length }).await.unwrap()
        });
        let from = (offset as usize).min(len);
        let to = length.map_or(len, |length| (from + length as usize).min(len));
        prop_assert!(out == bytes[from..to]);
    }
}

#[test]
fn a_tree_is_listed_and_read_by_path() {
    let html = "<img src=x onerror=alert(1)>";
    let long = "ü".repeat(127);
    run(async {
        let peer = offline().await;
        let entries = vec![
            file("top/b", noise(1, 5000)),
            file(&format!("top/{html}"), noise(2, 10)),
            file(&format!("top/sub/{long}"), noise(3, 10)),
            folder("top/empty"),
            folder(""),
        ];
        let how = Import { options: small(Profile::UnixfsV1_2025), ..pinned(true) };
        let root = add(peer.store(), entries, &how).await.unwrap();
        assert_eq!(root.size, 5020);
        let (pinned, pin) = peer.store().pins().await.unwrap().remove(0);
        assert_eq!(
            (pinned, pin.name.as_deref(), pin.size),
            (root.cid.clone(), Some("top"), Some(5020))
        );

        let path = format!("/ipfs/{}/top", root.cid);
        let listed: Vec<Listed> =
            list(peer.fetcher().clone(), path.clone(), Vec::new()).try_collect().await.unwrap();
        let seen: Vec<_> = listed.iter().map(|e| (e.name.as_str(), e.kind, e.size)).collect();
        assert_eq!(
            seen[..3],
            [(html, Type::Raw, 10), ("b", Type::File, 5000), ("empty", Type::Directory, 4)]
        );
        assert_eq!((seen[3].0, seen[3].1), ("sub", Type::Directory));
        assert!(cat(&peer, &format!("{path}/b"), Part::default()).await.unwrap() == noise(1, 5000));
        let deep = format!("{path}/sub/{long}");
        assert!(cat(&peer, &deep, Part::default()).await.unwrap() == noise(3, 10));

        let stat =
            stat(peer.fetcher(), peer.store(), &root.cid.to_string(), Vec::new()).await.unwrap();
        let Usage { used, blocks } = peer.store().usage().await.unwrap();
        assert_eq!((stat.kind, stat.local_size, stat.blocks), (Type::Directory, used, blocks));
        assert_eq!(root.blocks, blocks);
    });
}

#[test]
fn a_sharded_folder_is_added_listed_as_it_is_pulled_and_read_by_path() {
    run(async {
        let peer = offline().await;
        let options = ImportOptions {
            hamt_threshold: 1000,
            hamt_size: HamtSize::Links,
            hamt_fanout: 16,
            ..ImportOptions::default()
        };
        let count = 600;
        let entries = (0..count).map(|at| file(&format!("f/{at}"), noise(at, 10))).collect();
        let how = Import { options, ..pinned(true) };
        let root = add(peer.store(), entries, &how).await.unwrap();
        let path = format!("/ipfs/{}/f", root.cid);
        let listed: Vec<Listed> =
            list(peer.fetcher().clone(), path.clone(), Vec::new()).try_collect().await.unwrap();
        let mut names: Vec<u64> = listed.iter().map(|entry| entry.name.parse().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, (0..count).collect::<Vec<_>>());
        let read = cat(&peer, &format!("{path}/77"), Part::default()).await.unwrap();
        assert!(read == noise(77, 10));
        let folder = stat(peer.fetcher(), peer.store(), &path, Vec::new()).await.unwrap();
        assert_eq!(folder.kind, Type::Directory);
        let Usage { used, blocks } = peer.store().usage().await.unwrap();
        let whole =
            stat(peer.fetcher(), peer.store(), &root.cid.to_string(), Vec::new()).await.unwrap();
        assert_eq!((whole.local_size, whole.blocks, root.blocks), (used, blocks, blocks));

        // Without one of its own blocks the rest is still listed, up to that one.
        let shards = own_blocks(&peer, &folder.cid).await;
        settle().await;
        peer.store().unpin(&root.cid).await.unwrap();
        assert!(peer.store().delete(&shards[5]).await.unwrap());
        let part = list(peer.fetcher().clone(), path, Vec::new());
        let part: Vec<_> = part.collect().await;
        assert!(part.len() > 1 && part.len() < 600, "{} listed", part.len());
        assert!(matches!(
            part.last(),
            Some(Err(FileError::Fetch(FetchError::Offline(cid)))) if *cid == shards[5]
        ));
    });
}

#[test]
#[ignore = "100,000 files"]
fn a_folder_of_100_000_files_is_added_and_listed() {
    run(async {
        let peer = offline().await;
        let count = 100_000;
        let entries =
            (0..count).map(|at| file(&format!("file number {at}"), at.to_string().into_bytes()));
        let root = import(peer.store(), stream::iter(entries), &pinned(true), &|_, _| {}).await;
        let path = root.unwrap().cid.to_string();
        let mut entries = std::pin::pin!(list(peer.fetcher().clone(), path, Vec::new()));
        let mut listed = 0;
        while let Some(entry) = entries.try_next().await.unwrap() {
            listed += usize::from(entry.kind == Type::Raw);
        }
        assert_eq!(listed, 100_000);
    });
}

/// What the block of a folder links to of its own.
async fn own_blocks(peer: &Peer, cid: &Cid) -> Vec<Cid> {
    let block = platform::bring_in(peer.store().get(cid).await.unwrap().unwrap());
    let mut links = avocet_dag::codec::links(&block).unwrap();
    links.retain(|cid| cid.codec() == avocet_dag::code::DAG_PB);
    links
}

#[test]
fn entries_in_any_order_give_one_cid() {
    run(async {
        let peer = offline().await;
        let names = ["a/x", "b", "a/y/z", "c"];
        let mut roots = std::collections::BTreeSet::new();
        for turn in 0..names.len() {
            let entries = (0..names.len()).map(|at| {
                let name = names[(at + turn) % names.len()];
                file(name, noise(name.len() as u64, 2500))
            });
            let how = Import { options: small(Profile::UnixfsV0_2015), ..pinned(true) };
            roots.insert(add(peer.store(), entries.collect(), &how).await.unwrap().cid);
        }
        assert_eq!(roots.len(), 1);
        assert_eq!(roots.first().unwrap().version(), Version::V0);
    });
}

#[test]
fn progress_goes_up_to_the_whole() {
    run(async {
        let peer = offline().await;
        let told = RefCell::new(Vec::new());
        let entries =
            vec![file("a", noise(1, 2500)), file("b", noise(2, 0)), file("c", noise(3, 1200))];
        let how = Import { options: small(Profile::UnixfsV1_2025), ..pinned(true) };
        let tell = |loaded, path: &str| told.borrow_mut().push((loaded, path.to_owned()));
        import(peer.store(), stream::iter(entries), &how, &tell).await.unwrap();
        let told = told.into_inner();
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(told.last().unwrap().0, 3700);
        assert!(
            told.iter().any(|(_, path)| path == "a") && told.iter().any(|(_, path)| path == "c")
        );
    });
}

#[test]
fn a_file_that_changes_meanwhile_is_named_and_nothing_is_pinned() {
    run(async {
        let peer = offline().await;
        for directory in [false, true] {
            let changing = Bytes { fails_at: Some(7000), ..source(noise(1, 10_000)) };
            let entry = entry("f/changing.txt", Content::File(Box::new(changing)));
            let how = Import { options: small(Profile::UnixfsV1_2025), ..pinned(directory) };
            let error = add(peer.store(), vec![Ok(entry)], &how).await.unwrap_err();
            assert!(matches!(&error, ImportError::Source(at) if at.path == "f/changing.txt"));
            assert_eq!(peer.store().pins().await.unwrap(), []);
        }
        settle().await;
        peer.store().gc().await.unwrap();
        assert_eq!(peer.store().usage().await.unwrap(), Usage::default());
    });
}

#[test]
fn dropping_an_import_leaves_nothing_pinned_and_all_to_collect() {
    run(async {
        let peer = offline().await;
        for turns in [0, 1, 5, 20, 50] {
            let how = Import { options: small(Profile::UnixfsV1_2025), ..pinned(false) };
            let entries = stream::iter(vec![file("a", noise(turns, 200_000))]);
            let mut work = Box::pin(import(peer.store(), entries, &how, &|_, _| {}));
            let mut done = false;
            for _ in 0..turns {
                done = done || futures::poll!(work.as_mut()).is_ready();
            }
            drop(work);
            assert!(!done, "{turns} turns were enough: nothing was dropped half-way");
            settle().await;
            assert_eq!(peer.store().pins().await.unwrap(), []);
        }
        peer.store().gc().await.unwrap();
        assert_eq!(peer.store().usage().await.unwrap(), Usage::default());
    });
}

#[test]
fn no_more_is_read_ahead_than_the_bound() {
    run(async {
        let peer = offline().await;
        let bytes = source(noise(1, 300_000));
        let most = bytes.most.clone();
        let entry = entry("a", Content::File(Box::new(bytes)));
        let how = Import { options: small(Profile::UnixfsV1_2025), ..pinned(false) };
        add(peer.store(), vec![Ok(entry)], &how).await.unwrap();
        assert!((2..=32).contains(&most.get()), "{} chunks at once", most.get());
    });
}

#[test]
fn dir_02_dir_03_paths_that_are_none_are_refused() {
    run(async {
        let peer = offline().await;
        for path in ["..", "a/../b", "a//b", "", "/a", "a\0"] {
            let error = add(peer.store(), vec![file(path, noise(1, 3))], &pinned(true)).await;
            assert!(
                matches!(error, Err(ImportError::Directory(DirError::Name { .. }))),
                "{path:?}"
            );
        }
        let twice = vec![file("a", noise(1, 3)), file("a", noise(2, 3))];
        let error = add(peer.store(), twice, &pinned(true)).await;
        assert!(matches!(error, Err(ImportError::Directory(DirError::Duplicate { .. }))));
        for entries in [vec![], vec![file("a", vec![]), file("b", vec![])], vec![folder("a")]] {
            let error = add(peer.store(), entries, &pinned(false)).await;
            assert_eq!(error, Err(ImportError::NotOne));
        }
        assert_eq!(peer.store().pins().await.unwrap(), []);
    });
}

#[test]
fn what_cannot_be_read_says_why() {
    run(async {
        let peer = offline().await;
        let root =
            add(peer.store(), vec![file("a", noise(1, 10))], &pinned(true)).await.unwrap().cid;
        let read = async |path: &str| cat(&peer, path, Part::default()).await.unwrap_err();
        assert!(matches!(read("nonsense").await, FileError::Path(_)));
        assert!(matches!(read("/ipns/example.org").await, FileError::Names(_)));
        assert!(matches!(
            read(&root.to_string()).await,
            FileError::Read(ReadError::NotAFile { .. })
        ));
        let missing = read(&format!("{root}/b")).await;
        assert!(matches!(missing, FileError::Resolve(ResolveError::NotFound { .. })));
        let below = read(&format!("{root}/a/b")).await;
        assert!(matches!(below, FileError::Resolve(ResolveError::NotADirectory { .. })));
        let nobody = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        assert!(matches!(read(nobody).await, FileError::Fetch(FetchError::Offline(_))));
        let path = format!("{root}/a");
        let listed: Vec<_> = list(peer.fetcher().clone(), path, Vec::new()).collect().await;
        assert!(matches!(listed[..], [Err(FileError::Directory(ListError::NotADirectory { .. }))]));
    });
}

#[test]
fn what_is_kept_outlives_a_collection_and_what_is_missing_is_not_pinned() {
    run(async {
        let peer = offline().await;
        let how = Import { options: small(Profile::UnixfsV1_2025), pin: false, ..pinned(false) };
        let added = add(peer.store(), vec![file("a", noise(1, 9500))], &how).await.unwrap();
        assert_eq!(peer.store().pins().await.unwrap(), []);
        settle().await;
        let what = Keep { cid: added.cid.clone(), recursive: true, name: Some("kept".to_owned()) };
        let told = RefCell::new(Vec::new());
        let tell = |loaded, total: Option<u64>| told.borrow_mut().push((loaded, total.unwrap()));
        keep(peer.fetcher(), peer.store(), &what, Vec::new(), &tell).await.unwrap();
        let used = peer.store().usage().await.unwrap().used;
        assert_eq!(told.borrow().last(), Some(&(used, used)));
        assert!(told.borrow().iter().all(|(loaded, total)| loaded <= total));
        settle().await;
        peer.store().gc().await.unwrap();
        assert!(
            cat(&peer, &added.cid.to_string(), Part::default()).await.unwrap() == noise(1, 9500)
        );

        // Without one of its leaves it is no longer whole.
        peer.store().unpin(&added.cid).await.unwrap();
        let leaf = Payload::from(noise(1, 1000));
        let leaf = platform::hash(Version::V1, 0x55, 0x12, leaf).await.unwrap();
        assert!(peer.store().delete(leaf.cid()).await.unwrap());
        let kept = keep(peer.fetcher(), peer.store(), &what, Vec::new(), &|_, _| {}).await;
        assert!(
            matches!(kept, Err(FileError::Fetch(FetchError::Offline(cid))) if cid == *leaf.cid())
        );
        assert_eq!(peer.store().pins().await.unwrap(), []);
        let stat =
            stat(peer.fetcher(), peer.store(), &added.cid.to_string(), Vec::new()).await.unwrap();
        assert_eq!((stat.kind, stat.size, stat.local_size), (Type::File, 9500, used - 1000));
    });
}

/// Lets what was spawned, such as the end of a draft, run.
async fn settle() {
    for _ in 0..10 {
        platform::sleep(std::time::Duration::ZERO).await;
    }
}
