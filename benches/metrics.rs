//! What counting adds to a pass, without the kernel's share: sockets take everything for nothing.
//!
//! `cargo bench --bench metrics` prints times. Noise does not move counts of instructions, which a run of one kind
//! has under callgrind, less those of a run without passes:
//!
//! ```sh
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/deps/metrics-… counted 1000 2000
//! ```

#![expect(clippy::print_stdout, reason = "it prints what it found")]

use std::time::{Duration, Instant};

use shardcast::{
    hub::{Frame, Hub, HubConfig, HubParts, MessageId, Stream, UserId},
    metrics::Metrics,
};
use tokio::runtime::{Builder, Runtime};

use null::NullSocket;

#[path = "socket/null.rs"]
mod null;

const PAYLOAD: &[u8] = &[b'x'; 200];
const ROUNDS: usize = 15;

/// A hub with one user's streams.
struct Bench {
    runtime: Runtime,
    hub: Hub,
    socket: NullSocket,
    last_id: u64,
    streams: Vec<Stream>,
}

impl Bench {
    fn new(streams: u64, is_counted: bool) -> Self {
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let mut parts = HubParts::default();
        parts.observer = is_counted.then(|| Metrics::new().parts().observer).flatten();
        let hub = runtime.block_on(async { Hub::with_parts(HubConfig::default(), parts) });
        let socket = NullSocket::default();
        let context = runtime.enter();
        let join = |number: u64| {
            let token = format!("C{number:014}");
            hub.register(UserId(1), &token, None).expect("the hub takes streams").attach(socket.clone())
        };
        let streams = (0..streams).map(join).collect();
        drop(context);
        Self { runtime, hub, socket, last_id: 0, streams }
    }

    fn run(&mut self, passes: u64) -> Duration {
        let Self { runtime, hub, socket, last_id, streams } = self;
        let streams = streams.len() as u64;
        runtime.block_on(async {
            let mut expected = socket.taken();
            let start = Instant::now();
            for _ in 0..passes {
                *last_id += 1;
                let frame =
                    Frame::text(MessageId(*last_id), PAYLOAD).with_received_at(tokio::time::Instant::now());
                expected += frame.size() as u64 * streams;
                hub.notify(UserId(1), &[frame]);
                while socket.taken() < expected {
                    tokio::task::yield_now().await;
                }
            }
            start.elapsed()
        })
    }
}

/// Prints the time of a pass of either kind, and by how much they differ: medians of rounds in turn.
fn compare(streams: u64, passes: u64) {
    let mut benches = [false, true].map(|is_counted| Bench::new(streams, is_counted));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (bench, times) in benches.iter_mut().zip(&mut times) {
            times.push(
                bench.run(passes).as_secs_f64() * 1e9 / f64::from(u32::try_from(passes).unwrap_or(u32::MAX)),
            );
        }
    }
    let [plain, counted] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    let more = 100.0 * (counted / plain - 1.0);
    println!("{streams:>6} streams: {plain:>9.0} ns a pass, {counted:>9.0} ns counted, {more:+.2} %");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [kind, streams, passes] => {
            let number = |text: &str| text.parse().expect("the numbers of streams and passes");
            Bench::new(number(streams), kind == "counted").run(number(passes));
        }
        _ => [(1, 20_000), (10, 10_000), (100, 2_000), (1_000, 200), (10_000, 20)]
            .into_iter()
            .for_each(|(streams, passes)| compare(streams, passes)),
    }
}
