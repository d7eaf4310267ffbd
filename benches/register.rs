//! What a stream costs to come and go, in an empty hub and in full ones.

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shardcast::hub::{Hub, HubConfig, Stream, UserId};
use tokio::runtime::Builder;

use null::NullSocket;

#[path = "socket/null.rs"]
mod null;

const CROWD: u64 = 20_000;

fn join(hub: &Hub, socket: &NullSocket, user: u64, token: &str) -> Stream {
    hub.register(UserId(user), token, None).expect("the hub takes streams").attach(socket.clone())
}

/// One stream comes and goes while so many stay.
fn one_stream(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let hub = Hub::new(HubConfig::default());
    let socket = NullSocket::default();
    let mut group = criterion.benchmark_group("register_and_drop");
    group.throughput(Throughput::Elements(1));
    let mut streams = Vec::new();
    for others in [0_u64, 1_000, 100_000] {
        while (streams.len() as u64) < others {
            let place = streams.len() as u64;
            streams.push(join(&hub, &socket, place + 1, &format!("C{place:014}")));
        }
        group.bench_function(BenchmarkId::new("beside_other_users", others), |bencher| {
            bencher.iter(|| join(&hub, &socket, 0, "Cbench"));
        });
    }
    streams.clear();
    for _ in 0..CROWD {
        streams.push(join(&hub, &socket, 0, &format!("C{:014}", streams.len())));
    }
    group.bench_function(BenchmarkId::new("beside_streams_of_the_user", CROWD), |bencher| {
        bencher.iter(|| join(&hub, &socket, 0, "Cbench"));
    });
    group.finish();
}

/// Everybody comes, everybody goes, first come first gone.
fn a_crowd(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _context = runtime.enter();
    let hub = Hub::new(HubConfig::default());
    let socket = NullSocket::default();
    let tokens: Vec<_> = (0..CROWD).map(|token| format!("C{token:014}")).collect();
    let mut group = criterion.benchmark_group("crowd_comes_and_goes");
    group.throughput(Throughput::Elements(CROWD));
    for (name, users) in [("of_one_user", 1), ("of_as_many_users", CROWD)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || Vec::with_capacity(tokens.len()),
                |mut streams| {
                    for (place, token) in (0..).zip(&tokens) {
                        streams.push(join(&hub, &socket, place % users, token));
                    }
                    drop(streams);
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = one_stream, a_crowd
}
criterion_main!(benches);
