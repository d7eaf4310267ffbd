//! A node on a database of its own, and what must hold of each of its answers.

use std::cell::OnceCell;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use bytes::Bytes;
use chrono::{Local, TimeDelta};
use http_body_util::BodyExt as _;
use serde_json::Value;
use shardcast::model::{ApplicationId, Compatibility, UserId};
use shardcast::server::{Node, NodeConfig};
use shardcast::store::{Database, ImageStorage, NewApplication, NewClient, NewMessage, Sqlite};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// The token of the administrator's client.
pub(crate) const CLIENT: &str = "CFuzzedClient00";
/// The token of a client that requests may change.
pub(crate) const CHANGED_CLIENT: &str = "CFuzzedClient01";
/// The token of the administrator's first application.
pub(crate) const APPLICATION: &str = "AFuzzedApp00000";

/// A node whose only user has two applications and a client.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) database: Arc<dyn Database>,
    router: Router,
    node: Node,
    _folder: TempDir,
}

/// An answer that is whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Returns the body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// Runs with the node of this thread, which is started first if need be.
pub(crate) fn with<T>(compatibility: Compatibility, run: impl FnOnce(&World) -> T) -> T {
    WORLD.with(|world| run(world.get_or_init(|| World::new(compatibility))))
}

impl World {
    fn new(compatibility: Compatibility) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("gotify.db");
        let (node, database) = runtime.block_on(async {
            let database = Sqlite::open(&file.to_string_lossy()).await.expect("a database can be made");
            let database: Arc<dyn Database> = Arc::new(database);
            let mut config = NodeConfig::default();
            config.api.compatibility = compatibility;
            config.images = ImageStorage::Database;
            config.images_folder = folder.path().join("images");
            // The cheapest.
            config.password_cost = 4;
            config.login_limits.failures_per_address = 0;
            config.login_limits.failures_per_name = 0;
            config.first_password = "admin".to_owned().into();
            let (node, _) = Node::open(Arc::clone(&database), config).await.expect("a node can be started");
            fill(&*database).await;
            (node, database)
        });
        Self { router: node.router(), node, runtime, database, _folder: folder }
    }

    /// Publishes a message.
    pub(crate) fn publish(&self, application_id: ApplicationId, message: &str) {
        let message = NewMessage {
            user_id: UserId(1),
            application_id,
            message: message.to_owned(),
            title: "title".to_owned(),
            priority: 5,
            extras: None,
            date: Local::now().fixed_offset(),
        };
        self.runtime.block_on(self.node.publish(message)).expect("a message can be published");
    }

    /// Sends a request, and checks its answer. `None` for a stream of events, which does not end.
    pub(crate) fn ask(&self, request: Request<Body>) -> Option<Answer> {
        let shown = format!("{} {}", request.method(), request.uri());
        let is_stream = request.uri().path() == "/stream";
        let is_head = request.method() == Method::HEAD;
        // To a page of another site nothing is said, as in Gotify.
        let is_foreign = request.headers().contains_key(header::ORIGIN);
        let answer = self.runtime.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE);
            if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
                return None;
            }
            let body = body.collect().await.unwrap_or_else(|error| panic!("{shown} breaks off: {error}"));
            Some(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        })?;
        assert!(!answer.status.is_server_error(), "{shown}: {answer:?}");
        let is_silent = is_foreign && answer.status == StatusCode::FORBIDDEN && answer.body.is_empty();
        if answer.status.is_client_error() && !is_stream && !is_head && !is_silent {
            let error = answer.json();
            assert_eq!(error["errorCode"], answer.status.as_u16(), "{shown}: {answer:?}");
            for field in ["error", "errorDescription"] {
                assert!(error[field].as_str().is_some_and(|text| !text.is_empty()), "{shown}: {answer:?}");
            }
        }
        Some(answer)
    }
}

/// Makes the client and the applications.
async fn fill(database: &dyn Database) {
    let created_at = Local::now().fixed_offset();
    for token in [CLIENT, CHANGED_CLIENT] {
        let client = NewClient::new(UserId(1), token.to_owned(), "fuzzer", created_at);
        let client = database.create_client(client).await.expect("a client can be made");
        let until = created_at + TimeDelta::days(1000);
        database.elevate_client(client.id, until, created_at).await.expect("a client can be elevated");
    }
    for token in [APPLICATION, "AFuzzedApp00001"] {
        let application = NewApplication {
            user_id: UserId(1),
            token: token.to_owned(),
            name: "application".to_owned(),
            description: String::new(),
            default_priority: 4,
            sort_key: None,
            created_at,
        };
        database.create_application(application).await.expect("an application can be made");
    }
}
