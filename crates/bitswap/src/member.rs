//! What a session knows of a peer.

use web_time::Instant;

use crate::wire::WantKind;

/// After this many HAVE in a row a peer that lacked something is taken to have all again.
const WHOLE: u32 = 16;

/// What a session knows of a peer, connected or not.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// It delivered for this session, or said HAVE.
    pub(crate) proven: bool,
    /// It sent what nobody asked for: never ask it again.
    pub(crate) banned: bool,
    /// All that was known of it when it became one is that it wants the same.
    pub(crate) overheard: bool,
    /// Was asked once, in passing, whether it has anything.
    pub(crate) scouted: bool,
    /// DONT_HAVE in a row.
    pub(crate) misses: u32,
    /// So many HAVE more, and it is taken to have all.
    lacks: u32,
    heard: Heard,
}

/// Whether one that gathers the same gets something of it.
#[derive(Debug, Default, Clone, Copy)]
enum Heard {
    #[default]
    Never,
    /// When it last said so.
    At(Instant),
    /// What was left to it did not come: it is to deliver something, before anything is left to it again. To say HAVE
    /// costs nothing.
    Vain,
}

impl Member {
    /// It said whether it has a block, of which it was asked `kind`; `before` is what it had said of that block.
    pub(crate) fn answered(
        &mut self,
        kind: WantKind,
        before: Option<bool>,
        have: bool,
        now: Instant,
    ) {
        self.proven |= have;
        if have {
            self.misses = 0;
            if !matches!(self.heard, Heard::Vain) {
                self.heard = Heard::At(now);
            }
            self.lacks = match before {
                None => self.lacks.saturating_sub(1),
                // what it lacked and has now says that it gathers still
                Some(false) => WHOLE,
                Some(true) => self.lacks,
            };
            return;
        }
        if self.proven {
            self.lacks = WHOLE;
        }
        // who is asked what it has while it gathers says no often, and that is no miss
        if kind == WantKind::Block || !self.gathers() {
            self.misses = self.misses.saturating_add(1);
        }
    }

    /// It wants something that the session wants too. Whether that is news.
    pub(crate) const fn wants_too(&mut self, now: Instant) -> bool {
        let news = !self.gathers();
        self.lacks = WHOLE;
        if matches!(self.heard, Heard::Never) {
            self.heard = Heard::At(now);
        }
        news
    }

    /// It sent a block.
    pub(crate) const fn delivered(&mut self) {
        self.proven = true;
        self.misses = 0;
        if matches!(self.heard, Heard::Vain) {
            self.heard = Heard::Never;
        }
    }

    /// It has something that we have by now.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Heard::At(at) = &mut self.heard {
            *at = now;
        }
    }

    /// What was left to it did not come.
    pub(crate) const fn vain(&mut self) {
        self.heard = Heard::Vain;
    }

    /// When it last showed that it gets something, if it gathers.
    pub(crate) const fn gathered(&self) -> Option<Instant> {
        match self.heard {
            Heard::At(at) if self.gathers() => Some(at),
            _ => None,
        }
    }

    /// It fetches the same, and has some of it: it is asked what it has before it is asked for that.
    pub(crate) const fn gathers(&self) -> bool {
        self.lacks > 0 && !self.banned
    }
}

#[allow(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_have_twice_of_the_same_is_whole_and_who_lacked_it_gathers() {
        let now = Instant::now();
        let mut member = Member::default();
        member.answered(WantKind::Have, None, true, now);
        member.answered(WantKind::Have, Some(true), true, now);
        assert!(!member.gathers());
        member.answered(WantKind::Have, Some(false), true, now);
        assert!(member.gathers());
        // nor does it show that it has the rest
        for _ in 0..2 * WHOLE {
            member.answered(WantKind::Have, Some(true), true, now);
        }
        assert!(member.gathers());
        for _ in 0..WHOLE {
            member.answered(WantKind::Have, None, true, now);
        }
        assert!(!member.gathers());
    }
}
