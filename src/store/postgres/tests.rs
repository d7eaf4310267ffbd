//! PostgreSQL held to what every database does.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::{Postgres, PostgresDialect, connection};
use crate::store::conformance;
use crate::store::remote::tests::Place;

mod statements;

mod conforms {
    use super::{conformance, in_new_database};

    conformance::suite!(in_new_database, #[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]);
}

mod as_a_server {
    use super::place;
    use crate::store::remote::tests;

    tests::suite!(place, #[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]);
}

/// The server that tests use.
fn server() -> String {
    std::env::var("SHARDCAST_TEST_POSTGRES").expect("`.ci/servers.py` starts a server and sets this")
}

/// Opens a database of its own.
async fn in_new_database() -> (Postgres, ()) {
    let Place { dialect, options, .. } = place().await;
    (Postgres::open(dialect, options).await.unwrap(), ())
}

/// Makes a database of its own, which stays until the server ends.
async fn place() -> Place<PostgresDialect> {
    let options = connection::parse(&server()).unwrap();
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut administration = options.connect().await.unwrap();
    administration.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Place {
        dialect: PostgresDialect,
        options: options.database(&name),
        early: include_str!("tests/early.sql"),
        drop_our_index: "DROP INDEX shardcast_messages_application_id",
        begin_ids_again: "SELECT setval(pg_get_serial_sequence('messages', 'id'), 1)",
        list_connections: "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        end_connection: "SELECT pg_terminate_backend({})",
    }
}
