//! Tasks that run once per server or once per change, and not per connection or stream.

use std::pin::Pin;

use tokio::task::JoinHandle;

/// Does as [`tokio::spawn`] does. The work is in a box, so that all these tasks are of one type: the compiler makes
/// 120 functions for each type of task.
///
/// # Panics
///
/// Outside a tokio runtime.
#[track_caller]
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(work);
    tokio::spawn(work)
}
