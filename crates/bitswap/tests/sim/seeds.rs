//! Downloads from three holders in weather that a seed decides: delay, loss and stalls. The
//! bounds are those that a download has in any of it.
//!
//! `AVOCET_SEEDS=1000` runs so many seeds of each experiment in place of a few.

use std::time::Duration;

use avocet_bitswap::SessionId;

use crate::netem::{Dag, MIB, Net, Peer, ms, secs};

/// What a holder sends in a second: its upload is the limit.
const RATE: f64 = 1e6;

/// Blocks and their size, all 16 MiB, and how many of them are wanted ahead: 16 MiB and 64
/// blocks, as a file is read.
const FILES: [(usize, usize, usize); 4] =
    [(16, MIB, 16), (64, 256 * 1024, 64), (256, 64 * 1024, 64), (32, MIB / 2, 32)];

/// The seeds of one experiment.
fn seeds() -> std::ops::Range<u64> {
    let most = std::env::var("AVOCET_SEEDS").ok().and_then(|text| text.parse().ok());
    0..most.unwrap_or(4)
}

/// One download and the weather on the way.
struct Run {
    net: Net,
    asker: Peer,
    holders: Vec<Peer>,
    session: SessionId,
    dag: Dag,
    /// Of a leaf.
    size: usize,
}

impl Run {
    /// Begins the download that `seed` decides, from so many of its three holders.
    fn begin(seed: u64, holders: usize) -> Self {
        let mut net = Net::new(seed);
        let (leaves, size, window) = FILES[net.random(FILES.len() as u64) as usize];
        let dag = Dag::file(seed, leaves, size, 174);
        let asker = net.node(RATE);
        let loss = net.random(30) as f64 / 1000.0;
        let delays = [(); 3].map(|()| ms(1 + net.random(80)));
        let holders: Vec<_> = (0..holders).map(|_| net.node(RATE)).collect();
        for (holder, delay) in holders.iter().zip(delays) {
            net.give(*holder, &dag.blocks);
            net.connect(asker, *holder, delay);
            net.lossy(*holder, asker, loss);
            net.lossy(asker, *holder, loss);
        }
        let session = net.download(asker, &dag, window, &holders);
        Self { net, asker, holders, session, dag, size }
    }

    /// At most one holder at a time stalls, for `most` at the longest, with a pause between.
    fn stalls(&mut self, most: Duration) {
        let mut at = ms(500);
        while at < secs(20) {
            let holder = self.holders[self.net.random(self.holders.len() as u64) as usize];
            let (asker, time) = (self.asker, ms(1 + self.net.random(most.as_millis() as u64)));
            self.net.at(at, move |net| net.stall(holder, asker, time));
            at += time + ms(200 + self.net.random(1500));
        }
    }

    fn finish(&mut self) -> f64 {
        self.net.run_download(self.asker, self.session, secs(300)).as_secs_f64()
    }

    /// What came twice, of all that came; late answers included.
    fn surplus(&mut self) -> f64 {
        self.net.run(secs(320));
        let stats = self.net.engine(self.asker).stats();
        stats.surplus_bytes as f64 / self.dag.bytes() as f64
    }
}

/// The figures of many runs.
#[derive(Default)]
struct Figures {
    ratios: Vec<f64>,
    surplus: Vec<f64>,
}

