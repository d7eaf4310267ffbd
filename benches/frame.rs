//! What a message costs to become a frame: JSON as Go writes it, and the WebSocket header before it.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shardcast::{
    api::encode_json,
    hub::{self, Frame},
    model::{ApplicationId, Message, MessageId},
};

fn message(text: String) -> Message {
    Message {
        id: MessageId(1_000_000),
        application_id: ApplicationId(12),
        message: text,
        title: "Backup".to_owned(),
        priority: 5,
        extras: None,
        date: "2026-02-03T04:05:06.789+01:00".parse().expect("a time"),
    }
}

fn encoding(criterion: &mut Criterion) {
    let messages = [
        ("plain_100_bytes", message("x".repeat(100))),
        ("plain_4_kib", message("x".repeat(4096))),
        ("escaped_4_kib", message("<a href=\"b\">&\n".repeat(293))),
    ];
    let mut group = criterion.benchmark_group("frame");
    group.throughput(Throughput::Elements(1));
    for (name, message) in &messages {
        let json = encode_json(message);
        group.bench_function(BenchmarkId::new("json", name), |bencher| {
            bencher.iter(|| encode_json(black_box(message)));
        });
        group.bench_function(BenchmarkId::new("header", name), |bencher| {
            bencher.iter(|| Frame::text(hub::MessageId(1), black_box(&json)));
        });
        group.bench_function(BenchmarkId::new("both", name), |bencher| {
            bencher.iter(|| {
                let mut json = encode_json(black_box(message));
                json.push(b'\n');
                Frame::text(hub::MessageId(message.id.0), &json)
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = encoding
}
criterion_main!(benches);
