//! Answers on their way: the next message for a peer, and what is done if it is lost.

use avocet_dag::{Cid, Payload};

use super::{Answer, Ledger, State, Wanted};
use crate::{
    events::Limits,
    wire::{self, Entry, Outgoing, Presence},
};

impl<B: Payload> Ledger<B> {
    pub(crate) fn has_message(&self) -> bool {
        !self.presences.is_empty() || !self.ready.is_empty()
    }

    /// The next message: presences first, then blocks, up to the target or one block.
    pub(crate) fn take_message(&mut self, limits: &Limits) -> Outgoing<B> {
        let mut message = Outgoing::default();
        let mut size = 0;
        while size < limits.message
            && let Some(rank) = self.presences.pop_first()
        {
            let Some(cid) = self.ranks.get(&rank).cloned() else { continue };
            let Some(wanted) = self.wants.get_mut(&cid) else { continue };
            let have = matches!(wanted.state, State::Ready(Answer::Have));
            self.sending.push(wanted.entry(&cid));
            if have {
                self.remove(&cid);
            } else {
                wanted.state = State::Waiting;
            }
            let presence = Presence { cid, have };
            size += wire::presence_len(&presence);
            message.presences.push(presence);
        }
        while let Some(rank) = self.ready.first().copied() {
            let cid = self.ranks.get(&rank).cloned();
            let wanted = cid.as_ref().and_then(|cid| self.wants.get(cid).zip(Some(cid)));
            let Some((wanted, cid)) = wanted else { break };
            let State::Ready(Answer::Block(block)) = &wanted.state else { break };
            let more = wire::block_len(block);
            if !message.blocks.is_empty() && size + more > limits.message {
                break;
            }
            size += more;
            self.sending_bytes += block.len();
            self.sending.push(wanted.entry(cid));
            message.blocks.push(block.clone());
            self.remove(cid);
            if size >= limits.message {
                break;
            }
        }
        message.pending_bytes = self.ready_bytes;
        message
    }

    /// The message was written out.
    pub(crate) fn sent(&mut self) {
        self.sending_bytes = 0;
        self.sending.clear();
    }

    /// The message was lost: what was in it and not taken back meanwhile is answered again.
    pub(crate) fn send_failed(&mut self, limits: &Limits) {
        self.sending_bytes = 0;
        for entry in std::mem::take(&mut self.sending) {
            self.want(entry, limits);
        }
    }
}

impl<B> Wanted<B> {
    /// The line that asked for it.
    fn entry(&self, cid: &Cid) -> Entry {
        let (kind, send_dont_have) = (self.kind, self.send_dont_have);
        let (priority, cancel) = (self.rank.0.0, false);
        Entry { cid: cid.clone(), priority, cancel, kind, send_dont_have }
    }
}
