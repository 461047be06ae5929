//! The end: the signals that ask for it, and the word that is passed on.

use std::io;

use tokio::sync::watch;

/// Tells everyone who holds the other half to end.
pub struct Stop(watch::Sender<bool>);

/// Hears of the end; cheap to clone.
#[derive(Clone)]
pub struct Stopped(watch::Receiver<bool>);

/// Both halves.
pub fn channel() -> (Stop, Stopped) {
    let (stop, stopped) = watch::channel(false);
    (Stop(stop), Stopped(stopped))
}

impl Stop {
    /// Says it.
    pub fn stop(self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Resolves when it was said, or can no longer be.
    pub async fn wait(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Resolves at SIGTERM or Ctrl-C; listens from the moment of the call.
pub fn signals() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! { _ = term.recv() => (), _ = interrupt.recv() => () }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}
