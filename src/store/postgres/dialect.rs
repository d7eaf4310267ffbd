//! PostgreSQL's dialect.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, Local, SubsecRound as _, Utc};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, Row as _};

use super::insertion;
use crate::model::{MessageId, Timestamp};
use crate::store::remote::dialect::taken_value;
use crate::store::remote::heads::newest;
use crate::store::remote::{Fault, RemoteDialect, UsedIds};
use crate::store::sql::dialect::runs_statements;
use crate::store::sql::messages::Pages;
use crate::store::sql::schema::Schema;
use crate::store::sql::{Dialect, Session, Value};
use crate::store::{NewMessage, Unstorable};

/// What PostgreSQL takes and returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostgresDialect;

/// Searches the messages of an application from an id on, in their order.
///
/// Asked for `application_id = a.id … ORDER BY id`, PostgreSQL may go through the messages of everybody until it has
/// found enough: through all of them for an application that has none. The order of both columns is that of one index
/// only, and the comparison of both says where in it to begin.
macro_rules! search {
    ($application:literal, "<", $id:literal, $limit:literal) => {
        search!(@ $application, "<", $id, ">=", " DESC", $limit)
    };
    ($application:literal, ">", $id:literal, $limit:literal) => {
        search!(@ $application, ">", $id, "<=", "", $limit)
    };
    (@ $application:literal, $from:literal, $id:literal, $to:literal, $direction:literal, $limit:literal) => {
        concat!(
            "SELECT m.id FROM messages m WHERE (m.application_id, m.id) ", $from, " (", $application, ", ", $id,
            ") AND m.application_id ", $to, " ", $application, " ORDER BY m.application_id", $direction, ", m.id",
            $direction, " LIMIT ", $limit
        )
    };
}

/// The query that lists the messages whose ids a subquery returns, then the id and the size. It returns the same as
/// that of [`crate::store::sql::messages::listing!`] with one join less: PostgreSQL finds the size of a large text without
/// reading it, and sorts no texts here.
macro_rules! listing {
    ($ids:expr, $order:literal, $small:literal) => {
        concat!(
            "SELECT m.id, m.application_id, CASE WHEN size <= ",
            $small,
            " THEN m.message END, CASE WHEN size <= ",
            $small,
            " THEN m.title END, m.priority, CASE WHEN size <= ",
            $small,
            " THEN m.extras END, m.date, m.id, size FROM (",
            $ids,
            ") AS page JOIN messages m ON m.id = page.id CROSS JOIN LATERAL (SELECT ",
            $crate::store::sql::slice::size!("m.message" "m.title"),
            " + 8 * coalesce(octet_length(m.extras), 0) AS size) AS sizes ORDER BY m.id ",
            $order
        )
    };
}

/// Reads a page of each application, and merges them.
macro_rules! merge {
    ($sign:tt, $direction:literal) => {
        concat!(
            "SELECT n.id FROM applications a CROSS JOIN LATERAL (",
            search!("a.id", $sign, "?2", "?3"),
            ") AS n WHERE a.user_id = ?1 ORDER BY n.id ",
            $direction,
            " LIMIT ?3"
        )
    };
}

impl Dialect for PostgresDialect {
    type Database = sqlx::Postgres;

