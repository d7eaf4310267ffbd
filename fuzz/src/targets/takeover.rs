//! A database that somebody else has made is opened: any file (first byte `b`), or Gotify's with whatever statements
//! were run on it (`s` for an early Gotify 2, `S` for a later one).
//!
//! To ask what a start would change changes nothing. What is opened keeps its rows, can be read, and needs no change when
//! it is opened again.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use shardcast::model::{ApplicationId, UserId};
use shardcast::store::{Applications as _, Clients as _, Database as _, Messages as _, Users as _};
use shardcast::store::{MessagePage, Sqlite};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The tables of an early Gotify 2, with that of its plugins.
const EARLY: &str = concat!(
    include_str!("../../../src/store/sqlite/tests/early.sql"),
    r#"
    CREATE TABLE "plugin_confs" ("id" integer primary key autoincrement, "user_id" integer, "module_path" text,
        "token" varchar(180), "application_id" integer, "enabled" bool, "config" blob, "storage" blob);
"#
);

const ROWS: &str = r#"
    INSERT INTO users (id, name, pass, admin) VALUES (1, 'admin', CAST('$2a$10$hash' AS BLOB), 1), (2, 'bob', x'', 0);
    INSERT INTO applications (id, token, user_id, name, description, internal, image)
        VALUES (3, 'A3', 1, 'backup', 'nightly', 0, 'x.png'), (5, 'A5', 2, 'door', '', 0, '');
    INSERT INTO clients (id, token, user_id, name) VALUES (4, 'C4', 1, 'phone');
    INSERT INTO messages (id, application_id, message, title, priority, extras, date) VALUES
        (10, 3, 'done', 'backup', 5, CAST('{"a":{"b":1}}' AS BLOB), '2019-03-04 05:06:07.89+01:00'),
        (11, 3, 'ran', 'cron', 0, NULL, '2019-03-04 05:06:08+00:00');
"#;

/// What a later Gotify 2 has besides.
const LATER: &str = "
    ALTER TABLE applications ADD COLUMN default_priority integer;
    ALTER TABLE applications ADD COLUMN last_used datetime;
    ALTER TABLE applications ADD COLUMN sort_key text;
    ALTER TABLE clients ADD COLUMN last_used datetime;
";

/// Words of statements that write other files, or never end.
const LEFT_OUT: [&str; 8] =
    ["attach", "vacuum", "recursive", "blob(", "printf", "format(", "pragma", "trigger"];

/// What is counted. Messages whose application is gone are deleted, as after a deletion that was interrupted.
const ROWS_KEPT: [&str; 4] =
    ["users", "applications", "clients", "messages WHERE application_id IN (SELECT id FROM applications)"];

struct World {
    runtime: Runtime,
    folder: TempDir,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    WORLD.with(|world| {
        let world = world.get_or_init(|| World {
            runtime: Builder::new_current_thread().enable_all().build().expect("a runtime can be made"),
            folder: tempfile::tempdir().expect("a folder can be made"),
        });
        let file = world.new_file();
        world.runtime.block_on(async {
            let is_made = match kind {
                b'b' => std::fs::write(&file, rest).is_ok(),
                b's' | b'S' => make(&file, kind == b'S', &String::from_utf8_lossy(rest)).await.is_ok(),
                _ => false,
            };
            if is_made {
                take_over(&file).await;
            }
        });
    });
}

impl World {
    /// Returns the path of a file that does not exist, nor any beside it.
    fn new_file(&self) -> PathBuf {
        let folder = self.folder.path().join("data");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir(&folder).expect("the folder was removed");
        folder.join("gotify.db")
    }
}

async fn connect(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).foreign_keys(false);
    options.disable_statement_logging().connect().await
}

/// Makes Gotify's database, and runs statements on it.
async fn make(file: &Path, is_later: bool, statements: &str) -> Result<(), sqlx::Error> {
    let mut connection = connect(file).await?;
    connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").await?;
    connection.execute(EARLY).await?;
    if is_later {
        connection.execute(LATER).await?;
    }
    connection.execute(ROWS).await?;
    for statement in statements.split(';').take(16) {
        // sqlx never gets beyond a NUL.
        let statement = statement.split('\0').next().unwrap_or_default();
        let lower = statement.to_ascii_lowercase();
        if LEFT_OUT.iter().all(|word| !lower.contains(word)) {
            // What is wrong is left out too.
            drop(connection.execute(AssertSqlSafe(statement.to_owned())).await);
        }
    }
    connection.close().await
}

async fn take_over(file: &Path) {
    let path = file.to_str().expect("temporary folders have simple names");
    let before = std::fs::read(file).expect("the file is there");
    let plan = Sqlite::plan(path).await;
    let after = std::fs::read(file).expect("the file is there");
    assert!(before == after, "a plan has changed the file");

    let rows = count(file).await;
    let database = match Sqlite::open(path).await {
        Ok(database) => database,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
            return;
        }
    };
    plan.unwrap_or_else(|error| panic!("it is opened, but has no plan: {error}"));
    read(&database).await;
    database.close().await;
    drop(database);
    assert_eq!(count(file).await, rows, "rows were lost or made");
    let left = Sqlite::plan(path).await.unwrap_or_else(|error| panic!("it can't be opened again: {error}"));
    assert!(left.is_empty(), "opening it again changes {left:?}");
}

/// Counts the rows of Gotify's tables that are there.
async fn count(file: &Path) -> Vec<Option<i64>> {
    let Ok(mut connection) = connect(file).await else { return Vec::new() };
    let mut rows = Vec::new();
    for rows_kept in ROWS_KEPT {
        let query = AssertSqlSafe(format!("SELECT count(*) FROM {rows_kept}"));
        rows.push(sqlx::query_scalar(query).fetch_one(&mut connection).await.ok());
    }
    drop(connection.close().await);
    // A table that was made is empty.
    rows.into_iter().map(|count| count.filter(|count| *count > 0)).collect()
}

/// Reads all that the API reads.
async fn read(database: &Sqlite) {
    let page = MessagePage { before: None, limit: 100 };
    let users = database.users().await.expect("the users can be read");
    for user in users.iter().map(|user| user.id).chain([UserId(1)]) {
        database.user(user).await.expect("a user can be read");
        database.clients(user).await.expect("the clients can be read");
        database.applications(user).await.expect("the applications can be read");
        database.messages(user, page).await.expect("the messages can be read");
        database.newest_message(user).await.expect("the newest message can be read");
    }
    let page = MessagePage { before: None, limit: 100 };
    database
        .application_messages(ApplicationId(3), page)
        .await
        .expect("an application's messages can be read");
    database.application_by_token("A3").await.expect("a token can be looked up");
    database.client_by_token("C4").await.expect("a token can be looked up");
    database.check().await.expect("it can be written");
}
