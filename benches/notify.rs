//! What a message costs from `notify` until the last socket has taken it.
//!
//! One runtime on one thread carries everything, so that no wake-up between threads blurs the figures.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shardcast::hub::{Frame, Hub, HubConfig, MessageId, Stream, UserId};
use tokio::runtime::{Builder, Runtime};

use null::NullSocket;

#[path = "socket/null.rs"]
mod null;

const PAYLOAD: &[u8] = &[b'x'; 200];

/// Whether the hub looks after all of its streams now and then, on the same thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sweep {
    /// The runtime's clock stands still.
    Never,
    AsConfigured,
}

/// A hub on a thread of its own making, with streams that stay.
struct Bench {
    runtime: Runtime,
    hub: Hub,
    socket: NullSocket,
    streams: Vec<Stream>,
    last_id: u64,
}

impl Bench {
    fn new(sweep: Sweep) -> Self {
        let paused = sweep == Sweep::Never;
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(paused).build().expect("a runtime");
        let hub = runtime.block_on(async { Hub::new(HubConfig::default()) });
        Self { runtime, hub, socket: NullSocket::default(), streams: Vec::new(), last_id: 0 }
    }

    fn join(&mut self, user: u64) {
        let token = format!("C{:014}", self.streams.len());
        let registration = self.hub.register(UserId(user), &token, None).expect("the hub takes streams");
        let _context = self.runtime.enter();
        self.streams.push(registration.attach(self.socket.clone()));
    }

    /// Notifies one user after the other, waiting each time until so many streams have got it all.
    fn run(&mut self, iterations: u64, streams: u64, user: impl Fn(u64) -> u64) -> Duration {
        let Self { runtime, hub, socket, last_id, .. } = self;
        runtime.block_on(async {
            let mut expected = socket.taken();
            let start = Instant::now();
            for turn in 0..iterations {
                *last_id += 1;
                let frame = Frame::text(MessageId(*last_id), PAYLOAD);
                expected += frame.size() as u64 * streams;
                hub.notify(UserId(user(turn)), &[frame]);
                while socket.taken() < expected {
                    tokio::task::yield_now().await;
                }
            }
            start.elapsed()
        })
    }
}

fn registered_clients(criterion: &mut Criterion) {
    beside_other_clients(criterion, Sweep::Never, "notify/registered_clients");
    beside_other_clients(criterion, Sweep::AsConfigured, "notify/registered_clients_and_sweep");
}

fn beside_other_clients(criterion: &mut Criterion, sweep: Sweep, name: &str) {
    let mut bench = Bench::new(sweep);
    bench.join(0);
    for clients in [1_000_u64, 10_000, 100_000, 1_000_000] {
        while (bench.streams.len() as u64) <= clients {
            bench.join(bench.streams.len() as u64);
        }
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("same_user", clients), |bencher| {
            bencher.iter_custom(|iterations| bench.run(iterations, 1, |_| 0));
        });
        // Neighbors in time are far apart in memory: what a cold cache costs.
        group.bench_function(BenchmarkId::new("any_user", clients), |bencher| {
            bencher.iter_custom(|iterations| {
                bench.run(iterations, 1, |turn| turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) % clients)
            });
        });
        group.finish();
    }
}

fn streams_of_one_user(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("notify/streams_of_one_user");
    let mut bench = Bench::new(Sweep::Never);
    for streams in [1_u64, 100, 1_000, 10_000] {
        while (bench.streams.len() as u64) < streams {
            bench.join(0);
        }
        group.throughput(Throughput::Elements(streams));
        group.bench_function(BenchmarkId::from_parameter(streams), |bencher| {
            bencher.iter_custom(|iterations| bench.run(iterations, streams, |_| 0));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = registered_clients, streams_of_one_user
}
criterion_main!(benches);
