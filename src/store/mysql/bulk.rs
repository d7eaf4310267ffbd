//! Reading and writing whole tables.

use sqlx::ConnectOptions as _;

use super::connection;
use super::dialect::MysqlDialect;
use crate::store::OpenDatabaseError;
use crate::store::remote::RemoteDialect;
use crate::store::transfer::bulk::{Access, BulkConnection, BulkDialect, unreachable};

impl BulkDialect for MysqlDialect {
    const KIND: &'static str = "MariaDB or MySQL";
    /// The server would cut off a client that takes no rows for a minute.
    const PREPARE_SOURCE: &'static str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
        SET SESSION net_write_timeout = 3600 \
        /*M!100301 , max_statement_time = 0, idle_transaction_timeout = 0 */ /*!80000 , max_execution_time = 0 */";
    const BEGIN_SOURCE: &'static str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    const PREPARE_TARGET: &'static str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
        SET SESSION sql_mode = 'STRICT_ALL_TABLES,PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION' \
        /*M!100301 , max_statement_time = 0, idle_transaction_timeout = 0 */";
    const LIST_COLUMNS: &'static str = Self::SCHEMA.list_columns;
    const INTEGER: &'static str = "SIGNED";
    /// What a `text` holds.
    const TEXT_BYTES: Option<usize> = Some(65_535);
    const SHORT_TEXT_CHARACTERS: Option<usize> = Some(180);

    fn text_bytes(column: &str) -> String {
        // Tables of an old Gotify may have another character set.
        format!("octet_length(CONVERT({column} USING utf8mb4))")
    }

    fn last_id(table: &str) -> String {
        format!(
            "SELECT greatest(coalesce((SELECT max(id) FROM {table}), 0), coalesce((SELECT auto_increment - 1 \
             FROM information_schema.tables WHERE table_schema = database() AND table_name = '{table}'), 0))"
        )
    }

    fn raise_last_id(table: &str, id: u64) -> Vec<String> {
        vec![format!("ALTER TABLE {table} AUTO_INCREMENT = {}", id.saturating_add(1))]
    }

    async fn connect(
        connection: &str,
        access: Access,
    ) -> Result<Option<BulkConnection<Self>>, OpenDatabaseError> {
        let (options, zone) = connection::parse(connection)?;
        let place = connection::place(&options);
        let connection = options.connect().await.map_err(unreachable::<Self>)?;
        let prepared = BulkConnection::prepare(Self { zone }, connection, place, access).await;
        prepared.map(Some).map_err(unreachable::<Self>)
    }
}
