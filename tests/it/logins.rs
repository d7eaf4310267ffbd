//! Logging in by name and password: hashes that are renewed, failures that are limited, passwords that everybody knows.

use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::Signal;
use shardcast::auth::Passwords;
use shardcast::model::UserId;
use shardcast::server::{NodeConfig, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::harness::{Answer, Person, TestServer, parse};
use crate::program::Program;

fn basic(name: &str, password: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
}

async fn log_in(server: &TestServer, name: &str, password: &str) -> Answer {
    server.send("GET", "/current/user", &[basic(name, password)], "").await
}

/// Logs in from another address of this machine.
async fn log_in_from(server: &TestServer, address: [u8; 4], name: &str, password: &str) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(address), 0).into()).unwrap();
    let mut socket = socket.connect(server.address).await.unwrap();
    let (_, credentials) = basic(name, password);
    let request = format!(
        "GET /current/user HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: {credentials}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    parse(&answer)
}

async fn stored_hash(server: &TestServer, user: UserId) -> String {
    server.store.database().user(user).await.unwrap().unwrap().password_hash.unwrap()
}

async fn limited(failures: u32, of_name: u32) -> TestServer {
    limited_behind(&[], failures, of_name).await
}

/// As [`limited`], behind these proxies.
async fn limited_behind(proxies: &[&str], failures: u32, of_name: u32) -> TestServer {
    let limits = |config: &mut NodeConfig| {
        config.login_limits.failures_per_address = failures;
        config.login_limits.failures_per_name = of_name;
        // So long that nothing comes back while a test runs.
        config.login_limits.window = Duration::from_hours(24);
    };
    let trust = |config: &mut ServerConfig| {
        config.trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    };
    TestServer::start_listening(limits, trust).await
}

async fn with_another_cost(server: &TestServer, person: &Person) {
    let hash = Passwords::new(5).hash(person.password.clone().into()).await.unwrap();
    server.store.database().set_password_hash(person.user.id, &hash).await.unwrap();
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_by_the_right_password_only() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    with_another_cost(&server, &ann).await;
    assert_eq!(log_in(&server, "ann", "wrong").await.status, 401);
    assert!(stored_hash(&server, ann.user.id).await.starts_with("$2b$05$"));
    assert_eq!(log_in(&server, "ann", &ann.password).await.status, 200);
    let renewed = stored_hash(&server, ann.user.id).await;
    assert!(renewed.starts_with("$2b$04$"), "{renewed}");
    assert_eq!(log_in(&server, "ann", &ann.password).await.status, 200);
    assert_eq!(stored_hash(&server, ann.user.id).await, renewed);
}

#[tokio::test]
async fn a_password_that_was_right_is_wrong_once_it_is_changed() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for _ in 0..2 {
        assert_eq!(log_in(&server, "ann", &ann.password).await.status, 200);
    }
    let credentials = [basic("ann", &ann.password)];
    let changed = server.send("POST", "/current/user/password?pass=new", &credentials, "").await;
    assert_eq!(changed.status, 200);
    assert_eq!(log_in(&server, "ann", &ann.password).await.status, 401);
    assert_eq!(log_in(&server, "ann", "new").await.status, 200);
}

