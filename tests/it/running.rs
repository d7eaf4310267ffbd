//! The program while it runs: a full disk, and its end.

use reqwest::{RequestBuilder, Response};
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::harness::http;
use crate::listener::Listener;
use crate::program::{Program, Serving};

const USER: &str = "admin";
const PASSWORD: &str = "first-canary-password";

fn serve(program: Program) -> Serving {
    program
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_DEFAULTUSER_NAME", USER)
        .variable("GOTIFY_DEFAULTUSER_PASS", PASSWORD)
        .variable("GOTIFY_PASSSTRENGTH", "4")
        .serve()
}

async fn answered(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// Makes an application or a client, and returns its token.
async fn token(server: &Serving, kind: &str) -> String {
    let url = format!("http://{}/{kind}", server.address);
    let request = http().post(url).basic_auth(USER, Some(PASSWORD)).json(&json!({ "name": "test" }));
    let made: Value = answered(request).await.json().await.unwrap();
    made["token"].as_str().unwrap().to_owned()
}

/// Lets the server write no file beyond so many bytes, or, without a number, as many as it likes.
fn limit_files(server: &Serving, bytes: Option<u64>) {
    prlimit(Some(server.id()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_messages_and_nothing_else_until_there_is_room_again() {
    // So that it gets an error where it would grow a file too large, instead of a signal.
    let server = serve(Program::after(r#"trap "" XFSZ"#));
    let (app, client) = (token(&server, "application").await, token(&server, "client").await);
    let mut listener = Listener::at(&server.address, &client, "").await;
    let http = http();
    let url = format!("http://{}/message", server.address);
    let post = || {
        let body = json!({ "message": "x".repeat(10_000) });
        answered(http.post(&url).header("X-Gotify-Key", &app).json(&body))
    };
    let list = || answered(http.get(&url).header("X-Gotify-Key", &client).query(&[("limit", "200")]));

    let mut acknowledged: Vec<Value> = Vec::new();
    acknowledged.push(post().await.json().await.unwrap());
    limit_files(&server, Some(300_000));
    let refused = loop {
        let answer = post().await;
        if answer.status() != 200 {
            break answer;
        }
        acknowledged.push(answer.json().await.unwrap());
        assert!(acknowledged.len() < 100, "the disk is never full");
    };
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.json::<Value>().await.unwrap()["errorCode"], 503);
    assert_eq!(post().await.status(), 503);
    assert_eq!(list().await.status(), 200);

    limit_files(&server, None);
    acknowledged.push(post().await.json().await.unwrap());
    for message in &acknowledged {
        assert_eq!(&listener.message().await, message);
    }
    acknowledged.reverse();
    assert_eq!(list().await.json::<Value>().await.unwrap()["messages"], Value::Array(acknowledged));
}

#[tokio::test]
async fn a_signal_says_1012_to_every_stream_and_ends_with_0() {
    let server = serve(Program::new(&[]));
    let client = token(&server, "client").await;
    let mut listeners = Vec::new();
    for _ in 0..5 {
        listeners.push(Listener::at(&server.address, &client, "").await);
    }
    server.signal(Signal::TERM);
    for listener in &mut listeners {
        assert_eq!(listener.close_code().await, 1012);
        // What the server waits for; it may be gone already.
        let _ = listener.0.close(None).await;
    }
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn a_database_that_was_moved_takes_no_message_until_it_is_back() {
    let mut server = serve(Program::new(&[]));
    let app = token(&server, "application").await;
    let url = |path: &str| format!("http://{}{path}", server.address);
    let post = || answered(http().post(url("/message?message=hi")).header("X-Gotify-Key", &app));
    let health = || answered(http().get(url("/health")));
    assert_eq!([post().await.status(), health().await.status()], [200, 200]);

    let (file, aside) = (server.file("data/gotify.db"), server.file("data/aside.db"));
    std::fs::rename(&file, &aside).unwrap();
    for _ in 0..2 {
        let refused = post().await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.json::<Value>().await.unwrap()["errorCode"], 503);
        assert_eq!(health().await.json::<Value>().await.unwrap()["database"], "red");
    }
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!([post().await.status(), health().await.status()], [200, 200]);
    let said = server.wait_for_log("was deleted or moved while it was open");
    assert!(said.contains("Move it back, or stop the server"), "{said}");
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_killed_one_leaves_no_lock() {
    let first = serve(Program::new(&[]));
    let connection = first.file("data/gotify.db");
    let connection = connection.to_str().unwrap();
    let second = || Program::new(&[]).variable("GOTIFY_DATABASE_CONNECTION", connection);
    let refused = second().run();
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    let holder = format!("is used by another server, process {} on `", first.id().as_raw_nonzero());
    assert!(refused.stderr.contains(&holder), "{}", refused.stderr);
    assert!(refused.stderr.contains("GOTIFY_DATABASE_CONNECTION"), "{}", refused.stderr);

    first.signal(Signal::KILL);
    let (_, _, _folder) = first.end();
    let third = serve(second());
    third.signal(Signal::TERM);
    let (code, log) = third.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn a_log_that_somebodys_long_read_lets_grow_is_named_once() {
    let mut server = serve(Program::new(&[]));
    let app = token(&server, "application").await;
    let options = SqliteConnectOptions::new().filename(server.file("data/gotify.db"));
    let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
    reader.execute("BEGIN; SELECT count(*) FROM users").await.unwrap();
    let url = format!("http://{}/message", server.address);
    let body = json!({ "message": "x".repeat(4_000_000) });
    for _ in 0..20 {
        let answer = answered(http().post(&url).header("X-Gotify-Key", &app).json(&body)).await;
        assert_eq!(answer.status(), 200);
    }
    let said = server.wait_for_log("has grown to");
    assert!(said.contains("gotify.db-wal") && said.contains("end that program"), "{said}");
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert_eq!(log.matches("has grown to").count(), 1, "{log}");
}
