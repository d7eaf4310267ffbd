//! Reading and writing whole tables.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

use super::connection::{WaitLimits, unchanging, writing};
use super::dialect::SqliteDialect;
use super::lock::ServerLock;
use super::open_error::OpenFileError;
use super::schema::SCHEMA;
use super::{in_thread, location, time};
use crate::model::Timestamp;
use crate::store::OpenDatabaseError;
use crate::store::transfer::bulk::{Access, BulkConnection, BulkDialect};

/// What the rows have together that SQLite's thread reads ahead, and how many they are at most.
const BYTES_AHEAD: u64 = 4 * 1024 * 1024;
const MOST_ROWS_AHEAD: u64 = 256;
/// Fewer rows are not read in one value.
const FEWEST_PACKED: usize = 32;
/// How many they are where it is not known how large they are.
const FEW_ROWS_AHEAD: u64 = 8;

const LARGEST_MESSAGE: &str =
    "SELECT coalesce(max(octet_length(message) + coalesce(octet_length(extras), 0)), 0) FROM messages";

impl BulkDialect for SqliteDialect {
    const KIND: &'static str = "SQLite";
    const PREPARE_SOURCE: &'static str = "PRAGMA cache_size = -2048";
    const BEGIN_SOURCE: &'static str = "BEGIN";
    const PREPARE_TARGET: &'static str = "PRAGMA cache_size = -4096";
    const INSERT_ROWS: usize = 256;
    const LIST_COLUMNS: &'static str = SCHEMA.list_columns;
    const INTEGER: &'static str = "integer";
    const TEXT_BYTES: Option<usize> = None;
    const PACKED_TIME: Option<fn(&str) -> Option<Timestamp>> = Some(time::from_text);
    const SHORT_TEXT_CHARACTERS: Option<usize> = None;

    fn file(connection: &str) -> Option<PathBuf> {
        location::file(connection).ok()
    }

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
        let mut packed = 0;
        let options = match access {
            Access::Read => {
                let ahead = rows_ahead(&file, patience).await;
                // Of large messages one value would take their memory several times.
                packed = if ahead.is_utf8 && ahead.rows >= FEWEST_PACKED { ahead.rows } else { 0 };
                unchanging(&file, patience).read_only(true).row_buffer_size(ahead.rows)
            }
            Access::Write => writing(&file, patience),
        };
        let failed = |error| OpenFileError::of(&file, error);
        let connection = options.connect().await.map_err(failed)?;
        let absolute = std::fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
        let place = absolute.display().to_string();
        let prepared = BulkConnection::prepare(Self, connection, place, access).await.map_err(failed)?;
        let Some(mut lock) = lock else { return Ok(Some(prepared.packing(packed))) };
        let lock = in_thread(move || lock.lock_log().map(|()| lock)).await?;
        Ok(Some(prepared.holding(lock)))
    }
}

/// How a file is read.
struct Ahead {
    /// How many rows may be read ahead.
    rows: usize,
    /// Whether texts are as many bytes as in UTF-8.
    is_utf8: bool,
}

/// Looks how many rows may be read ahead. With few of them, most of the time goes into waking threads.
async fn rows_ahead(file: &Path, patience: Duration) -> Ahead {
    let largest = async {
        let mut connection = unchanging(file, patience).read_only(true).connect().await?;
        let largest: i64 = sqlx::query_scalar(LARGEST_MESSAGE).fetch_one(&mut connection).await?;
        let encoding: String = sqlx::query_scalar("PRAGMA encoding").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>((largest.unsigned_abs(), encoding == "UTF-8"))
    };
    let (rows, is_utf8) = match largest.await {
        Ok((largest, is_utf8)) => ((BYTES_AHEAD / largest.max(1)).clamp(1, MOST_ROWS_AHEAD), is_utf8),
        // The file of an early Gotify has no `extras`. What else is wrong the next connection will find.
        Err(_) => (FEW_ROWS_AHEAD, false),
    };
    Ahead { rows: usize::try_from(rows).unwrap_or(1), is_utf8 }
}
