//! Messages.
//!
//! The table says which application sent a message, not whose it is. A user's messages are therefore merged
//! from its applications by a recursive query that works as a priority queue: it holds the next message of
//! each application, takes out the best one, and puts in the one that follows it in the same application.
//! Every step is one search in the index, so a page costs as many steps as it has rows, however many
//! messages there are.

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{applications, row, slice};
use crate::model::{ApplicationId, Extras, Message, MessageId, UserId, zero_time};
use crate::store::{MessagePage, Slice};

macro_rules! columns {
    () => {
        "id, application_id, message, title, priority, extras, date"
    };
}

/// The size of a message. Extras are parsed into a tree, which takes several times the bytes of their text.
macro_rules! size {
    () => {
        concat!(slice::size!("message" "title"), " + 8 * ifnull(octet_length(extras), 0)")
    };
}

/// The columns, with the texts of small messages alone, then the size. `?4` is up to which size they are small.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, application_id, iif(",
            size!(),
            " <= ?4, message, NULL), iif(",
            size!(),
            " <= ?4, title, NULL), priority, iif(",
            size!(),
            " <= ?4, extras, NULL), date, ",
            size!(),
            " FROM ",
            $rest
        )
    };
}

/// A user's messages below an id, newest first.
const NEWEST: &str = concat!(
    "WITH RECURSIVE page (id, application) AS (
        SELECT * FROM (
            SELECT (SELECT id FROM messages WHERE application_id = a.id AND id < ?2
                    ORDER BY id DESC LIMIT 1) AS first, a.id
            FROM applications a WHERE a.user_id = ?1
        ) WHERE first IS NOT NULL
        UNION ALL
        SELECT (SELECT id FROM messages WHERE application_id = page.application AND id < page.id
                ORDER BY id DESC LIMIT 1), page.application
        FROM page WHERE page.id IS NOT NULL
        ORDER BY 1 DESC LIMIT ?3
    ) ",
    select!("page CROSS JOIN messages m ON m.id = page.id ORDER BY page.id DESC")
);

/// A user's messages above an id, oldest first.
const OLDEST: &str = concat!(
    "WITH RECURSIVE page (id, application) AS (
        SELECT * FROM (
            SELECT (SELECT id FROM messages WHERE application_id = a.id AND id > ?2
                    ORDER BY id LIMIT 1) AS first, a.id
            FROM applications a WHERE a.user_id = ?1
        ) WHERE first IS NOT NULL
        UNION ALL
        SELECT (SELECT id FROM messages WHERE application_id = page.application AND id > page.id
                ORDER BY id LIMIT 1), page.application
        FROM page WHERE page.id IS NOT NULL
        ORDER BY 1 NULLS LAST LIMIT ?3
    ) ",
    select!("page CROSS JOIN messages m ON m.id = page.id ORDER BY page.id")
);

const OF_APPLICATION: &str = select!(
    "messages m WHERE application_id = ?1 AND m.id < ?2 AND EXISTS (SELECT 1 FROM applications WHERE id = ?1) \
     ORDER BY m.id DESC LIMIT ?3"
);

/// Without those whose application is deleted, see [`super::deletions`].
const BY_IDS: &str = slice::by_ids!(
    columns!(),
    "(SELECT * FROM messages WHERE application_id IN (SELECT id FROM applications))"
);

const COUNT_AFTER: &str = "SELECT count(*) FROM (
    SELECT 1 FROM applications a CROSS JOIN messages m ON m.application_id = a.id AND m.id > ?2
    WHERE a.user_id = ?1 LIMIT ?3
)";

const NEWEST_ID: &str = "SELECT max((
    SELECT m.id FROM messages m WHERE m.application_id = a.id AND m.id < ?2 ORDER BY m.id DESC LIMIT 1
)) FROM applications a WHERE a.user_id = ?1";

const DELETE_ONE: &str = "DELETE FROM messages WHERE id = ?1
    AND application_id IN (SELECT id FROM applications WHERE user_id = ?2)";

/// Returns the newest of a user's messages with ids below `below`.
pub(super) async fn newest(
    connection: &mut SqliteConnection,
    user: UserId,
    below: MessageId,
) -> Result<Option<MessageId>, sqlx::Error> {
    let found =
        sqlx::query(NEWEST_ID).bind(row::id(user.0)).bind(row::id(below.0)).fetch_one(connection).await?;
    let id = found.try_get_unchecked::<Option<i64>, _>(0)?;
    Ok(id.map(|id| MessageId(id.unsigned_abs())))
}

pub(super) async fn of_user(
    connection: &mut SqliteConnection,
    user: UserId,
    page: MessagePage,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    list(connection, NEWEST, (user.0, before(page)), page.limit, max_bytes).await
}

pub(super) async fn of_application(
    connection: &mut SqliteConnection,
    application: ApplicationId,
    page: MessagePage,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    list(connection, OF_APPLICATION, (application.0, before(page)), page.limit, max_bytes).await
}

