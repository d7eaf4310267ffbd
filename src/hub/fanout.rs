//! Passes: bringing what was published to a user's streams, outside the sender's request.
//!
//! A user that has something waiting stands in the queue once. A lane, one of a few tasks, takes the user, makes a
//! pass of all that waits by then, and goes over its streams segment by segment; other lanes that are free help
//! with the segments. What is published meanwhile is the next pass.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::{
    batch::Batch,
    connection::{Connection, Delivery},
    observer::PassReport,
    shared::Shared,
    stream_list::Segment,
    user::{Scheduled, User},
};

/// Writes that a lane does before it lets other tasks run: about half a millisecond of them.
const WRITES_A_TURN: usize = 128;

/// Users with something waiting, each at most once, and passes that other lanes may help with, at most one a lane:
/// so it is bounded by the number of users that have streams.
#[derive(Debug, Default)]
pub(super) struct Queue {
    work: Mutex<VecDeque<Work>>,
    ready: Notify,
}

#[derive(Debug)]
enum Work {
    Begin(Arc<User>),
    Help(Arc<Pass>),
}

impl Queue {
    pub(super) fn push(&self, user: Arc<User>) {
        self.add(Work::Begin(user));
    }

    fn add(&self, work: Work) {
        self.work.lock().push_back(work);
        self.ready.notify_one();
    }

    async fn next(&self) -> Work {
        loop {
            let work = self.work.lock().pop_front();
            match work {
                Some(work) => return work,
                None => self.ready.notified().await,
            }
        }
    }
}

/// One batch on its way to all streams of a user.
#[derive(Debug)]
struct Pass {
    user: Arc<User>,
    batch: Batch,
    segments: Vec<Segment>,
    began_at: Instant,
    /// The next segment to be taken.
    next: AtomicUsize,
    /// Segments that are not done.
    left: AtomicUsize,
    delivered: AtomicUsize,
    behind: AtomicUsize,
}

/// Carries passes until it is aborted.
pub(super) async fn lane(shared: Arc<Shared>, lanes: usize) {
    let mut writes = 0;
    loop {
        match shared.queue.next().await {
            Work::Begin(user) => {
                let begun = shared.work_on(&user, || user.begin_pass(&shared.config, shared.clock.now()));
                let Some((batch, segments)) = begun.flatten() else {
                    end_pass(&shared, user);
                    continue;
                };
                let pass = Arc::new(Pass::new(user, batch, segments));
                for _ in 1..pass.segments.len().min(lanes) {
                    shared.queue.add(Work::Help(Arc::clone(&pass)));
                }
                carry(&shared, &pass, &mut writes).await;
            }
            Work::Help(pass) => carry(&shared, &pass, &mut writes).await,
        }
    }
}

/// Takes segments of the pass until none is left; whoever is done last ends it.
async fn carry(shared: &Shared, pass: &Arc<Pass>, writes: &mut usize) {
    if pass.segments.is_empty() {
        pass.end(shared);
        return;
    }
    while let Some(segment) = pass.segments.get(pass.next.fetch_add(1, Ordering::Relaxed)) {
        for streams in segment.chunks(WRITES_A_TURN) {
            pass.deliver(shared, streams);
            *writes += streams.len();
            if *writes >= WRITES_A_TURN {
                *writes = 0;
                tokio::task::yield_now().await;
            }
        }
        if pass.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            pass.end(shared);
        }
    }
}

fn end_pass(shared: &Shared, user: Arc<User>) {
    if user.end_pass() == Scheduled::Yes {
        shared.queue.push(user);
    }
}

impl Pass {
    fn new(user: Arc<User>, batch: Batch, segments: Vec<Segment>) -> Self {
        Self {
            user,
            batch,
            began_at: Instant::now(),
            next: AtomicUsize::new(0),
            left: AtomicUsize::new(segments.len()),
            segments,
            delivered: AtomicUsize::new(0),
            behind: AtomicUsize::new(0),
        }
    }

    fn deliver(&self, shared: &Shared, streams: &[Arc<Connection>]) {
        let (mut delivered, mut behind) = (0, 0);
        shared.visit(streams, |stream| match stream.deliver(&self.batch, &shared.config) {
            Delivery::Sent(messages) => delivered += messages,
            Delivery::Behind => behind += 1,
            Delivery::Ended => {}
        });
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.behind.fetch_add(behind, Ordering::Relaxed);
    }

    fn end(&self, shared: &Shared) {
        let facts = &self.batch.facts;
        let now = Instant::now();
        let report = PassReport {
            messages: facts.messages,
            streams: self.segments.iter().map(|segment| segment.len()).sum(),
            delivered: self.delivered.load(Ordering::Relaxed),
            behind: self.behind.load(Ordering::Relaxed),
            overflowed: facts.incomplete,
            took: now.saturating_duration_since(self.began_at),
            oldest: facts.oldest.map(|came_in| now.saturating_duration_since(came_in)),
        };
        shared.delivered.fetch_add(report.delivered as u64, Ordering::Relaxed);
        shared.observe(|observer| observer.on_pass(self.user.id, report));
        end_pass(shared, Arc::clone(&self.user));
    }
}
