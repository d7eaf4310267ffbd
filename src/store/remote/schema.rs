//! Brings a database to the schema: a new one, one that Gotify 2 or 3 made, or our own.

use std::io::ErrorKind;

use super::pool::{Pool, cause, fault};
use super::{Fault, RemoteDialect, history};
use crate::store::sql::schema::{Columns, UnknownTables, VERSION};
use crate::store::sql::{Connections as _, Lease as _, Session, query};
use crate::store::transfer::unfinished;
use crate::store::{MigrationStep, OpenDatabaseError, StoreError};

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
    #[error("the database is that of a newer Gotify: {0}; use a newer shardcast, or another database")]
    NewerGotify(String),
    #[error(
        "the database has the first part of a copy or of a backup; run `shardcast copy` or `shardcast restore` again to \
         complete it"
    )]
    UnfinishedCopy,
    #[error(
        "failed to connect to {0}; check the address, the user and the password in `database.connection`"
    )]
    Unreachable(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to connect to {0}: it can't be reached, or takes no connections now")]
    Away(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to {0}")]
    Failed(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the database can't {0} now")]
    Interrupted(String, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<RefusedDatabase> for OpenDatabaseError {
    fn from(refused: RefusedDatabase) -> Self {
        match refused {
            RefusedDatabase::Away(..) | RefusedDatabase::Interrupted(..) => Self::Unavailable(refused.into()),
            other => Self::Unusable(other.into()),
        }
    }
}

impl From<UnknownTables> for RefusedDatabase {
    fn from(unknown: UnknownTables) -> Self {
        match unknown {
            UnknownTables::OfAnotherProgram(missing) => Self::OfAnotherProgram(missing),
            newer @ UnknownTables::OfNewerGotify { .. } => Self::NewerGotify(newer.to_string()),
        }
    }
}

/// Makes whatever is missing. Others who start on the same database wait meanwhile.
pub(super) async fn apply<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), OpenDatabaseError> {
    let mut lease = pool.lease_until("prepare the database", None).await.map_err(unusable)?;
    let mut session = lease.session();
    let applied = async {
        session
            .batch(D::PREPARE_SCHEMA)
            .await
            .map_err(|error| during::<D>("prepare the connection", error))?;
        session
            .batch(D::LOCK_SCHEMA)
            .await
            .map_err(|error| during::<D>("wait for others who start", error))?;
        bring_up(&mut session).await
    };
    let applied = applied.await;
    // This lets go of the lock.
    lease.discard().await;
    applied.map_err(unusable)
}

/// Makes the tables that commands need where one is missing, in a database that holds Gotify's tables.
pub(super) async fn add_what_commands_need<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), StoreError> {
    let mut lease = pool.lease("make the tables that commands need").await?;
    let mut session = lease.session();
    let added = async {
        let there = Columns::of(&mut session, &D::SCHEMA).await?;
        if there.lacks_what_commands_need() { session.batch(D::SCHEMA.for_commands).await } else { Ok(()) }
    };
    let added = added.await;
    lease.end(added).await
}

/// Returns what [`apply`] would do, and changes nothing.
pub(super) async fn plan<D: RemoteDialect>(pool: &Pool<D>) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
    let mut lease = pool.lease("look at the database").await.map_err(unusable)?;
    let mut session = lease.session();
    let planned = async {
        let there = verified(&mut session).await?;
        D::SCHEMA.missing(&mut session, &there).await.map_err(|error| during::<D>("read the schema", error))
    };
    let planned = planned.await;
    lease.discard().await;
    planned.map(|steps| steps.into_iter().map(|step| step.shown).collect()).map_err(unusable)
}

fn unusable(error: impl Into<OpenDatabaseError>) -> OpenDatabaseError {
    error.into()
}

fn during<D: RemoteDialect>(what: impl Into<String>, error: sqlx::Error) -> RefusedDatabase {
    if may_pass::<D>(&error) {
        RefusedDatabase::Interrupted(what.into(), cause(error))
    } else {
        RefusedDatabase::Failed(what.into(), cause(error))
    }
}

/// Whether the same attempt may go through later: the server is away, is starting or stopping, or has no connection to
/// spare. What it does not like about the connection, such as the password, stays as it is.
pub(in crate::store) fn may_pass<D: RemoteDialect>(error: &sqlx::Error) -> bool {
    match error {
        // A socket that this user may not open.
        sqlx::Error::Io(error) => error.kind() != ErrorKind::PermissionDenied,
        // Certificates that don't fit, or another kind of server.
        sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => false,
        _ => matches!(fault::<D>(error), Fault::Conflict | Fault::Disconnected | Fault::Unavailable),
    }
}

async fn bring_up<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), RefusedDatabase> {
    let there = verified(session).await?;
    let missing = D::SCHEMA.missing(session, &there).await;
    let now = chrono::Local::now().fixed_offset();
    for step in missing.map_err(|error| during::<D>("read the schema", error))? {
        let shown = step.shown.clone();
        step.run(session, now).await.map_err(|error| during::<D>(shown.to_string(), error))?;
    }
    let version = query(
        "INSERT INTO shardcast_state (id, version) SELECT 1, ? WHERE NOT EXISTS (SELECT 1 FROM shardcast_state)",
    );
    session
        .run(version.bind(VERSION))
        .await
        .map_err(|error| during::<D>("note the schema's version", error))?;
    history::note(session).await.map_err(|error| during::<D>("note which database this is", error))
}

/// Reads what is there, and looks whether it is ours or a Gotify's, or nothing, and of a version that is known.
async fn verified<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<Columns, RefusedDatabase> {
    let read = |error| during::<D>("read the schema", error);
    let there = Columns::of(session, &D::SCHEMA).await.map_err(read)?;
    if unfinished::is_there(session, &there).await.map_err(read)? {
        return Err(RefusedDatabase::UnfinishedCopy);
    }
    if there.has_table("shardcast_state") {
        let version = session.first(query("SELECT max(version) FROM shardcast_state")).await;
        let found = version.and_then(|row| row.map_or(Ok(0), |row| row.integer(0))).map_err(read)?;
        if found > VERSION {
            return Err(RefusedDatabase::Newer { found });
        }
    }
    there.verify(&D::SCHEMA)?;
    Ok(there)
}

/// Says that a server could not be connected to.
pub(super) fn unreachable<D: RemoteDialect>(error: sqlx::Error) -> OpenDatabaseError {
    if may_pass::<D>(&error) {
        RefusedDatabase::Away(D::NAME, cause(error)).into()
    } else {
        RefusedDatabase::Unreachable(D::NAME, cause(error)).into()
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use std::io;

    use super::*;
    use crate::store::postgres::PostgresDialect;

    #[test]
    fn a_server_that_is_away_may_be_there_later_and_one_of_another_kind_stays_it() {
        let io = |kind| sqlx::Error::Io(io::Error::from(kind));
        for (error, expected) in [
            (io(ErrorKind::ConnectionRefused), true),
            (io(ErrorKind::TimedOut), true),
            (io(ErrorKind::NotFound), true),
            (io(ErrorKind::UnexpectedEof), true),
            (sqlx::Error::PoolTimedOut, true),
            (io(ErrorKind::PermissionDenied), false),
            (sqlx::Error::Tls("no certificate".into()), false),
            (sqlx::Error::Protocol("what is this?".to_owned()), false),
        ] {
            assert_eq!(may_pass::<PostgresDialect>(&error), expected, "{error}");
        }
    }
}
