//! Empty databases on the servers that `.ci/servers.py` starts.

#[cfg(any(feature = "mysql", feature = "postgres"))]
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

/// Makes a database of PostgreSQL, and returns its connection as Gotify takes it.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres() -> String {
    let server = server("SHARDCAST_TEST_POSTGRES");
    let mut options = sqlx::postgres::PgConnectOptions::new_without_pgpass();
    for setting in server.split_whitespace() {
        options = match setting.split_once('=').unwrap() {
            ("host", host) => options.host(host),
            ("port", port) => options.port(port.parse().unwrap()),
            ("user", user) => options.username(user),
            ("dbname", name) => options.database(name),
            _ => options,
        };
    }
    let name = create(&options).await;
    format!("{server} dbname={name}")
}

/// Makes a database of MariaDB, and returns its connection as Gotify takes it.
#[cfg(feature = "mysql")]
pub(crate) async fn mysql() -> String {
    let server = server("SHARDCAST_TEST_MYSQL");
    let (user, rest) = server.split_once("@tcp(").unwrap();
    let (host, port) = rest.split_once(')').unwrap().0.split_once(':').unwrap();
    let options = sqlx::mysql::MySqlConnectOptions::new().host(host).port(port.parse().unwrap());
    let name = create(&options.username(user)).await;
    format!("{user}@tcp({host}:{port})/{name}")
}

/// Returns the connection to a server.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn server(variable: &str) -> String {
    std::env::var(variable).expect("`.ci/servers.py` starts a server and sets this")
}

/// Makes a database with a name of its own, which stays until the server ends.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn create<O: ConnectOptions>(options: &O) -> String
where
    O::Connection: Sized,
    for<'c> &'c mut O::Connection: Executor<'c>,
{
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut administration = options.connect().await.unwrap();
    administration.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    name
}
