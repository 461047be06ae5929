//! The real Kubo: a daemon of its own, off the network, spoken to by its HTTP API.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use avocet_dag::{
    Cid, Version,
    unixfs::{HamtSize, Meta},
};
use serde_json::{Value, json};

use crate::{
    http::{self, escape},
    random::{HASHES, Keeps, Node, Parameters, Sharding},
};

/// Between the parts of a form; no content is likely to hold it.
const BOUNDARY: &str = "avocet-part-5f0c1d9ab2";

/// A running Kubo. Ends, and leaves nothing behind, when it is dropped.
pub struct Kubo {
    child: Child,
    address: String,
    repo: PathBuf,
}

impl Kubo {
    /// Starts one with an empty repository. `settings` are keys of its section `Import`.
    pub fn start(name: &str, settings: &[(&str, Value)]) -> Self {
        let program = env::var_os("AVOCET_KUBO").expect("AVOCET_KUBO names the program");
        let repo = env::temp_dir().join(format!("avocet-kubo-{}-{name}", std::process::id()));
        let ipfs = || {
            let mut command = Command::new(&program);
            command.env("IPFS_PATH", &repo).stdin(Stdio::null()).stdout(Stdio::piped());
            command.stderr(Stdio::null());
            command
        };
        fs::create_dir_all(&repo).unwrap();
        let init = ipfs().args(["init", "--profile", "test,announce-off", "--empty-repo"]).status();
        assert!(init.unwrap().success(), "ipfs init");
        configure(&repo, settings);
        let mut child = ipfs().args(["daemon", "--offline"]).spawn().unwrap();
        let mut address = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            if let Some(found) = line.strip_prefix("RPC API server listening on ") {
                address = Some(socket_address(found));
            }
            if line.contains("Daemon is ready") {
                break;
            }
        }
        // What it says from now on must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.expect("the daemon ended before it was ready");
        Self { child, address, repo }
    }

    /// One that shards by this rule.
    pub fn sharding(sharding: Sharding) -> Self {
        let size = match sharding.size {
            HamtSize::Block => "block",
            HamtSize::Links => "links",
        };
        let threshold = format!("{}B", sharding.threshold);
        Self::start(
            &format!("{size}-{threshold}"),
            &[
                ("UnixFSHAMTDirectorySizeThreshold", json!(threshold)),
                ("UnixFSHAMTDirectorySizeEstimation", json!(size)),
            ],
        )
    }

    /// `ipfs add`: the root.
    pub fn add(&self, node: &Node, parameters: &Parameters) -> Result<Cid, String> {
        let mut form = Form::default();
        form.add("root", node);
        let path = format!("add?{}", query(parameters));
        let answer = self.post(&path, form)?;
        let last = answer.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let line: Value = serde_json::from_slice(last).map_err(|error| error.to_string())?;
        let hash = line["Hash"].as_str().ok_or_else(|| format!("no hash in {line}"))?;
        assert_eq!(line["Name"], "root", "the last line is about the root");
        hash.parse().map_err(|error| format!("{hash}: {error}"))
    }

    /// `ipfs dag export`: a CAR.
    pub fn export(&self, root: &Cid) -> Result<Vec<u8>, String> {
        self.post(&format!("dag/export?arg={root}&progress=false"), Form::default())
    }

    /// `ipfs dag import`; the roots are pinned, and so every block must be there.
    pub fn import(&self, car: &[u8]) -> Result<(), String> {
        let mut form = Form::default();
        form.part("form-data; name=\"path\"; filename=\"a.car\"", "application/octet-stream", car);
        let answer = self.post("dag/import?pin-roots=true&stats=true", form)?;
        let text = String::from_utf8_lossy(&answer);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            match line["Root"]["PinErrorMsg"].as_str() {
                None | Some("") => {}
                Some(error) => return Err(format!("pinning {}: {error}", line["Root"]["Cid"])),
            }
        }
        Ok(())
    }

    /// `ipfs cat`: all bytes of a file.
    pub fn cat(&self, path: &str) -> Result<Vec<u8>, String> {
        self.post(&format!("cat?arg={}&progress=false", escape(path)), Form::default())
    }

    fn post(&self, command: &str, form: Form) -> Result<Vec<u8>, String> {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        http::post(&self.address, &format!("/api/v0/{command}"), &kind, &form.finish())
    }
}

