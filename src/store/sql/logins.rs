//! Logins through an identity provider.

use super::{Dialect, Session, query};

/// How long a login is known as ended: twice as long as one may take, because the clocks of nodes differ.
const KEPT_MS: u64 = 20 * 60 * 1000;

/// The most logins that are known as ended. Whoever begins and ends logins all the time fills the table no further.
const MOST_ENDED: u64 = 100_000;

/// Returns false if the login was ended before, or too many others were ended lately.
pub(crate) async fn end<D: Dialect>(session: &mut Session<'_, D>, id: &str) -> Result<bool, sqlx::Error> {
    session.run(query("DELETE FROM shardcast_logins WHERE ended_at < {now} - ?").id(KEPT_MS)).await?;
    if session.one(query("SELECT count(*) FROM shardcast_logins")).await?.unsigned(0)? >= MOST_ENDED {
        tracing::warn!("{MOST_ENDED} logins were ended within twenty minutes; no more can be ended now");
        return Ok(false);
    }
    let insertion = query("INSERT INTO shardcast_logins (id, ended_at) VALUES (?, {now})");
    session.insert_if_new(insertion.bind(id)).await
}
