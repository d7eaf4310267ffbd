//! Brings a database to the schema: a new one, one that Gotify 2 or 3 made, or our own.
//!
//! A Gotify may have had the database since the last start and added columns, so every step looks at what is there,
//! and does nothing where nothing is missing.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use super::RemoteDialect;
use super::pool::{Pool, cause};
use crate::model::UserId;
use crate::store::sql::{Connections as _, Lease as _, Session, Value, applications, query};
use crate::store::{OpenDatabaseError, StoreError};

/// The version of our own tables. A database that has a higher one is left alone.
const VERSION: i64 = 1;

/// What a database must have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schema {
    /// Statements that make the tables that are missing.
    pub(crate) tables: &'static str,
    /// The statement that makes the log if it is missing.
    pub(crate) log: &'static str,
    /// Columns that some Gotify 2 did not have yet: table, name, type.
    pub(crate) added_columns: &'static [(&'static str, &'static str, &'static str)],
    /// Indexes: name, table, and what follows `ON` the table.
    pub(crate) indexes: &'static [(&'static str, &'static str, &'static str)],
    /// Returns each column: its table, its name, and whether every row must be given a value.
    pub(crate) list_columns: &'static str,
    /// Returns the name of each index.
    pub(crate) list_indexes: &'static str,
}

/// The tables that every Gotify has had, and columns without which they can't be used.
const OF_GOTIFY: [(&str, &[&str]); 4] = [
    ("users", &["id", "name", "pass", "admin"]),
    ("applications", &["id", "token", "user_id", "name"]),
    ("clients", &["id", "token", "user_id", "name"]),
    ("messages", &["id", "application_id", "message"]),
];

/// The tables whose rows say when they were made.
const DATED_TABLES: [&str; 3] = ["users", "applications", "clients"];

/// Why a database was left as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefusedDatabase {
    #[error(
        "the database is that of another program: {0}; name another database in `database.connection`, or make an \
         empty one"
    )]
    OfAnotherProgram(String),
    #[error(
        "the database has the schema {found} of a newer shardcast, and this one knows schemas up to {VERSION}; use that \
         newer version, or another database"
    )]
    Newer { found: i64 },
    #[error(
        "the database is that of a newer Gotify: its column `{table}.{column}` needs a value that is not known here; \
         use a newer shardcast, or another database"
    )]
    NewerGotify { table: String, column: String },
    #[error(
        "failed to connect to {0}; check the address, the user and the password in `database.connection`"
    )]
    Unreachable(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to {0}")]
    Failed(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

type Columns = BTreeMap<String, BTreeMap<String, bool>>;

/// Makes whatever is missing. Others who start on the same database wait meanwhile.
pub(super) async fn apply<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), OpenDatabaseError> {
    let failed = |error: StoreError| OpenDatabaseError::Unusable(Box::new(error));
    let mut lease = pool.lease_until("prepare the database", None).await.map_err(failed)?;
    let mut session = lease.session();
    let applied = async {
        session.batch(D::PREPARE_SCHEMA).await.map_err(|error| during("prepare the connection", error))?;
        session.batch(D::LOCK_SCHEMA).await.map_err(|error| during("wait for others who start", error))?;
        bring_up(&mut session).await
    };
    let applied = applied.await;
    // This lets go of the lock.
    lease.discard();
    applied.map_err(|refused| OpenDatabaseError::Unusable(Box::new(refused)))
}

/// Makes the log where it is missing, in a database that holds Gotify's tables. What a command revokes is written there.
pub(super) async fn add_log<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), StoreError> {
    let mut lease = pool.lease("make the log").await?;
    let mut session = lease.session();
    let added = async {
        let before = columns(&mut session).await?;
        if before.contains_key("users") && !before.contains_key("shardcast_log") {
            session.batch(D::SCHEMA.log).await?;
        }
        Ok(())
    };
    let added = added.await;
    lease.end(added).await
}

fn during(what: &'static str, error: sqlx::Error) -> RefusedDatabase {
    RefusedDatabase::Failed(what, cause(error))
}