impl Figures {
    fn note(&mut self, what: &str, seed: u64, ratio: f64, surplus: f64) {
        println!("{what} {seed}: {ratio:.3}, {:.2}% twice", surplus * 100.0);
        self.ratios.push(ratio);
        self.surplus.push(surplus);
    }
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

fn most(all: &[f64]) -> f64 {
    all.iter().copied().fold(0.0, f64::max)
}

#[test]
fn three_holders_take_two_fifths_of_the_time_of_one_whatever_the_delay_and_loss() {
    let mut figures = Figures::default();
    for seed in seeds() {
        let one = Run::begin(seed, 1).finish();
        let mut run = Run::begin(seed, 3);
        let three = run.finish();
        figures.note("fair", seed, three / one, run.surplus());
    }
    assert!(most(&figures.ratios) <= 0.4, "{:?}", figures.ratios);
    assert!(most(&figures.surplus) < 0.02, "{:?}", figures.surplus);
}

#[test]
fn holders_that_stall_for_less_than_a_second_are_waited_for() {
    let mut figures = Figures::default();
    for seed in seeds() {
        let mut alone = Run::begin(seed, 1);
        alone.stalls(ms(600));
        let one = alone.finish();
        let mut run = Run::begin(seed, 3);
        run.stalls(ms(600));
        let three = run.finish();
        assert!(run.net.nodes[run.asker].closed.is_empty());
        figures.note("stalls", seed, three / one, run.surplus());
    }
    // the last block may be a sixteenth of all, and stall
    assert!(mean(&figures.ratios) <= 0.4, "{:?}", figures.ratios);
    assert!(most(&figures.ratios) <= 0.43, "{:?}", figures.ratios);
    assert!(mean(&figures.surplus) < 0.02, "{:?}", figures.surplus);
}

#[test]
fn a_holder_that_goes_at_any_moment_costs_no_pause_of_a_second() {
    for seed in seeds() {
        let mut run = Run::begin(seed, 3);
        let (asker, holder) = (run.asker, run.holders[run.net.random(3) as usize]);
        let at = 1000 + run.net.random(3500);
        run.net.run(ms(at));
        run.net.watch_flow(asker);
        match seed % 2 {
            0 => run.net.kill(holder),
            _ => run.net.disconnect(asker, holder),
        }
        let came = run.net.nodes[asker].downloads[&run.session].came.iter();
        let left = run.dag.bytes() - came.map(|(.., len)| len).sum::<usize>();
        let took = run.finish() - at as f64 / 1000.0;
        let pause = run.net.longest_pause(asker);
        // what was on its way, at most two blocks, is fetched again
        let most = (left + 2 * run.size) as f64 / (2.0 * RATE) + 0.5;
        let surplus = run.surplus();
        println!(
            "gone {seed}: {took:.2} s of {most:.2} s, {:.2}% twice, pause {pause:?}",
            surplus * 100.0
        );
        assert!(pause < secs(1) && took <= most && surplus < 0.02);
    }
}

#[test]
fn holders_as_unequal_as_can_be_are_all_of_use_and_none_holds_up_the_rest() {
    let mut figures = Figures::default();
    for seed in seeds() {
        let mut net = Net::new(seed);
        let (leaves, size, window) = FILES[net.random(FILES.len() as u64) as usize];
        let dag = Dag::file(seed, leaves, size, 174);
        let asker = net.node(RATE);
        let rates: Vec<_> =
            (0..2 + net.random(4)).map(|_| 2e5 * (1 << net.random(6)) as f64).collect();
        let mut holders = Vec::new();
        for rate in &rates {
            let (holder, delay) = (net.node(*rate), ms(1 + net.random(80)));
            net.give(holder, &dag.blocks);
            net.connect(asker, holder, delay);
            holders.push(holder);
        }
        let session = net.download(asker, &dag, window, &holders);
        let took = net.run_download(asker, session, secs(300)).as_secs_f64();
        let best = dag.bytes() as f64 / rates.iter().sum::<f64>();
        // blocks are not shared out in parts: the fastest sends the last one alone
        let last = size as f64 / rates.iter().copied().fold(0.0, f64::max);
        net.run(secs(320));
        let surplus = net.engine(asker).stats().surplus_bytes as f64 / dag.bytes() as f64;
        figures.note("unequal", seed, took / (best + last), surplus);
    }
    // 16 MiB at 13 MB/s are over in eight round trips: some are for finding out who is fast
    assert!(mean(&figures.ratios) <= 1.25, "{:?}", figures.ratios);
    assert!(most(&figures.ratios) <= 1.7, "{:?}", figures.ratios);
    // what the slow ones had begun: a block of 1 MiB takes five seconds at the slowest
    assert!(mean(&figures.surplus) < 0.04, "{:?}", figures.surplus);
}
