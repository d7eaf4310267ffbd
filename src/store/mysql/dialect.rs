//! The dialect of MariaDB and MySQL.
//!
//! `/*M! … */` is read by MariaDB alone, and `/*!80000 … */` by MySQL alone, from the version on that it names.

use std::time::Duration;

use chrono::{NaiveDateTime, SubsecRound as _};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlDatabaseError, MySqlRow};
use sqlx::{Arguments as _, AssertSqlSafe, Column as _, Executor as _, Row as _, TypeInfo as _};

use super::insertion;
use super::zone::Zone;
use crate::model::{MessageId, Timestamp, zero_time};
use crate::store::remote::dialect::taken_value;
use crate::store::remote::{Fault, RemoteDialect, UsedIds};
use crate::store::sql::dialect::runs_statements;
use crate::store::sql::messages::Pages;
use crate::store::sql::schema::Schema;
use crate::store::sql::{Dialect, Session, Value};
use crate::store::{NewMessage, Unstorable};

/// What Gotify's driver writes for Go's zero time, and reads as that, whatever the zone.
const ZERO_DATE: &str = "0000-00-00";

/// What MariaDB and MySQL take and return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MysqlDialect {
    /// In which the dates are.
    pub(super) zone: Zone,
}

impl Dialect for MysqlDialect {
    type Database = sqlx::MySql;

    const BEGIN: &'static str = "START TRANSACTION";
    const BEGIN_SNAPSHOT: &'static str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    const FOR_UPDATE: &'static str = " FOR UPDATE";
    /// Shared: the deletion of one message locks it, and then reads applications under a shared lock. A change that waits is
    /// not overtaken by later ones.
    const UNCHANGED: &'static str = " LOCK IN SHARE MODE";
    const NOW: &'static str = "timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(3)) DIV 1000";
    const LONGEST_REVOCATION: Duration = crate::store::remote::LONGEST_REVOCATION;
    /// MariaDB has no `LATERAL`.
    const PAGES: Pages = Pages::PerApplication;
    /// Both read the distinct values of an index without reading it all, and both end a recursion after a thousand
    /// steps.
    const ORPHANED: &'static str = "SELECT owner.id FROM (
            SELECT DISTINCT application_id AS id FROM messages
        ) AS owner LEFT JOIN applications a ON a.id = owner.id WHERE a.id IS NULL AND owner.id IS NOT NULL";
    const OF_NOBODY: &'static str = "SELECT owner.id FROM (
            SELECT DISTINCT user_id AS id FROM shardcast_search_segments
        ) AS owner LEFT JOIN users u ON u.id = owner.id WHERE u.id IS NULL";
    const HAS_HEADS: bool = true;
    const HEAD_TIME: &'static str = "utc_timestamp(3)";
    const MOVED_HEADS: &'static str = "SELECT user_id, newest FROM shardcast_heads \
        WHERE moved_at >= '1970-01-01' + INTERVAL ? * 1000 MICROSECOND";
    const BINDS_BY_NUMBER: bool = false;

    fn placeholder(text: &mut String, _number: usize) {
        text.push('?');
    }

    /// A list has places for a power of two, so that a connection keeps few statements. An update by a subquery would
    /// make MariaDB go through the whole table.
    fn is_one_of(text: &mut String, _number: usize, count: usize) {
        if count == 0 {
            text.push_str("IN (NULL)");
            return;
        }
        let places = "?,".repeat(count.next_power_of_two());
        text.push_str("IN (");
        text.push_str(places.trim_end_matches(','));
        text.push(')');
    }

    fn moment(column: &str) -> String {
        column.to_owned()
    }

    fn bind(&self, arguments: &mut MySqlArguments, value: Value<'_>) -> Result<(), BoxDynError> {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Flag(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::SortKey(value) => arguments.add(value.as_bytes()),
            Value::Time(Some(value)) | Value::Moment(value) if value == zero_time() => {
                arguments.add(ZERO_DATE)
            }
            Value::Time(value) => arguments.add(value.map(|time| self.wall_clock(time))),
            Value::Moment(value) => arguments.add(self.wall_clock(value)),
            Value::Ids(ids) => padded(&ids).try_for_each(|id| arguments.add(*id)),
            Value::Texts(texts) => padded(&texts).try_for_each(|text| arguments.add(*text)),
        }
    }

    runs_statements!();

    fn insert(
        connection: &mut MySqlConnection,
        text: String,
        arguments: MySqlArguments,
    ) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
        let inserted = connection.execute(sqlx::query_with(AssertSqlSafe(text), arguments));
        inserted.map(|done| Ok(done?.last_insert_id())).boxed()
    }

    /// What joins signed and unsigned numbers is a DECIMAL, which comes as text.
    fn integer(row: &MySqlRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
        if row.column(column).type_info().name() != "DECIMAL" {
            return row.try_get_unchecked(column);
        }
        let text: Option<&str> = row.try_get_unchecked(column)?;
        text.map(|text| text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))).transpose()
    }

    fn bytes(row: &MySqlRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        row.try_get_unchecked(column)
    }

    fn time(&self, row: &MySqlRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        if let Some(wall_clock) = row.try_get_unchecked::<Option<NaiveDateTime>, _>(column)? {
            return Ok(Some(self.zone.time(wall_clock)));
        }
        // sqlx takes the zero date for NULL, but has bytes for it.
        let is_zero = row.try_get_unchecked::<&[u8], _>(column).is_ok();
        Ok(is_zero.then(zero_time))
    }

    fn moment_of(&self, row: &MySqlRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        self.time(row, column)
    }

    fn kept(&self, time: Timestamp) -> Timestamp {
        self.zone.shown(time.trunc_subsecs(3))
    }
}

