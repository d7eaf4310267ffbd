//! Work that a client can't interrupt by going away.

use std::future::pending;
use std::panic::resume_unwind;

use tokio::sync::oneshot;

use crate::task;

/// Runs a change to its end. A handler is dropped when its client hangs up; between a change, which the
/// database may make all the same, and what must follow it, that would leave a deleted token accepted.
pub(super) async fn to_completion<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, outcome) = oneshot::channel();
    // Awaited right here, or by nobody: it takes no longer than the database does.
    let task = task::spawn(async move {
        let _ = sender.send(change.await);
    });
    match task.await {
        Ok(()) => outcome.await.expect("the task ends after it has sent the outcome"),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Canceled: the runtime is shutting down, and this task with it.
            Err(_) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_change_goes_on_when_nobody_waits_for_it() {
        let (start, started) = oneshot::channel::<()>();
        let (done, outcome) = oneshot::channel();
        let waiting = to_completion(async move {
            started.await.unwrap();
            done.send(7).unwrap();
        });
        assert!(waiting.now_or_never().is_none(), "it is running when its caller is dropped");
        start.send(()).unwrap();
        assert_eq!(outcome.await, Ok(7));
    }
}
