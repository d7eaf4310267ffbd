//! MariaDB or MySQL held to what every database does.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::{Mysql, connection};
use crate::store::conformance;

mod conforms {
    use super::{conformance, in_new_database};

    conformance::suite!(in_new_database, #[cfg_attr(not(test_mysql), ignore = "`.ci/databases.py` starts a server")]);
}

/// The server that tests use.
fn server() -> String {
    std::env::var("SHARDCAST_TEST_MYSQL").expect("`.ci/databases.py` starts a server and sets this")
}

/// Opens a database of its own, which stays until the server ends.
async fn in_new_database() -> (Mysql, ()) {
    let (options, _) = connection::parse(&server()).unwrap();
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut administration = options.connect().await.unwrap();
    administration.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let place = server();
    let (place, _) = place.rsplit_once('/').unwrap();
    let database = super::open(&format!("{place}/{name}?parseTime=true&loc=Local")).await.unwrap();
    (database, ())
}
