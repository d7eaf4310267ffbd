//! Brings a file to the schema: a new one, one that Gotify 2 or 3 made, or our own.
//!
//! The version of what is ours stands in SQLite's own number for that, in the file's header, which Gotify neither reads
//! nor changes.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::backup;
use super::dialect::session;
use crate::model::Timestamp;
use crate::store::sql::schema::{Columns, Schema, Step, VERSION};

pub(super) const SCHEMA: Schema = Schema {
    tables: include_str!("../../../migrations/sqlite/0001_tables.sql"),
    for_commands: include_str!("../../../migrations/sqlite/0003_for_commands.sql"),
    indexes: include_str!("../../../migrations/sqlite/0002_indexes.sql"),
    // Tools for replication put tables of their own beside Gotify's, with a leading underscore.
    list_columns: "SELECT t.name, c.name, c.\"notnull\" AND c.dflt_value IS NULL AND c.pk = 0 \
        FROM sqlite_master t JOIN pragma_table_info(t.name) c \
        WHERE t.type = 'table' AND t.name NOT GLOB 'sqlite_*' AND t.name NOT GLOB '_*'",
    list_indexes: "SELECT name FROM sqlite_master WHERE type = 'index'",
};

/// Makes whatever is missing, in one transaction. `now` dates the rows that have no date.
pub(super) async fn apply(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    for step in missing(connection).await? {
        step.run(&mut session(connection), now).await?;
    }
    backup::mark(connection).await?;
    connection.execute(AssertSqlSafe(format!("PRAGMA user_version = {VERSION}"))).await?;
    connection.execute("COMMIT").await?;
    Ok(())
}

/// Makes the tables that commands need where one is missing, in a file that holds Gotify's tables.
pub(super) async fn add_what_commands_need(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let there = Columns::of(&mut session(connection), &SCHEMA).await?;
    if there.lacks_what_commands_need() {
        connection.execute(SCHEMA.for_commands).await?;
    }
    Ok(())
}

/// Returns what is missing.
pub(super) async fn missing(connection: &mut SqliteConnection) -> Result<Vec<Step>, sqlx::Error> {
    let there = Columns::of(&mut session(connection), &SCHEMA).await?;
    SCHEMA.missing(&mut session(connection), &there).await
}

/// Returns the version that the file has; 0 if it has none.
pub(super) async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await
}
