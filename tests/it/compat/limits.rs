//! Limits that Gotify does not have, and how a request beyond them is answered.

use crate::harness::TestServer;

const LIMIT_BYTES: usize = 4 * 1024 * 1024;

fn headers(token: &str) -> Vec<(String, String)> {
    vec![
        ("X-Gotify-Key".to_owned(), token.to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ]
}

fn message_of(bytes: usize) -> String {
    let frame = r#"{"message":""}"#.len();
    format!(r#"{{"message":"{}"}}"#, "m".repeat(bytes - frame))
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let headers = headers(&ann.application.token);
    let answer = server.send("POST", "/message", &headers, &message_of(LIMIT_BYTES)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_longer_body_is_refused_unread() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut headers = headers(&ann.application.token);
    // The server goes by what is announced; were it to wait for the body, it would wait for ever.
    headers.push(("Content-Length".to_owned(), (LIMIT_BYTES + 1).to_string()));
    let answer = server.send_head("POST", "/message", &headers).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"], "Payload Too Large");
    assert_eq!(answer.json()["errorCode"], 413);
    assert_eq!(answer.json()["errorDescription"], "request body must be at most 4194304 bytes long");
}

#[tokio::test]
async fn json_may_not_be_nested_without_end() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let deep = format!(r#"{{"message":"m","extras":{{"a":{}"#, "[".repeat(1_000_000));
    let answer = server.send("POST", "/message", &headers(&ann.application.token), &deep).await;
    assert_eq!(answer.status, 400);
}
