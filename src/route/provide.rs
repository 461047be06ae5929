//! Telling the DHT what is here, and telling it again: before the records expire, and when its servers come back.

use crate::{
    net::{Handle, MAX_PROVIDED},
    platform::{self, Instant},
};
use avocet_dag::Cid;
use futures::{
    FutureExt, StreamExt,
    channel::mpsc,
    future::{AbortHandle, abortable},
    stream::FuturesUnordered,
};
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

/// A record lives 48 h at the servers of the public DHT (its specification); Kubo says it again after 22 h.
/// A tab is more often asleep: twice as often.
const AGAIN: Duration = Duration::from_secs(11 * 60 * 60);
/// After a try that reached nobody. A server that comes is a reason to try at once (`servers_came`).
const RETRY: Duration = Duration::from_secs(60);
/// Records told at once; each is a query of its own.
const AT_ONCE: usize = 8;

/// What is to be told, and when: pure.
#[derive(Debug, Default)]
pub struct Schedule {
    /// When each is due. Bounded by [`MAX_PROVIDED`].
    due: HashMap<Cid, Instant>,
    /// Being told now.
    under_way: HashMap<Cid, Again>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// When its time has come.
    Later,
    /// As soon as this one is done: a server came meanwhile.
    AtOnce,
    /// It has been taken back meanwhile.
    Never,
}

impl Schedule {
    /// To be told as soon as can be. Whether there was room for it.
    pub fn add(&mut self, cid: Cid, now: Instant) -> bool {
        if let Some(again) = self.under_way.get_mut(&cid) {
            *again = Again::Later;
            return true;
        }
        if self.due.len() + self.under_way.len() >= MAX_PROVIDED && !self.due.contains_key(&cid) {
            return false;
        }
        self.due.entry(cid).or_insert(now);
        true
    }

    /// Not to be told any more.
    pub fn remove(&mut self, cid: &Cid) {
        self.due.remove(cid);
        if let Some(again) = self.under_way.get_mut(cid) {
            *again = Again::Never;
        }
    }

    /// A server that may know nothing of us came: everything is due.
    pub fn servers_came(&mut self, now: Instant) {
        self.due.values_mut().for_each(|due| *due = now.min(*due));
        for again in self.under_way.values_mut().filter(|again| **again == Again::Later) {
            *again = Again::AtOnce;
        }
    }

    /// One that is due, if any; it counts as under way.
    pub fn next(&mut self, now: Instant) -> Option<Cid> {
        let cid = self.due.iter().find(|(_, due)| **due <= now).map(|(cid, _)| cid.clone())?;
        self.due.remove(&cid);
        self.under_way.insert(cid.clone(), Again::Later);
        Some(cid)
    }

    /// One has been told to so many servers.
    pub fn told(&mut self, cid: &Cid, servers: usize, now: Instant) {
        let wait = match self.under_way.remove(cid) {
            Some(Again::Later) if servers > 0 => AGAIN,
            Some(Again::Later) => RETRY,
            Some(Again::AtOnce) => Duration::ZERO,
            Some(Again::Never) | None => return,
        };
        self.due.insert(cid.clone(), now + wait);
    }

    /// When the next is due.
    pub fn due(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }
}

/// Tells the DHT, as a task of its own, what the schedule says. Ends with the last handle on it.
#[derive(Clone)]
pub struct Announcer {
    schedule: Rc<RefCell<Schedule>>,
    changed: mpsc::Sender<()>,
    net: Handle,
    task: AbortHandle,
}

impl Announcer {
    /// Starts the task.
    pub fn start(net: Handle) -> Self {
        // One pending wake-up says as much as many.
        let (changed, changes) = mpsc::channel(1);
        let schedule = Rc::new(RefCell::new(Schedule::default()));
        let (running, task) = abortable(run(schedule.clone(), changes, net.clone()));
        platform::spawn(running.map(|_ended| ()));
        Self { schedule, changed, net, task }
    }

    /// These are here.
    pub fn add(&self, cids: impl IntoIterator<Item = Cid>) {
        let now = platform::now();
        for cid in cids {
            if !self.schedule.borrow_mut().add(cid, now) {
                tracing::warn!(limit = MAX_PROVIDED, "too many CIDs to provide them all");
                break;
            }
        }
        self.wake();
    }

