//! What MariaDB or MySQL does for our statements.

use sqlx::{ConnectOptions as _, Executor as _};

use super::{Mysql, MysqlDialect, in_new_database, place};
use crate::store::remote::tests::statements::{
    STATEMENTS, a_batch_that_is_given_up_does_not_disturb_the_next, batch_of_64_users,
    batch_on_message_connection, explain, fill, on_message_connection, reads_a_page, statements, store,
};
use crate::store::sql::query;

/// How many statements the connection by which messages are stored has run, with this one.
async fn statements_so_far(database: &Mysql) -> usize {
    let so_far = query("SHOW SESSION STATUS LIKE 'Questions'");
    on_message_connection(database, so_far, |row| row.text(1).unwrap().parse().unwrap()).await[0]
}

#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_batch_takes_six_statements_however_many_users_it_has() {
    let (database, ()) = in_new_database().await;
    let batch = batch_of_64_users(&database).await;
    // The first time it is prepared too.
    statements_so_far(&database).await;

    let before = statements_so_far(&database).await;
    store(&database, &batch).await;
    let after = statements_so_far(&database).await;

    assert_eq!(after - before - 1, STATEMENTS);
}

#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn no_statement_scans_the_messages_or_sorts_more_than_a_page() {
    let (database, ()) = in_new_database().await;
    let (user, applications) = fill(&database).await;
    batch_on_message_connection(
        &database,
        "ANALYZE TABLE messages, applications, shardcast_keyed, \
        shardcast_search_segments, shardcast_search_words",
    )
    .await;
    for statement in statements::<MysqlDialect>(&user, &applications) {
        // Table, how it is read, and what is done with it.
        let plan =
            explain(&database, &statement, |step| [2, 3, 9].map(|column| step.text(column).unwrap())).await;
        for [table, kind, extra] in &plan {
            let is_messages = matches!(table.as_str(), "messages" | "m" | "s" | "i");
            let is_ours = table == "k" || table.starts_with("shardcast_");
            assert!(
                !(is_messages || is_ours) || !matches!(kind.as_str(), "ALL" | "index"),
                "{statement:?}: {plan:#?}"
            );
            let sorts = extra.contains("filesort") || extra.contains("temporary");
            let sorts_page = reads_a_page(&statement) || statement.0.contains("AS senders");
            assert!(!sorts || !is_messages && sorts_page, "{statement:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_database_starts_with_more_users_than_a_statement_has_places() {
    let place = place().await;
    Mysql::open(place.dialect, place.options.clone()).await.unwrap();
    let mut gotify = place.options.connect().await.unwrap();
    for statement in [
        "INSERT INTO users (name) SELECT concat('user ', uuid()) FROM information_schema.columns a, \
            information_schema.columns b LIMIT 20000",
        "INSERT INTO applications (token, user_id, sort_key) SELECT concat('A', id), id, 'a' FROM users",
        "INSERT INTO messages (application_id, message) SELECT id, 'text' FROM applications",
    ] {
        gotify.execute(statement).await.unwrap();
    }

    let database = Mysql::open(place.dialect, place.options).await.unwrap();

    let heads = query("SELECT count(*) FROM shardcast_heads");
    assert_eq!(on_message_connection(&database, heads, |row| row.unsigned(0).unwrap()).await, [20_000]);
}

#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_batch_that_is_given_up_half_way_does_not_disturb_the_next() {
    let (database, ()) = in_new_database().await;
    a_batch_that_is_given_up_does_not_disturb_the_next(&database).await;
}
