//! Tells Gotify's database, and our own, from that of another program.
//!
//! A wrong path in the configuration may lead to any SQLite file. Nothing is made or changed in it then.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

/// The tables that every Gotify has had, and columns without which they can't be used.
const TABLES: [(&str, &[&str]); 4] = [
    ("users", &["id", "name", "pass", "admin"]),
    ("applications", &["id", "token", "user_id", "name"]),
    ("clients", &["id", "token", "user_id", "name"]),
    ("messages", &["id", "application_id", "message"]),
];

/// Says what Gotify's database would have and this one does not; `None` if it is Gotify's, or empty.
pub(super) async fn missing_part(connection: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
    // Tools for replication put tables of their own beside Gotify's, with a leading underscore.
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_*'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let has = |table: &str| tables.iter().any(|name| name == table);
    if !tables.is_empty() && !has("users") {
        return Ok(Some("it has no table `users`".to_owned()));
    }
    for (table, required) in TABLES.into_iter().filter(|(table, _)| has(table)) {
        let rows = sqlx::query("SELECT name FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
        let columns = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        if let Some(column) = required.iter().find(|required| !columns.iter().any(|name| name == *required)) {
            return Ok(Some(format!("its table `{table}` has no column `{column}`")));
        }
    }
    Ok(None)
}
