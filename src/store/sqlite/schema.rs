//! Brings a file to the schema: a new one, one that Gotify 2 or 3 made, or our own.
//!
//! There is no version number. A Gotify may have had the file since the last start, added columns and rebuilt
//! tables, so every step looks at what is there, and does nothing where nothing is missing.

use std::collections::HashSet;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::dialect::session;
use super::{backup, row, time};
use crate::model::{Timestamp, UserId};
use crate::store::sql::applications;

const TABLES: &str = include_str!("../../../migrations/sqlite/0001_tables.sql");
const LOG: &str = include_str!("../../../migrations/sqlite/0003_log.sql");
const INDEXES: &str = include_str!("../../../migrations/sqlite/0002_indexes.sql");

/// The columns that some Gotify 2 did not have yet: table, name, type.
const ADDED_COLUMNS: [(&str, &str, &str); 15] = [
    ("users", "created_at", "datetime"),
    ("users", "oidc_id", "text"),
    ("applications", "description", "text"),
    ("applications", "internal", "numeric"),
    ("applications", "image", "text"),
    ("applications", "default_priority", "integer"),
    ("applications", "created_at", "datetime"),
    ("applications", "last_used", "datetime"),
    ("applications", "sort_key", "blob"),
    ("messages", "extras", "blob"),
    ("clients", "created_at", "datetime"),
    ("clients", "last_used", "datetime"),
    ("clients", "elevated_until", "datetime"),
    ("clients", "expires_after_inactivity_seconds", "integer DEFAULT 0"),
    ("clients", "expires_at", "datetime"),
];

/// The tables whose rows say when they were made.
const DATED_TABLES: [&str; 3] = ["users", "applications", "clients"];

/// Makes whatever is missing, in one transaction. `now` dates the rows that have no date.
pub(super) async fn apply(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    connection.execute(TABLES).await?;
    for (table, column, kind) in ADDED_COLUMNS {
        if !columns(connection, table).await?.contains(column) {
            let statement = format!("ALTER TABLE {table} ADD COLUMN {column} {kind}");
            connection.execute(AssertSqlSafe(statement)).await?;
        }
    }
    for table in DATED_TABLES {
        let statement = format!("UPDATE {table} SET created_at = ? WHERE created_at IS NULL");
        sqlx::query(AssertSqlSafe(statement)).bind(time::to_text(now)).execute(&mut *connection).await?;
    }
    fill_sort_keys(connection).await?;
    connection.execute(INDEXES).await?;
    connection.execute(LOG).await?;
    backup::mark(connection).await?;
    connection.execute("COMMIT").await?;
    Ok(())
}

/// Makes the log where it is missing, in a file that holds Gotify's tables. What a command revokes is written there.
pub(super) async fn add_log(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let missing = "SELECT count(*) FROM sqlite_master WHERE name IN ('users', 'shardcast_log')";
    let count: i64 = sqlx::query_scalar(missing).fetch_one(&mut *connection).await?;
    if count == 1 && columns(connection, "users").await?.contains("pass") {
        connection.execute(LOG).await?;
    }
    Ok(())
}

async fn columns(connection: &mut SqliteConnection, table: &str) -> Result<HashSet<String>, sqlx::Error> {
    let rows = sqlx::query("SELECT name FROM pragma_table_info(?)").bind(table).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Gives every application without a sort key the next one of its user, in the order of ids.
async fn fill_sort_keys(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "SELECT id, user_id FROM applications WHERE sort_key IS NULL OR length(sort_key) = 0 ORDER BY id",
    )
    .fetch_all(&mut *connection)
    .await?;
    for found in rows {
        let (id, user) = (row::id(row::unsigned(&found, 0)?), UserId(row::unsigned(&found, 1)?));
        let key = applications::next_sort_key(&mut session(connection), user).await?;
        sqlx::query("UPDATE applications SET sort_key = ? WHERE id = ?")
            .bind(key)
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
