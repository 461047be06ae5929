//! Other programs: run, read, counted.

use std::{
    ffi::OsStr,
    fmt,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use crate::report::Counts;

/// Something went wrong; the message says what, and where it can be known what to do.
#[derive(Debug)]
pub struct Failure(String);

/// What all of xtask returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what was being done to an error.
pub trait Context<T> {
    /// `what` completes "cannot …".
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure(format!("cannot {what}: {error}")))
    }
}

/// Runs it with our own stdin, stdout and stderr.
pub fn run(command: &mut Command) -> Result {
    say(command);
    let status = wait(spawn(command)?)?;
    ended_well(command, status)
}

/// Runs it and gives what it wrote to stdout.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().context(doing(command))?;
    ended_well(command, output.status)?;
    String::from_utf8(output.stdout).context("read its output as text")
}

/// Whether it runs and ends well; it is neither heard nor seen.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs it, prints what it writes as it comes, and counts the tests in it.
pub fn count(command: &mut Command) -> (Result, Counts) {
    say(command);
    let mut counts = Counts::default();
    let result = follow(command, |line| counts.read(line));
    (result, counts)
}

fn follow(command: &mut Command, mut seen: impl FnMut(&str)) -> Result {
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).context("read what it writes")? > 0 {
            // Whoever reads our output may have gone; the tests go on all the same.
            let _ = std::io::stdout().write_all(&line);
            seen(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let status = wait(child)?;
    ended_well(command, status)
}

/// The child that is running now, by its process id: signals for us are handed on to it.
static CHILD: Mutex<Option<u32>> = Mutex::new(None);

/// Starts it and remembers it as the one that hears our signals; to be given to [`wait`].
pub fn spawn(command: &mut Command) -> Result<Child> {
    let child = command.spawn().context(doing(command))?;
    *CHILD.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.id());
    Ok(child)
}

/// Waits until it ends.
pub fn wait(mut child: Child) -> Result<std::process::ExitStatus> {
    let status = child.wait().context("wait for it")?;
    *CHILD.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(status)
}

/// From here on SIGTERM goes to the running child first; when that has ended, so do we. Ctrl-C
/// reaches the child by itself, and we too wait for its end.
pub fn hand_on_signals() {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]) else {
            return;
        };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let child = *CHILD.lock().unwrap_or_else(PoisonError::into_inner);
                match child {
                    Some(id) if signal == SIGTERM => {
                        succeeds(Command::new("sh").args(["-c", &format!("kill -TERM {id}")]));
                    }
                    Some(_) => {}
                    None => std::process::exit(128 + signal),
                }
                STOPPED.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        });
    }
}

static STOPPED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Whether we were asked to end: then nothing further is begun.
pub fn stopped() -> bool {
    STOPPED.load(std::sync::atomic::Ordering::Relaxed)
}

fn ended_well(command: &Command, status: std::process::ExitStatus) -> Result {
    if status.success() {
        Ok(())
    } else {
        Err(Failure(format!("`{}` failed ({status})", shown(command))))
    }
}

fn say(command: &Command) {
    println!("\x20 $ {}", shown(command));
    let _ = std::io::stdout().flush();
}

fn doing(command: &Command) -> String {
    format!("run `{}`", shown(command))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
