use avocet_dag::{Multihash, Version, code};
use proptest::prelude::*;

use super::{proto::write_bytes, *};

fn raw(bytes: &[u8]) -> Block {
    Block::hash(Version::V1, code::RAW, code::SHA2_256, Bytes::copy_from_slice(bytes)).unwrap()
}

fn decode_framed(bytes: Vec<u8>) -> Message {
    let (length, used) = read_length(&bytes).unwrap().unwrap();
    assert_eq!(length, bytes.len() - used);
    decode(Bytes::from(bytes).slice(used..)).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// CIDv1, raw, identity hash of "hi": short enough to write messages around it by hand.
fn hi() -> Cid {
    Cid::new_v1(code::RAW, Multihash::hash(code::IDENTITY, b"hi").unwrap())
}

mod vectors {
    //! Messages put together by hand from the specification's message.proto.

    use super::*;

    const HI: &str = "01 55 00 02 68 69";

    #[test]
    fn a_want_for_a_block() {
        // wantlist { entries { block: HI, priority: 1, sendDontHave: true }, full: true }
        let bytes = hex(&format!("12  0a 10  0a 0c  0a 06 {HI} 10 01 28 01  10 01"));
        let entry = Entry {
            cid: hi(),
            priority: 1,
            cancel: false,
            kind: WantKind::Block,
            send_dont_have: true,
        };
        let message =
            Outgoing::<Bytes> { wants: vec![entry.clone()], full: true, ..Outgoing::default() };
        assert_eq!(encode(&message).unwrap(), bytes);
        let read = decode_framed(bytes);
        assert_eq!((read.wants, read.full, read.size), (vec![entry], true, 18));
    }

    #[test]
    fn a_want_for_word_and_a_cancel() {
        let bytes = hex(&format!("18  0a 16  0a 0a 0a 06 {HI} 20 01  0a 08 0a 06 {HI}"));
        let read = decode_framed(bytes);
        assert_eq!(read.wants[0].kind, WantKind::Have);
        assert_eq!(read.wants[1].kind, WantKind::Block);
        let bytes = hex(&format!("0e  0a 0c  0a 0a 0a 06 {HI} 18 01"));
        let entry = Entry::cancel(hi());
        assert_eq!(decode_framed(bytes.clone()).wants, vec![entry.clone()]);
        let message = Outgoing::<Bytes> { wants: vec![entry], ..Outgoing::default() };
        assert_eq!(encode(&message).unwrap(), bytes);
    }

    #[test]
    fn a_negative_priority_takes_ten_bytes() {
        let minus_one = "ff ff ff ff ff ff ff ff ff 01";
        let bytes = hex(&format!("17  0a 15  0a 13 0a 06 {HI} 10 {minus_one}"));
        let read = decode_framed(bytes.clone());
        assert_eq!(read.wants[0].priority, -1);
        let message = Outgoing::<Bytes> { wants: read.wants, ..Outgoing::default() };
        assert_eq!(encode(&message).unwrap(), bytes);
    }

    #[test]
    fn presences_and_pending_bytes() {
        // blockPresences { cid: HI }, blockPresences { cid: HI, type: DontHave }, pendingBytes: 300
        let bytes = hex(&format!("19  22 08 0a 06 {HI}  22 0a 0a 06 {HI} 10 01  28 ac 02"));
        let read = decode_framed(bytes.clone());
        assert_eq!(read.presences.iter().map(|p| p.have).collect::<Vec<_>>(), [true, false]);
        assert_eq!(read.pending_bytes, 300);
        let presences = read.presences;
        let message = Outgoing::<Bytes> { presences, pending_bytes: 300, ..Outgoing::default() };
        assert_eq!(encode(&message).unwrap(), bytes);
    }

    #[test]
    fn a_block_with_its_prefix_and_one_of_bitswap_1_0() {
        // payload { prefix: v1 raw sha2-256 32, data: "abc" }, blocks: "old"
        let bytes = hex("10  1a 0b 0a 04 01 55 12 20 12 03 61 62 63  12 01 6f");
        let read = decode_framed(bytes);
        let cids: Vec<_> =
            read.blocks.iter().map(|block| block.prefix.cid(&block.data).unwrap()).collect();
        assert_eq!(cids[0], *raw(b"abc").cid());
        let old = Block::hash(Version::V0, code::DAG_PB, code::SHA2_256, Bytes::from_static(b"o"));
        assert_eq!(cids[1], *old.unwrap().cid());
        let message = Outgoing { blocks: vec![raw(b"abc")], ..Outgoing::default() };
        assert_eq!(encode(&message).unwrap(), hex("0d  1a 0b 0a 04 01 55 12 20 12 03 61 62 63"));
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        // field 9 as fixed64, field 10 as fixed32, field 11 as bytes, field 12 as a number
        let bytes = hex("14  49 00 00 00 00 00 00 00 00  55 00 00 00 00  5a 01 ff  60 ff 01");
        assert_eq!(decode_framed(bytes), Message { size: 20, ..Message::default() });
    }
}

#[test]
fn bs_01_length_of_4_mib_and_one_or_of_2_to_the_63() {
    let mut bytes = Vec::new();
    varint::write(MAX_MESSAGE as u64, &mut bytes);
    assert_eq!(read_length(&bytes), Ok(Some((MAX_MESSAGE, 4))));
    assert_eq!(read_length(&bytes[..3]), Ok(None));
    let mut bytes = Vec::new();
    varint::write(MAX_MESSAGE as u64 + 1, &mut bytes);
    assert_eq!(read_length(&bytes), Err(DecodeError::TooLarge(MAX_MESSAGE as u64 + 1)));
    let mut bytes = Vec::new();
    varint::write(1 << 62, &mut bytes);
    assert_eq!(read_length(&bytes), Err(DecodeError::TooLarge(1 << 62)));
    let mut bytes = Vec::new();
    varint::write(1 << 63, &mut bytes);
    assert_eq!(read_length(&bytes), Err(DecodeError::Length(varint::VarintError::TooLong)));
    assert!(matches!(read_length(&[0x80, 0x00]), Err(DecodeError::Length(_))));
    let body = Bytes::from(vec![0; MAX_MESSAGE + 1]);
    assert_eq!(decode(body), Err(DecodeError::TooLarge(MAX_MESSAGE as u64 + 1)));
}

#[test]
fn bs_02_message_without_a_want_list() {
    let message = Outgoing { blocks: vec![raw(b"abc")], ..Outgoing::default() };
    let read = decode_framed(encode(&message).unwrap());
    assert!(read.wants.is_empty() && !read.full);
    assert_eq!(read.blocks.len(), 1);
    assert_eq!(decode(Bytes::new()).unwrap(), Message::default());
}

#[test]
fn bs_03_a_list_above_the_limit_is_read_up_to_it() {
    let entry = "0a 08 0a 06 01 55 00 02 68 69";
    let list = hex(&entry.repeat(MAX_ENTRIES + 5));
    let mut bytes = Vec::new();
    write_bytes(1, &list, &mut bytes);
    assert_eq!(decode(bytes.into()).unwrap().wants.len(), MAX_ENTRIES);
}

#[test]
fn bs_06_prefix_with_an_unknown_hash_or_a_digest_of_1_mb() {
    // hash 0x1013; digest length 1,000,000; a prefix that ends too soon; none at all
    let bytes = hex("1a 0a 0a 05 01 55 93 20 20 12 01 61  1a 0b 0a 06 01 55 12 c0 84 3d 12 01 61
         1a 07 0a 02 01 55 12 01 61  1a 03 12 01 61");
    let read = decode(bytes.into()).unwrap();
    assert_eq!((read.blocks.len(), read.rejected), (1, 3));
    assert!(read.blocks[0].prefix.cid(&read.blocks[0].data).is_err());
}

#[test]
fn a_field_that_runs_past_its_own_message_is_refused() {
    // the entry claims more than the want list that it lies in, though the message goes on
    let bytes = hex("0a 04 0a 06 0a 00  28 01 28 01 28 01");
    assert_eq!(decode(bytes.into()), Err(DecodeError::Truncated));
    assert_eq!(decode(hex("0a").into()), Err(DecodeError::Truncated));
    assert_eq!(decode(hex("0b").into()), Err(DecodeError::WireType(3)));
    assert_eq!(decode(hex("02 00").into()), Err(DecodeError::FieldNumber(0)));
    assert_eq!(decode(hex("28 ffffffffffffffffffff").into()), Err(DecodeError::Overflow));
}

#[test]
fn a_cid_of_169_bytes_is_left_out() {
    let mut cid = vec![1, 0x55, 0x12, 164];
    cid.resize(169, 7);
    let mut entry = Vec::new();
    write_bytes(1, &cid, &mut entry);
    let mut list = Vec::new();
    write_bytes(1, &entry, &mut list);
    let mut bytes = Vec::new();
    write_bytes(1, &list, &mut bytes);
    write_bytes(4, &entry, &mut bytes);
    let read = decode(bytes.into()).unwrap();
    assert!(read.wants.is_empty() && read.presences.is_empty());
}

#[test]
fn a_message_over_the_limit_is_not_written() {
    let blocks = vec![raw(&vec![0; 2 * 1024 * 1024]); 2];
    let message = Outgoing { blocks, ..Outgoing::default() };
    assert!(matches!(encode(&message), Err(EncodeError::TooLarge(_))));
}

fn cids() -> impl Strategy<Value = Cid> {
    (any::<[u8; 32]>(), 0..3).prop_map(|(digest, kind)| {
        let hash = Multihash::from_sha256(digest);
        match kind {
            0 => Cid::new_v0(hash).unwrap(),
            1 => Cid::new_v1(code::DAG_PB, hash),
            _ => Cid::new_v1(code::RAW, Multihash::new(code::SHA2_512, &digest).unwrap()),
        }
    })
}

fn entries() -> impl Strategy<Value = Entry> {
    (cids(), any::<(i32, bool, bool, bool)>()).prop_map(|(cid, (priority, cancel, have, dont))| {
        let kind = if have { WantKind::Have } else { WantKind::Block };
        Entry { cid, priority, cancel, kind, send_dont_have: dont }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        wants in prop::collection::vec(entries(), 0..20),
        full: bool,
        presences in prop::collection::vec((cids(), any::<bool>()), 0..20),
        data in prop::collection::vec(any::<Vec<u8>>(), 0..5),
        pending in 0..i32::MAX,
    ) {
        let presences: Vec<_> =
            presences.into_iter().map(|(cid, have)| Presence { cid, have }).collect();
        let blocks: Vec<_> = data.iter().map(|bytes| raw(bytes)).collect();
        let message = Outgoing { wants, full, presences, blocks, pending_bytes: pending as usize };
        let bytes = encode(&message).unwrap();
        let read = decode_framed(bytes);
        prop_assert_eq!(read.size, encoded_len(&message));
        prop_assert_eq!(read.wants, message.wants);
        prop_assert_eq!(read.full, full);
        prop_assert_eq!(read.presences, message.presences);
        prop_assert_eq!(read.rejected, 0);
        prop_assert_eq!(read.pending_bytes, pending);
        let blocks = read.blocks.into_iter();
        let blocks: Vec<_> = blocks
            .map(|raw| Block::verify(raw.prefix.cid(&raw.data).unwrap(), raw.data).unwrap())
            .collect();
        prop_assert_eq!(blocks, message.blocks);
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes: Vec<u8>) {
        let _ = read_length(&bytes);
        if let Ok(message) = decode(Bytes::from(bytes.clone())) {
            prop_assert_eq!(message.size, bytes.len());
        }
    }

    #[test]
    fn a_message_cut_or_changed_is_a_message_or_an_error(
        wants in prop::collection::vec(entries(), 1..8),
        data: Vec<u8>,
        cut: prop::sample::Index,
        at: prop::sample::Index,
        to: u8,
    ) {
        let message = Outgoing { wants, blocks: vec![raw(&data)], ..Outgoing::default() };
        let whole = encode(&message).unwrap();
        let _ = decode(Bytes::from(whole[..cut.index(whole.len())].to_vec()));
        let mut changed = whole;
        let at = at.index(changed.len());
        changed[at] = to;
        if let Ok(read) = decode(Bytes::from(changed)) {
            for raw in read.blocks {
                let _ = raw.prefix.cid(&raw.data);
            }
        }
    }
}
