//! Writing a message.

use avocet_dag::{Block, Payload, varint};

use super::{
    EncodeError, Entry, MAX_MESSAGE, Outgoing, Presence, WantKind,
    proto::{bytes_len, number_len, write_bytes, write_head, write_number},
};

/// Writes a message with its length before it.
pub fn encode<B: Payload>(message: &Outgoing<B>) -> Result<Vec<u8>, EncodeError> {
    let size = encoded_len(message);
    if size > MAX_MESSAGE {
        return Err(EncodeError::TooLarge(size));
    }
    let mut out = Vec::with_capacity(varint::len(size as u64) + size);
    varint::write(size as u64, &mut out);
    if !message.wants.is_empty() || message.full {
        write_head(1, wantlist_len(message), &mut out);
        for entry in &message.wants {
            write_entry(entry, &mut out);
        }
        write_number(2, message.full.into(), &mut out);
    }
    for block in &message.blocks {
        let bytes = block.bytes().as_bytes();
        let bytes = bytes.ok_or_else(|| EncodeError::OutOfReach(block.cid().clone()))?;
        let prefix = block.cid().prefix();
        write_head(3, bytes_len(prefix.len()) + bytes_len(bytes.len()), &mut out);
        write_bytes(1, &prefix, &mut out);
        write_bytes(2, bytes, &mut out);
    }
    for presence in &message.presences {
        write_head(4, presence_body_len(presence), &mut out);
        write_bytes(1, &presence.cid.to_bytes(), &mut out);
        write_number(2, (!presence.have).into(), &mut out);
    }
    write_number(5, pending(message), &mut out);
    Ok(out)
}

/// How long a message is, without its length before it.
pub fn encoded_len<B: Payload>(message: &Outgoing<B>) -> usize {
    let wants = match wantlist_len(message) {
        0 => 0,
        len => bytes_len(len),
    };
    let blocks: usize = message.blocks.iter().map(block_len).sum();
    let presences: usize = message.presences.iter().map(presence_len).sum();
    wants + blocks + presences + number_len(pending(message))
}

/// How much longer a block makes a message.
pub(crate) fn block_len<B: Payload>(block: &Block<B>) -> usize {
    bytes_len(bytes_len(block.cid().prefix().len()) + bytes_len(block.len()))
}

/// How much longer a presence makes a message.
pub(crate) fn presence_len(presence: &Presence) -> usize {
    bytes_len(presence_body_len(presence))
}

fn wantlist_len<B>(message: &Outgoing<B>) -> usize {
    let entries: usize = message.wants.iter().map(|entry| bytes_len(entry_len(entry))).sum();
    entries + number_len(message.full.into())
}

fn entry_len(entry: &Entry) -> usize {
    let [priority, cancel, kind, send_dont_have] = entry_numbers(entry);
    bytes_len(entry.cid.encoded_len())
        + number_len(priority)
        + number_len(cancel)
        + number_len(kind)
        + number_len(send_dont_have)
}

fn write_entry(entry: &Entry, out: &mut Vec<u8>) {
    write_head(1, entry_len(entry), out);
    write_bytes(1, &entry.cid.to_bytes(), out);
    for (number, value) in (2..).zip(entry_numbers(entry)) {
        write_number(number, value, out);
    }
}

/// Fields 2 to 5. An int32 is written as the 64 bits that it is when its sign is carried on.
fn entry_numbers(entry: &Entry) -> [u64; 4] {
    let have = entry.kind == WantKind::Have;
    [
        i64::from(entry.priority) as u64,
        entry.cancel.into(),
        have.into(),
        entry.send_dont_have.into(),
    ]
}

fn presence_body_len(presence: &Presence) -> usize {
    bytes_len(presence.cid.encoded_len()) + number_len((!presence.have).into())
}

fn pending<B>(message: &Outgoing<B>) -> u64 {
    message.pending_bytes.min(i32::MAX as usize) as u64
}
