//! Archives through a real peer that has no network.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{cell::Cell, rc::Rc};

use avocet_dag::{
    Cid, Version,
    car::{self, ByteRange, CarError, ExportOptions, Options, Reader, Scope},
    code,
    unixfs::{Chunking, ImportOptions},
};
use futures::{TryStreamExt, stream};

use super::*;
use crate::{
    fetch::FetchError,
    files::{
        Export, FileError, Import, Part, SourceError, import,
        tests::{file, noise, offline, run, source},
    },
    peer::Peer,
    platform::Payload,
};

/// A file of many blocks in a folder; gives the folder's CID and the file's bytes.
async fn folder(peer: &Peer, len: usize) -> (Cid, Vec<u8>) {
    let bytes = noise(7, len);
    let options =
        ImportOptions { chunking: Chunking::Size(1000), max_links: 3, ..Default::default() };
    let how = Import { options, directory: true, pin: true, name: None };
    let entries = vec![file("a/b.bin", bytes.clone()), file("c.txt", b"c".to_vec())];
    let added = import(peer.store(), stream::iter(entries), &how, &|_, _| {}).await.unwrap();
    (added.cid, bytes)
}

async fn export(peer: &Peer, path: &str, options: ExportOptions) -> Result<Vec<u8>, FileError> {
    let export = CarExport::open(peer.fetcher(), path, options, Vec::new())?;
    let pieces: Vec<Payload> = export.into_stream().try_concat().await?;
    assert!(pieces.iter().all(|piece| !piece.to_bytes().is_empty()));
    Ok(pieces.iter().flat_map(|piece| piece.to_bytes().to_vec()).collect())
}

async fn bring(peer: &Peer, archive: &[u8], pin: bool) -> Result<CarImported, CarImportError> {
    let len = Some(archive.len() as u64);
    let how = CarImport { pin, name: Some("it".to_owned()), len };
    import_car(peer.store(), Box::new(source(archive.to_vec())), &how, &|_| {}).await
}

async fn cat(peer: &Peer, path: &str) -> Result<Vec<u8>, FileError> {
    let export = Export::open(peer.fetcher(), path, Part::default(), Vec::new()).await?;
    let pieces: Vec<Payload> = export.into_stream().try_collect().await?;
    Ok(pieces.iter().flat_map(|piece| piece.to_bytes().to_vec()).collect())
}

fn count(archive: &[u8]) -> usize {
    let mut reader = Reader::<bytes::Bytes>::new(Options::default());
    reader.push(archive.to_vec().into());
    let sections = std::iter::from_fn(|| reader.next_section().unwrap()).count();
    reader.finish().unwrap();
    sections
}

#[test]
fn out_of_one_peer_and_into_another() {
    run(async {
        let (here, there) = (offline().await, offline().await);
        let (root, bytes) = folder(&here, 20_000).await;
        let archive = export(&here, &root.to_string(), ExportOptions::default()).await.unwrap();
        let imported = bring(&there, &archive, true).await.unwrap();
        assert_eq!(imported.roots, std::slice::from_ref(&root));
        assert_eq!(imported.blocks, count(&archive) as u64);
        assert_eq!(imported.blocks, there.store().usage().await.unwrap().blocks);
        assert_eq!(imported.bytes, there.store().usage().await.unwrap().used);
        let pins = there.store().pins().await.unwrap();
        assert_eq!((pins.len(), &pins[0].0, pins[0].1.name.as_deref()), (1, &root, Some("it")));
        there.store().gc().await.unwrap();
        assert_eq!(cat(&there, &format!("{root}/a/b.bin")).await.unwrap(), bytes);
        assert_eq!(
            export(&there, &root.to_string(), ExportOptions::default()).await.unwrap(),
            archive
        );
    });
}

#[test]
fn a_path_a_scope_and_a_range() {
    run(async {
        let peer = offline().await;
        let (root, _) = folder(&peer, 20_000).await;
        let path = format!("/ipfs/{root}/a/b.bin");
        let of = async |scope, range| {
            let options = ExportOptions { scope, range, ..Default::default() };
            count(&export(&peer, &path, options).await.unwrap())
        };
        assert_eq!(of(Scope::Block, None).await, 3, "two folders on the way, and the root");
        let all = of(Scope::All, None).await;
        assert!(all > 20 && all == of(Scope::Entity, None).await);
        let range = Some(ByteRange { from: -1, to: None });
        let few = of(Scope::All, range).await;
        assert!((4..10).contains(&few), "{few}");
        let missing = export(&peer, &format!("{root}/nothing"), ExportOptions::default()).await;
        assert!(matches!(missing, Err(FileError::Archive(_))));
    });
}