impl MysqlDialect {
    /// Returns a time as a column holds it, in milliseconds: the server would round it up.
    pub(super) fn wall_clock(self, time: Timestamp) -> NaiveDateTime {
        self.zone.wall_clock(time.trunc_subsecs(3))
    }
}

/// Repeats the last value until there are as many as the next power of two.
pub(super) fn padded<T>(values: &[T]) -> impl Iterator<Item = &T> {
    let places = if values.is_empty() { 0 } else { values.len().next_power_of_two() };
    values.iter().chain(values.last().into_iter().cycle()).take(places)
}

impl RemoteDialect for MysqlDialect {
    const NAME: &'static str = "MariaDB or MySQL";
    const KIND: &'static str = "mysql";
    const PREPARE_WRITER: &'static str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
        SET SESSION sql_mode = 'STRICT_ALL_TABLES,PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 2 \
        /*M!100301 , max_statement_time = 10, idle_transaction_timeout = 10 */";
    /// The snapshot of a transaction is that of its beginning.
    const PREPARE_READER: &'static str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
        SET SESSION TRANSACTION READ ONLY; \
        SET SESSION innodb_lock_wait_timeout = 2 \
        /*M!100301 , max_statement_time = 10, idle_transaction_timeout = 10 */ /*!80000 , max_execution_time = 10000 */";
    const PREPARE_SCHEMA: &'static str = "SET SESSION innodb_lock_wait_timeout = 3600 \
        /*M!100301 , max_statement_time = 0, idle_transaction_timeout = 0 */";
    const LOCK_SCHEMA: &'static str = "SELECT get_lock('shardcast schema', 3600)";
    const SCHEMA: Schema = Schema {
        tables: include_str!("../../../migrations/mysql/tables.sql"),
        for_commands: include_str!("../../../migrations/mysql/for_commands.sql"),
        indexes: include_str!("../../../migrations/mysql/indexes.sql"),
        list_columns: "SELECT table_name, column_name, is_nullable = 'NO' AND column_default IS NULL AND extra = '' \
            FROM information_schema.columns WHERE table_schema = database()",
        list_indexes: "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = database()",
    };
    const IS_READ_ONLY: &'static str = "SELECT @@global.read_only";
    /// The third column of the last row is the step from one id to the next.
    const SENDERS: &'static str = "SELECT id, user_id, NULL FROM applications WHERE id {in} \
        UNION ALL SELECT NULL, NULL, @@auto_increment_increment";
    const RESERVES_IDS: bool = false;
    const RAISE_HEADS: &'static str =
        "ON DUPLICATE KEY UPDATE newest = greatest(newest, VALUES(newest)), moved_at = VALUES(moved_at)";

    /// By the numbers that both servers use, <https://mariadb.com/docs/server/reference/error-codes>.
    fn fault(error: &dyn DatabaseError) -> Fault {
        let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() else { return Fault::Other };
        match error.number() {
            // Duplicate entry; the message names the index.
            1062 | 1586 => Fault::Taken(taken_value(error.message())),
            // Deadlock, record changed.
            1020 | 1213 => Fault::Conflict,
            // Shut down, killed, ended by a timeout.
            1053 | 1927 | 4031 => Fault::Disconnected,
            // Disk full, out of memory or connections, lock timeout, read-only, statement ended or timed out.
            1021
            | 1028
            | 1037
            | 1038
            | 1040
            | 1041
            | 1077
            | 1114
            | 1158..=1161
            | 1203
            | 1205
            | 1226
            | 1290
            | 1317
            | 1792
            | 1836
            | 1969
            | 3024
            | 3100 => Fault::Unavailable,
            // Row, packet, number or text too large.
            1118 | 1153 | 1264 | 1301 | 1406 => Fault::Unstorable(Unstorable::TooLarge),
            // Not in the column's character set.
            1366 | 3854 => Fault::Unstorable(Unstorable::Character),
            _ => Fault::Other,
        }
    }

    /// Not all versions of MariaDB have `server_uid`.
    const IDENTITY: &'static str =
        "SHOW GLOBAL VARIABLES WHERE variable_name IN ('port', 'server_id', 'server_uid', 'server_uuid')";

    /// The server raises it with each id that is given.
    const RAISE_IDS: Option<&'static str> = None;
    const MOST_BYTES: Option<&'static str> = Some("SELECT @@max_allowed_packet");

    async fn skip_ids(session: &mut Session<'_, Self>, above: u64) -> Result<(), sqlx::Error> {
        insertion::skip_ids(session, above).await
    }

    async fn insert_messages(
        session: &mut Session<'_, Self>,
        messages: &[&NewMessage],
        reserved: &[u64],
        used: UsedIds<'_>,
    ) -> Result<Vec<MessageId>, sqlx::Error> {
        insertion::insert(session, messages, reserved.first().copied().unwrap_or(1), used).await
    }
}
