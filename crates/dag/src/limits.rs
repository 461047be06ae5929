//! Every bound of this crate in one place: what reaches one gets an error that names it, of the
//! kind [`ErrorKind::Limit`](crate::ErrorKind::Limit) unless said otherwise.
//!
//! | what | at most | whence |
//! |---|---|---|
//! | a block | 2 MiB ([`MAX_BLOCK`]) | Bitswap's and UnixFS's bound; Kubo's "block is over 2MiB" |
//! | a CID | 168 bytes ([`MAX_CID`]) | what Kubo's Bitswap takes; `InvalidCid` |
//! | an identity CID's digest | 128 bytes ([`MAX_IDENTITY`]) | boxo `verifcid`; `InvalidCid` |
//! | a varint | 9 bytes, the shortest form ([`MAX_VARINT`]) | multiformats, unsigned-varint; the kind of what holds it |
//! | a path | 64 KiB ([`MAX_PATH`]), 1024 names ([`MAX_SEGMENTS`]) | browsers' URLs; a name costs a block; `InvalidPath` |
//! | a file's levels | 64 ([`MAX_FILE_DEPTH`]) | four levels of 174 links hold 200 TB |
//! | inner nodes that a reader holds | 32 MiB ([`MAX_HELD`]) | sixteen blocks, where an honest file has one a level |
//! | sizes that a node lists | 262,144 ([`MAX_BLOCKSIZES`]) | a link takes eight bytes of a block; `Corrupt` |
//! | a chunk | 2 MiB less 256 bytes ([`MAX_CHUNK`]) | boxo's `ChunkSizeLimit`; `InvalidOption` |
//! | links of a file's node | 32,767 ([`MAX_LINKS`]) | 64 bytes a link; `InvalidOption` |
//! | a shard's fan-out | 1024 ([`MAX_FANOUT`]) | Kubo's `MaxHAMTFanout`; `InvalidOption`, when read `Corrupt` |
//! | folders inside one another | 1024 ([`MAX_FOLDERS`]) | the names of a path |
//! | links of a directory that are listed | 1,048,576 ([`MAX_LISTED`]) | ten times the largest that is tested |
//! | CIDs of a walk or an export that are remembered | 2,097,152 ([`MAX_VISITED`]) | 200 to 300 MiB; 2 TiB of content |
//! | lists and maps inside one another | 256 ([`MAX_VALUE_DEPTH`]) | hand-made data has ten |
//! | memory of a decoded value | 24 MiB ([`MAX_TREE`]) | a block's share of a tab; its links are read all the same |
//! | a number in DAG-JSON | 1100 characters ([`MAX_NUMBER`]) | the longest float written out |
//! | a CAR's header | 1 MiB ([`MAX_CAR_HEADER`]) | some 20,000 roots; go-car takes 32 MiB |
//! | a CAR's section | 2 MiB and a CID ([`MAX_CAR_SECTION`]) | a block and its CID |
//!
//! ```
//! use avocet_dag::limits::*;
//! assert_eq!([MAX_BLOCK, MAX_CID, MAX_IDENTITY, MAX_VARINT], [2 << 20, 168, 128, 9]);
//! assert_eq!([MAX_PATH, MAX_SEGMENTS, MAX_FILE_DEPTH, MAX_HELD], [64 << 10, 1024, 64, 32 << 20]);
//! assert_eq!([MAX_BLOCKSIZES, MAX_CHUNK, MAX_LINKS], [262_144, (2 << 20) - 256, 32_767]);
//! assert_eq!([MAX_FANOUT, MAX_FOLDERS, MAX_LISTED, MAX_VISITED], [1024, 1024, 1 << 20, 2 << 20]);
//! assert_eq!([MAX_VALUE_DEPTH, MAX_TREE, MAX_NUMBER], [256, 24 << 20, 1100]);
//! assert_eq!([MAX_CAR_HEADER, MAX_CAR_SECTION], [1 << 20, (2 << 20) + 168]);
//! ```

pub use crate::{
    block::MAX_BLOCK,
    car::{MAX_HEADER as MAX_CAR_HEADER, MAX_SECTION as MAX_CAR_SECTION},
    cid::MAX_CID,
    codec::{MAX_DEPTH as MAX_VALUE_DEPTH, MAX_TREE, json::MAX_NUMBER},
    multihash::MAX_IDENTITY,
    path::{MAX_PATH, MAX_SEGMENTS},
    unixfs::{
        MAX_BLOCKSIZES, MAX_CHUNK, MAX_DEPTH as MAX_FOLDERS, MAX_FANOUT, MAX_FILE_DEPTH, MAX_HELD,
        MAX_LINKS, MAX_LISTED,
    },
    varint::MAX_LEN as MAX_VARINT,
    walk::MAX_VISITED,
};
