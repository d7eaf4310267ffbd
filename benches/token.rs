//! What it costs to know who a token belongs to: from the cache, and from the database.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use shardcast::{
    auth::{Authenticate, Authenticator, Passwords, StoredCredentials},
    model::UserId,
    store::{Database, NewClient, NewUser, Sqlite},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const CLIENTS: usize = 10_000;

/// A database with clients that have all been used.
struct Bench {
    runtime: Runtime,
    auth: Authenticator,
    stored: Arc<StoredCredentials>,
    tokens: Vec<String>,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let path = folder.path().join("bench.db");
        let path = path.to_str().expect("a path in UTF-8");
        let (auth, stored, tokens) = runtime.block_on(async {
            let database: Arc<dyn Database> = Arc::new(Sqlite::open(path).await.expect("a database"));
            let tokens = clients(&*database).await;
            let stored = Arc::new(StoredCredentials::new(database, Passwords::new(4)));
            let auth = Authenticator::new(Arc::clone(&stored) as Arc<dyn Authenticate>, Passwords::new(4));
            for token in &tokens {
                auth.client(token).await.expect("looked up").expect("known");
            }
            (auth, stored, tokens)
        });
        Self { runtime, auth, stored, tokens, _folder: folder }
    }
}

async fn clients(database: &dyn Database) -> Vec<String> {
    let created_at = chrono::Local::now().fixed_offset();
    let user = NewUser { name: "ann".to_owned(), password_hash: String::new(), admin: false, created_at };
    let user_id: UserId = database.create_user(user).await.expect("a user").id;
    let mut tokens = Vec::new();
    for place in 0..CLIENTS {
        let token = format!("C{place:014}");
        let client = NewClient::new(user_id, token.clone(), "phone", created_at);
        database.create_client(client).await.expect("a client");
        tokens.push(token);
    }
    tokens
}

fn look_up(criterion: &mut Criterion) {
    let bench = Bench::new();
    let mut group = criterion.benchmark_group("token");
    group.throughput(Throughput::Elements(1));
    for known in [1, CLIENTS] {
        group.bench_function(BenchmarkId::new("cached", known), |bencher| {
            bencher.iter_custom(|iterations| {
                bench.runtime.block_on(async {
                    let tokens = bench.tokens[..known].iter().cycle();
                    let start = std::time::Instant::now();
                    for (_, token) in (0..iterations).zip(tokens) {
                        black_box(bench.auth.client(token).await).expect("looked up");
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.bench_function("from_the_database", |bencher| {
        bencher.iter_custom(|iterations| {
            bench.runtime.block_on(async {
                let start = std::time::Instant::now();
                for (_, token) in (0..iterations).zip(bench.tokens.iter().cycle()) {
                    bench.stored.forget_client(token);
                    black_box(bench.auth.client(token).await).expect("looked up");
                }
                start.elapsed()
            })
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = look_up
}
criterion_main!(benches);
