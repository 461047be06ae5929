//! `start`: build, run the relay, say in plain words what to open.

use std::{
    io::{BufRead, BufReader},
    net::IpAddr,
    process::{Command, Stdio},
};

use crate::{
    build,
    project::{binary, cargo, root},
    run::{Context, Failure, Result, run, spawn, wait},
};

/// Builds everything and runs the relay until it is told to end; `args` are the relay's own.
pub fn start(args: &[String]) -> Result {
    build::build()?;
    run(cargo().args(["build", "--profile", "native", "--package", "avocet-relay"]))?;

    let mut relay = Command::new(binary("native", "avocet-relay"));
    relay.current_dir(root()).args(args).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut relay = spawn(&mut relay)?;
    let mut line = String::new();
    if let Some(stdout) = relay.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).context("read what the relay says")?;
    }
    if let Some(page) = page_of(&line) {
        println!("\n{}", words(&page, args));
    }
    let status = wait(relay)?;
    if status.success() || crate::run::stopped() {
        return Ok(());
    }
    Err(Failure::new(
        "The relay ended; the lines above say why. Is the port taken? Another one:\n  \
         npm start -- --port 8090 --ws-port 8091",
    ))
}

fn page_of(line: &str) -> Option<String> {
    let ready: serde_json::Value = serde_json::from_str(line).ok()?;
    ready.get("page")?.as_str().map(Into::into)
}

fn words(page: &str, args: &[String]) -> String {
    let mut text = format!(
        "Avocet is ready. Open this in a browser, and in a second one to share between them:\n\n    \
         {page}\n\n"
    );
    let host = args.iter().position(|arg| arg == "--host").and_then(|at| args.get(at + 1));
    let is_everywhere = |host: &String| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    if host.is_some_and(is_everywhere) {
        let port = page.trim_end_matches('/').rsplit(':').next().unwrap_or_default();
        text += &format!(
            "Everyone in your network can open it. On this machine itself, better\n\
             http://localhost:{port}/ : there the browser allows more (faster hashing, saving large \
             files).\n\n"
        );
    } else {
        text += "For a whole LAN: npm start -- --host 0.0.0.0\n";
    }
    text + "Ctrl-C ends it."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_the_address() {
        let line = r#"{"page":"http://127.0.0.1:8080/","relay":"/ip4/127.0.0.1/tcp/1/ws"}"#;
        let page = page_of(line).unwrap();
        assert!(words(&page, &[]).contains("\n    http://127.0.0.1:8080/\n"));
        let lan = ["--host".to_owned(), "0.0.0.0".to_owned()];
        assert!(words("http://192.0.2.1:99/", &lan).contains("http://localhost:99/"));
        assert_eq!(page_of("no JSON"), None);
    }
}
