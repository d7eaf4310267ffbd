//! Panics in code that the hub calls: they cost what they happened in, and no task.
//!
//! An observer, a socket or a backlog is the program's own, and may be wrong. What panics is reported once to the log
//! and to [`Observer::on_panic`], and the hub goes on.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use super::{EndReason, Observer, connection::Connection, shared::Shared, user::User};

impl Shared {
    /// Calls the observer.
    pub(super) fn observe(&self, event: impl FnOnce(&dyn Observer)) {
        if catch_unwind(AssertUnwindSafe(|| event(&*self.observer))).is_err() {
            self.report_panic("observer");
        }
    }

    /// Notes that `part` panicked. The panic hook has said where and why.
    pub(super) fn report_panic(&self, part: &'static str) {
        tracing::error!(part, "a part of the hub panicked, and the hub goes on");
        // An observer that panics here too has been reported already.
        let _ = catch_unwind(AssertUnwindSafe(|| self.observer.on_panic(part)));
    }

    /// Visits each stream. One that panics is ended, and the others are visited all the same.
    pub(super) fn visit(&self, streams: &[Arc<Connection>], mut visit: impl FnMut(&Connection)) {
        let mut visited = 0;
        while visited < streams.len() {
            let visits = catch_unwind(AssertUnwindSafe(|| {
                for stream in &streams[visited..] {
                    visited += 1;
                    visit(stream);
                }
            }));
            if visits.is_err() {
                streams[visited - 1].abandon(EndReason::Internal);
                self.report_panic("stream");
            }
        }
    }

    /// Does what a pass does with its user. If that panics, the user's streams are closed, because they would miss
    /// messages, and can come back for those.
    pub(super) fn work_on<T>(&self, user: &User, work: impl FnOnce() -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(work));
        if done.is_err() {
            self.report_panic("pass");
            let now = self.clock.now();
            for stream in user.segments().iter().flat_map(|segment| segment.iter()) {
                stream.close(EndReason::Internal, now, &self.config);
            }
        }
        done.ok()
    }
}

/// Runs a task of the hub, and runs it again whenever it panics.
pub(super) async fn restart_on_panic<F: Future<Output = ()>>(
    shared: Arc<Shared>,
    part: &'static str,
    task: impl Fn(Arc<Shared>) -> F,
) {
    loop {
        let mut running = pin!(task(Arc::clone(&shared)));
        let ended = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        if ended.await.is_ok() {
            return;
        }
        shared.report_panic(part);
    }
}
