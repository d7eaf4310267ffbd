//! The end.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

use super::Streams;
use super::connections::Connections;

/// How long tasks that were cut off have to be gone.
const CUT_OFF: Duration = Duration::from_millis(200);

/// The most of the time to end that is kept for what comes after the deadline, so that all of it fits.
const LONGEST_RESERVE: Duration = Duration::from_secs(1);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many connections and streams had to be cut off.
    pub unfinished: usize,
}

/// What is left once no connection is accepted any more.
pub(super) struct Drain {
    pub(super) tasks: TaskTracker,
    pub(super) connections: Connections,
    pub(super) grace: Duration,
}

impl Drain {
    /// Lets requests and streams end, and cuts off what has not by the deadline.
    pub(super) async fn run(self, streams: &impl Streams) -> Drained {
        let reserve = (self.grace / 10).min(LONGEST_RESERVE);
        let deadline = Instant::now() + self.grace.saturating_sub(reserve);
        self.tasks.close();
        let all = async {
            tokio::join!(
                async {
                    self.connections.begin_drain().await;
                    self.tasks.wait().await;
                },
                streams.drain(deadline),
            );
        };
        if timeout_at(deadline, all).await.is_ok() {
            return Drained { unfinished: 0 };
        }
        let (connections, open_streams) = (self.tasks.len(), streams.open());
        tracing::warn!(connections, streams = open_streams, "the time to end is over, cutting off the rest");
        self.connections.end();
        // A task that never yields can't be ended: the process does not wait for it.
        let _ = timeout(CUT_OFF, self.tasks.wait()).await;
        Drained { unfinished: connections + open_streams }
    }
}
