//! How a stream over a data channel ends: which flag to send when, and what is still owed.
//!
//! Each half ends by itself. A `Fin` is answered by a `FinAck`; the channel is closed once both
//! halves are finished and acknowledged, or after a `Reset`. Whoever sent `StopSending` owes no
//! acknowledgement: go-libp2p reads no further and gives none. The flags are those of
//! [`super::framing`]; this holds no channel and no clock.

use super::framing::Flag;

/// The half that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Bytes may come.
    Open,
    /// We told the other side that we read no more; its `Fin` is still owed.
    Stopped,
    /// The other side's `Fin` came: everything is here.
    Finished,
    /// It ended before its `Fin`.
    Broken,
}

/// The half that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Bytes may go.
    Open,
    /// Our `Fin` is sent; its `FinAck` is owed.
    Finishing,
    /// The other side has all that we wrote.
    Finished,
    /// The other side reads no more. Our `Fin` is sent.
    Refused,
    /// It ended without an acknowledgement.
    Broken,
}

/// Both halves of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    read: Read,
    write: Write,
}

impl Default for Closing {
    fn default() -> Self {
        Self { read: Read::Open, write: Write::Open }
    }
}

impl Closing {
    /// The state of the half that we read.
    pub fn read(&self) -> Read {
        self.read
    }

    /// The state of the half that we write.
    pub fn write(&self) -> Write {
        self.write
    }

    /// Nothing is owed by either side: the channel can be closed.
    pub fn is_over(&self) -> bool {
        let read_over = matches!(self.read, Read::Finished | Read::Broken);
        read_over && matches!(self.write, Write::Finished | Write::Refused | Write::Broken)
    }

    /// A flag came. What to answer.
    #[must_use]
    pub fn handle(&mut self, flag: Flag) -> Option<Flag> {
        match flag {
            Flag::Fin => {
                if self.read == Read::Broken {
                    return None;
                }
                self.read = Read::Finished;
                Some(Flag::FinAck)
            }
            Flag::FinAck => {
                if matches!(self.write, Write::Finishing | Write::Refused) {
                    self.write = Write::Finished;
                }
                None
            }
            Flag::StopSending => match self.write {
                Write::Open => {
                    self.write = Write::Refused;
                    Some(Flag::Fin)
                }
                Write::Finishing => {
                    self.write = Write::Refused;
                    None
                }
                Write::Finished | Write::Refused | Write::Broken => None,
            },
            Flag::Reset => {
                self.lose();
                None
            }
        }
    }

    /// We write no more. What to send, after all that was written.
    #[must_use]
    pub fn finish_writing(&mut self) -> Option<Flag> {
        if self.write != Write::Open {
            return None;
        }
        self.write = Write::Finishing;
        Some(Flag::Fin)
    }

    /// The stream's owner let go of it. What to send.
    ///
    /// Whoever has heard the other side out and leaves has said all: that is no reset. Whoever
    /// leaves in the middle resets.
    #[must_use]
    pub fn leave(&mut self) -> Option<Flag> {
        match (self.read, self.write) {
            (Read::Finished, Write::Open) => self.finish_writing(),
            (Read::Open | Read::Stopped, Write::Open) => self.reset(),
            (Read::Open, Write::Finishing | Write::Finished | Write::Refused) => {
                self.read = Read::Stopped;
                Some(Flag::StopSending)
            }
            _ => None,
        }
    }

    /// Ends both halves at once. What to send, if there is still someone to tell.
    #[must_use]
    pub fn reset(&mut self) -> Option<Flag> {
        if self.is_over() {
            return None;
        }
        self.lose();
        Some(Flag::Reset)
    }

