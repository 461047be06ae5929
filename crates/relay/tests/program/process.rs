//! A relay of one's own, and plain HTTP to it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A folder of its own for each test, gone afterwards.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("avocet-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running relay; killed when dropped.
pub struct Relay {
    child: Child,
    pub page: String,
    pub relay: String,
}

/// Starts one on free ports and waits for its line.
pub fn start(data: &Folder, args: &[&str]) -> Relay {
    let mut child = Relay::command(data, args).stderr(Stdio::inherit()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| ready[name].as_str().unwrap().to_owned();
    Relay { child, page: text("page"), relay: text("relay") }
}

impl Relay {
    pub fn command(data: &Folder, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_avocet-relay"));
        let keep = data.path().join("data");
        command.args(["--ws-port", "0", "--data"]).arg(keep);
        if !args.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(args).env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// The page's host and port.
    pub fn host(&self) -> String {
        self.page.trim_start_matches("http://").trim_end_matches('/').to_owned()
    }

    /// The peer id.
    pub fn id(&self) -> String {
        self.relay.rsplit('/').next().unwrap().to_owned()
    }

    /// Asks for `path` with this `Host` header; the path goes out as it is written here.
    pub fn get(&self, path: &str, host: &str) -> Answer {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&String::from_utf8_lossy(&bytes))
    }

    /// Ends it as a service manager would.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}
