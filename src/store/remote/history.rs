//! Whether the database is the one that it was, with all that was committed.
//!
//! After a failover to a replica that lacked the last commits, or when a backup was restored, the counter of ids stands
//! lower than it did. Streams would take messages with ids that they have seen for messages that they have. So ids jump
//! far above all that a node may remember, before the first message is stored. The log says so to all nodes, which then
//! forget their caches, look up everybody who has streams, and compare all heads.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt as _;

use super::RemoteDialect;
use crate::model::MessageId;
use crate::store::Revocation;
use crate::store::sql::{Session, query, revocation_log};

/// How far ids jump at least, and by how much more at most. Nodes may remember ids that others have stored: so many as
/// are stored in the time by which a replica is late.
pub(super) const JUMP: u64 = 100_000;

/// The name under which the identity of the database is kept, in the database.
const KEY_NAME: &str = "database";

/// Ids that new messages can't have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UsedIds<'k> {
    /// The newest message of the users of a batch.
    pub(crate) heads: MessageId,
    /// The newest message that this node has stored before.
    pub(crate) stored_here: MessageId,
    /// Becomes true if the database is found to have gone back.
    pub(crate) went_back: &'k AtomicBool,
}

impl UsedIds<'_> {
    /// Returns what new ids must be above, if this one, which the database has given, can't be used.
    pub(crate) fn above(self, given: u64) -> Option<u64> {
        if given <= self.stored_here.0 {
            let above = jump(self.heads.max(self.stored_here).0);
            self.went_back.store(true, Ordering::Relaxed);
            tracing::warn!(
                given,
                above,
                "the database gives ids a second time: an older state of it is back"
            );
            return Some(above);
        }
        (given <= self.heads.0).then_some(self.heads.0)
    }
}

fn jump(highest: u64) -> u64 {
    highest + rand::rng().random_range(JUMP..2 * JUMP)
}

/// Notes which database this is, unless that is noted already. Nobody else may start meanwhile.
pub(super) async fn note<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    if noted(session).await?.is_none() {
        let identity = identity(session).await?;
        write(session, "INSERT INTO shardcast_keys (content, name) VALUES (?, ?)", &identity).await?;
    }
    Ok(())
}

/// Lets ids jump if the database is another one than was noted. It is the first that a connection does which stores
/// messages: those to the database that was before have ended. A database that is the same and went back is noticed by the
/// ids that it gives, see [`UsedIds`].
pub(super) async fn check<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    stored_here: MessageId,
) -> Result<(), sqlx::Error> {
    let found = identity(session).await?;
    session.begin().await?;
    let noted = noted(session).await?;
    if noted.as_deref() != Some(found.as_bytes()) {
        let heads = session.one(query("SELECT max(newest) FROM shardcast_heads")).await?.unsigned(0)?;
        let messages = session.one(query("SELECT max(id) FROM messages")).await?.unsigned(0)?;
        let above = jump(heads.max(messages).max(stored_here.0));
        D::skip_ids(session, above).await?;
        tracing::warn!(above, "the database is on another server, or was promoted: ids jump");
        let change = match noted {
            Some(_) => "UPDATE shardcast_keys SET content = ? WHERE name = ?",
            None => "INSERT INTO shardcast_keys (content, name) VALUES (?, ?)",
        };
        write(session, change, &found).await?;
        log(session).await?;
    }
    session.commit().await
}

/// Says to all nodes that the database went back, within the transaction that is open.
pub(super) async fn log<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    revocation_log::write(session, &[Revocation::DatabaseWentBack {}]).await
}

/// Returns what tells this database from a copy of it that goes its own way.
async fn identity<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<String, sqlx::Error> {
    let rows = session.all(query(D::IDENTITY)).await?;
    let parts: Vec<_> = rows.iter().map(|row| row.text(1)).collect::<Result<_, _>>()?;
    Ok(parts.join("/"))
}

async fn noted<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let noted = query("SELECT content FROM shardcast_keys WHERE name = ?{for update}").bind(KEY_NAME);
    let noted = session.first(noted).await?;
    Ok(noted.as_ref().map(|row| row.bytes(0)).transpose()?.flatten().map(<[u8]>::to_vec))
}

async fn write<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    statement: &str,
    identity: &str,
) -> Result<(), sqlx::Error> {
    session.run(query(statement).bind(identity.as_bytes()).bind(KEY_NAME)).await.map(drop)
}
