//! Engines on a simulated network and clock: `cargo test -p avocet-bitswap --test sim`. Add
//! `-- --nocapture` to see the figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod hostile;
mod lacking;
mod netem;
mod schedules;
mod seeds;
mod server;
mod swarm;
mod transfer;
mod weather;