impl Drop for Kubo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.repo);
    }
}

fn configure(repo: &std::path::Path, settings: &[(&str, Value)]) {
    let path = repo.join("config");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (key, value) in settings {
        config["Import"][*key] = value.clone();
    }
    // Nothing here has to outlive a loss of power.
    for mount in config["Datastore"]["Spec"]["mounts"].as_array_mut().unwrap() {
        mount["sync"] = json!(false);
    }
    config["AutoTLS"]["Enabled"] = json!(false);
    config["Routing"]["Type"] = json!("none");
    config["Gateway"]["NoFetch"] = json!(true);
    fs::write(&path, serde_json::to_vec_pretty(&config).unwrap()).unwrap();
}

/// `/ip4/127.0.0.1/tcp/5001` as a host and a port.
fn socket_address(multiaddr: &str) -> String {
    let parts: Vec<_> = multiaddr.trim().split('/').collect();
    format!("{}:{}", parts[2], parts[4])
}

fn query(parameters: &Parameters) -> String {
    let version = u8::from(parameters.version == Version::V1);
    let hash = HASHES.iter().find(|(code, _)| *code == parameters.hash).unwrap().1;
    let mut query = vec![
        "pin=false&progress=false&fast-provide-root=false&empty-dirs=true".to_owned(),
        format!("cid-version={version}&hash={hash}&raw-leaves={}", parameters.raw_leaves),
        format!("chunker={}&trickle={}", parameters.chunker, parameters.trickle),
        format!("max-file-links={}&max-hamt-fanout={}", parameters.max_links, parameters.fanout),
    ];
    if parameters.inline_limit > 0 {
        query.push(format!("inline=true&inline-limit={}", parameters.inline_limit));
    }
    if matches!(parameters.keeps, Keeps::Mode | Keeps::Both) {
        query.push("preserve-mode=true".into());
    }
    if matches!(parameters.keeps, Keeps::Mtime | Keeps::Both) {
        query.push("preserve-mtime=true".into());
    }
    query.join("&")
}

/// Files and folders as Kubo takes them: a part for each, a folder before what it holds.
#[derive(Default)]
struct Form(Vec<u8>);

impl Form {
    fn add(&mut self, path: &str, node: &Node) {
        match node {
            Node::File(content, meta) => {
                self.entry(path, meta, "application/octet-stream", content);
            }
            Node::Symlink(target, meta) => {
                self.entry(path, meta, "application/symlink", target.as_bytes());
            }
            Node::Folder(entries, meta) => {
                self.entry(path, meta, "application/x-directory", b"");
                for (name, node) in entries {
                    self.add(&format!("{path}/{name}"), node);
                }
            }
        }
    }

    fn entry(&mut self, path: &str, meta: &Meta, kind: &str, body: &[u8]) {
        let mut told = Vec::new();
        if let Some(mode) = meta.mode {
            told.push(format!("mode=0{:o}", go_mode(mode)));
        }
        if let Some(mtime) = meta.mtime {
            told.push(format!("mtime={}", mtime.secs));
            told.push(format!("mtime-nsecs={}", mtime.nanos));
        }
        let told = if told.is_empty() { String::new() } else { format!("?{}", told.join("&")) };
        let place = escape(path);
        self.part(&format!("form-data; name=\"file{told}\"; filename=\"{place}\""), kind, body);
    }

    fn part(&mut self, disposition: &str, kind: &str, body: &[u8]) {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: {kind}\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(body);
        self.0.extend_from_slice(b"\r\n");
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}

/// Go keeps the three bits above the permissions elsewhere.
fn go_mode(mode: u32) -> u32 {
    let moved = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];
    let high: u32 = moved.iter().filter(|(bit, _)| mode & bit != 0).map(|(_, go)| go).sum();
    mode & 0o777 | high
}
