//! What durability costs a message: one transaction for one, and one for many.

use std::{sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use shardcast::{
    model::{ApplicationId, UserId},
    store::{Applications as _, Database, NewApplication, NewMessage, NewUser, Sqlite, Store, Users as _},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A database in a file, with a user and an application.
struct Bench {
    runtime: Runtime,
    database: Arc<dyn Database>,
    message: NewMessage,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        // Beside the build, since a folder for temporary files may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let path = folder.path().join("bench.db");
        let (database, user_id, application_id) =
            runtime.block_on(database(path.to_str().expect("a path in UTF-8")));
        let message = NewMessage {
            user_id,
            application_id,
            message: "x".repeat(200),
            title: "Backup".to_owned(),
            priority: 5,
            extras: None,
            date: chrono::Local::now().fixed_offset(),
        };
        Self { runtime, database, message, _folder: folder }
    }
}

async fn database(path: &str) -> (Arc<dyn Database>, UserId, ApplicationId) {
    let database = Sqlite::open(path).await.expect("a database");
    let created_at = chrono::Local::now().fixed_offset();
    let user = NewUser { name: "ann".to_owned(), password_hash: String::new(), admin: false, created_at };
    let user = database.create_user(user).await.expect("a user");
    let application = NewApplication {
        user_id: user.id,
        token: "Abench".to_owned(),
        name: "backup".to_owned(),
        description: String::new(),
        default_priority: 0,
        sort_key: None,
        created_at,
    };
    let application = database.create_application(application).await.expect("an application");
    (Arc::new(database), user.id, application.id)
}

/// One transaction of so many messages.
fn transaction(criterion: &mut Criterion) {
    let bench = Bench::new();
    let mut group = criterion.benchmark_group("store/transaction");
    for batch in [1_usize, 4, 16, 64, 256] {
        let messages = vec![bench.message.clone(); batch];
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            bencher
                .iter(|| bench.runtime.block_on(bench.database.insert_messages(&messages)).expect("stored"));
        });
    }
    group.finish();
}

/// So many senders, each of which sends its next message when the last one is durable.
fn senders(criterion: &mut Criterion) {
    let bench = Bench::new();
    let store = bench.runtime.block_on(async { Store::new(Arc::clone(&bench.database), |_| {}) });
    let mut group = criterion.benchmark_group("store/senders");
    for senders in [1_usize, 16, 64, 256] {
        group.throughput(Throughput::Elements(senders as u64));
        group.bench_function(BenchmarkId::from_parameter(senders), |bencher| {
            bencher.iter(|| {
                let publishes = (0..senders).map(|_| store.publish(bench.message.clone()));
                let stored = bench.runtime.block_on(join_all(publishes));
                assert!(stored.iter().all(Result::is_ok));
            });
        });
    }
    group.finish();
    bench.runtime.block_on(store.shutdown());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    targets = transaction, senders
}
criterion_main!(benches);
