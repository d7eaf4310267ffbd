//! How a node takes leave of its streams.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Node;
use crate::{api::Readiness, hub::Hub, server::Streams};

/// How long a node waits for proxies before it ends, and how it closes its streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainConfig {
    /// For how long `/health/ready` answers 404 before the first stream is closed. Default 0.
    pub wait: Duration,
    /// Over which time the streams are closed. Default none: over 1 ms per stream, and at most half of
    /// [`ServerConfig::shutdown_grace`](crate::server::ServerConfig::shutdown_grace).
    pub window: Option<Duration>,
}

with_methods!(DrainConfig {
    with_wait(wait: Duration),
    with_window(window: impl Into<Option<Duration>>),
});

impl Node {
    /// Prepares the node for its end, so that a proxy can send its clients to other nodes. All requests are answered
    /// meanwhile. [`Server::shutdown`](crate::server::Server::shutdown) comes next.
    ///
    /// 1. `/health/ready` answers 404 from now on. For [`DrainConfig::wait`] that is all: new streams are still taken.
    /// 2. With a [`DrainConfig::window`], the streams are closed with 1012, evenly over that time, and new ones are
    ///    answered with 503.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped, `/health/ready` goes on answering 404, and streams that were not closed yet stay open.
    pub async fn drain(&self, config: &DrainConfig) {
        drain(&self.state.readiness, self.hub(), config).await;
    }
}

async fn drain(readiness: &Readiness, hub: &Hub, config: &DrainConfig) {
    readiness.end();
    sleep(config.wait).await;
    if let Some(window) = config.window {
        // Peers that are slow to answer the close have the time of the shutdown that follows.
        hub.close_all(window, window).await;
    }
}

/// The hub owns the sockets of its streams.
impl Streams for Hub {
    /// A stream that is being let in has no socket yet: its connection counts until it has.
    fn open(&self) -> usize {
        self.attached_count()
    }

    async fn drain(&self, deadline: Instant) {
        let grace = deadline.saturating_duration_since(Instant::now());
        // Spread over half of the time, so that the clients come back one after the other, wherever they go; a
        // handful need not wait for that.
        let spread = Duration::from_millis(self.stream_count() as u64);
        self.close_all(spread.min(grace / 2), grace).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::hub::{HubConfig, RegisterError, UserId, tests::fake::FakeSocket};

    #[tokio::test]
    async fn a_stream_counts_against_the_cap_from_when_it_has_its_socket() {
        let hub = Hub::new(HubConfig::default());
        let register = || hub.register(UserId(1), "token", None).unwrap();
        let (first, second) = (register(), register());
        assert_eq!((Streams::open(&hub), hub.stream_count()), (0, 2));
        let first = first.attach(FakeSocket::with_room(1 << 10));
        assert_eq!(Streams::open(&hub), 1);
        drop(second);
        assert_eq!(Streams::open(&hub), 1);
        drop(first);
        assert_eq!((Streams::open(&hub), hub.stream_count()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_is_not_ready_first_and_takes_no_streams_later() {
        let (readiness, hub) = (Readiness::default(), Hub::new(HubConfig::default()));
        let admit = || hub.register(UserId(1), "token", None).map(drop);
        let (wait, window) = (Duration::from_secs(5), Duration::from_secs(30));
        let config = DrainConfig::default().with_wait(wait).with_window(window);
        assert!(readiness.is_ready());

        let draining = tokio::spawn({
            let (readiness, hub) = (readiness.clone(), hub.clone());
            async move { drain(&readiness, &hub, &config).await }
        });
        tokio::task::yield_now().await;
        advance(wait.saturating_sub(Duration::from_millis(1))).await;
        assert!(!readiness.is_ready());
        assert_eq!(admit(), Ok(()));

        draining.await.unwrap();
        assert_eq!(admit(), Err(RegisterError::Draining));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_window_streams_are_left_to_the_shutdown() {
        let (readiness, hub) = (Readiness::default(), Hub::new(HubConfig::default()));
        drain(&readiness, &hub, &DrainConfig::default()).await;
        assert!(!readiness.is_ready());
        assert!(hub.register(UserId(1), "token", None).is_ok());
    }
}
