//! What is deleted or replaced, while others use it or change it too.

use serde_json::json;

use crate::faults::lock;
use crate::harness::{Answer, Person, TestServer};
use crate::listener::{Listener, push};

/// How often a race is run.
const ROUNDS: usize = 60;

fn key(token: &str) -> [(String, String); 1] {
    [("X-Gotify-Key".to_owned(), token.to_owned())]
}

/// Changes the application of a person.
async fn put(server: &TestServer, person: &Person, below: &str, body: &str) -> Answer {
    let path = format!("/application/{}{below}", person.application.id);
    let json = ("Content-Type".to_owned(), "application/json".to_owned());
    let headers = [&key(&person.client.token)[..], &[json]].concat();
    let answer = server.send("PUT", &path, &headers, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Publishes a message without a title.
async fn publish(server: &TestServer, token: &str) -> Answer {
    server.send("POST", "/message?message=x", &key(token), "").await
}

/// Replaces the token of a person's application, and uses the new one at once: from then on it is cached.
async fn replace_token(server: &TestServer, person: &Person) -> String {
    let answer = put(server, person, "/security", r#"{"regenerateToken": true}"#).await;
    let token = answer.json()["regenerateToken"]["token"].as_str().unwrap().to_owned();
    publish(server, &token).await;
    token
}

#[tokio::test]
async fn of_an_applications_tokens_the_last_one_alone_is_valid_and_knows_the_last_name() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut tokens = vec![ann.application.token.clone()];
    for round in 0..ROUNDS {
        let name = format!("name {round}");
        let body = json!({ "name": name }).to_string();
        let (first, second, _, _) = tokio::join!(
            replace_token(&server, &ann),
            replace_token(&server, &ann),
            put(&server, &ann, "", &body),
            publish(&server, &tokens[0]),
        );
        tokens.extend([first, second]);
        let row = server.store.database().application(ann.application.id).await.unwrap().unwrap().row;
        assert_eq!(row.name, name, "the name is not lost");
        for token in &tokens {
            let answer = publish(&server, token).await;
            assert_eq!(answer.status, if *token == row.token { 200 } else { 401 }, "round {round}");
            if *token == row.token {
                assert_eq!(answer.json()["title"], name, "round {round}: the cache knows the name");
            }
        }
        tokens.retain(|token| *token == row.token);
        assert_eq!(tokens.len(), 1);
    }
}

#[tokio::test]
async fn a_token_is_refused_once_its_streams_are_told_that_it_was_deleted() {
    let server = TestServer::start().await;
    for round in 0..ROUNDS {
        let ann = server.person(&format!("ann{round}")).await;
        let mut listener = Listener::open(&server, &ann, "").await;
        let (token, path) = (key(&ann.client.token), format!("/client/{}", ann.client.id));
        let (method, path) =
            if round % 2 == 0 { ("DELETE", path.as_str()) } else { ("POST", "/auth/logout") };
        let deleted = server.send(method, path, &token, "");
        let told = async {
            assert_eq!(listener.close_code().await, 1008);
            server.send("GET", "/message", &token, "").await
        };
        let (deleted, answer) = tokio::join!(deleted, told);
        assert_eq!((deleted.status, answer.status), (200, 401), "round {round}");
    }
}

#[tokio::test]
async fn what_the_database_refuses_to_delete_stays_valid() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listener = Listener::open(&server, &ann, "").await;
    let other = lock(&server).await;
    let token = key(&ann.client.token);
    let path = format!("/client/{}", ann.client.id);
    let (deleted, logged_out) = tokio::join!(
        server.send("DELETE", &path, &token, ""),
        server.send("POST", "/auth/logout", &token, ""),
    );
    assert_eq!((deleted.status, logged_out.status), (503, 503));
    assert_eq!(server.send("GET", "/message", &token, "").await.status, 200);
    drop(other);

    // The lock goes with its connection, which is closed on a thread of its own.
    let sent = loop {
        let answer = publish(&server, &ann.application.token).await;
        if answer.status == 200 {
            break answer.json();
        }
    };
    assert_eq!(listener.message().await, sent, "the stream is open");
    assert_eq!(server.send("DELETE", &path, &token, "").await.status, 200);
    assert_eq!(listener.close_code().await, 1008);
}

#[tokio::test]
async fn a_change_that_fails_revokes_nothing() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listener = Listener::open(&server, &ann, "").await;
    let admin = [("Authorization".to_owned(), "Basic YWRtaW46YWRtaW4=".to_owned())];
    for (method, path) in [
        ("DELETE", "/user/99".to_owned()),
        ("DELETE", "/client/99".to_owned()),
        ("DELETE", "/application/99".to_owned()),
        ("DELETE", format!("/client/{}", ann.client.id)),
        ("DELETE", format!("/application/{}", ann.application.id)),
    ] {
        let answer = server.send(method, &path, &admin, "").await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
    }
    let sent = push(&server, &ann, "still").await;
    assert_eq!(listener.message().await, sent);
}