#[test]
fn what_is_not_here_is_fetched_or_said() {
    run(async {
        let (here, there) = (offline().await, offline().await);
        let (root, _) = folder(&here, 100).await;
        let error = export(&there, &root.to_string(), ExportOptions::default()).await.unwrap_err();
        assert!(matches!(error, FileError::Fetch(FetchError::Offline(cid)) if cid == root));
    });
}

#[test]
fn car_02_car_17_what_came_before_a_fault_stays_unpinned() {
    run(async {
        let here = offline().await;
        let (root, _) = folder(&here, 20_000).await;
        let archive = export(&here, &root.to_string(), ExportOptions::default()).await.unwrap();
        let mut flipped = archive.clone();
        let at = flipped.len() - 500;
        flipped[at] ^= 1;
        for damaged in [&archive[..archive.len() - 500], &flipped[..]] {
            let there = offline().await;
            let error = bring(&there, damaged, true).await.unwrap_err();
            let CarImportError::Archive { blocks, source } = &error else { panic!("{error}") };
            let stored = there.store().usage().await.unwrap().blocks;
            assert!(*blocks > 10 && *blocks == stored && stored < count(&archive) as u64);
            assert!(matches!(source, CarError::Truncated { .. } | CarError::Block { .. }));
            assert!(error.to_string().contains(&format!("{blocks} blocks before")), "{error}");
            assert_eq!(there.store().pins().await.unwrap(), []);
            let freed = there.store().gc().await.unwrap();
            assert_eq!(freed.blocks, stored);
        }
    });
}

#[test]
fn a_root_that_is_not_all_here_is_not_pinned() {
    run(async {
        let (here, there) = (offline().await, offline().await);
        let (root, _) = folder(&here, 5000).await;
        let options = ExportOptions { scope: Scope::Block, ..Default::default() };
        let archive = export(&here, &root.to_string(), options).await.unwrap();
        let error = bring(&there, &archive, true).await.unwrap_err();
        assert!(matches!(&error, CarImportError::Incomplete { root: found, .. } if *found == root));
        assert_eq!(there.store().pins().await.unwrap(), []);
        let imported = bring(&there, &archive, false).await.unwrap();
        assert_eq!((imported.roots, imported.blocks), (vec![root], 1));
        // what the archive lacks may be here already
        assert_eq!(bring(&here, &archive, true).await.unwrap().blocks, 1);
    });
}

#[test]
fn car_22_the_same_block_again_and_again() {
    run(async {
        let peer = offline().await;
        let payload: Payload = vec![9; 32].into();
        let block = crate::platform::hash(Version::V1, code::RAW, code::SHA2_256, payload).await;
        let cid = block.unwrap().cid().clone();
        let mut archive = car::header(std::slice::from_ref(&cid));
        for _ in 0..20_000 {
            archive.extend(car::section_head(&cid, 32));
            archive.extend([9; 32]);
        }
        let imported = bring(&peer, &archive, true).await.unwrap();
        assert_eq!(imported, CarImported { roots: vec![cid], blocks: 1, bytes: 32 });
    });
}

#[test]
fn no_roots_and_inline_roots() {
    run(async {
        let peer = offline().await;
        let none = bring(&peer, &car::header(&[]), true).await.unwrap();
        assert_eq!(none, CarImported { roots: vec![], blocks: 0, bytes: 0 });
        let hash = avocet_dag::Multihash::hash(code::IDENTITY, b"in itself").unwrap();
        let inline = Cid::new_v1(code::RAW, hash);
        let mut archive = car::header(&[inline.clone(), inline.clone()]);
        archive.extend(car::section_head(&inline, 9));
        archive.extend(b"in itself");
        let imported = bring(&peer, &archive, true).await.unwrap();
        assert_eq!((imported.roots.len(), imported.blocks), (2, 0));
        assert_eq!(peer.store().pins().await.unwrap().len(), 1);
    });
}

#[test]
fn a_source_that_fails_and_progress() {
    run(async {
        let peer = offline().await;
        let (root, _) = folder(&peer, 30_000).await;
        let archive = export(&peer, &root.to_string(), ExportOptions::default()).await.unwrap();
        let mut failing = source(archive.clone());
        failing.fails_at = Some(10);
        let how = CarImport { pin: true, name: None, len: None };
        let error = import_car(peer.store(), Box::new(failing), &how, &|_| {}).await.unwrap_err();
        assert!(matches!(error, CarImportError::Source(SourceError { .. })), "{error}");
        let told = Rc::new(Cell::new(0));
        let tell = {
            let told = told.clone();
            move |bytes| {
                assert!(bytes >= told.get());
                told.set(bytes);
            }
        };
        import_car(peer.store(), Box::new(source(archive.clone())), &how, &tell).await.unwrap();
        assert_eq!(told.get(), archive.len() as u64);
    });
}
