//! Blocks that nobody has for a while: they neither hold up the others, nor come late when somebody has them.

use avocet_bitswap::{Engine, SessionId};

use crate::netem::{Dag, MIB, Net, Peer, block, ms, secs};

const SIZE: usize = MIB / 4;
/// A slow holder and a fast one: what the slow one owes at the end is for the fast one to take over.
const RATES: [f64; 2] = [1e5, 1e6];

/// A download from two holders that lack the first so many leaves.
struct Scene {
    net: Net,
    dag: Dag,
    lacking: usize,
    asker: Peer,
    holders: [Peer; 2],
    session: SessionId,
}

impl Scene {
    fn begin(lacking: usize) -> Self {
        let dag = Dag::file(1, 64, SIZE, 1024);
        let mut net = Net::new(1);
        let asker = net.node(1e6);
        let holders = RATES.map(|rate| net.node(rate));
        for holder in holders {
            net.give(holder, &dag.blocks[lacking..]);
            net.connect(asker, holder, ms(20));
        }
        let session = net.download(asker, &dag, 64, &holders);
        Self { net, dag, lacking, asker, holders, session }
    }

    fn came(net: &Net, asker: Peer, session: SessionId) -> usize {
        net.nodes[asker].downloads[&session].came.len()
    }

    /// Runs until all that the holders have is here.
    fn rest(&mut self) -> f64 {
        let (asker, session) = (self.asker, self.session);
        let most = self.dag.blocks.len() - self.lacking;
        self.net.run_until(secs(100), |net| Self::came(net, asker, session) == most);
        assert_eq!(Self::came(&self.net, asker, session), most);
        self.net.elapsed().as_secs_f64()
    }
}

#[test]
fn blocks_that_nobody_has_do_not_hold_up_the_others() {
    for lacking in [5, 10, 20, 40] {
        let mut scene = Scene::begin(lacking);
        let took = scene.rest();
        let best = ((64 - lacking) * SIZE) as f64 / RATES.iter().sum::<f64>();
        println!("{lacking} lack: {took:.2} s, at best {best:.2} s");
        // and a block or two of the fast one's, until it is known which is slow
        assert!(took < best * 1.15 + 2.0 * SIZE as f64 / RATES[1] + 0.5, "{took}");
    }
}

#[test]
fn blocks_that_nobody_had_come_at_once_when_one_has_them() {
    for lacking in [5, 10, 20, 40] {
        for wait in [0, 20, 60] {
            let mut scene = Scene::begin(lacking);
            let then = scene.rest() + f64::from(wait);
            scene.net.run(secs(1).mul_f64(then));
            let [_, fast] = scene.holders;
            scene.net.give(fast, &scene.dag.blocks[..lacking]);
            let took = scene.net.run_download(scene.asker, scene.session, secs(300));
            let took = took.as_secs_f64() - then;
            let best = (lacking * SIZE) as f64 / RATES[1];
            println!("{lacking} after {wait} s: {took:.2} s, at best {best:.2} s");
            assert!(took < best * 1.1 + 1.0, "{took}");
        }
    }
}

#[test]
fn blocks_that_nobody_had_are_asked_of_one_that_comes_with_them() {
    for lacking in [5, 20, 40] {
        let mut scene = Scene::begin(lacking);
        let then = scene.rest() + 20.0;
        scene.net.run(secs(1).mul_f64(then));
        let other = scene.net.node(RATES[1]);
        scene.net.give(other, &scene.dag.blocks);
        scene.net.connect(scene.asker, other, ms(20));
        let took = scene.net.run_download(scene.asker, scene.session, secs(300));
        let took = took.as_secs_f64() - then;
        let best = (lacking * SIZE) as f64 / RATES[1];
        println!("{lacking} of a stranger: {took:.2} s, at best {best:.2} s");
        assert!(took < best * 1.1 + 1.0, "{took}");
    }
}

#[test]
fn a_block_that_one_of_many_has_who_all_lack_some_is_found_whichever_it_is() {
    const MANY: usize = 12;
    // with one block that nobody has before it, and with many
    for lacking in [1, 8] {
        for holder in 0..MANY {
            let blocks: Vec<_> =
                (0..lacking + 2).map(|number| block(number as u64, SIZE)).collect();
            let mut net = Net::new(1);
            let asker = net.node(1e6);
            let peers = [(); MANY].map(|()| net.node(1e6));
            let session = net.with(asker, |engine, now| engine.open_session(now)).unwrap();
            for peer in peers {
                net.give(peer, &blocks[..1]);
                net.connect(asker, peer, ms(20));
                net.with(asker, |engine, now| engine.add_peer(session, peer, now));
            }
            net.give(peers[holder], &blocks[lacking + 1..]);
            // the last is not wanted before all have said that they lack others
            for (second, wanted) in
                [&blocks[..1], &blocks[1..=lacking], &blocks[lacking + 1..]].into_iter().enumerate()
            {
                net.run(secs(5 * second as u64));
                for block in wanted {
                    let want = |engine: &mut Engine<_>, now| engine.want(session, block.cid(), now);
                    net.with(asker, want).unwrap().unwrap();
                }
            }
            let came = |net: &Net| net.nodes[asker].delivered.len() == 2;
            net.run_until(secs(60), came);
            println!("{lacking} before, at {holder}: {:.2} s", net.elapsed().as_secs_f64() - 10.0);
            assert!(came(&net) && net.elapsed() < secs(12), "{lacking} {holder}");
        }
    }
}
