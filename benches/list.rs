//! What a page of messages costs, beside the bare query through the same driver.

use std::hint::black_box;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use shardcast::model::{ApplicationId, UserId};
use shardcast::server::{Node, NodeConfig};
use shardcast::store::{
    Applications as _, Clients as _, Database, Messages as _, NewApplication, NewClient, NewMessage, Sqlite,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const MESSAGES: usize = 1_000_000;
const BATCH: usize = 1000;
const TOKEN: &str = "Cbenchabenchabe";

/// One row more than the page, as the server reads them.
const BARE: &str = "SELECT id, application_id, message, title, priority, extras, date FROM messages \
                    WHERE application_id = (SELECT id FROM applications WHERE user_id = 1) \
                    ORDER BY id DESC LIMIT 101";

/// A server on a database with a million messages.
struct Bench {
    runtime: Runtime,
    node: Node,
    bare: SqliteConnection,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let path = folder.path().join("bench.db");
        let (node, bare) = runtime.block_on(async {
            let database: Arc<Sqlite> =
                Arc::new(Sqlite::open(path.to_str().expect("a path in UTF-8")).await.expect("a database"));
            let shared: Arc<dyn Database> = Arc::<Sqlite>::clone(&database);
            let (node, _) = Node::open(shared, NodeConfig::default()).await.expect("a node");
            fill(&database).await;
            let bare = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await;
            (node, bare.expect("a connection"))
        });
        Self { runtime, node, bare, _folder: folder }
    }
}

/// The first start has made the user 1.
async fn fill(database: &Sqlite) {
    let created_at = chrono::Local::now().fixed_offset();
    let application = NewApplication {
        user_id: UserId(1),
        token: "Abenchabenchabe".to_owned(),
        name: "backup".to_owned(),
        description: String::new(),
        default_priority: 0,
        sort_key: None,
        created_at,
    };
    let application_id: ApplicationId = database.create_application(application).await.expect("stored").id;
    database.create_client(NewClient::new(UserId(1), TOKEN, "bench", created_at)).await.expect("stored");
    let message = NewMessage {
        user_id: UserId(1),
        application_id,
        message: "x".repeat(200),
        title: "Backup".to_owned(),
        priority: 5,
        extras: None,
        date: created_at,
    };
    let batch = vec![message; BATCH];
    for _ in 0..MESSAGES / BATCH {
        database.insert_messages(&batch).await.expect("stored");
    }
}

fn page(criterion: &mut Criterion) {
    let mut bench = Bench::new();
    let router = bench.node.router();
    let mut group = criterion.benchmark_group("list/page_of_100");
    group.bench_function("bare_query", |bencher| {
        bencher.iter(|| {
            let rows = bench.runtime.block_on(sqlx::query(BARE).fetch_all(&mut bench.bare)).expect("rows");
            for row in &rows {
                black_box(row.get::<String, _>(2));
            }
            assert_eq!(rows.len(), 101);
        });
    });
    group.bench_function("request", |bencher| {
        let request = || {
            let request = Request::get("/message?limit=100").header("x-gotify-key", TOKEN);
            request.body(Body::empty()).expect("a request")
        };
        bencher.iter_batched(
            request,
            |request| {
                bench.runtime.block_on(async {
                    let response = router.clone().oneshot(request).await.expect("an answer");
                    assert_eq!(response.status(), 200);
                    to_bytes(response.into_body(), usize::MAX).await.expect("a body")
                })
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, page);
criterion_main!(benches);
