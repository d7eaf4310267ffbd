//! Work that takes a core for a while, on threads of its own, as much at once as there are cores.

use std::sync::Arc;
use std::thread::{Builder, available_parallelism};

use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

/// Calls that may wait for each core, which bounds the memory of the queue. At bcrypt's cost 10 they are between one
/// and two seconds of work; at a higher cost, or while others want the cores, the time that a call may wait is over
/// before.
const WAITING_PER_CORE: usize = 32;

/// How far the work stands back: at 10 it has a tenth of a core that others want all of.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Too many passwords wait to be hashed or checked already, or this one has waited for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked, try again later")]
#[non_exhaustive]
pub struct Overloaded;

/// The cores, and the queue in front of them.
pub(super) struct Cores {
    /// Of those who work and those who wait.
    places: Arc<Semaphore>,
    /// Of those who work.
    permits: Arc<Semaphore>,
}

impl Cores {
    pub(super) fn new() -> Self {
        Self::with(available_parallelism().map_or(1, usize::from), WAITING_PER_CORE)
    }

    fn with(cores: usize, waiting_per_core: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(cores * (1 + waiting_per_core))),
            permits: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Runs the work once a core is free. Refused at once if the queue is full, and at `wait_until` if no core has
    /// become free by then. The work itself is not bounded in time.
    ///
    /// When the future is dropped, work that has begun goes on, and occupies its core until it has ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        wait_until: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Overloaded)?;
        let permit = timeout_at(wait_until, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| Overloaded)?.expect("the semaphore is never closed");
        let (reply, answer) = oneshot::channel();
        // A thread costs a thousandth of the work, and none is kept whose niceness could not be taken back.
        let working = Builder::new().name("password".to_owned()).spawn(move || {
            let _kept_until_the_end = (place, permit);
            give_way();
            // Whoever gave up waiting has no use for it.
            let _ = reply.send(work());
        });
        working.map_err(|error| {
            tracing::error!(%error, "failed to start a thread");
            Overloaded
        })?;
        Ok(answer.await.expect("bcrypt does not panic"))
    }
}

/// Lets the threads that serve requests go first where they want the same core.
fn give_way() {
    // Elsewhere it would be the whole process that gives way. Where it fails, the work is done all the same.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use std::time::Duration;

    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test]
    async fn one_works_one_waits_and_the_third_is_refused() {
        let cores = Cores::with(1, 1);
        let (go, gone) = mpsc::channel::<()>();
        let mut works = pin!(cores.run(later(), move || gone.recv().is_ok()));
        assert!(works.as_mut().now_or_never().is_none());
        let mut waits = pin!(cores.run(later(), || 2));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(cores.run(later(), || 3).await, Err(Overloaded));

        go.send(()).unwrap();
        assert_eq!(works.await, Ok(true));
        assert_eq!(waits.await, Ok(2));
        assert_eq!(cores.run(later(), || 3).await, Ok(3));
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_the_queue() {
        let cores = Cores::with(1, 1);
        let (go, gone) = mpsc::channel::<()>();
        let mut works = pin!(cores.run(later(), move || gone.recv().is_ok()));
        assert!(works.as_mut().now_or_never().is_none());
        {
            let mut waits = pin!(cores.run(later(), || 2));
            assert!(waits.as_mut().now_or_never().is_none());
        }
        let mut waits = pin!(cores.run(later(), || 3));
        assert!(waits.as_mut().now_or_never().is_none(), "there is a place again");
        go.send(()).unwrap();
        assert_eq!(works.await, Ok(true));
        assert_eq!(waits.await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_waited_for_too_long_is_refused_and_leaves_the_queue() {
        let cores = Cores::with(1, 1);
        let (go, gone) = mpsc::channel::<()>();
        let mut works = pin!(cores.run(Instant::now(), move || gone.recv().is_ok()));
        assert!(works.as_mut().now_or_never().is_none());
        for _ in 0..2 {
            let waits = cores.run(Instant::now() + Duration::from_secs(2), || 2);
            assert_eq!(waits.await, Err(Overloaded));
        }
        go.send(()).unwrap();
        assert_eq!(works.await, Ok(true), "the work itself has no deadline");
    }
}