    /// These are here no more.
    pub async fn remove(&self, cids: &[Cid]) {
        for cid in cids {
            self.schedule.borrow_mut().remove(cid);
            self.net.unprovide(cid).await;
        }
    }

    /// A server of the DHT came.
    pub fn servers_came(&self) {
        self.schedule.borrow_mut().servers_came(platform::now());
        self.wake();
    }

    /// Tells nothing any more.
    pub fn stop(&self) {
        self.task.abort();
    }

    fn wake(&self) {
        // Full means that it is about to wake.
        let _ = self.changed.clone().try_send(());
    }
}

async fn run(schedule: Rc<RefCell<Schedule>>, mut changes: mpsc::Receiver<()>, net: Handle) {
    let mut telling = FuturesUnordered::new();
    loop {
        while telling.len() < AT_ONCE
            && let Some(cid) = next(&schedule)
        {
            let net = net.clone();
            telling.push(async move {
                let servers = net.provide(&cid).await;
                (cid, servers)
            });
        }
        let idle = telling.is_empty();
        let mut told = std::pin::pin!(
            async { if idle { futures::future::pending().await } else { telling.next().await } }
                .fuse()
        );
        let wait = wait(&schedule, idle);
        let mut timer = std::pin::pin!(platform::sleep(wait).fuse());
        futures::select_biased! {
            told = told => if let Some((cid, servers)) = told {
                tracing::debug!(%cid, servers, "provided");
                schedule.borrow_mut().told(&cid, servers, platform::now());
            },
            change = changes.next() => if change.is_none() { return },
            () = timer => {}
        }
    }
}

fn next(schedule: &RefCell<Schedule>) -> Option<Cid> {
    schedule.borrow_mut().next(platform::now())
}

/// Until the next is due; while the places are taken, until one of them is done.
fn wait(schedule: &RefCell<Schedule>, idle: bool) -> Duration {
    match schedule.borrow().due() {
        Some(due) if idle => due.saturating_duration_since(platform::now()),
        _ => AGAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avocet_dag::{Cid, Multihash, code};

    fn cid(n: u8) -> Cid {
        Cid::new_v1(code::RAW, Multihash::from_sha256([n; 32]))
    }

    #[test]
    fn what_is_told_is_told_again_before_it_expires() {
        let (mut schedule, now) = (Schedule::default(), platform::now());
        assert!(schedule.add(cid(1), now));
        assert_eq!(schedule.next(now), Some(cid(1)));
        assert_eq!(schedule.next(now), None);
        schedule.told(&cid(1), 3, now);
        assert_eq!(schedule.next(now + AGAIN - Duration::from_secs(1)), None);
        assert_eq!(schedule.next(now + AGAIN), Some(cid(1)));
    }

    #[test]
    fn told_to_nobody_is_tried_again_soon_and_at_once_when_a_server_comes() {
        let (mut schedule, now) = (Schedule::default(), platform::now());
        schedule.add(cid(1), now);
        schedule.next(now);
        schedule.told(&cid(1), 0, now);
        assert_eq!(schedule.due(), Some(now + RETRY));
        schedule.servers_came(now);
        assert_eq!(schedule.next(now), Some(cid(1)));
    }

    #[test]
    fn a_server_that_comes_while_one_is_told_is_told_too() {
        let (mut schedule, now) = (Schedule::default(), platform::now());
        schedule.add(cid(1), now);
        schedule.next(now);
        schedule.servers_came(now);
        schedule.told(&cid(1), 1, now);
        assert_eq!(schedule.next(now), Some(cid(1)));
    }

    #[test]
    fn what_is_taken_back_while_it_is_told_does_not_come_again() {
        let (mut schedule, now) = (Schedule::default(), platform::now());
        schedule.add(cid(1), now);
        schedule.next(now);
        schedule.remove(&cid(1));
        schedule.told(&cid(1), 1, now);
        assert_eq!(schedule.due(), None);
        schedule.add(cid(1), now);
        assert_eq!(schedule.next(now), Some(cid(1)));
    }
}
