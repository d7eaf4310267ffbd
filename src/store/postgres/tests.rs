//! PostgreSQL held to what every database does.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::{Postgres, connection};
use crate::store::conformance;

mod conforms {
    use super::{conformance, in_new_database};

    conformance::suite!(in_new_database, #[cfg_attr(not(test_postgres), ignore = "`.ci/databases.py` starts a server")]);
}

/// The server that tests use.
fn server() -> String {
    std::env::var("SHARDCAST_TEST_POSTGRES").expect("`.ci/databases.py` starts a server and sets this")
}

/// Opens a database of its own, which stays until the server ends.
async fn in_new_database() -> (Postgres, ()) {
    let options = connection::parse(&server()).unwrap();
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut administration = options.connect().await.unwrap();
    administration.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let database = super::open(&format!("{} dbname={name}", server())).await.unwrap();
    (database, ())
}