    const BEGIN: &'static str = "BEGIN";
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    /// Not shared: holders of a shared lock that take turns would never let a change through.
    const UNCHANGED: &'static str = " FOR NO KEY UPDATE";
    const NOW: &'static str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)";
    const LONGEST_REVOCATION: Duration = crate::store::remote::LONGEST_REVOCATION;
    const PAGES: Pages = Pages::OneQuery {
        newest: listing!(merge!("<", "DESC"), "DESC", "?4"),
        oldest: listing!(merge!(">", "ASC"), "ASC", "?4"),
    };
    const OF_APPLICATION: &'static str = listing!(
        concat!(
            "SELECT n.id FROM (",
            search!("?1::bigint", "<", "?2", "?3"),
            ") AS n WHERE EXISTS (SELECT 1 FROM applications WHERE id = ?1)"
        ),
        "DESC",
        "?4"
    );
    const OF_APPLICATION_AFTER: &'static str = listing!(
        concat!(
            "SELECT n.id FROM (",
            search!("?1::bigint", ">", "?2", "?3"),
            ") AS n WHERE EXISTS (SELECT 1 FROM applications WHERE id = ?1)"
        ),
        "ASC",
        "?4"
    );
    const OF_IDS: &'static str = listing!(
        "SELECT i.id FROM messages i WHERE i.id = ANY(?1) \
         AND EXISTS (SELECT 1 FROM applications a WHERE a.id = i.application_id AND a.user_id = ?2)",
        "DESC",
        "?3"
    );
    const NEWEST_ID: &'static str = concat!(
        "SELECT max((",
        search!("a.id", "<", "?2", "1"),
        ")) FROM applications a WHERE a.user_id = ?1"
    );
    const NEWEST_OF_APPLICATION: &'static str = search!("a.id", "<", "9223372036854775807", "1");
    const NEWEST_BEYOND: &'static str = search!("?1::bigint", "<", "9223372036854775807", "1 OFFSET ?2");
    const COUNT_AFTER: &'static str = concat!(
        "SELECT count(*) FROM (SELECT 1 FROM applications a CROSS JOIN LATERAL (",
        search!("a.id", ">", "?2", "?3"),
        ") AS n WHERE a.user_id = ?1 LIMIT ?3) AS counted"
    );
    const HAS_HEADS: bool = true;
    const HEAD_TIME: &'static str = "clock_timestamp()";
    const MOVED_HEADS: &'static str =
        "SELECT user_id, newest FROM shardcast_heads WHERE moved_at >= to_timestamp(?::float8 / 1000)";
    const BINDS_BY_NUMBER: bool = true;
    const HOLDS_NUL: bool = false;

    fn placeholder(text: &mut String, number: usize) {
        let _ = write!(text, "${number}");
    }

    /// A list is one value, however long it is: an array.
    fn is_one_of(text: &mut String, number: usize, _count: usize) {
        let _ = write!(text, "= ANY(${number})");
    }

    fn ids_above(application: usize, id: usize, limit: u64) -> String {
        let search = search!("{application}", ">", "{id}", "{limit}");
        search
            .replace("{application}", &format!("?{application}::bigint"))
            .replace("{id}", &format!("?{id}"))
            .replace("{limit}", &limit.to_string())
    }

    fn moment(column: &str) -> String {
        column.to_owned()
    }

    fn bind(&self, arguments: &mut PgArguments, value: Value<'_>) -> Result<(), BoxDynError> {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Flag(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::SortKey(value) => arguments.add(value.as_bytes()),
            Value::Time(value) => arguments.add(value.map(|time| time.to_utc())),
            Value::Moment(value) => arguments.add(value.to_utc()),
            Value::Ids(ids) => arguments.add(ids.into_iter().map(id).collect::<Vec<i64>>()),
            Value::Texts(texts) => arguments.add(texts),
        }
    }

    runs_statements!();

    fn insert(
        connection: &mut PgConnection,
        text: String,
        arguments: PgArguments,
    ) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let returning = AssertSqlSafe(format!("{text} RETURNING id"));
        let inserted = connection.fetch_one(sqlx::query_with(returning, arguments));
        // The ids of Gotify 2.7 have 32 bits.
        inserted.map(|row| Ok(row?.try_get_unchecked::<i64, _>(0)?.unsigned_abs())).boxed()
    }

    fn integer(row: &PgRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
        row.try_get_unchecked(column)
    }

    fn bytes(row: &PgRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        row.try_get_unchecked(column)
    }

    fn time(&self, row: &PgRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        let time = row.try_get_unchecked::<Option<DateTime<Utc>>, _>(column)?;
        Ok(time.map(|time| time.with_timezone(&Local).fixed_offset()))
    }

    fn moment_of(&self, row: &PgRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        self.time(row, column)
    }

    /// Microseconds, and no zone.
    fn kept(&self, time: Timestamp) -> Timestamp {
        time.trunc_subsecs(6).with_timezone(&Local).fixed_offset()
    }
}

