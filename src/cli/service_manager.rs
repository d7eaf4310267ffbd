//! What the server says to the service manager: systemd, or another one that speaks the protocol of `sd_notify(3)`.
//!
//! While the server starts or stops, it asks for more time, so that a long migration is not cut off. While it serves, it
//! sends a status and, if the manager wants them, pings of the watchdog. All of this is sent by a task of the runtime that
//! also serves requests: where the runtime stands still, so do the pings. There is nothing to reload, so that `RELOADING=1`
//! is never sent.

mod notify_socket;
mod passed_sockets;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::task;
use notify_socket::NotifySocket;
pub(super) use passed_sockets::PassedSockets;

/// How much time a start or an end asks for at once.
const EXTENSION: Duration = Duration::from_secs(30);

/// How often it asks for that.
const EXTENSION_PERIOD: Duration = Duration::from_secs(10);

/// How often the status is written at least.
const STATUS_PERIOD: Duration = Duration::from_secs(10);

/// The service manager, if one wants to be informed.
#[derive(Debug)]
pub(super) struct ServiceManager {
    socket: Option<Arc<NotifySocket>>,
    /// The manager ends the server if no ping comes for so long.
    watchdog: Option<Duration>,
}

/// Sends until it is dropped. None where there is no manager.
pub(super) type Sending = Option<AbortOnDropHandle<()>>;

impl ServiceManager {
    /// Finds the manager by `NOTIFY_SOCKET`, and its watchdog by `WATCHDOG_USEC` and `WATCHDOG_PID`. What can't be used is
    /// logged.
    pub(super) fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let address = variable("NOTIFY_SOCKET").filter(|address| !address.is_empty());
        let socket = address.and_then(|address| match NotifySocket::parse(&address) {
            Ok(socket) => Some(Arc::new(socket)),
            Err(error) => {
                tracing::warn!("NOTIFY_SOCKET: the service manager is not informed: {error}");
                None
            }
        });
        Self { socket, watchdog: watchdog(variable) }
    }

    /// Says that the server starts, and asks for more time until what is returned is dropped.
    pub(super) async fn starting(&self) -> Sending {
        self.send("STATUS=starting: the database is opened").await;
        self.repeat(EXTENSION_PERIOD, more_time)
    }

    /// Says that every listener accepts connections.
    pub(super) async fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}")).await;
    }

    /// Sends the status when it has changed, and pings while the server is alive, until what is returned is dropped.
    pub(super) fn serving(
        &self,
        mut status: impl FnMut() -> String + Send + 'static,
        is_alive: impl Fn() -> bool + Send + 'static,
    ) -> Sending {
        let period = self.watchdog.map_or(STATUS_PERIOD, |limit| STATUS_PERIOD.min(limit / 2));
        let (watched, mut last) = (self.watchdog.is_some(), String::new());
        self.repeat(period, move || {
            let mut lines = Vec::new();
            if watched && is_alive() {
                lines.push("WATCHDOG=1".to_owned());
            }
            let now = status();
            if now != last {
                lines.push(format!("STATUS={now}"));
                last = now;
            }
            lines.join("\n")
        })
    }

    /// Says that the server stops, and asks for more time until what is returned is dropped.
    pub(super) async fn stopping(&self, status: &str) -> Sending {
        self.send(&format!("STOPPING=1\nSTATUS={status}")).await;
        self.repeat(EXTENSION_PERIOD, more_time)
    }

    async fn send(&self, state: &str) {
        if let Some(socket) = &self.socket {
            send(socket, state).await;
        }
    }

    /// Sends this at once, and again after each period. An empty text is not sent.
    fn repeat(&self, period: Duration, mut state: impl FnMut() -> String + Send + 'static) -> Sending {
        let socket = Arc::clone(self.socket.as_ref()?);
        // A task of its own: unlike what `block_on` runs, it needs one of the threads that serve requests.
        Some(AbortOnDropHandle::new(task::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let state = state();
                if !state.is_empty() {
                    send(&socket, &state).await;
                }
            }
        })))
    }
}

async fn send(socket: &NotifySocket, state: &str) {
    if let Err(error) = socket.send(state).await {
        tracing::warn!(%error, "failed to inform the service manager at `{socket}`");
    }
}

fn more_time() -> String {
    format!("EXTEND_TIMEOUT_USEC={}", EXTENSION.as_micros())
}

/// How often the manager wants a ping at least, if it wants any from this process.
fn watchdog(variable: impl Fn(&str) -> Option<OsString>) -> Option<Duration> {
    let text = variable("WATCHDOG_USEC")?;
    let own = std::process::id().to_string();
    if variable("WATCHDOG_PID").is_some_and(|process| process != *own) {
        return None;
    }
    let microseconds = text.to_str().and_then(|text| text.parse().ok()).filter(|&number: &u64| number > 0);
    if microseconds.is_none() {
        let text = text.display();
        tracing::warn!("WATCHDOG_USEC: `{text}` is no number of microseconds above 0: no pings are sent");
    }
    microseconds.map(Duration::from_micros)
}

/// Writes on one line what the status of the unit shows.
pub(super) fn serving_status(places: &[impl fmt::Display], streams: usize) -> String {
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    format!("listening on {}; streams: {streams}", places.join(" and "))
}

#[cfg(test)]
mod tests;
