//! What is answered while the database is not there.

use serde_json::json;

use crate::harness::TestServer;

fn key(token: &str) -> [(String, String); 1] {
    [("X-Gotify-Key".to_owned(), token.to_owned())]
}

#[tokio::test]
async fn without_its_database_a_server_says_that_it_is_unavailable() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let (sender, receiver) = (key(&ann.application.token), key(&ann.client.token));
    // So that the tokens are known without the database.
    assert_eq!(server.send("POST", "/message?message=hi", &sender, "").await.status, 200);
    assert_eq!(server.send("GET", "/message", &receiver, "").await.status, 200);

    server.store.shutdown().await;

    let unavailable = json!({
        "error": "Service Unavailable",
        "errorCode": 503,
        "errorDescription": "the database is unavailable, try again later",
    });
    for (method, target, headers) in [
        ("POST", "/message?message=hi", &sender),
        ("GET", "/message", &receiver),
        ("GET", "/message", &key("Cnever_seen_yet")),
        ("DELETE", "/application/1", &receiver),
    ] {
        let answer = server.send(method, target, headers, "").await;
        assert_eq!((answer.status, answer.json()), (503, unavailable.clone()), "{method} {target}");
    }
}

#[tokio::test]
async fn without_its_database_a_server_is_not_healthy() {
    let server = TestServer::start().await;
    server.store.shutdown().await;
    let answer = server.send("GET", "/health", &[], "").await;
    assert_eq!((answer.status, answer.json()), (500, json!({"health": "orange", "database": "red"})));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let head = server.send("HEAD", "/health", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (500, ""));
    // Were it not ready, nor would be any other node: streams would have nowhere to go.
    assert_eq!(server.send("GET", "/health/ready", &[], "").await.status, 200);
}