/// The form in which PostgreSQL holds an id.
pub(super) fn id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl RemoteDialect for PostgresDialect {
    const NAME: &'static str = "PostgreSQL";
    const KIND: &'static str = "postgres";
    /// The server ends what this process can no longer end.
    const PREPARE_WRITER: &'static str = "SET client_min_messages = warning; \
        SET default_transaction_isolation = 'read committed'; \
        SET lock_timeout = '2s'; SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '10s'";
    /// A page is planned once, and not each time anew: that takes longer than to read it. Every list is made for nested
    /// loops over indexes, which a plan without values would not always choose.
    const PREPARE_READER: &'static str = "SET client_min_messages = warning; \
        SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; \
        SET default_transaction_isolation = 'read committed'; \
        SET default_transaction_read_only = on; SET statement_timeout = '10s'";
    const PREPARE_SCHEMA: &'static str =
        "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";
    /// The number has no meaning but to be ours.
    const LOCK_SCHEMA: &'static str = "SELECT pg_advisory_lock(7311146954)";
    const SCHEMA: Schema = Schema {
        tables: include_str!("../../../migrations/postgres/tables.sql"),
        for_commands: include_str!("../../../migrations/postgres/for_commands.sql"),
        indexes: include_str!("../../../migrations/postgres/indexes.sql"),
        list_columns: "SELECT table_name, column_name, is_nullable = 'NO' AND column_default IS NULL \
            FROM information_schema.columns WHERE table_schema = current_schema()",
        list_indexes: "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
    };
    const IS_READ_ONLY: &'static str =
        "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'";

    /// By the classes of SQLSTATE, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn fault(error: &dyn DatabaseError) -> Fault {
        let code = error.code().unwrap_or_default();
        match code.as_ref() {
            "23505" => Fault::Taken(taken_value(error.constraint().unwrap_or_default())),
            // Serialization failure, deadlock.
            "40001" | "40P01" => Fault::Conflict,
            // Ended by an administrator or by a timeout, or because another process of the server has crashed.
            "57P01" | "57P02" | "57P05" | "25P03" => Fault::Disconnected,
            // Read-only, lock not available, lock or statement timeout, starting up or shutting down.
            "25006" | "55P03" | "57014" | "57P03" => Fault::Unavailable,
            // Out of disk, memory or connections; connection lost; the system failed.
            code if ["53", "08", "58"].iter().any(|class| code.starts_with(class)) => Fault::Unavailable,
            // NUL or a character that is not in the encoding; anything else of the class is too large.
            "22021" | "22P05" => Fault::Unstorable(Unstorable::Character),
            code if code.starts_with("22") || code == "54000" => Fault::Unstorable(Unstorable::TooLarge),
            _ => Fault::Other,
        }
    }

    const NEWEST: &'static str = newest!("", search!("a.id", "<", "9223372036854775807", "1"));
    const NEWEST_OF: &'static str =
        newest!("WHERE a.user_id {in}", search!("a.id", "<", "9223372036854775807", "1"));
    /// Ids are taken after the heads were locked, and inserted as they are: nothing depends on the order in which
    /// PostgreSQL works through a statement.
    const SENDERS: &'static str = "SELECT id, user_id, NULL::bigint FROM applications WHERE id {in} UNION ALL \
        SELECT NULL, NULL, nextval((SELECT CAST(pg_get_serial_sequence('messages', 'id') AS regclass))) \
        FROM generate_series(1, ?)";
    const RESERVES_IDS: bool = true;
    const RAISE_HEADS: &'static str = "ON CONFLICT (user_id) DO UPDATE \
        SET newest = greatest(shardcast_heads.newest, excluded.newest), moved_at = excluded.moved_at";

    /// The timeline is that of the log which is written: the control file has the new one only after a checkpoint.
    const IDENTITY: &'static str = "SELECT 'server', (SELECT CAST(system_identifier AS text) FROM pg_control_system()) \
        || '/' || CASE WHEN pg_is_in_recovery() THEN 'replica' \
        ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END";

    const RAISE_IDS: Option<&'static str> = Some(insertion::RAISE_IDS);
    /// A statement may have a gigabyte.
    const MOST_BYTES: Option<&'static str> = None;

    async fn skip_ids(session: &mut Session<'_, Self>, above: u64) -> Result<(), sqlx::Error> {
        insertion::skip_ids(session, above).await
    }

    async fn insert_messages(
        session: &mut Session<'_, Self>,
        messages: &[&NewMessage],
        reserved: &[u64],
        used: UsedIds<'_>,
    ) -> Result<Vec<MessageId>, sqlx::Error> {
        insertion::insert(session, messages, reserved, used).await
    }
}
