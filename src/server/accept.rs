//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::bind::{Accepted, Listener};
use super::connection::Http;
use super::connections::Connections;
use super::drain::{Drain, Drained};
use super::limits::Limits;
use super::refuse::Refusals;
use super::tls::Tls;
use super::{ConnectionObserver, ServerConfig, Streams};

/// The pause after a first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener, and how what comes in there is served.
pub(super) struct ServedListener {
    pub(super) listener: Listener,
    pub(super) http: Arc<Http>,
    pub(super) tls: Option<Arc<Tls>>,
}

/// The listener for everybody, and the one for TLS, if there is one.
pub(super) struct Listeners {
    pub(super) plain: ServedListener,
    pub(super) secure: Option<ServedListener>,
}

impl Listeners {
    /// Waits for a connection at either. Cancel safe.
    async fn accept(&self) -> (&ServedListener, io::Result<(Accepted, SocketAddr)>) {
        let Some(secure) = &self.secure else { return (&self.plain, self.plain.listener.accept().await) };
        tokio::select! {
            accepted = self.plain.listener.accept() => (&self.plain, accepted),
            accepted = secure.listener.accept() => (secure, accepted),
        }
    }
}

/// Admits connections.
pub(super) struct AcceptLoop<S> {
    listeners: Listeners,
    streams: S,
    observer: Arc<dyn ConnectionObserver>,
    /// Every connection and refusal.
    tasks: TaskTracker,
    connections: Connections,
    refusals: Refusals,
    cap: usize,
    /// Whether the last connection was refused; a change is logged, not each one.
    full: bool,
    grace: Duration,
}

impl<S: Streams> AcceptLoop<S> {
    pub(super) fn new(
        listeners: Listeners,
        config: &ServerConfig,
        streams: S,
        observer: Arc<dyn ConnectionObserver>,
    ) -> Self {
        let limits = Limits::new(config.max_connections);
        Self {
            listeners,
            streams,
            observer,
            tasks: TaskTracker::new(),
            connections: Connections::new(),
            refusals: Refusals::new(limits.refused),
            cap: limits.admitted,
            full: false,
            grace: config.shutdown_grace,
        }
    }

    /// Accepts connections until the stop signal comes, then drains.
    pub(super) async fn run(mut self, stop: Arc<Notify>) -> Drained {
        // Also when this task is aborted, no connection outlives it.
        let ended = EndOnDrop(self.connections.clone());
        let mut stop = pin!(stop.notified());
        let mut backoff = Backoff::default();
        loop {
            let (listener, accepted) = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.listeners.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    backoff.succeeded();
                    let (http, tls) = (Arc::clone(&listener.http), listener.tls.clone());
                    // Streams and the observer may be anybody's code. The panic hook says where and why.
                    let admit = AssertUnwindSafe(|| self.admit(http, tls, stream, peer));
                    if catch_unwind(admit).is_err() {
                        tracing::error!("a connection was closed because admitting it panicked");
                        let _ = catch_unwind(AssertUnwindSafe(|| self.observer.on_panic("accept loop")));
                    }
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    let pause = backoff.failed(&error);
                    tokio::select! {
                        biased;
                        () = &mut stop => break,
                        () = sleep(pause) => {}
                    }
                }
            }
        }
        drop(self.listeners);
        let drained = Drain { tasks: self.tasks, connections: self.connections, grace: self.grace }
            .run(&self.streams)
            .await;
        drop(ended);
        drained
    }

    fn admit(&mut self, http: Arc<Http>, tls: Option<Arc<Tls>>, stream: Accepted, peer: SocketAddr) {
        let served = self.tasks.len().saturating_sub(self.refusals.running());
        let open = served + self.streams.open();
        let full = open >= self.cap;
        if full != self.full {
            self.full = full;
            if full {
                tracing::warn!(open, cap = self.cap, "too many connections, further ones get 503");
            } else {
                tracing::info!(open, cap = self.cap, "connections are admitted again");
            }
        }
        if full {
            self.observer.on_refuse();
            match (tls, stream) {
                // A handshake to say no would cost as much as serving.
                (Some(_), _) => {}
                (None, Accepted::Tcp(stream)) => self.refusals.refuse(stream, &self.tasks),
                (None, Accepted::Unix(stream)) => self.refusals.refuse(stream, &self.tasks),
            }
            return;
        }
        let connections = self.connections.clone();
        match (tls, stream) {
            (None, Accepted::Tcp(stream)) => self.tasks.spawn(http.serve(stream, peer, connections)),
            (None, Accepted::Unix(stream)) => self.tasks.spawn(http.serve(stream, peer, connections)),
            (Some(tls), Accepted::Tcp(stream)) => {
                self.tasks.spawn(http.serve_secure(tls, stream, peer, connections))
            }
            (Some(tls), Accepted::Unix(stream)) => {
                self.tasks.spawn(http.serve_secure(tls, stream, peer, connections))
            }
        };
    }
}

/// Ends all connections when the accept task ends.
struct EndOnDrop(Connections);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Whether it was the connection that failed, not accepting: the next one may be fine.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput, NotConnected,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | InvalidInput | NotConnected
    )
}

/// Pauses while accepting fails, as it does when files run out: the connection stays in the kernel's queue, so that
/// trying again at once would spin.
#[derive(Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns how long to pause. Logs the first of a row only.
    fn failed(&mut self, error: &io::Error) -> Duration {
        if self.failures == 0 {
            tracing::error!(%error, "failed to accept connections, trying again");
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures += 1;
        pause.min(LONGEST_PAUSE)
    }

    fn succeeded(&mut self) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "connections are accepted again");
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second_and_begin_anew_after_a_success() {
        let error = io::Error::other("too many open files");
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.failed(&error).as_millis()).collect();
        assert_eq!(pauses, [20, 40, 80, 160, 320, 640, 1000, 1000]);
        backoff.succeeded();
        assert_eq!(backoff.failed(&error), FIRST_PAUSE);
    }

    #[test]
    fn running_out_of_files_does_not_pass_for_one_bad_connection() {
        for code in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE, rustix::io::Errno::NOBUFS] {
            assert!(!concerns_one_connection(&code.into()));
        }
        assert!(concerns_one_connection(&rustix::io::Errno::CONNABORTED.into()));
    }
}
