//! A load that can begin, and one that runs in a thread of its own.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{
    allowed::Allowed,
    figures::Figures,
    target::{self, HttpWork},
    work,
};
use crate::{
    bus::message::{Takeover, TestConfig, TestType},
    client::{
        api::Credentials,
        schedule::{Schedule, Share},
    },
    peer::Peer,
    plan::{
        CONCURRENCY, CONCURRENCY_MAX, Plan, REQUESTS_MAX,
        target::{Action, HttpTarget, PlanTarget},
    },
    process::stop::Stop,
};

/// How long after the last request was due those that wait for a connection are still sent.
const DRAIN: Duration = Duration::from_secs(30);
/// How long the end of a load is waited for.
const STOP: Duration = Duration::from_secs(2);

/// A load that can begin.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) work: Work,
    pub(super) schedule: Schedule,
    /// Whether several drivers share it, or each sends all of it.
    is_shared: bool,
    /// Requests under way at once.
    pub(super) concurrency: u32,
    /// How long streams are opened before the first request is due.
    pub(super) opening: Duration,
    /// What is due before this is sent, and left out of the figures.
    pub(super) warm_up: Duration,
    /// How long after its end those that wait for a connection are still sent.
    pub(super) drain: Duration,
}

/// What is done.
#[derive(Debug, Clone)]
pub(super) enum Work {
    Http(HttpWork),
    Server { peer: Arc<Peer>, login: Credentials, action: Action },
}

impl Load {
    /// Prepares a test. Waits for the resolver.
    ///
    /// # Errors
    ///
    /// Says why this driver does not run it.
    pub(super) fn prepare(
        config: &TestConfig,
        own_target: Option<&str>,
        allowed: &[Allowed],
        login: &Credentials,
    ) -> Result<Self, String> {
        if let Some(plan) = &config.plan {
            let plan = Plan::from_json(plan).map_err(|error| format!("the plan can't be run: {error}"))?;
            return Self::of_plan(&plan, allowed, login);
        }
        let url = config.target.as_deref().or(own_target);
        let url = url.ok_or("the test has no target, and this driver was started without `--target`")?;
        let target = HttpTarget { url: url.to_owned(), ..HttpTarget::default() };
        let target = HttpWork::look_up(&target, allowed)?;
        let requests = config.message_count_per_driver;
        if !(1..=REQUESTS_MAX).contains(&requests) {
            return Err(format!("`message_count_per_driver` is {requests}: it must be 1 to {REQUESTS_MAX}"));
        }
        let delay = match config.test_type {
            TestType::Tsunami => Duration::from_millis(config.test_message_delay),
            TestType::Avalanche => Duration::ZERO,
        };
        let ceiling = match config.throughput {
            None => Duration::ZERO,
            Some(rate) if rate > 0.0 && rate.is_finite() => Duration::try_from_secs_f64(1.0 / rate)
                .map_err(|_| format!("`throughput` is {rate}, which is too little"))?,
            Some(rate) => return Err(format!("`throughput` is {rate}: it must be more than 0")),
        };
        let concurrency = config.concurrency.unwrap_or(CONCURRENCY);
        if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
            return Err(format!("`concurrency` is {concurrency}: it must be 1 to {CONCURRENCY_MAX}"));
        }
        // The slower one wins.
        let schedule = Schedule::Spaced { requests, spacing: delay.max(ceiling) };
        Ok(Self {
            work: Work::Http(target),
            schedule,
            is_shared: false,
            opening: Duration::ZERO,
            concurrency,
            warm_up: Duration::ZERO,
            drain: DRAIN,
        })
    }

    fn of_plan(plan: &Plan, allowed: &[Allowed], login: &Credentials) -> Result<Self, String> {
        let work = match &plan.target {
            PlanTarget::Http(http) => Work::Http(HttpWork::look_up(http, allowed)?),
            PlanTarget::Server(server) => {
                let peer = Arc::new(target::look_up_server(server, allowed)?);
                Work::Server { peer, login: login.clone(), action: server.action.clone() }
            }
        };
        Ok(Self {
            work,
            schedule: plan.schedule.clone(),
            is_shared: true,
            opening: plan.target.opening(),
            concurrency: plan.concurrency,
            warm_up: plan.warm_up,
            drain: DRAIN,
        })
    }

    /// Returns where it goes.
    pub(super) fn address(&self) -> SocketAddr {
        match &self.work {
            Work::Http(http) => http.endpoint.address,
            Work::Server { peer, .. } => peer.address,
        }
    }

    /// Starts a driver's share at a moment. The share counts where several drivers run one plan.
    pub(super) fn start(self, begin: Instant, share: Share) -> Running {
        let share = if self.is_shared { share } else { Share::WHOLE };
        Running { begin, parts: vec![Part::start(self.clone(), begin, share, 0)], load: self }
    }
}

/// What the thread of a load and its driver share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) load: Load,
    pub(super) begin: Instant,
    pub(super) share: Share,
    /// The first request of the share that is sent.
    pub(super) first: u64,
    pub(super) figures: Mutex<Figures>,
    /// How many requests are not counted, where that is known: others have sent them, or they are of the warm-up.
    left_out: u64,
    pub(super) stop: Stop,
}

/// A load that runs: this driver's share, and those that it has taken over. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    load: Load,
    begin: Instant,
    parts: Vec<Part>,
}

/// One share that is sent.
#[derive(Debug)]
struct Part {
    shared: Arc<Shared>,
    ended: Option<oneshot::Receiver<Result<(), String>>>,
    outcome: Option<Result<(), String>>,
}

