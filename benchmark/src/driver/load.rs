//! The tests of the specification: requests at a fixed delay, or all at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, header},
};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{allowed::Allowed, figures::Figures, target::Target};
use crate::bus::message::{TestConfig, TestType};

/// Requests under way at once, unless the test says otherwise.
const CONCURRENCY: u32 = 64;
const CONCURRENCY_MAX: u32 = 10_000;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest test.
const REQUESTS_MAX: u64 = 1_000_000_000;

/// A test that can begin.
#[derive(Debug, Clone)]
pub(super) struct Load {
    target: Target,
    requests: u64,
    /// The time between two requests; none if all are due at once.
    spacing: Duration,
    workers: u32,
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
    ) -> Result<Self, String> {
        if config.plan.is_some() {
            return Err("this driver runs the tests TSUNAMI and AVALANCHE, and no plans".to_owned());
        }
        let url = config.target.as_deref().or(own_target);
        let url = url.ok_or("the test has no target, and this driver was started without `--target`")?;
        let target = Target::look_up(url, allowed)?;
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
        let workers = config.concurrency.unwrap_or(CONCURRENCY);
        if !(1..=CONCURRENCY_MAX).contains(&workers) {
            return Err(format!("`concurrency` is {workers}: it must be 1 to {CONCURRENCY_MAX}"));
        }
        // The slower one wins.
        Ok(Self { target, requests, spacing: delay.max(ceiling), workers })
    }

    /// Starts sending at a moment.
    pub(super) fn start(self, begin: Instant) -> Running {
        let shared = Arc::new(Shared {
            begin,
            next: AtomicU64::new(0),
            figures: Mutex::new(Figures::new(self.requests)),
            load: self,
        });
        let count = u64::from(shared.load.workers).min(shared.load.requests);
        let mut workers = JoinSet::new();
        for _ in 0..count {
            workers.spawn(work(Arc::clone(&shared)));
        }
        Running { shared, workers }
    }
}

/// A test that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    shared: Arc<Shared>,
    workers: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    load: Load,
    begin: Instant,
    /// The number of the next request.
    next: AtomicU64,
    figures: Mutex<Figures>,
}

impl Shared {
    fn due(&self, number: u64) -> Instant {
        let spacing = self.load.spacing.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "to a nanosecond for years")]
        let after = Duration::try_from_secs_f64(spacing * number as f64).unwrap_or(Duration::MAX / 4);
        self.begin + after
    }
}

impl Running {
    /// Returns the figures so far.
    pub(super) fn figures(&self) -> Figures {
        let mut figures = self.shared.figures.lock().clone();
        let elapsed = Instant::now().saturating_duration_since(self.shared.begin);
        figures.counts.due = match self.shared.load.spacing {
            _ if Instant::now() < self.shared.begin => 0,
            Duration::ZERO => figures.counts.asked,
            spacing => {
                let due = elapsed.as_nanos() / spacing.as_nanos() + 1;
                u64::try_from(due).unwrap_or(u64::MAX).min(figures.counts.asked)
            }
        };
        figures
    }

    /// Returns when all requests are answered or have failed.
    ///
    /// # Cancel safety
    ///
    /// May be dropped and called again.
    pub(super) async fn finished(&mut self) {
        while self.workers.join_next().await.is_some() {}
    }

    /// Ends the test; requests that are under way are not waited for.
    pub(super) async fn stop(&mut self) {
        self.workers.shutdown().await;
    }
}

/// Sends one request after the other over one connection, each when it is due.
async fn work(shared: Arc<Shared>) {
    let mut connection = None;
    loop {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.load.requests {
            return;
        }
        let due = shared.due(number);
        sleep_until(due).await;
        let sent = Instant::now();
        shared.figures.lock().on_start(sent.saturating_duration_since(due));
        let outcome = timeout(ANSWER, exchange(&shared.load.target, &mut connection)).await;
        let outcome = outcome.unwrap_or_else(|_| Err("time-out".to_owned()));
        if outcome.is_err() {
            connection = None;
        }
        let now = Instant::now();
        shared.figures.lock().on_end(outcome, now.saturating_duration_since(due), now - sent);
    }
}

/// Sends a request and reads the whole answer.
async fn exchange(target: &Target, connection: &mut Option<SendRequest<Body>>) -> Result<(), String> {
    let mut kept = connection.take();
    if let Some(sender) = &mut kept
        && sender.ready().await.is_err()
    {
        kept = None;
    }
    let mut sender = match kept {
        Some(sender) => sender,
        None => connect(target).await?,
    };
    let request = Request::get(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::USER_AGENT, "shardcast-bench")
        .body(Body::empty())
        .map_err(|_| "bad request".to_owned())?;
    let answer = sender.send_request(request).await.map_err(|error| kind(&error))?;
    let status = answer.status();
    let mut body = Body::new(answer.into_body()).into_data_stream();
    while let Some(part) = futures_util::StreamExt::next(&mut body).await {
        part.map_err(|_| "broken body".to_owned())?;
    }
    *connection = Some(sender);
    if status.is_success() { Ok(()) } else { Err(format!("status {}", status.as_u16())) }
}

async fn connect(target: &Target) -> Result<SendRequest<Body>, String> {
    let socket =
        TcpStream::connect(target.address).await.map_err(|error| format!("connect: {}", error.kind()))?;
    socket.set_nodelay(true).map_err(|error| format!("connect: {}", error.kind()))?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(|error| kind(&error))?;
    // Ends with its sender.
    tokio::spawn(connection);
    Ok(sender)
}

fn kind(error: &hyper::Error) -> String {
    let kind = if error.is_timeout() {
        "time-out"
    } else if error.is_parse() {
        "no HTTP"
    } else if error.is_closed() || error.is_canceled() || error.is_incomplete_message() {
        "closed"
    } else {
        "connection"
    };
    kind.to_owned()
}
