//! Several threads that register, notify and unregister at once: the hub by number of shards, beside what one
//! would write first.
//!
//! Each thread owns some of the users, as ids must ascend for each of them. The clock stops when the streams that
//! stay have got every message.

use std::{
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use null::NullSocket;
use registry::{Guarded, Registry, Scanned, Sharded, Single};

#[path = "socket/null.rs"]
mod null;
#[path = "contention/registry.rs"]
mod registry;

const THREADS: u32 = 4;
const SHARDS: [usize; 6] = [1, 64, 128, 256, 512, 1024];
const FRAME_BYTES: usize = 100;

/// How many users there are, and how many streams of each stay.
#[derive(Clone, Copy)]
struct Population {
    name: &'static str,
    users: u64,
    streams: u64,
    /// Whether messages are sent, besides streams that come and go.
    notifies: bool,
}

const MANY_USERS: Population =
    Population { name: "contention/many_users", users: 1024, streams: 8, notifies: true };
const ONE_USER: Population =
    Population { name: "contention/one_user", users: 1, streams: 5000, notifies: false };

/// Runs so many rounds on all threads together.
fn run<R: Registry>(registry: &R, stays: &NullSocket, population: Population, rounds: u64) -> Duration {
    let (threads, frame_bytes) = (u64::from(THREADS), FRAME_BYTES as u64);
    let begin = Barrier::new(THREADS as usize + 1);
    let done = Barrier::new(THREADS as usize + 1);
    let sent = AtomicU64::new(0);
    let before = stays.taken();
    thread::scope(|scope| {
        for thread in 0..threads {
            let (begin, done, sent) = (&begin, &done, &sent);
            scope.spawn(move || {
                let rounds = rounds / threads + u64::from(thread < rounds % threads);
                let tokens: Vec<_> = (0..64).map(|place| format!("Cbench{thread}-{place:04}")).collect();
                let passing = NullSocket::default();
                begin.wait();
                for (round, token) in (0..rounds).zip(tokens.iter().cycle()) {
                    // Coprime to the number of users a thread owns, so that all have their turn.
                    let user = (round * 101 * threads + thread) % population.users;
                    let held = registry.join(user, token, &passing);
                    if population.notifies {
                        registry.notify(user);
                    }
                    registry.leave(user, token, black_box(held));
                }
                if population.notifies {
                    sent.fetch_add(rounds, Ordering::Relaxed);
                }
                done.wait();
            });
        }
        begin.wait();
        let start = Instant::now();
        done.wait();
        let expected = before + sent.load(Ordering::Relaxed) * population.streams * frame_bytes;
        while stays.taken() < expected {
            thread::yield_now();
        }
        start.elapsed()
    })
}

fn measure<R: Registry>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    population: Population,
    registry: &R,
) {
    let stays = NullSocket::default();
    let mut held = Vec::new();
    for user in 0..population.users {
        for place in 0..population.streams {
            held.push(registry.join(user, &format!("C{user}-{place}"), &stays));
        }
    }
    group.bench_function(id, |bencher| {
        bencher.iter_custom(|rounds| run(registry, &stays, population, rounds));
    });
}

fn contention(criterion: &mut Criterion) {
    for population in [MANY_USERS, ONE_USER] {
        let users = population.users;
        let mut group = criterion.benchmark_group(population.name);
        group.throughput(Throughput::Elements(1));
        for shards in SHARDS {
            let hub = Sharded::new(shards, users);
            measure(&mut group, BenchmarkId::new("hub", shards), population, &hub);
        }
        measure(&mut group, BenchmarkId::from_parameter("mutex"), population, &Single::new(users));
        measure(&mut group, BenchmarkId::from_parameter("dashmap"), population, &Guarded::new(users));
        measure(&mut group, BenchmarkId::from_parameter("slice_scan"), population, &Scanned::new(users));
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = contention
}
criterion_main!(benches);
