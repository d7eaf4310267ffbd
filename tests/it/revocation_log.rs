//! What commands and other programs revoke while a server runs on the same database.
//!
//! Without the log the server would act on it too, but no sooner than after a minute: far later than these tests wait.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, SqliteConnection};
use tokio::time::{sleep, timeout};

use crate::database_commands::Installation;
use crate::harness::{Person, TestServer};
use crate::listener::{Listener, PATIENCE, push};

/// Asks again and again until the answer is this.
async fn until(status: u16, ask: impl AsyncFn() -> u16) {
    let asking = async {
        while ask().await != status {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("no answer {status}"));
}

/// Runs commands beside a server that has this database.
async fn commands_take_effect(database: &[(&'static str, &str)]) {
    let installation = Installation::start(database);
    let address = installation.server.address.clone();
    let password = installation.secret(&["user", "add", "ann"]);
    assert_eq!(installation.login("ann", &password).await, 200, "a new user logs in at once");
    let add = |kind, name| installation.secret(&[kind, "add", name, "--user", "ann"]);
    let (application, other) = (add("application", "backup"), add("application", "other"));
    let (phone, tablet) = (add("client", "phone"), add("client", "tablet"));

    // From here on the server has all tokens in its cache.
    let mut on_phone = Listener::at(&address, &phone, "").await;
    let mut on_tablet = Listener::at(&address, &tablet, "").await;
    for token in [&application, &other] {
        assert_eq!(installation.send(token).await, 200);
    }

    let phone_id = installation.list(&["client", "list"])[0]["id"].to_string();
    installation.run(&["client", "delete", &phone_id]);
    assert_eq!(on_phone.close_code().await, 1008);
    assert_eq!(installation.read(&phone).await, 401, "who reads the close frame finds the token refused");
    assert_eq!(installation.read(&tablet).await, 200);

    let application_id = installation.list(&["application", "list"])[0]["id"].to_string();
    let new = installation.secret(&["application", "token", &application_id]);
    assert_eq!(installation.send(&new).await, 200, "a new token is accepted at once");
    until(401, async || installation.send(&application).await.as_u16()).await;

    let new_password = installation.secret(&["user", "reset-password", "ann"]);
    assert_eq!(installation.login("ann", &new_password).await, 200);
    assert_eq!(installation.login("ann", &password).await, 401, "an old password is refused at once");

    installation.run(&["user", "delete", "ann"]);
    assert_eq!(on_tablet.close_code().await, 1008);
    for token in [&new, &other] {
        assert_eq!(installation.send(token).await, 401);
    }
}

#[tokio::test]
async fn what_commands_revoke_takes_effect_on_a_running_server() {
    commands_take_effect(&[]).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn what_commands_revoke_takes_effect_on_a_running_server_with_postgres() {
    let connection = crate::databases::postgres().await;
    let database = ("GOTIFY_DATABASE_CONNECTION", connection.as_str());
    commands_take_effect(&[("GOTIFY_DATABASE_DIALECT", "postgres"), database]).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn what_commands_revoke_takes_effect_on_a_running_server_with_mariadb() {
    let connection = crate::databases::mysql().await;
    let database = ("GOTIFY_DATABASE_CONNECTION", connection.as_str());
    commands_take_effect(&[("GOTIFY_DATABASE_DIALECT", "mysql"), database]).await;
}

/// The database of a server, as another program has it.
struct Beside(SqliteConnection);

impl Beside {
    async fn open(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
        Self(options.connect().await.unwrap())
    }

    async fn run(&mut self, statements: String) {
        self.0.execute(AssertSqlSafe(statements)).await.unwrap();
    }

    /// Writes an entry to the log.
    async fn log(&mut self, kind: &str, payload: &str) {
        let insert = "INSERT INTO shardcast_log (written_at, kind, payload) VALUES (0, ?, ?)";
        sqlx::query(insert).bind(kind).bind(payload).execute(&mut self.0).await.unwrap();
    }

    /// Deletes a person's client without an entry of the log.
    async fn delete_client(&mut self, person: &Person) {
        self.run(format!("DELETE FROM clients WHERE id = {}", person.client.id)).await;
    }

    async fn logged(&mut self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM shardcast_log").fetch_one(&mut self.0).await.unwrap()
    }
}

#[tokio::test]
async fn an_entry_that_is_read_late_closes_nothing_that_is_valid() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut of_ann = Listener::open(&server, &ann, "").await;
    let mut of_bob = Listener::open(&server, &bob, "").await;
    let deleted =
        |person: &Person| format!(r#"{{"user_id": {}, "token": "{}"}}"#, person.user.id, person.client.token);
    let mut beside = Beside::open(&server.database).await;
    beside.log("ClientDeleted", &deleted(&ann)).await;
    beside
        .log(
            "UserDeleted",
            &format!(r#"{{"user_id": {}, "client_tokens": [], "application_tokens": []}}"#, ann.user.id),
        )
        .await;
    beside.delete_client(&bob).await;
    beside.log("ClientDeleted", &deleted(&bob)).await;
    assert_eq!(of_bob.close_code().await, 1008, "the last entry was read");
    let sent = push(&server, &ann, "still").await;
    assert_eq!(of_ann.message().await, sent);
}

#[tokio::test]
async fn when_entries_are_unknown_or_missing_everybody_is_looked_up() {
    let server = TestServer::start().await;
    let [ann, bob, eve, fay] = ["ann", "bob", "eve", "fay"];
    let (ann, bob) = (server.person(ann).await, server.person(bob).await);
    let (eve, fay) = (server.person(eve).await, server.person(fay).await);
    let mut beside = Beside::open(&server.database).await;
    for (person, kind) in [(&ann, "GroupDeleted"), (&bob, "DatabaseWentBack")] {
        let mut listener = Listener::open(&server, person, "").await;
        let cached = push(&server, person, "x").await["title"].clone();
        let id = person.application.id;
        beside.run(format!("UPDATE applications SET name = 'renamed' WHERE id = {id}")).await;
        assert_eq!(push(&server, person, "x").await["title"], cached);
        beside.delete_client(person).await;
        beside.log(kind, "{}").await;
        assert_eq!(listener.close_code().await, 1008);
        assert_eq!(push(&server, person, "x").await["title"], "renamed");
    }
    let mut of_eve = Listener::open(&server, &eve, "").await;
    let mut of_fay = Listener::open(&server, &fay, "").await;
    beside.delete_client(&eve).await;
    beside.run("DELETE FROM shardcast_log".to_owned()).await;
    assert_eq!(of_eve.close_code().await, 1008);
    let sent = push(&server, &fay, "still").await;
    assert_eq!(of_fay.message().await, sent);
}

#[tokio::test]
async fn a_start_deletes_old_entries_but_the_newest() {
    let installation = Installation::start(&[]);
    let mut beside = Beside::open(&installation.database()).await;
    for _ in 0..3 {
        beside.log("UserChanged", r#"{"user_id": 9}"#).await;
    }
    drop(beside);
    let installation = installation.restarted();
    let mut beside = Beside::open(&installation.database()).await;
    let only_one = async {
        while beside.logged().await != 1 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, only_one).await.unwrap();
}

#[tokio::test]
async fn a_command_writes_to_a_database_that_has_no_log_yet() {
    let installation = Installation::start(&[]);
    installation.secret(&["application", "add", "backup"]);
    let mut beside = Beside::open(&installation.database()).await;
    beside.run("DROP TABLE shardcast_log".to_owned()).await;
    installation.secret(&["application", "token", "1"]);
    assert_eq!(beside.logged().await, 1);
}
