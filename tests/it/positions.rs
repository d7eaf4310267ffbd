//! Where streams begin, and messages of applications that are deleted meanwhile.

use base64::prelude::{BASE64_STANDARD, Engine};
use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, SqliteConnection};

use crate::harness::{Person, TestServer};
use crate::listener::{Listener, push};

async fn file(server: &TestServer) -> SqliteConnection {
    SqliteConnectOptions::new().filename(&server.database).connect().await.unwrap()
}

/// Deletes the messages above an id, and lets ids be given again, as a backup does that is restored.
async fn go_back_to(server: &TestServer, id: u64) {
    let statements = format!(
        "BEGIN IMMEDIATE; DELETE FROM messages WHERE id > {id};
         UPDATE sqlite_sequence SET seq = {id} WHERE name = 'messages'; COMMIT"
    );
    file(server).await.execute(sqlx::AssertSqlSafe(statements)).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_has_seen_more_than_there_is_gets_what_follows() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    push(&server, &ann, "before").await;
    for since in [2, 1_000_000, u64::MAX] {
        let mut ahead = Listener::open(&server, &ann, &format!("&since={since}")).await;
        let mut again = Listener::open(&server, &ann, &format!("&since={since}")).await;
        for text in ["next", "and-next"] {
            let answered = push(&server, &ann, text).await;
            assert_eq!(ahead.message().await, answered, "since {since}");
            assert_eq!(again.message().await, answered, "since {since}");
        }
        push(&server, &ann, "between").await;
    }
}

#[tokio::test]
async fn after_a_backup_was_restored_streams_get_what_follows_open_or_new() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut open = Listener::open(&server, &ann, "").await;
    let mut of_bob = Listener::open(&server, &bob, "").await;
    let mut last = 0;
    for number in 0..5 {
        let answered = push(&server, &ann, &number.to_string()).await;
        assert_eq!(open.message().await, answered);
        last = answered["id"].as_u64().unwrap();
    }
    let answered = push(&server, &bob, "bobs").await;
    assert_eq!(of_bob.message().await, answered);

    go_back_to(&server, last - 3).await;
    let mut returning = Listener::open(&server, &ann, &format!("&since={last}")).await;
    for number in 0..3 {
        let answered = push(&server, &ann, &format!("after-{number}")).await;
        assert_eq!(open.message().await, answered);
        assert_eq!(returning.message().await, answered);
        let answered = push(&server, &bob, "bobs").await;
        assert_eq!(of_bob.message().await, answered);
    }
}

/// Publishes again and again until it is to stop; returns the statuses that were answered.
async fn publish_until_refused(server: &TestServer, person: &Person) -> Vec<u16> {
    let key = [("X-Gotify-Key".to_owned(), person.application.token.clone())];
    let mut statuses = Vec::new();
    while statuses.last().is_none_or(|&status| status == 200) {
        statuses.push(server.send("POST", "/message?message=x", &key, "").await.status);
    }
    statuses
}

#[tokio::test]
async fn what_is_published_beside_a_deletion_is_stored_and_deleted_or_refused_as_an_unknown_token() {
    let server = TestServer::start().await;
    let admin = [("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")))];
    let key = |person: &Person| [("X-Gotify-Key".to_owned(), person.client.token.clone())];
    for round in 0..10 {
        let ann = server.person(&format!("ann{round}")).await;
        let mut listener = Listener::open(&server, &ann, "").await;
        let senders = join_all((0..8).map(|_| publish_until_refused(&server, &ann)));
        let deletion = async {
            // Some are under way.
            listener.message().await;
            let (path, by) = if round % 2 == 0 {
                (format!("/application/{}", ann.application.id), key(&ann))
            } else {
                (format!("/user/{}", ann.user.id), admin.clone())
            };
            assert_eq!(server.send("DELETE", &path, &by, "").await.status, 200);
        };
        let (statuses, ()) = tokio::join!(senders, deletion);
        for status in statuses.concat() {
            assert!([200, 401].contains(&status), "{status}");
        }
    }
    let orphans = "SELECT count(*) FROM messages WHERE application_id NOT IN (SELECT id FROM applications)";
    let orphans: i64 = sqlx::query_scalar(orphans).fetch_one(&mut file(&server).await).await.unwrap();
    assert_eq!(orphans, 0);
}