pub(super) async fn after(
    connection: &mut SqliteConnection,
    user: UserId,
    after: MessageId,
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    list(connection, OLDEST, (user.0, row::id(after.0)), limit, max_bytes).await
}

pub(super) async fn by_ids(
    connection: &mut SqliteConnection,
    ids: &[MessageId],
) -> Result<Vec<Message>, sqlx::Error> {
    let ids = row::id_list(ids.iter().map(|id| id.0));
    sqlx::query(BY_IDS)
        .bind(ids)
        .fetch(connection)
        .and_then(async |found| message(&found))
        .try_collect()
        .await
}

pub(super) async fn count_after(
    connection: &mut SqliteConnection,
    user: UserId,
    after: MessageId,
    limit: usize,
) -> Result<usize, sqlx::Error> {
    let counted = sqlx::query(COUNT_AFTER)
        .bind(row::id(user.0))
        .bind(row::id(after.0))
        .bind(row::limit(limit))
        .fetch_one(connection)
        .await?;
    Ok(row::unsigned(&counted, 0)?.try_into().unwrap_or(limit))
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    user: UserId,
    id: MessageId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(DELETE_ONE).bind(row::id(id.0)).bind(row::id(user.0)).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

/// Returns a user's applications, and the highest id of a message of anybody.
pub(super) async fn applications_and_newest(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<(Vec<ApplicationId>, MessageId), sqlx::Error> {
    let applications = applications::ids_of_user(connection, user).await?;
    Ok((applications, newest_of_all(connection).await?))
}

/// Returns the highest id of a message of anybody.
pub(super) async fn newest_of_all(connection: &mut SqliteConnection) -> Result<MessageId, sqlx::Error> {
    let found = sqlx::query("SELECT max(id) FROM messages").fetch_one(connection).await?;
    row::unsigned(&found, 0).map(MessageId)
}

async fn list(
    connection: &mut SqliteConnection,
    statement: &'static str,
    (owner, bound): (u64, i64),
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let found = sqlx::query(statement)
        .bind(row::id(owner))
        .bind(bound)
        .bind(row::limit(limit))
        .bind(slice::small(max_bytes))
        .fetch(connection);
    slice::read(found, max_bytes, [0, 7], (MessageId, message)).await
}

fn before(page: MessagePage) -> i64 {
    page.before.map_or(i64::MAX, |id| row::id(id.0))
}

fn message(found: &SqliteRow) -> Result<Message, sqlx::Error> {
    Ok(Message {
        id: MessageId(row::unsigned(found, 0)?),
        application_id: ApplicationId(row::unsigned(found, 1)?),
        message: row::text(found, 2)?,
        title: row::text(found, 3)?,
        priority: row::integer(found, 4)?,
        extras: decode_extras(found.try_get_unchecked::<Option<&[u8]>, _>(5)?),
        date: row::time(found, 6)?.unwrap_or_else(zero_time),
    })
}

/// Writes extras as JSON; an empty object is the same as none.
pub(super) fn encode_extras(extras: &Extras) -> Option<Vec<u8>> {
    let encode = || serde_json::to_vec(extras).expect("a map of JSON values encodes as JSON");
    (!extras.is_empty()).then(encode)
}

/// Reads extras. What is no JSON object does not hide the message that it came with.
fn decode_extras(json: Option<&[u8]>) -> Option<Extras> {
    serde_json::from_slice::<Extras>(json?).ok().filter(|extras| !extras.is_empty())
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::super::deletions::{ORPHANED, SLICE};

    use super::*;

    #[tokio::test]
    async fn no_statement_scans_a_table() {
        let (database, _folder) = crate::store::sqlite::tests::in_new_folder().await;
        let mut lease = database.writer.lease("explain").await.unwrap();
        for statement in
            [NEWEST, OLDEST, OF_APPLICATION, BY_IDS, COUNT_AFTER, NEWEST_ID, DELETE_ONE, SLICE, ORPHANED]
        {
            let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let steps = sqlx::query(explained).bind(1).bind(1).bind(1).fetch_all(&mut *lease).await.unwrap();
            let steps: Vec<_> = steps.iter().map(|step| row::text(step, 3).unwrap()).collect();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH m")), "{steps:#?}");
            for step in steps.iter().filter(|step| step.starts_with("SCAN")) {
                let few = ["SCAN page", "SCAN (subquery-", "SCAN json_each", "SCAN sender"];
                assert!(few.iter().any(|few| step.starts_with(few)), "{steps:#?}");
            }
            let sorts = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
            let sorted = statement.contains("page");
            assert!(
                sorts <= usize::from(sorted),
                "only a page is sorted, which has no large texts: {steps:#?}"
            );
        }
    }

    #[test]
    fn empty_or_broken_extras_are_none() {
        for json in ["", "null", "{}", "[1]", "{"] {
            assert_eq!(decode_extras(Some(json.as_bytes())), None, "{json}");
        }
        assert_eq!(encode_extras(&Extras::new()), None);
    }
}
