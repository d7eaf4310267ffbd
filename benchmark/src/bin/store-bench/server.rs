//! A database server, with a new database on it that has as many users as there are senders at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use shardcast::external::chrono::Local;
use shardcast::store::{
    Database, DatabaseConfig, Dialect, NewApplication, NewMessage, NewUser, PublishObserver, Store, open,
};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::SENDERS;

/// A new database.
pub(crate) struct Server<C> {
    pub(crate) store: Store,
    pub(crate) commits: Arc<Commits>,
    /// How to connect to it.
    pub(crate) options: C,
    /// A message of each user.
    messages: Vec<NewMessage>,
}

/// Counts what the store commits.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    messages: AtomicU64,
    transactions: AtomicU64,
}

impl PublishObserver for Commits {
    fn on_commit(&self, messages: usize, _: Duration) {
        self.messages.fetch_add(messages as u64, Ordering::Relaxed);
        self.transactions.fetch_add(1, Ordering::Relaxed);
    }
}

impl Commits {
    /// Returns how many messages and how many transactions there were.
    pub(crate) fn counted(&self) -> (u64, u64) {
        (self.messages.load(Ordering::Relaxed), self.transactions.load(Ordering::Relaxed))
    }
}

impl<C> Server<C> {
    async fn new(dialect: Dialect, connection: String, options: C) -> Result<Self> {
        let database = open(&DatabaseConfig::new(dialect, connection)).await?;
        let mut messages = Vec::new();
        for number in 0..SENDERS.into_iter().max().unwrap_or_default() {
            messages.push(message(&*database, number).await?);
        }
        let commits = Arc::new(Commits::default());
        let store = Store::watched(database, |_| {}, Arc::<Commits>::clone(&commits));
        Ok(Self { store, commits, options, messages })
    }

    /// Returns the message that each of so many senders publishes.
    pub(crate) fn messages(&self, senders: usize) -> impl Iterator<Item = NewMessage> {
        self.messages.iter().take(senders).cloned()
    }
}

/// Makes a new database on the server that `SHARDCAST_TEST_POSTGRES` names.
pub(crate) async fn postgres() -> Result<Server<PgConnectOptions>> {
    let server = variable("SHARDCAST_TEST_POSTGRES")?;
    let mut options = PgConnectOptions::new_without_pgpass();
    for setting in server.split_whitespace() {
        let setting = setting.split_once('=').context("a setting has no `=`")?;
        options = match setting {
            ("host", host) => options.host(host),
            ("port", port) => options.port(port.parse()?),
            ("user", user) => options.username(user),
            _ => options,
        };
    }
    let options = options.disable_statement_logging();
    let name = name();
    options
        .clone()
        .database("postgres")
        .connect()
        .await?
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await?;
    Server::new(Dialect::Postgres, format!("{server} dbname={name}"), options.database(&name)).await
}

/// Makes a new database on the server that `SHARDCAST_TEST_MYSQL` names, as in `root@tcp(127.0.0.1:3306)/mysql`.
pub(crate) async fn mysql() -> Result<Server<MySqlConnectOptions>> {
    let server = variable("SHARDCAST_TEST_MYSQL")?;
    let (place, _) = server.rsplit_once('/').context("it has no `/`")?;
    let (user, address) = place.split_once("@tcp(").context("it has no `@tcp(`")?;
    let (host, port) = address.trim_end_matches(')').rsplit_once(':').context("it has no port")?;
    let options = MySqlConnectOptions::new().host(host).port(port.parse()?).username(user).charset("utf8mb4");
    let options = options.statement_cache_capacity(512).disable_statement_logging();
    let name = name();
    options.connect().await?.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    Server::new(Dialect::Mysql, format!("{place}/{name}"), options.database(&name)).await
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set; `.ci/servers.py` starts a server and sets it"))
}

fn name() -> String {
    format!("bench_{}_{}", std::process::id(), Local::now().timestamp())
}

/// Makes a user with an application, and returns a message of it.
async fn message(database: &dyn Database, number: usize) -> Result<NewMessage> {
    let now = Local::now().fixed_offset();
    let user = NewUser {
        name: format!("user{number}"),
        password_hash: String::new(),
        admin: false,
        created_at: now,
    };
    let user = database.create_user(user).await?;
    let application = NewApplication {
        user_id: user.id,
        token: format!("Abench{number}"),
        name: "backup".to_owned(),
        description: String::new(),
        default_priority: 0,
        sort_key: None,
        created_at: now,
    };
    let application = database.create_application(application).await?;
    Ok(NewMessage {
        user_id: user.id,
        application_id: application.id,
        message: "x".repeat(200),
        title: "Backup".to_owned(),
        priority: 5,
        extras: None,
        date: now,
    })
}
