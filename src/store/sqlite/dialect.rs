//! SQLite's dialect.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, Row as _};

use super::{row, time};
use crate::model::Timestamp;
use crate::store::sql::dialect::runs_statements;
use crate::store::sql::messages::packed::{Packing, packing};
use crate::store::sql::messages::{Pages, ids_of_application};
use crate::store::sql::{Dialect, Session, Value};

/// What SQLite takes and returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SqliteDialect;

/// A session that has no deadline: what runs on SQLite waits for nobody but other processes, and for those only as
/// long as the connection was told to.
pub(super) fn session(connection: &mut SqliteConnection) -> Session<'_, SqliteDialect> {
    Session::new(&SqliteDialect, connection, None)
}

/// Merges a user's messages by a recursive query that works as a priority queue: it holds the next message of each
/// application, takes out the best one, and puts in the one that follows it in the same application. Every step is
/// one search in the index, so a page costs as many steps as it has rows, however many messages there are.
macro_rules! merge {
    ($sign:literal, $direction:literal, $order:literal) => {
        concat!(
            "WITH RECURSIVE merged (id, application) AS (
                SELECT * FROM (
                    SELECT (SELECT m.id FROM messages m WHERE m.application_id = a.id AND m.id ",
            $sign,
            " ?2 ORDER BY m.id ",
            $direction,
            " LIMIT 1) AS first, a.id
                    FROM applications a WHERE a.user_id = ?1
                ) WHERE first IS NOT NULL
                UNION ALL
                SELECT (SELECT m.id FROM messages m WHERE m.application_id = merged.application AND m.id ",
            $sign,
            " merged.id ORDER BY m.id ",
            $direction,
            " LIMIT 1), merged.application
                FROM merged WHERE merged.id IS NOT NULL
                ORDER BY 1 ",
            $order,
            " LIMIT ?3
            ) SELECT id FROM merged WHERE id IS NOT NULL"
        )
    };
}

impl Dialect for SqliteDialect {
    type Database = sqlx::Sqlite;

    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const FOR_UPDATE: &'static str = "";
    const UNCHANGED: &'static str = "";
    const NOW: &'static str = "CAST(unixepoch('subsec') * 1000 AS integer)";
    const LONGEST_REVOCATION: Duration = Duration::ZERO;
    const PAGES: Pages = Pages::Packed {
        newest: packing!(merge!("<", "DESC", "DESC")),
        oldest: packing!(merge!(">", "ASC", "NULLS LAST")),
        packing: Packing { time: time::from_text },
    };
    const OF_APPLICATION: &'static str = packing!(ids_of_application!("<", "DESC"));
    const OF_APPLICATION_AFTER: &'static str = packing!(ids_of_application!(">", "ASC"));
    const OF_IDS: &'static str = packing!(
        "SELECT m.id FROM json_each(?1) AS listed CROSS JOIN messages m ON m.id = listed.value \
         WHERE EXISTS (SELECT 1 FROM applications a WHERE a.id = m.application_id AND a.user_id = ?2) LIMIT ?3"
    );
    const HAS_HEADS: bool = false;
    const MOVED_HEADS: &'static str = "";
    const BINDS_BY_NUMBER: bool = true;
    const UNNUMBERED: bool = true;

    fn placeholder(text: &mut String, number: usize) {
        let _ = write!(text, "?{number}");
    }

    /// A list is one value, however long it is: a JSON array.
    fn is_one_of(text: &mut String, number: usize, _count: usize) {
        let _ = write!(text, "IN (SELECT value FROM json_each(?{number}))");
    }

    fn moment(column: &str) -> String {
        format!("unixepoch({column}, 'subsec')")
    }

    fn bind(&self, arguments: &mut SqliteArguments, value: Value<'_>) -> Result<(), BoxDynError> {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Flag(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::SortKey(value) => arguments.add(value),
            Value::Time(value) => arguments.add(value.map(time::to_text)),
            Value::Moment(value) => arguments.add(time::to_unix(value)),
            Value::Ids(ids) => arguments.add(row::id_list(ids.into_iter())),
            Value::Texts(texts) => arguments.add(serde_json::to_string(&texts)?),
        }
    }

    runs_statements!();

    fn insert(
        connection: &mut SqliteConnection,
        text: String,
        arguments: SqliteArguments,
    ) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let done = connection.execute(sqlx::query_with(AssertSqlSafe(text), arguments));
        Box::pin(async move { Ok(done.await?.last_insert_rowid().unsigned_abs()) })
    }

    fn integer(row: &SqliteRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get_unchecked(column)
    }

    fn bytes(row: &SqliteRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        row.try_get_unchecked(column)
    }

    fn time(&self, row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        let text = Self::bytes(row, column)?.map(String::from_utf8_lossy);
        Ok(text.as_deref().and_then(time::from_text))
    }

    fn moment_of(&self, row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(row.try_get_unchecked::<Option<f64>, _>(column)?.and_then(time::from_unix))
    }

    fn kept(&self, time: Timestamp) -> Timestamp {
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::deletions::{OLDEST, ORPHANED, SLICE};
    use crate::store::sql::keyed::{FIND, STALE};
    use crate::store::sql::messages::dates::PACKED_DATES;
    use crate::store::sql::messages::{
        BY_IDS, BYTES_OF_APPLICATION, BYTES_OF_USER, COUNT_AFTER, COUNT_CHOSEN_AFTER, COUNT_URGENT_AFTER,
        DELETE_ONE, NEWEST_BEYOND, NEWEST_ID,
    };
    use crate::store::sql::search::{COUNT_BETWEEN, DIRECTORIES, OF_NOBODY, ROWS, SEGMENTS};
    use crate::store::sql::{application_states, query};

    #[tokio::test]
    async fn no_statement_scans_a_table() {
        let (database, _folder) = crate::store::sqlite::tests::in_new_folder().await;
        let mut lease = database.writer.lease("explain").await.unwrap();
        #[cfg_attr(
            not(any(feature = "mysql", feature = "postgres")),
            expect(irrefutable_let_patterns, reason = "only other databases have other pages")
        )]
        let Pages::Packed { newest, oldest, .. } = SqliteDialect::PAGES else { panic!() };
        for statement in [
            newest,
            oldest,
            SqliteDialect::OF_APPLICATION,
            SqliteDialect::OF_APPLICATION_AFTER,
            BY_IDS,
            COUNT_AFTER,
            COUNT_URGENT_AFTER,
            COUNT_CHOSEN_AFTER,
            NEWEST_ID,
            DELETE_ONE,
            SLICE,
            OLDEST,
            NEWEST_BEYOND,
            ORPHANED,
            BYTES_OF_APPLICATION,
            BYTES_OF_USER,
            SqliteDialect::OF_IDS,
            PACKED_DATES,
            FIND,
            STALE,
            COUNT_BETWEEN,
            SEGMENTS,
            DIRECTORIES,
            ROWS,
            OF_NOBODY,
            &application_states::states::<SqliteDialect>("a.user_id = ?1"),
            &application_states::unread::<SqliteDialect>(2),
        ] {
            let explained = format!("EXPLAIN QUERY PLAN {statement}");
            let explained = query(&explained).bind(1).bind(1).bind(1).bind(1);
            let steps = session(&mut lease).all(explained).await.unwrap();
            let steps: Vec<_> = steps.iter().map(|step| step.text(3).unwrap()).collect();
            let of_ours = statement.contains(" FROM shardcast_") && !statement.contains(" messages ");
            let searched = if of_ours { "SEARCH shardcast_" } else { "SEARCH m" };
            assert!(steps.iter().any(|step| step.starts_with(searched)), "{statement}: {steps:#?}");
            for step in steps.iter().filter(|step| step.starts_with("SCAN")) {
                let few = [
                    "SCAN merged",
                    "SCAN (subquery-",
                    "SCAN json_each",
                    "SCAN owner",
                    "SCAN keyed",
                    "SCAN counted",
                    "SCAN unread",
                    "SCAN CONSTANT ROW",
                    "SCAN page",
                    "SCAN list",
                ];
                assert!(few.iter().any(|few| step.starts_with(few)), "{steps:#?}");
            }
            let sorts = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
            assert!(
                sorts <= 2 && (sorts == 0 || statement.contains("listed")),
                "only a page is sorted: {steps:#?}"
            );
        }
    }
}
