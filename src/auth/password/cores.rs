//! Work that takes a core for a while, on threads of its own, as much at once as there are cores.

use std::sync::Arc;
use std::thread::{Builder, available_parallelism};

use tokio::sync::{Semaphore, oneshot};

/// Calls that may wait for each core: between one and two seconds of work at bcrypt's cost 10.
const WAITING_PER_CORE: usize = 32;

/// How far the work stands back: at 10 it has a tenth of a core that others want all of.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Too many passwords wait to be hashed or checked already.
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

    /// Runs the work once a core is free. Whoever comes when the queue is full is refused at once.
    ///
    /// When the future is dropped, work that has begun goes on, and occupies its core until it has ended.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Overloaded)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
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

    use super::*;

    #[tokio::test]
    async fn one_works_one_waits_and_the_third_is_refused() {
        let cores = Cores::with(1, 1);
        let (go, gone) = mpsc::channel::<()>();
        let mut works = pin!(cores.run(move || gone.recv().is_ok()));
        assert!(works.as_mut().now_or_never().is_none());
        let mut waits = pin!(cores.run(|| 2));
        assert!(waits.as_mut().now_or_never().is_none());
        assert_eq!(cores.run(|| 3).await, Err(Overloaded));

        go.send(()).unwrap();
        assert_eq!(works.await, Ok(true));
        assert_eq!(waits.await, Ok(2));
        assert_eq!(cores.run(|| 3).await, Ok(3));
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_leaves_the_queue() {
        let cores = Cores::with(1, 1);
        let (go, gone) = mpsc::channel::<()>();
        let mut works = pin!(cores.run(move || gone.recv().is_ok()));
        assert!(works.as_mut().now_or_never().is_none());
        {
            let mut waits = pin!(cores.run(|| 2));
            assert!(waits.as_mut().now_or_never().is_none());
        }
        let mut waits = pin!(cores.run(|| 3));
        assert!(waits.as_mut().now_or_never().is_none(), "there is a place again");
        go.send(()).unwrap();
        assert_eq!(works.await, Ok(true));
        assert_eq!(waits.await, Ok(3));
    }
}
