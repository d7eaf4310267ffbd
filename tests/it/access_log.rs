//! What requests leave in the log.

use rustix::process::Signal;

use serde_json::{Value, json};

use crate::harness::http;
use crate::program::{Program, Serving};

fn serve(variables: &[(&str, &str)]) -> Serving {
    let program = Program::new(&[])
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_TRUSTEDPROXIES", "127.0.0.1");
    variables.iter().fold(program, |program, (name, value)| program.variable(name, value)).serve()
}

/// Asks for some things, ends the server, and returns the lines about requests.
async fn lines(server: Serving) -> Vec<String> {
    let http = http();
    for path in ["/version", "/nowhere?token=Csecret", "/message?limit=1&token=Csecret", "/health"] {
        http.get(format!("http://{}{path}", server.address)).send().await.unwrap();
    }
    let from_elsewhere = http.get(format!("http://{}/health", server.address));
    from_elsewhere.header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
    let of_a_proxy = http.get(format!("http://{}/health/ready", server.address));
    of_a_proxy.header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert!(!log.contains("Csecret"), "{log}");
    log.lines().filter(|line| line.contains(" status=")).map(str::to_owned).collect()
}

#[tokio::test]
async fn failures_are_logged_by_default_and_successes_are_not() {
    let lines = lines(serve(&[])).await;
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("WARN GET /nowhere?token=[masked] status=404 duration_us="), "{lines:#?}");
    assert!(lines[0].ends_with(" address=127.0.0.1"), "{lines:#?}");
    assert!(lines[1].contains("WARN GET /message?limit=1&token=[masked] status=401"), "{lines:#?}");
}

#[tokio::test]
async fn every_request_is_logged_if_asked_for_but_the_health_checks_of_this_machine() {
    let lines = lines(serve(&[("GOTIFY_SERVER_ACCESSLOG", "true")])).await;
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[0].contains("INFO GET /version status=200"), "{lines:#?}");
    assert!(lines[3].contains("INFO GET /health status=200"), "{lines:#?}");
    assert!(lines[3].ends_with(" address=203.0.113.9"), "{lines:#?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_named_once_with_the_key_to_change() {
    let server = serve(&[("GOTIFY_SERVER_TRUSTEDPROXIES", "10.0.0.0/8")]);
    let http = http();
    for _ in 0..3 {
        let request = http.get(format!("http://{}/version", server.address));
        request.header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
    }
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("`server.trustedproxies`")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(" WARN ") && lines[0].contains("GOTIFY_SERVER_TRUSTEDPROXIES"), "{log}");
    assert!(lines[0].ends_with(" address=127.0.0.1"), "{log}");
}

#[tokio::test]
async fn a_cookie_that_browsers_drop_is_warned_of_once() {
    let server = serve(&[
        ("GOTIFY_SERVER_SECURECOOKIE", "true"),
        ("GOTIFY_DEFAULTUSER_PASS", "first-canary-password"),
        ("GOTIFY_PASSSTRENGTH", "4"),
    ]);
    let http = http();
    for scheme in ["https", "http", "http"] {
        let request = http.post(format!("http://{}/auth/local/login", server.address));
        let request = request.basic_auth("admin", Some("first-canary-password")).form(&[("name", "browser")]);
        let answer = request.header("X-Forwarded-Proto", scheme).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert_eq!(log.matches("GOTIFY_SERVER_SECURECOOKIE").count(), 1, "{log}");
}

#[tokio::test]
async fn a_log_in_json_has_an_object_on_each_line_and_no_token() {
    let server = serve(&[
        ("GOTIFY_LOGFORMAT", "json"),
        ("GOTIFY_SERVER_ACCESSLOG", "true"),
        ("GOTIFY_PLUGINSDIR", "plugins"),
        ("GOTIFY_DEFAULTUSER_PASS", "first-canary-password"),
    ]);
    let http = http();
    for path in ["/version", "/message?limit=1&token=Csecret"] {
        http.get(format!("http://{}{path}", server.address)).send().await.unwrap();
    }
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert!(!log.contains("Csecret") && !log.contains("canary"), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["message"].is_string()), "{log}");
    let line =
        |text: &str| lines.iter().find(|line| line["message"].as_str().unwrap().starts_with(text)).unwrap();
    assert_eq!(line("GOTIFY_PLUGINSDIR: pluginsdir: ")["level"], "WARN");
    let request = line("GET /version");
    assert_eq!((&request["level"], &request["status"]), (&json!("INFO"), &json!(200)));
    assert!(request["duration_us"].is_u64() && request["address"] == "127.0.0.1", "{request}");
    let refused = line("GET /message?limit=1&token=[masked]");
    assert_eq!((&refused["level"], &refused["status"]), (&json!("WARN"), &json!(401)));
}
