//! Limits that Gotify does not have, and how a request beyond them is answered.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use shardcast::store::UpdateUser;

use crate::harness::{TestServer, http};

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

#[tokio::test]
async fn extras_may_be_as_large_as_the_body_and_no_larger() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let extras = |bytes: usize| {
        let frame = r#"{"message":"m","extras":{"k":""}}"#.len();
        format!(r#"{{"message":"m","extras":{{"k":"{}"}}}}"#, "e".repeat(bytes - frame))
    };
    let headers = headers(&ann.application.token);
    assert_eq!(server.send("POST", "/message", &headers, &extras(LIMIT_BYTES)).await.status, 200);
    assert_eq!(server.send("POST", "/message", &headers, &extras(LIMIT_BYTES + 1)).await.status, 413);
}

#[tokio::test]
async fn a_form_may_not_have_fields_without_end() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let headers = [
        ("X-Gotify-Key".to_owned(), ann.application.token.clone()),
        ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    let form = |fields: usize| "message=m&".to_owned() + &"a=b&".repeat(fields - 1);
    assert_eq!(server.send("POST", "/message", &headers, &form(1000)).await.status, 200);
    let refused = server.send("POST", "/message", &headers, &form(1001)).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errorDescription"], "a form may have at most 1000 fields");
}

#[tokio::test]
async fn a_header_may_have_so_many_fields_and_bytes_and_no_more() {
    let server = TestServer::start().await;
    let fields = |count: usize| -> Vec<_> {
        (0..count).map(|number| (format!("X-Field-{number}"), "x".to_owned())).collect()
    };
    // Three more are `Host`, `Connection` and `Content-Length`.
    assert_eq!(server.send("GET", "/version", &fields(97), "").await.status, 200);
    assert_eq!(server.send("GET", "/version", &fields(98), "").await.status, 431);

    let field = |bytes: usize| [("X-Field".to_owned(), "x".repeat(bytes))];
    assert_eq!(server.send("GET", "/version", &field(15 * 1024), "").await.status, 200);
    assert_eq!(server.send("GET", "/version", &field(16 * 1024), "").await.status, 431);
}

#[tokio::test]
async fn a_query_is_as_long_as_a_header_at_most() {
    let server = TestServer::start().await;
    let target = |bytes: usize| format!("/version?{}", "q".repeat(bytes));
    assert_eq!(server.send("GET", &target(15 * 1024), &[], "").await.status, 200);
    assert_eq!(server.send("GET", &target(16 * 1024), &[], "").await.status, 431);
}

#[tokio::test]
async fn names_and_descriptions_have_limits() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let headers = headers(&ann.client.token);
    let admin = [
        ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin"))),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    for (target, headers, field, limit, rest) in [
        ("/application", &headers, "name", 255, ""),
        ("/application", &headers, "description", 16_383, r#""name":"a","#),
        ("/application", &headers, "sortKey", 255, r#""name":"a","#),
        ("/client", &headers, "name", 255, ""),
        ("/user", &admin.to_vec(), "name", 180, r#""pass":"secret","#),
    ] {
        let text = "é".repeat(limit);
        let body = |text: &str| format!(r#"{{{rest}"{field}":"{text}"}}"#);
        let made = server.send("POST", target, headers, &body(&text)).await;
        assert_eq!((made.status, &made.json()[field]), (200, &text.clone().into()), "{target} {field}");
        let refused = server.send("POST", target, headers, &body(&(text + "é"))).await;
        assert_eq!(refused.status, 400, "{target} {field}");
        let expected = format!("Field '{field}' must be at most {limit} characters long, not {}", limit + 1);
        assert_eq!(refused.json()["errorDescription"], expected);
    }
    // The same for a new name, and for who registers.
    let body = format!(r#"{{"name":"{}","pass":"secret"}}"#, "é".repeat(181));
    let renamed = server.send("POST", "/user/1", &admin, &body).await;
    assert_eq!(
        (renamed.status, &renamed.json()["errorDescription"]),
        (400, &"Field 'name' must be at most 180 characters long, not 181".into())
    );
    let open = TestServer::start_with(|config| config.api.registration = true).await;
    assert_eq!(open.send("POST", "/user", &admin[1..], &body).await.status, 400);
}

#[tokio::test]
async fn a_user_with_a_longer_name_than_a_new_one_may_have_can_log_in() {
    let server = TestServer::start().await;
    let name = "é".repeat(300);
    let ann = server.person("ann").await;
    let change = UpdateUser { name: name.clone(), admin: false, password_hash: None };
    server.store.database().update_user(ann.user.id, change).await.unwrap();
    let login = format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{}", ann.password)));
    let shown = server.send("GET", "/current/user", &[("Authorization".to_owned(), login)], "").await;
    assert_eq!((shown.status, &shown.json()["name"]), (200, &name.into()));
}

#[tokio::test]
async fn who_may_not_make_a_user_is_refused_before_the_body_is_read() {
    let server = TestServer::start().await;
    // The body never comes: were it waited for, there would be no answer.
    let headers = [("Content-Length".to_owned(), "4000000".to_owned())];
    assert_eq!(server.send_head("POST", "/user", &headers).await.status, 401);
}

#[tokio::test]
async fn who_is_not_known_sends_small_bodies() {
    let server = TestServer::start_with(|config| config.api.registration = true).await;
    let json = [("Content-Type".to_owned(), "application/json".to_owned())];
    let body = |bytes: usize| format!(r#"{{"name":"eve","pass":"secret","x":"{}"}}"#, "x".repeat(bytes));
    assert_eq!(server.send("POST", "/user", &json, &body(20_000)).await.status, 413);
    assert_eq!(server.send("POST", "/user", &json, &body(10_000)).await.status, 200);
}

#[tokio::test]
async fn a_chunked_body_above_the_limit_is_too_large() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut headers = headers(&ann.application.token);
    headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let body = chunk.repeat(LIMIT_BYTES / 0x10000 + 1) + "0\r\n\r\n";
    let answer = server.send_raw("POST", "/message", &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["errorDescription"], "request body must be at most 4194304 bytes long");
}

#[tokio::test]
async fn a_large_message_is_answered_whole_in_both_forms() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let text = "m".repeat(1_000_000);
    let body = format!(r#"{{"message":"{text}"}}"#);
    let headers = headers(&ann.application.token);
    let answer = server.send("POST", "/message", &headers, &body).await;
    assert_eq!(answer.json()["message"], text);
    assert!(answer.header("content-length").is_some());
    let url = format!("http://{}/message", server.address);
    let request = http().post(url).header("X-Gotify-Key", &ann.application.token);
    let request =
        request.header("Accept", "application/x-protobuf").header("Content-Type", "application/json");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    assert!(answer.bytes().await.unwrap().windows(text.len()).any(|window| window == text.as_bytes()));
}
