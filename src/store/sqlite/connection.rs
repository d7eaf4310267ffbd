//! How connections are opened, and how long an operation may wait for one.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

/// The write-ahead log is cut to this length once it was longer, after a burst or a long read.
const LOG_LIMIT_BYTES: u32 = 32 * 1024 * 1024;

/// How long operations wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaitLimits {
    /// For everything before the operation's first statement runs: for other operations that have the connection,
    /// and for a connection that is opened anew.
    pub(super) operation: Duration,
    /// For a lock that another process holds, but not beyond the end of `operation`.
    pub(super) lock: Duration,
}

impl WaitLimits {
    /// What an operation of the server waits.
    pub(super) const SERVER: Self = Self { operation: Duration::from_secs(5), lock: Duration::from_secs(2) };
}

/// How the connection that writes is opened: what it acknowledges has been synced to the disk.
pub(super) fn writing(file: &Path, lock_patience: Duration) -> SqliteConnectOptions {
    base(file, lock_patience)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", LOG_LIMIT_BYTES.to_string())
}

/// How a connection that reads is opened: it never writes, and caches at most 512 KiB of pages.
pub(super) fn reading(file: &Path, lock_patience: Duration) -> SqliteConnectOptions {
    base(file, lock_patience).pragma("query_only", "ON").pragma("cache_size", "-512")
}

/// How a connection is opened that leaves the file as it is, its mode included.
pub(super) fn unchanging(file: &Path, lock_patience: Duration) -> SqliteConnectOptions {
    base(file, lock_patience)
}

/// Never makes a file: one that is gone must not be replaced by an empty one.
fn base(file: &Path, lock_patience: Duration) -> SqliteConnectOptions {
    // Foreign keys stay off as in Gotify, whose tables declare none.
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(lock_patience)
        .foreign_keys(false)
        .disable_statement_logging()
}
