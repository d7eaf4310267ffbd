//! `/metrics`, of the program.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::http;
use crate::listener::Listener;
use crate::program::{Program, Serving};

fn serve(variables: &[(&str, &str)]) -> Serving {
    serve_as(Program::new(&[]), variables)
}

fn serve_as(program: Program, variables: &[(&str, &str)]) -> Serving {
    let program = program
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_DEFAULTUSER_PASS", "canary-password")
        .variable("GOTIFY_PASSSTRENGTH", "4");
    variables.iter().fold(program, |program, (name, value)| program.variable(name, value)).serve()
}

async fn scrape(address: &str) -> String {
    let answer = http().get(format!("http://{address}/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// Returns the value of a sample, as it is written.
fn value<'t>(text: &'t str, sample: &str) -> &'t str {
    let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no `{sample}` in {text}"))
}

/// Makes an application or a client, and returns its token.
async fn token(server: &Serving, kind: &str) -> String {
    let url = format!("http://{}/{kind}", server.address);
    let request = http().post(url).basic_auth("admin", Some("canary-password"));
    let made: Value =
        request.json(&json!({ "name": "canary-name" })).send().await.unwrap().json().await.unwrap();
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn metrics_are_off_by_default() {
    let server = serve(&[]);
    let answer = http().get(format!("http://{}/metrics", server.address)).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.json::<Value>().await.unwrap()["errorCode"], 404);
}

#[cfg(feature = "cluster")]
#[tokio::test]
async fn the_name_of_the_node_is_a_label_of_one_metric() {
    let on_main = [("GOTIFY_METRICS_ENABLED", "true"), ("GOTIFY_METRICS_LISTENADDR", "main")];
    for (name, label) in [("", ""), ("1111", "1111")] {
        let server = serve(&[on_main[0], on_main[1], ("APP_ID", name)]);
        let text = scrape(&server.address).await;
        let expected =
            format!("shardcast_build_info{{node=\"{label}\",version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
        assert_eq!(value(&text, &expected), "1");
        assert_eq!(text.matches(&format!("\"{label}\"")).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn what_happened_is_counted_without_names_and_tokens() {
    let server = serve(&[("GOTIFY_METRICS_ENABLED", "true"), ("GOTIFY_METRICS_LISTENADDR", "main")]);
    let (app, client) = (token(&server, "application").await, token(&server, "client").await);
    let mut listener = Listener::at(&server.address, &client, "").await;
    let http = http();
    let url = format!("http://{}/message", server.address);
    for _ in 0..3 {
        let sent = http.post(&url).header("X-Gotify-Key", &app).json(&json!({ "message": "canary-text" }));
        assert_eq!(sent.send().await.unwrap().status(), 200);
        listener.message().await;
    }
    for wrong in ["canary-wrong", "canary-worse"] {
        let asked = http.get(&url).basic_auth("admin", Some(wrong)).send().await.unwrap();
        assert_eq!(asked.status(), 401);
    }

    let text = scrape(&server.address).await;
    for (sample, expected) in [
        ("websocket_active_connections", "1"),
        (r#"shardcast_publishes_total{outcome="stored"}"#, "3"),
        ("shardcast_publish_duration_seconds_count", "3"),
        ("shardcast_commit_messages_sum", "3"),
        (r#"shardcast_http_requests_total{route="message",status="2xx"}"#, "3"),
        (r#"shardcast_http_requests_total{route="message",status="4xx"}"#, "2"),
        (r#"shardcast_http_requests_total{route="stream",status="1xx"}"#, "1"),
        ("shardcast_handshake_duration_seconds_count", "1"),
        (r#"shardcast_logins_total{outcome="succeeded"}"#, "2"),
        (r#"shardcast_logins_total{outcome="failed"}"#, "2"),
    ] {
        assert_eq!(value(&text, sample), expected, "{sample}");
    }
    assert!(value(&text, "process_cpu_seconds_total").parse::<f64>().unwrap() > 0.0);
    for secret in [&app, &client, "canary", "admin"] {
        assert!(!text.contains(secret), "`{secret}` is in {text}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_are_counted_where_metrics_have_a_listener_of_their_own() {
    let mut server = serve_as(
        Program::after("ulimit -n 200"),
        &[("GOTIFY_METRICS_ENABLED", "true"), ("GOTIFY_METRICS_LISTENADDR", "127.0.0.1:0")],
    );
    let line = server.wait_for_log("metrics are at http://");
    let metrics = line.split_once("http://").unwrap().1.split_once('/').unwrap().0.to_owned();
    assert_eq!(value(&scrape(&metrics).await, "shardcast_connections_refused_total"), "0");

    // A quarter of the files is for other things.
    let mut connections = Vec::new();
    for _ in 0..150 + 3 {
        connections.push(TcpStream::connect(&server.address).await.unwrap());
    }
    // The last one gets a refusal; what comes before it was accepted before it.
    let mut last = connections.pop().unwrap();
    last.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    last.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(value(&scrape(&metrics).await, "shardcast_connections_refused_total"), "3");
    server.wait_for_log("too many connections");
}

#[tokio::test]
async fn metrics_may_have_a_listener_of_their_own() {
    let mut server =
        serve(&[("GOTIFY_METRICS_ENABLED", "true"), ("GOTIFY_METRICS_LISTENADDR", "127.0.0.1:0")]);
    let line = server.wait_for_log("metrics are at http://");
    let address = line.split_once("http://").unwrap().1.split_once('/').unwrap().0.to_owned();
    assert_ne!(address, server.address);
    assert_eq!(value(&scrape(&address).await, "websocket_active_connections"), "0");
    for (address, path) in [(&address, "message"), (&server.address, "metrics")] {
        let answer = http().get(format!("http://{address}/{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{address}/{path}");
    }
}

#[test]
fn a_listener_that_can_not_be_is_refused_by_name() {
    let outcome = Program::new(&["serve"]).variable("GOTIFY_METRICS_LISTENADDR", "9090").run();
    assert_eq!(outcome.code, Some(78));
    assert_eq!(
        outcome.stderr,
        "GOTIFY_METRICS_LISTENADDR: metrics.listenaddr: `9090` is not `main`, or an address and a port such as \
         127.0.0.1:9090\n"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let outcome = Program::new(&["serve"])
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_METRICS_ENABLED", "true")
        .variable("GOTIFY_METRICS_LISTENADDR", &address)
        .run();
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr.contains(&format!("failed to listen for HTTP at `{address}`: ")),
        "{}",
        outcome.stderr
    );
}
