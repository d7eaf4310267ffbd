//! Logins through an identity provider.

use super::{Dialect, Session, query};

/// How long a login is known as ended: twice as long as one may take, because the clocks of nodes differ.
const KEPT_MS: u64 = 20 * 60 * 1000;

/// The most logins that are known as ended. Whoever begins and ends logins all the time fills the table no further.
const MOST_ENDED: u64 = 100_000;

const KEY_NAME: &str = "logins";

pub(crate) async fn key<D: Dialect>(session: &mut Session<'_, D>) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let key = query("SELECT content FROM shardcast_keys WHERE name = ?").bind(KEY_NAME);
    let found = session.first(key).await?;
    Ok(found.as_ref().map(|row| row.bytes(0)).transpose()?.flatten().map(<[u8]>::to_vec))
}

/// Stores a key unless there is one, and returns the one that is there then.
pub(crate) async fn make_key<D: Dialect>(
    session: &mut Session<'_, D>,
    made_up: &[u8],
) -> Result<Vec<u8>, sqlx::Error> {
    let insertion = query("INSERT INTO shardcast_keys (name, content) VALUES (?, ?)");
    is_first(session.run(insertion.bind(KEY_NAME).bind(made_up)).await)?;
    key(session).await?.ok_or(sqlx::Error::RowNotFound)
}

/// Returns false if the login was ended before, or too many others were ended lately.
pub(crate) async fn end<D: Dialect>(session: &mut Session<'_, D>, id: &str) -> Result<bool, sqlx::Error> {
    session.run(query("DELETE FROM shardcast_logins WHERE ended_at < {now} - ?").id(KEPT_MS)).await?;
    if session.one(query("SELECT count(*) FROM shardcast_logins")).await?.unsigned(0)? >= MOST_ENDED {
        tracing::warn!("{MOST_ENDED} logins were ended within twenty minutes; no more can be ended now");
        return Ok(false);
    }
    let insertion = query("INSERT INTO shardcast_logins (id, ended_at) VALUES (?, {now})");
    is_first(session.run(insertion.bind(id)).await)
}

/// Returns false if the row was there already.
fn is_first(inserted: Result<u64, sqlx::Error>) -> Result<bool, sqlx::Error> {
    match inserted {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}
