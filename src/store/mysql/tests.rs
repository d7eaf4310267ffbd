//! MariaDB or MySQL held to what every database does.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::{Mysql, MysqlDialect, connection};
use crate::store::conformance;
use crate::store::remote::tests::Place;

mod statements;
mod zero_date;

mod conforms {
    use super::{conformance, in_new_database};

    conformance::suite!(in_new_database, #[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]);
}

mod as_a_server {
    use super::place;
    use crate::store::remote::tests;

    tests::suite!(place, #[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]);
}

/// The server that tests use.
fn server() -> String {
    std::env::var("SHARDCAST_TEST_MYSQL").expect("`.ci/servers.py` starts a server and sets this")
}

/// Opens a database of its own.
async fn in_new_database() -> (Mysql, ()) {
    let Place { options, .. } = place().await;
    (Mysql::open(MysqlDialect { zone: "Local".parse().unwrap() }, options).await.unwrap(), ())
}

/// Makes a database of its own, which stays until the server ends.
async fn place() -> Place<MysqlDialect> {
    let (options, _) = connection::parse(&server()).unwrap();
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut administration = options.connect().await.unwrap();
    administration.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Place {
        dialect: MysqlDialect { zone: "Europe/Berlin".parse().unwrap() },
        options: options.database(&name),
        early: include_str!("tests/early.sql"),
        drop_our_index: "DROP INDEX shardcast_messages_application_id ON messages",
        begin_ids_again: "ALTER TABLE messages AUTO_INCREMENT = 1",
        list_connections: "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
        end_connection: "KILL {}",
    }
}
