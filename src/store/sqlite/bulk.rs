//! Reading and writing whole tables.

use sqlx::ConnectOptions as _;

use super::connection::{WaitLimits, unchanging, writing};
use super::dialect::SqliteDialect;
use super::lock::ServerLock;
use super::open_error::OpenFileError;
use super::schema::SCHEMA;
use super::{in_thread, location};
use crate::store::OpenDatabaseError;
use crate::store::transfer::bulk::{Access, BulkConnection, BulkDialect};

/// Rows that SQLite's thread reads ahead. They may be large.
const ROWS_AHEAD: usize = 8;

impl BulkDialect for SqliteDialect {
    const KIND: &'static str = "SQLite";
    const PREPARE_SOURCE: &'static str = "PRAGMA cache_size = -2048";
    const BEGIN_SOURCE: &'static str = "BEGIN";
    const PREPARE_TARGET: &'static str = "PRAGMA cache_size = -8192";
    const LIST_COLUMNS: &'static str = SCHEMA.list_columns;
    const SUM_OF_IDS: &'static str = "sum(id)";
    const TEXT_BYTES: Option<usize> = None;
    const SHORT_TEXT_CHARACTERS: Option<usize> = None;

    fn last_id(table: &str) -> String {
        format!(
            "SELECT max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'), 0), \
             coalesce((SELECT max(id) FROM {table}), 0))"
        )
    }

    fn raise_last_id(table: &str, id: u64) -> Vec<String> {
        vec![
            format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT '{table}', 0 \
                 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{table}')"
            ),
            format!("UPDATE sqlite_sequence SET seq = {id} WHERE name = '{table}'"),
        ]
    }

    async fn connect(
        connection: &str,
        access: Access,
    ) -> Result<Option<BulkConnection<Self>>, OpenDatabaseError> {
        let file = location::file(connection).map_err(OpenFileError::from)?;
        if !file.exists() {
            return Ok(None);
        }
        let patience = WaitLimits::SERVER.lock;
        let lock = match access {
            Access::Read => None,
            Access::Write => {
                let file = file.clone();
                let now = chrono::Local::now().fixed_offset();
                Some(in_thread(move || ServerLock::take(&file, now)).await?)
            }
        };
        let options = match access {
            Access::Read => unchanging(&file, patience).read_only(true).row_buffer_size(ROWS_AHEAD),
            Access::Write => writing(&file, patience),
        };
        let failed = |error| OpenFileError::of(&file, error);
        let connection = options.connect().await.map_err(failed)?;
        let absolute = std::fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
        let place = absolute.display().to_string();
        let prepared = BulkConnection::prepare(Self, connection, place, access).await.map_err(failed)?;
        Ok(Some(match lock {
            Some(lock) => prepared.holding(lock),
            None => prepared,
        }))
    }
}