async fn bring_up<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), RefusedDatabase> {
    let schema = D::SCHEMA;
    let before = columns(session).await.map_err(|error| during("read the schema", error))?;
    verify(session, &before).await?;
    session.batch(schema.tables).await.map_err(|error| during("make the tables", error))?;
    session.batch(schema.log).await.map_err(|error| during("make the log", error))?;
    for (table, column, kind) in schema.added_columns {
        if before.get(*table).is_some_and(|columns| !columns.contains_key(*column)) {
            let statement = format!("ALTER TABLE {table} ADD COLUMN {column} {kind}");
            session.run(query(&statement)).await.map_err(|error| during("add a column", error))?;
        }
    }
    fill(session).await.map_err(|error| during("fill the new columns", error))?;
    make_indexes(session).await.map_err(|error| during("make the indexes", error))?;
    let version = query(
        "INSERT INTO shardcast_state (id, version) SELECT 1, ? WHERE NOT EXISTS (SELECT 1 FROM shardcast_state)",
    );
    session.run(version.bind(VERSION)).await.map_err(|error| during("note the schema's version", error))?;
    Ok(())
}

async fn columns<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<Columns, sqlx::Error> {
    let mut columns = Columns::new();
    for row in session.all(query(D::SCHEMA.list_columns)).await? {
        columns.entry(row.text(0)?).or_default().insert(row.text(1)?, row.flag(2)?);
    }
    Ok(columns)
}

/// Looks whether the database is ours or a Gotify's, or empty, and of a version that is known.
async fn verify<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    columns: &Columns,
) -> Result<(), RefusedDatabase> {
    if columns.contains_key("shardcast_state") {
        let version = session.first(query("SELECT max(version) FROM shardcast_state")).await;
        let found = version.and_then(|row| row.map_or(Ok(0), |row| row.integer(0)));
        let found = found.map_err(|error| during("read the schema's version", error))?;
        if found > VERSION {
            return Err(RefusedDatabase::Newer { found });
        }
    }
    if !columns.is_empty() && !columns.contains_key("users") {
        return Err(RefusedDatabase::OfAnotherProgram("it has no table `users`".to_owned()));
    }
    for (table, required) in OF_GOTIFY {
        let Some(found) = columns.get(table) else { continue };
        if let Some(column) = required.iter().find(|column| !found.contains_key(**column)) {
            let missing = format!("its table `{table}` has no column `{column}`");
            return Err(RefusedDatabase::OfAnotherProgram(missing));
        }
        let known = |column: &str| {
            required.contains(&column)
                || D::SCHEMA.tables.contains(column)
                || D::SCHEMA.added_columns.iter().any(|(of, name, _)| *of == table && *name == column)
        };
        if let Some((column, _)) = found.iter().find(|(column, is_required)| **is_required && !known(column))
        {
            return Err(RefusedDatabase::NewerGotify { table: table.to_owned(), column: column.clone() });
        }
    }
    Ok(())
}

/// Dates the rows that have no date, and gives every application without a sort key the next one of its user.
async fn fill<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let now = chrono::Local::now().fixed_offset();
    for table in DATED_TABLES {
        let statement = format!("UPDATE {table} SET created_at = ? WHERE created_at IS NULL");
        session.run(query(&statement).bind(now)).await?;
    }
    let without = query(
        "SELECT id, user_id FROM applications WHERE sort_key IS NULL OR octet_length(sort_key) = 0 ORDER BY id",
    );
    for row in session.all(without).await? {
        let key = applications::next_sort_key(session, UserId(row.unsigned(1)?)).await?;
        let fill = query("UPDATE applications SET sort_key = ? WHERE id = ?");
        session.run(fill.bind(Value::SortKey(&key)).id(row.unsigned(0)?)).await?;
    }
    Ok(())
}

async fn make_indexes<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let found = session.all(query(D::SCHEMA.list_indexes)).await?;
    let found: HashSet<_> = found.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    for (name, table, rest) in D::SCHEMA.indexes.iter().filter(|(name, ..)| !found.contains(*name)) {
        let began_at = Instant::now();
        let kind = if name.starts_with("uix_") { "UNIQUE INDEX" } else { "INDEX" };
        tracing::info!("making the index `{name}`; on a large table `{table}` this takes a while");
        session.run(query(&format!("CREATE {kind} {name} ON {table} {rest}"))).await?;
        tracing::info!("made the index `{name}` in {:.1} s", began_at.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Says that a server could not be connected to.
pub(super) fn unreachable<D: RemoteDialect>(error: sqlx::Error) -> OpenDatabaseError {
    OpenDatabaseError::Unusable(Box::new(RefusedDatabase::Unreachable(D::NAME, cause(error))))
}
