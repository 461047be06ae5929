//! The network that browsers meet in.
//!
//! WebRTC offers no loopback addresses, so two browsers on one machine need an interface with a
//! default route. As root we make one that is theirs alone; else Chromium is told to use loopback,
//! and Firefox gets what the machine has.

use std::process::Command;

use crate::{browsers::is_root, project::root, run};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A network namespace for each command.
    Own,
    /// The machine as it is.
    Loopback,
}

impl Network {
    /// The better one that this machine can do; says which and why.
    pub fn choose() -> Self {
        let trial = || run::succeeds(Command::new(own_net()).arg("true"));
        if is_root() && trial() {
            println!("Browser tests run in a network of their own.");
            return Self::Own;
        }
        println!(
            "Browser tests use this machine's loopback (a network of their own wants root on \
             Linux, unshare and ip)."
        );
        Self::Loopback
    }

    /// The value of AVOCET_NET, which the tests read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Loopback => "loopback",
        }
    }

    /// The same command, inside this network.
    pub fn wrap(self, command: Command) -> Command {
        let mut wrapped = match self {
            Self::Loopback => command,
            Self::Own => {
                let mut wrapped = Command::new(own_net());
                wrapped.arg(command.get_program()).args(command.get_args());
                wrapped.current_dir(command.get_current_dir().unwrap_or(root()));
                for (name, value) in command.get_envs() {
                    match value {
                        Some(value) => wrapped.env(name, value),
                        None => wrapped.env_remove(name),
                    };
                }
                wrapped
            }
        };
        wrapped.env("AVOCET_NET", self.name());
        wrapped
    }
}

fn own_net() -> std::path::PathBuf {
    root().join("xtask/net/own-net")
}
