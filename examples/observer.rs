//! Watching a hub: deliveries and slow consumers, counted.
//!
//! `cargo run --example observer --no-default-features`

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use shardcast::hub::{
    ConnectionId, EndReason, Frame, Hub, HubConfig, HubParts, MessageId, Observer, PassReport, UserId,
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket, TcpStream},
};

/// Counts. What it does runs on the hub's tasks, so it must be quick: atomics are, locks that somebody may hold are
/// not.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) open: AtomicUsize,
    pub(crate) delivered: AtomicU64,
    pub(crate) passes: AtomicU64,
    pub(crate) slow_consumers: AtomicU64,
}

impl Observer for Counters {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    fn on_end(&self, _: UserId, _: ConnectionId, reason: EndReason) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        if reason == EndReason::SlowConsumer {
            self.slow_consumers.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn on_pass(&self, _: UserId, report: PassReport) {
        self.passes.fetch_add(1, Ordering::Relaxed);
        self.delivered.fetch_add(report.delivered as u64, Ordering::Relaxed);
    }

    fn on_catch_up(&self, _: UserId, messages: usize) {
        self.delivered.fetch_add(messages as u64, Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (messages, counters) = run().await?;
    println!("{messages} messages to a client that reads and one that does not: {counters:?}");
    Ok(())
}

/// Brings messages to two streams of a user, one of which is never read, until that one is given up. Returns how
/// many the other one has read.
pub(crate) async fn run() -> Result<(u64, Arc<Counters>), Box<dyn Error>> {
    const MESSAGE_BYTES: usize = 4096;

    let counters = Arc::new(Counters::default());
    let mut parts = HubParts::default();
    parts.observer = Some(Arc::<Counters>::clone(&counters));
    let hub = Hub::with_parts(HubConfig::default(), parts);

    let ann = UserId(1);
    let (mut reader, reading) = connect().await?;
    let (_sleeper, sleeping) = connect().await?;
    let streams = [("reads", reading), ("sleeps", sleeping)].map(|(token, socket)| {
        hub.register(ann, token, None).map(|registration| {
            let mut stream = registration.attach(socket);
            tokio::spawn(async move { stream.ended().await })
        })
    });

    let mut messages = 0;
    let mut message = vec![0; MESSAGE_BYTES];
    while counters.slow_consumers.load(Ordering::Relaxed) == 0 {
        messages += 1;
        hub.notify(ann, &[Frame::new(MessageId(messages), vec![b'.'; MESSAGE_BYTES])]);
        // One at a time. The hub has no backlog here: who is behind by more than the ring holds is given up.
        reader.read_exact(&mut message).await?;
    }

    drop(reader);
    for stream in streams {
        stream?.abort();
    }
    Ok((messages, counters))
}

/// Returns both ends of a connection; what the first does not read soon fills it.
async fn connect() -> Result<(TcpStream, TcpStream), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpSocket::new_v4()?;
    client.set_recv_buffer_size(16 << 10)?;
    let client = client.connect(listener.local_addr()?).await?;
    Ok((client, listener.accept().await?.0))
}
