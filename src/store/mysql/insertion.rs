//! Inserting messages: one statement, however many there are.

use crate::model::MessageId;
use crate::store::NewMessage;
use crate::store::remote::UsedIds;
use crate::store::sql::messages::encode_extras;
use crate::store::sql::{Session, Value, query};

use super::dialect::MysqlDialect;

/// Inserts messages, and returns their ids in their order: those of one statement follow on one another, `step` apart.
///
/// Source: <https://dev.mysql.com/doc/refman/8.4/en/innodb-auto-increment-handling.html>, "simple inserts".
pub(super) async fn insert(
    session: &mut Session<'_, MysqlDialect>,
    messages: &[&NewMessage],
    step: u64,
    used: UsedIds<'_>,
) -> Result<Vec<MessageId>, sqlx::Error> {
    let count = messages.len() as u64;
    let ids = |first: u64| (0..count).map(move |place| first + place * step);
    let mut first = insert_from(session, messages, None).await?;
    if let Some(above) = used.above(first) {
        // The counter began again. What has these ids goes, and the counter rises with the ids that are given.
        session
            .run(query("DELETE FROM messages WHERE id {in}").bind(Value::Ids(ids(first).collect())))
            .await?;
        let highest = session.one(query("SELECT max(id) FROM messages")).await?.unsigned(0)?;
        first = highest.max(above) + step;
        insert_from(session, messages, Some(ids(first).collect())).await?;
    }
    Ok(ids(first).map(MessageId).collect())
}

/// Makes all ids from now on higher than this one, by a row that goes again: the counter rises with the ids that are given,
/// also where they are not committed.
pub(super) async fn skip_ids(session: &mut Session<'_, MysqlDialect>, above: u64) -> Result<(), sqlx::Error> {
    let row = "INSERT INTO messages (id, application_id, message, title, priority, date) \
        VALUES (?, 0, '', '', 0, utc_timestamp())";
    session.run(query(row).id(above)).await?;
    session.run(query("DELETE FROM messages WHERE id = ?").id(above)).await.map(drop)
}

/// Inserts messages with these ids, or with those that the database gives them, and returns the first of those.
async fn insert_from(
    session: &mut Session<'_, MysqlDialect>,
    messages: &[&NewMessage],
    ids: Option<Vec<u64>>,
) -> Result<u64, sqlx::Error> {
    let (id, row) = if ids.is_some() { ("id, ", "(?,?,?,?,?,?,?)") } else { ("", "(?,?,?,?,?,?)") };
    let rows = vec![row; messages.len()].join(",");
    let text = format!(
        "INSERT INTO messages ({id}application_id, message, title, priority, extras, date) VALUES {rows}"
    );
    let extras: Vec<_> =
        messages.iter().map(|message| message.extras.as_ref().and_then(encode_extras)).collect();
    let mut insert = query(&text);
    for (place, (message, extras)) in messages.iter().zip(&extras).enumerate() {
        if let Some(id) = ids.as_ref().and_then(|ids| ids.get(place)) {
            insert = insert.id(*id);
        }
        insert = insert
            .id(message.application_id.0)
            .bind(message.message.as_str())
            .bind(message.title.as_str())
            .bind(message.priority)
            .bind(extras.as_deref())
            .bind(message.date);
    }
    session.insert(insert).await
}