    /// The channel is gone, or the other side reset it. What had finished stays finished.
    pub fn lose(&mut self) {
        if matches!(self.read, Read::Open | Read::Stopped) {
            self.read = Read::Broken;
        }
        if self.write != Write::Finished {
            self.write = Write::Broken;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands flags back and forth until both are quiet.
    fn deliver(to: &mut Closing, from: &mut Closing, flag: Option<Flag>) {
        let mut flag = flag;
        let (mut to, mut from) = (to, from);
        while let Some(sent) = flag {
            flag = to.handle(sent);
            std::mem::swap(&mut to, &mut from);
        }
    }

    #[test]
    fn both_finish_and_nothing_is_owed() {
        let (mut a, mut b) = (Closing::default(), Closing::default());
        let fin = a.finish_writing();
        deliver(&mut b, &mut a, fin);
        assert_eq!((a.write(), b.read()), (Write::Finished, Read::Finished));
        assert!(!a.is_over() && !b.is_over());
        let fin = b.finish_writing();
        deliver(&mut a, &mut b, fin);
        assert!(a.is_over() && b.is_over());
    }

    #[test]
    fn leaving_after_hearing_all_is_no_reset() {
        let (mut a, mut b) = (Closing::default(), Closing::default());
        let fin = a.finish_writing();
        deliver(&mut b, &mut a, fin);
        assert_eq!(b.leave(), Some(Flag::Fin));
    }

    #[test]
    fn leaving_in_the_middle_resets() {
        let mut a = Closing::default();
        assert_eq!(a.leave(), Some(Flag::Reset));
        assert!(a.is_over());
        assert_eq!(a.leave(), None);
    }

    #[test]
    fn stop_sending_is_answered_by_fin_and_both_end() {
        let (mut a, mut b) = (Closing::default(), Closing::default());
        let fin = a.finish_writing();
        deliver(&mut b, &mut a, fin);
        let stop = a.leave();
        assert_eq!(stop, Some(Flag::StopSending));
        deliver(&mut b, &mut a, stop);
        assert!(a.is_over() && b.is_over());
        assert_eq!(b.write(), Write::Finished);
    }

    /// As go-libp2p closes a stream that it only wrote to; its `StopSending` may come late.
    #[test]
    fn whoever_stops_reading_owes_no_acknowledgement() {
        let mut a = Closing::default();
        assert_eq!(a.handle(Flag::Fin), Some(Flag::FinAck));
        assert_eq!(a.leave(), Some(Flag::Fin));
        assert!(!a.is_over());
        assert_eq!(a.handle(Flag::StopSending), None);
        assert!(a.is_over());

        let mut a = Closing::default();
        assert_eq!(a.handle(Flag::Fin), Some(Flag::FinAck));
        assert_eq!(a.handle(Flag::StopSending), Some(Flag::Fin));
        assert!(a.is_over());
        assert_eq!(a.leave(), None);
    }

    #[test]
    fn fin_ack_that_nobody_waits_for_is_ignored() {
        let mut a = Closing::default();
        assert_eq!(a.handle(Flag::FinAck), None);
        assert_eq!(a, Closing::default());
    }

    #[test]
    fn a_repeated_fin_is_acknowledged_again() {
        let mut a = Closing::default();
        assert_eq!(a.handle(Flag::Fin), Some(Flag::FinAck));
        assert_eq!(a.handle(Flag::Fin), Some(Flag::FinAck));
    }

    #[test]
    fn a_lost_channel_keeps_what_had_finished() {
        let mut a = Closing::default();
        let _ = a.handle(Flag::Fin);
        a.lose();
        assert_eq!((a.read(), a.write()), (Read::Finished, Write::Broken));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Flag(Flag),
        Finish,
        Leave,
        Reset,
        Lose,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            prop::sample::select(vec![Flag::Fin, Flag::StopSending, Flag::Reset, Flag::FinAck])
                .prop_map(Step::Flag),
            Just(Step::Finish),
            Just(Step::Leave),
            Just(Step::Reset),
            Just(Step::Lose),
        ]
    }

    proptest! {
        /// Whatever the other side sends: at most one `Fin` goes out, nothing but answers to
        /// `Fin` after a `Reset`, and what is over stays over.
        #[test]
        fn net_09_no_order_of_flags_confuses_it(steps in prop::collection::vec(step(), 0..30)) {
            let mut closing = Closing::default();
            let mut fins = 0;
            let mut resets = 0;
            for step in steps {
                let was_over = closing.is_over();
                let sent = match step {
                    Step::Flag(flag) => closing.handle(flag),
                    Step::Finish => closing.finish_writing(),
                    Step::Leave => closing.leave(),
                    Step::Reset => closing.reset(),
                    Step::Lose => { closing.lose(); None }
                };
                fins += usize::from(sent == Some(Flag::Fin));
                resets += usize::from(sent == Some(Flag::Reset));
                prop_assert!(fins <= 1 && resets <= 1);
                prop_assert!(!was_over || closing.is_over());
                prop_assert!(!was_over || matches!(sent, None | Some(Flag::FinAck)));
            }
        }

        /// Two honest sides, flags delivered in order: when both have left, nothing is owed.
        #[test]
        fn two_sides_that_leave_end(order in prop::collection::vec((any::<bool>(), any::<bool>()), 0..8)) {
            let mut sides = [Closing::default(), Closing::default()];
            let script = order.into_iter().chain([(true, true), (false, true)]);
            for (first, leaves) in script {
                let [a, b] = &mut sides;
                let (me, other) = if first { (a, b) } else { (b, a) };
                let sent = if leaves { me.leave() } else { me.finish_writing() };
                deliver(other, me, sent);
            }
            prop_assert!(sides[0].is_over() && sides[1].is_over(), "{:?}", sides);
        }
    }
}
