//! Whether anything in a database has changed, seen from outside the server.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

/// Looks at a server's database through a connection of its own.
pub(crate) struct Watch {
    connection: SqliteConnection,
    version: i64,
    rows: Vec<String>,
}

impl Watch {
    pub(crate) async fn new(database: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        let mut watch = Self { connection, version: 0, rows: Vec::new() };
        watch.changed().await;
        watch
    }

    /// Returns a row that came, went or changed since the last call; when tokens were used does not count, nor do
    /// clients that expired over a day ago, which the server may remove at any moment and writes into its log.
    pub(crate) async fn changed(&mut self) -> Option<String> {
        // Another number whenever another connection has written anything.
        let version =
            sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.connection).await.unwrap();
        if version == self.version {
            return None;
        }
        self.version = version;
        let rows = self.rows().await;
        let before = std::mem::replace(&mut self.rows, rows);
        let differs = |row: &&String, rows: &[String]| rows.binary_search(row).is_err();
        let came = self.rows.iter().find(|row| differs(row, &before));
        came.or_else(|| before.iter().find(|row| differs(row, &self.rows))).cloned()
    }

    /// Returns all rows of all tables as text, sorted.
    async fn rows(&mut self) -> Vec<String> {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
             AND name NOT LIKE '_sqlx%'",
        )
        .fetch_all(&mut self.connection)
        .await
        .unwrap();
        assert!(tables.len() >= 4, "{tables:?}");
        let mut rows = Vec::new();
        for table in tables {
            let columns: Vec<String> =
                sqlx::query_scalar("SELECT name FROM pragma_table_info(?) WHERE name NOT LIKE 'last_used'")
                    .bind(&table)
                    .fetch_all(&mut self.connection)
                    .await
                    .unwrap();
            let columns: Vec<String> = columns
                .iter()
                .map(|column| {
                    format!("coalesce(length(\"{column}\") || ':' || hex(substr(\"{column}\", 1, 100)), '-')")
                })
                .collect();
            let lasting = match table.as_str() {
                "clients" => "expires_at IS NULL OR expires_at > datetime('now', '-1 day')",
                "shardcast_log" => "kind <> 'ClientExpired'",
                _ => "true",
            };
            let columns = columns.join(" || ',' || ");
            let query = format!("SELECT '{table}: ' || {columns} FROM \"{table}\" WHERE {lasting}");
            let found: Vec<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_all(&mut self.connection).await.unwrap();
            rows.extend(found);
        }
        rows.sort();
        rows
    }
}
