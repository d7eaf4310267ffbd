//! The whole server under a path of another axum application, which publishes without HTTP and lets its own
//! sessions in.
//!
//! `cargo run --example embed_axum`

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::{collections::HashMap, error::Error, sync::Arc};

use futures_util::StreamExt;
use shardcast::{
    auth::{
        Authenticate, LoginError, Passwords, StoredCredentials, TokenApplication, TokenClient, TokenHolder,
        application_token,
    },
    external::{
        async_trait::async_trait,
        axum::{self, Router, routing::get},
        chrono::Local,
        secrecy::SecretString,
    },
    model::{ApplicationId, Timestamp, User, UserId},
    server::{Node, NodeConfig, NodeParts},
    store::{Database, NewApplication, NewMessage, Sqlite, StoreError},
};
use tokio::{net::TcpListener, time::Instant};

/// Sessions of the surrounding application; whoever has none may still come with a token from the database.
#[derive(Debug)]
struct Sessions {
    sessions: HashMap<String, UserId>,
    stored: StoredCredentials,
}

#[async_trait]
impl Authenticate for Sessions {
    fn cached_application(&self, token: &str) -> Option<Arc<TokenApplication>> {
        self.stored.cached_application(token)
    }

    async fn application(&self, token: &str) -> Result<Option<Arc<TokenApplication>>, StoreError> {
        self.stored.application(token).await
    }

    fn cached_client(&self, token: &str) -> Option<Arc<TokenClient>> {
        self.stored.cached_client(token)
    }

    async fn client(&self, token: &str) -> Result<Option<Arc<TokenClient>>, StoreError> {
        match self.sessions.get(token) {
            Some(&user) => Ok(Some(Arc::new(TokenClient::of_user(user)))),
            None => self.stored.client(token).await,
        }
    }

    async fn user(
        &self,
        name: &str,
        password: SecretString,
        wait_until: Instant,
    ) -> Result<Option<User>, LoginError> {
        self.stored.user(name, password, wait_until).await
    }

    fn unwritten_use(&self, holder: TokenHolder) -> Option<Timestamp> {
        self.stored.unwritten_use(holder)
    }

    fn forget_application(&self, token: &str) {
        self.stored.forget_application(token);
    }

    fn forget_client(&self, token: &str) {
        self.stored.forget_client(token);
    }

    fn forget_user(&self, user_id: UserId) {
        self.stored.forget_user(user_id);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Starts the application, publishes two messages, and tells what a client of it saw.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("gotify.db");
    let database: Arc<dyn Database> = Arc::new(Sqlite::open(&file.to_string_lossy()).await?);

    // A first start makes the administrator, whose id is 1.
    let sessions = HashMap::from([("a session of ours".to_owned(), UserId(1))]);
    let stored = StoredCredentials::new(Arc::clone(&database), Passwords::new(10));
    let parts = NodeParts::default().with_authenticate(Arc::new(Sessions { sessions, stored }));
    let (node, _) = Node::open_with(database, NodeConfig::default(), parts).await?;

    let app = Router::new().route("/", get(|| async { "an application" })).nest("/push", node.router());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let token = "token=a+session+of+ours";
    let (mut stream, _) =
        tokio_tungstenite::connect_async(format!("ws://{address}/push/stream?{token}")).await?;

    let application = application(&node).await?;
    let mut told = Vec::new();
    for text in ["the first", "the second"] {
        let message = NewMessage {
            user_id: UserId(1),
            application_id: application,
            message: text.to_owned(),
            title: "From Rust".to_owned(),
            priority: 5,
            extras: None,
            date: Local::now().fixed_offset(),
        };
        node.publish(message).await?;
        let frame = stream.next().await.ok_or("the stream ended")??;
        let message: serde_json::Value = serde_json::from_str(frame.to_text()?)?;
        told.push(format!("{}: {}", message["title"], message["message"]));
    }

    // The pages of the list lead on below the path.
    let mut url = Some(format!("http://{address}/push/message?limit=1&{token}"));
    while let Some(page) = url {
        let page: serde_json::Value = reqwest::get(page).await?.json().await?;
        told.push(format!("listed {}", page["messages"][0]["message"]));
        url = page["paging"]["next"].as_str().map(|next| format!("{next}&{token}"));
    }
    told.push(reqwest::get(format!("http://{address}/")).await?.text().await?);

    server.abort();
    node.close().await;
    Ok(told)
}

/// Makes what the messages are sent by.
async fn application(node: &Node) -> Result<ApplicationId, StoreError> {
    let application = NewApplication {
        user_id: UserId(1),
        token: application_token(&mut rand::rng()),
        name: "embedding".to_owned(),
        description: String::new(),
        default_priority: 0,
        sort_key: None,
        created_at: Local::now().fixed_offset(),
    };
    Ok(node.store().database().create_application(application).await?.id)
}