#[tokio::test]
async fn an_address_is_refused_after_its_failures_whatever_it_tries() {
    let server = limited(3, 0).await;
    let ann = server.person("ann").await;
    for name in ["ann", "nobody", "ann"] {
        assert_eq!(log_in(&server, name, "wrong").await.status, 401);
    }
    for password in ["wrong", &ann.password] {
        let refused = log_in(&server, "ann", password).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("retry-after"), Some("28800"));
        assert_eq!(refused.json()["error"], "Too Many Requests");
        assert_eq!(refused.json()["errorCode"], 429);
        assert_eq!(refused.json()["errorDescription"], "too many failed logins, try again in 28800 s");
    }
    let elsewhere = log_in_from(&server, [127, 0, 0, 2], "ann", &ann.password).await;
    assert_eq!(elsewhere.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_failures_are_the_clients_and_can_not_be_put_on_somebody_else() {
    let server = limited_behind(&["127.0.0.1/32"], 2, 0).await;
    let ann = server.person("ann").await;
    let log_in = async |forwarded_for: &str, password: &str| {
        let headers = [basic("ann", password), ("X-Forwarded-For".to_owned(), forwarded_for.to_owned())];
        server.send("GET", "/current/user", &headers, "").await.status
    };
    // The proxy adds what it sees at the right; the rest is what the client claims.
    for claimed in ["198.51.100.7, 203.0.113.9", "192.0.2.1, 203.0.113.9"] {
        assert_eq!(log_in(claimed, "wrong").await, 401);
    }
    assert_eq!(log_in("203.0.113.9", &ann.password).await, 429);
    for other in ["198.51.100.7", "192.0.2.1"] {
        assert_eq!(log_in(other, &ann.password).await, 200, "{other}");
    }
}

/// Proxies that ask for a password of their own pass it on.
#[tokio::test]
async fn a_token_goes_on_working_beside_passwords_that_are_refused() {
    let server = limited(3, 0).await;
    let ann = server.person("ann").await;
    let of_proxy = basic("proxy", "secret of the proxy");
    let key = |token: &str| [of_proxy.clone(), ("X-Gotify-Key".to_owned(), token.to_owned())];
    for _ in 0..10 {
        let listed = server.send("GET", "/message", &key(&ann.client.token), "").await;
        assert_eq!(listed.status, 200);
        let sent = server.send("POST", "/message?message=hi", &key(&ann.application.token), "").await;
        assert_eq!(sent.status, 200);
    }
    let wrong = server.send("GET", "/message", &key("Cunknown"), "").await;
    assert_eq!(wrong.status, 429);
}

#[tokio::test]
async fn whoever_guesses_from_everywhere_does_not_lock_out_where_a_user_logs_in() {
    let server = limited(0, 5).await;
    let ann = server.person("ann").await;
    assert_eq!(log_in(&server, "ann", &ann.password).await.status, 200);
    for host in 2..7 {
        assert_eq!(log_in_from(&server, [127, 0, 0, host], "ann", "wrong").await.status, 401);
    }
    assert_eq!(log_in_from(&server, [127, 0, 0, 7], "ann", "wrong").await.status, 429);
    assert_eq!(log_in_from(&server, [127, 0, 0, 7], "ann", &ann.password).await.status, 429);
    assert_eq!(log_in(&server, "ann", &ann.password).await.status, 200);
    assert_eq!(log_in_from(&server, [127, 0, 0, 7], "bob", "wrong").await.status, 401);
}

#[tokio::test]
async fn limits_of_zero_are_none() {
    let server = limited(0, 0).await;
    for _ in 0..40 {
        assert_eq!(log_in(&server, "admin", "wrong").await.status, 401);
    }
}

/// More than there may be failures, and at once: none of them waits to be known as right.
#[tokio::test]
async fn many_logins_at_once_with_the_right_password_are_all_let_through() {
    let server = limited(3, 3).await;
    let ann = server.person("ann").await;
    let logins = (0..30).map(|_| log_in(&server, "ann", &ann.password));
    for answer in futures_util::future::join_all(logins).await {
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn every_start_warns_while_a_password_is_in_use_that_others_know() {
    let warned = |name: &str, password: &str| {
        let mut server = Program::new(&[])
            .variable("GOTIFY_SERVER_PORT", "0")
            .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
            .variable("GOTIFY_PASSSTRENGTH", "4")
            .variable("GOTIFY_DEFAULTUSER_NAME", name)
            .variable("GOTIFY_DEFAULTUSER_PASS", password)
            .serve();
        server.wait_for_log("change the password of this user");
        server.signal(Signal::TERM);
        server.wait().1
    };
    assert!(warned("admin", "admin").contains("Gotify's default password opens it"));
    let log = warned("ann", "configured-password");
    assert!(log.contains("the password of `defaultuser.pass` opens it"), "{log}");
    assert!(!log.contains("configured-password"), "{log}");
}
