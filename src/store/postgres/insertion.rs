//! Inserting messages: one statement, however many there are.

use super::dialect::{PostgresDialect, id};
use crate::model::MessageId;
use crate::store::NewMessage;
use crate::store::remote::UsedIds;
use crate::store::sql::messages::encode_extras;
use crate::store::sql::session::in_time;
use crate::store::sql::{Session, query};

/// Takes more ids.
const TAKE_IDS: &str = "SELECT nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, ?)";

/// Where a sequence began again, or hands out numbers that were reserved long ago. Another node may have raised it further.
const RAISE_SEQUENCE: &str = "SELECT setval(sequence, greatest(?, coalesce(pg_sequence_last_value(sequence), 0))) \
    FROM (SELECT CAST(pg_get_serial_sequence('messages', 'id') AS regclass) AS sequence) AS found";

/// Where rows were filled in without the sequence, as by a restore of the data alone.
pub(super) const RAISE_IDS: &str = "SELECT setval(sequence, highest) FROM ( \
        SELECT CAST(pg_get_serial_sequence('messages', 'id') AS regclass) AS sequence, \
            greatest((SELECT max(id) FROM messages), (SELECT max(newest) FROM shardcast_heads)) AS highest \
    ) AS found WHERE highest > coalesce(pg_sequence_last_value(sequence), 0)";

const INSERT: &str = "INSERT INTO messages (id, application_id, message, title, priority, extras, date) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], \
    $7::timestamptz[])";

/// The same, for a sequence that may stand higher already.
const SKIP_IDS: &str = "SELECT setval(pg_get_serial_sequence('messages', 'id'), \
    greatest(?, nextval(pg_get_serial_sequence('messages', 'id'))))";

/// Makes all ids from now on higher than this one.
pub(super) async fn skip_ids(
    session: &mut Session<'_, PostgresDialect>,
    above: u64,
) -> Result<(), sqlx::Error> {
    session.one(query(SKIP_IDS).id(above)).await.map(drop)
}

/// Inserts messages, and returns their ids in their order.
pub(super) async fn insert(
    session: &mut Session<'_, PostgresDialect>,
    messages: &[&NewMessage],
    reserved: &[u64],
    used: UsedIds<'_>,
) -> Result<Vec<MessageId>, sqlx::Error> {
    let mut ids: Vec<_> = reserved.iter().copied().map(id).collect();
    if let Some(above) = reserved.first().and_then(|first| used.above(*first)) {
        session.one(query(RAISE_SEQUENCE).id(above)).await?;
        ids = take_ids(session, messages.len()).await?;
    }
    let insert = sqlx::query(INSERT)
        .bind(&ids)
        .bind(messages.iter().map(|message| id(message.application_id.0)).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.message.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.title.as_str()).collect::<Vec<_>>())
        .bind(messages.iter().map(|message| message.priority).collect::<Vec<_>>())
        .bind(
            messages
                .iter()
                .map(|message| message.extras.as_ref().and_then(encode_extras))
                .collect::<Vec<_>>(),
        )
        .bind(messages.iter().map(|message| message.date.to_utc()).collect::<Vec<_>>());
    in_time(session.deadline(), insert.execute(session.connection())).await?;
    Ok(ids.into_iter().map(|id| MessageId(id.unsigned_abs())).collect())
}

async fn take_ids(session: &mut Session<'_, PostgresDialect>, count: usize) -> Result<Vec<i64>, sqlx::Error> {
    let rows = session.all(query(TAKE_IDS).id(count as u64)).await?;
    let mut ids: Vec<_> = rows.iter().map(|row| row.integer(0)).collect::<Result<_, _>>()?;
    ids.sort_unstable();
    Ok(ids)
}