impl Running {
    /// Sends a part of the share of a lost driver too.
    pub(super) fn take_over(&mut self, takeover: &Takeover, node_id: &str) {
        let place = takeover.by.iter().position(|id| id == node_id);
        let Some(place) = place.filter(|_| self.load.is_shared && takeover.place < takeover.of) else {
            return;
        };
        let (place, by) = (place as u64, takeover.by.len() as u64);
        // Every `by`th of the lost driver's own requests.
        let own = place.checked_mul(takeover.of).and_then(|before| before.checked_add(takeover.place));
        let Some((place_of_all, of)) = own.zip(takeover.of.checked_mul(by)) else { return };
        let share = Share { place: place_of_all, of };
        let schedule = &self.load.schedule;
        let first = match schedule {
            // All are due at once: it is known only how many had begun.
            Schedule::Spaced { spacing, .. } if spacing.is_zero() => {
                Share { place, of: by }.count(takeover.started)
            }
            _ => schedule.due_before(share, Duration::from_millis(takeover.from_ms)),
        };
        if schedule.requests(share).is_none_or(|requests| first < requests) {
            self.parts.push(Part::start(self.load.clone(), self.begin, share, first));
        }
    }

    /// Returns the figures so far.
    pub(super) fn figures(&self) -> Figures {
        let mut sum = Figures::new(0);
        for part in &self.parts {
            sum.add(&part.figures());
        }
        sum
    }

    /// Returns when all requests are answered or have failed; with the reason if the load could not be made.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again.
    pub(super) async fn finished(&mut self) -> Result<(), String> {
        let mut all = Ok(());
        for part in &mut self.parts {
            let outcome = part.finished().await;
            all = all.and(outcome);
        }
        all
    }

    /// Ends the load; requests that are under way are not waited for.
    pub(super) async fn stop(&mut self) {
        for part in &self.parts {
            part.shared.stop.ask();
        }
        // It was asked to stop: that is no fault. A server that does not answer may hold a thread up.
        let _ = timeout(STOP, self.finished()).await;
        for part in &self.parts {
            part.count_dropped();
        }
    }
}

impl Part {
    fn start(load: Load, begin: Instant, share: Share, first: u64) -> Self {
        let left_out = load.schedule.due_before(share, load.warm_up).max(first);
        let requests = load.schedule.requests(share).unwrap_or(0);
        let shared = Arc::new(Shared {
            begin,
            share,
            first,
            figures: Mutex::new(Figures::new(requests.saturating_sub(left_out))),
            left_out,
            stop: Stop::default(),
            load,
        });
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("load".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                // Nobody listens any more when the process ends.
                let _ = end.send(work::run(&shared));
            }
        });
        let outcome = thread.err().map(|error| Err(format!("no thread for the load: {error}")));
        Self { shared, ended: Some(ended), outcome }
    }

    fn figures(&self) -> Figures {
        let mut figures = self.shared.figures.lock().clone();
        let Shared { load, begin, share, left_out, .. } = &*self.shared;
        let elapsed = Instant::now().saturating_duration_since(*begin).saturating_sub(figures.opening);
        let length = load.schedule.duration().unwrap_or_default();
        let is_done = figures.counts.asked > 0 && figures.counts.done == figures.counts.asked;
        // The time after the last request belongs to it: at a rate of 1 per second, 5 requests take 5 s.
        let so_far = if is_done { length } else { elapsed.min(length) };
        figures.span = figures.ended.max(so_far).saturating_sub(load.warm_up);
        figures.counts.due = match load.schedule {
            Schedule::Users(_) | Schedule::BackToBack { .. } => figures.counts.started,
            _ => load.schedule.due_before(*share, elapsed).saturating_sub(*left_out),
        };
        figures
    }

    async fn finished(&mut self) -> Result<(), String> {
        if let Some(ended) = &mut self.ended {
            let outcome = ended.await.unwrap_or_else(|_| Err("the load ended by itself".to_owned()));
            self.ended = None;
            self.outcome.get_or_insert(outcome);
            self.count_dropped();
        }
        self.outcome.clone().unwrap_or(Ok(()))
    }

    /// Counts what was never sent.
    fn count_dropped(&self) {
        if self.shared.load.schedule.requests(self.shared.share).is_some() {
            let counts = &mut self.shared.figures.lock().counts;
            counts.dropped = counts.asked.saturating_sub(counts.started);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.shared.stop.ask();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn what_a_slow_target_keeps_from_being_sent_is_no_complete_load() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = format!("http://{}/", listener.local_addr().unwrap());
        // It answers once the load is over for long.
        let (answer, wait) = std::sync::mpsc::channel::<()>();
        thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
            wait.recv().unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let config = TestConfig {
            test_type: TestType::Tsunami,
            test_message_delay: 1,
            message_count_per_driver: 3,
            target: Some(target),
            concurrency: Some(1),
            ..TestConfig::default()
        };
        let nobody = Credentials { user: String::new(), pass: String::new() };
        let mut load = Load::prepare(&config, None, &[], &nobody).unwrap();
        load.drain = Duration::ZERO;
        let mut running = load.start(Instant::now(), Share::WHOLE);
        while running.figures().counts.due < 3 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer.send(()).unwrap();
        let reason = running.finished().await.unwrap_err();
        assert!(reason.starts_with("2 requests were not sent"), "{reason}");
        let figures = running.figures();
        assert_eq!((figures.counts.done, figures.counts.dropped, figures.open_files), (1, 2, 1));
    }
}
