//! No token and no password in the log, at any level, nor in any answer that is an error, wherever they stood.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::Signal;
use secrecy::SecretString;
use serde_json::Value;
use shardcast::auth::{LoginLimits, Passwords};
use shardcast::server::NodeConfig;

use crate::harness::TestServer;
use crate::program::{Program, Serving};

const USER: &str = "admin";

/// The password in the configuration.
const PASSWORD: &str = "canary-Password-1";

/// What it is changed to.
const NEW_PASSWORD: &str = "canary-Password-2";

/// One that is wrong.
const WRONG_PASSWORD: &str = "canary-Password-3";

/// Tokens of nobody, in each form that there is.
const TOKENS_OF_NOBODY: [&str; 5] = [
    "Ccanary.of-nobo",
    "Acanary_of_nobo",
    "Pcanary-of-a-plugin-abc",
    "gtfyc.Y2FuYXJ5LW9mLW5vYm9keS1hbmQtbm90aGluZy1lbHM",
    "gtfya.Y2FuYXJ5LW9mLW5vYm9keS1hbmQtbm90aGluZy1lbHM.1700000000.c2lnbmF0dXJlLWNhbmFyeQ",
];

/// What is searched for of a secret: the first characters may have been escaped, or cut off with a prefix.
fn needle(secret: &str) -> &str {
    &secret[3..]
}

/// Sends bytes as they are and returns what comes back. The end of a broken request has to be told.
fn ask(server: &Serving, request: &[u8], is_broken: bool) -> String {
    let mut socket = TcpStream::connect(&server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // The server may have answered and closed before all was sent.
    let _ = socket.write_all(request);
    if is_broken {
        let _ = socket.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(method: &str, target: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn basic(name: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{name}:{password}"))
}

/// Makes something by the password, and returns it.
fn make(server: &Serving, target: &str, body: &str) -> Value {
    let headers =
        format!("Authorization: Basic {}\r\nContent-Type: application/json\r\n", basic(USER, PASSWORD));
    let answer = ask(server, &request("POST", target, &headers, body), false);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {answer}"))
}

/// Whole requests with a secret in every place where somebody may put it.
fn whole(secret: &str) -> Vec<Vec<u8>> {
    let escaped = format!("%{:02X}{}", secret.as_bytes()[0], &secret[1..]);
    let mut requests = Vec::new();
    for path in [
        "/message",
        "/stream",
        "/current/user",
        "/client",
        "/nowhere",
        "/health",
        "/application/1/image",
        "/auth/local/login",
    ] {
        for query in [
            format!("token={secret}"),
            format!("token={escaped}"),
            format!("%74oken={secret}"),
            format!("TOKEN={secret}"),
            format!("token={secret}&token={secret}"),
            format!("a=%zz&token={secret}"),
            format!("a=1;token={secret}"),
            format!("token%3D{secret}"),
            format!("message=hi&{secret}"),
            format!("access_token={secret}&message={secret}"),
        ] {
            requests.push(request("GET", &format!("{path}?{query}"), "", ""));
            requests.push(request("POST", &format!("{path}?{query}"), "", ""));
        }
        for headers in [
            format!("X-Gotify-Key: {secret}\r\n"),
            format!("x-gotify-key:{secret} \r\n"),
            format!("Authorization: Bearer {secret}\r\n"),
            format!("Authorization: bearer  {secret}\r\n"),
            format!("Authorization: {secret}\r\n"),
            format!("Authorization: Basic {secret}\r\n"),
            format!("Authorization: Basic {}\r\n", basic("somebody", secret)),
            format!("Authorization: Basic {}\r\n", basic(secret, "x")),
            format!("Proxy-Authorization: Basic {}\r\n", basic("proxy", secret)),
            format!("Cookie: gotify-client-token={secret}\r\n"),
            format!("Cookie: gotify-client-token={secret}\r\nSec-Fetch-Site: cross-site\r\n"),
            format!("Origin: https://{secret}.example\r\n"),
            format!(
                "Referer: http://test/?token={secret}\r\nUser-Agent: {secret}\r\nX-Forwarded-For: {secret}\r\n"
            ),
        ] {
            requests.push(request("GET", path, &headers, ""));
            requests.push(request("POST", path, &headers, "{"));
        }
        for (content_type, body) in [
            ("application/json", format!(r#"{{"message":"m","pass":"{secret}","name":"{secret}"}}"#)),
            ("application/json", format!(r#"{{"token": {secret}}}"#)),
            ("application/json", format!(r#"{{"pass": "{secret}"#)),
            ("application/json", format!(r#"{{"priority": "{secret}"}}"#)),
            ("application/x-www-form-urlencoded", format!("token={secret}&pass={secret}&a=%zz")),
            ("multipart/form-data; boundary=X", multipart("token", secret)),
            ("multipart/form-data; boundary=X", multipart(secret, "x")),
            ("multipart/form-data; boundary=X", format!("--X\r\n{secret}\r\n")),
            (secret, "message=hi".to_owned()),
        ] {
            requests.push(request("POST", path, &format!("Content-Type: {content_type}\r\n"), &body));
        }
    }
    for target in [
        format!("/{secret}"),
        format!("/message/{secret}"),
        format!("/application/{secret}/message"),
        format!("/plugin/1/custom/{secret}/hook"),
        format!("/{escaped}/../{secret}/"),
        format!("http://{USER}:{secret}@test/message?token={secret}"),
        format!("http://test/{secret}"),
        format!("//{secret}"),
        format!("/image/{secret}.png"),
    ] {
        for method in ["GET", "DELETE", "OPTIONS", "BREW"] {
            requests.push(request(method, &target, "", ""));
        }
    }
    requests.push(request("CONNECT", &format!("{secret}:443"), "", ""));
    requests.push(request("CONNECT", &format!("{USER}:{secret}@test:443"), "", ""));
    requests.push(request(&format!("X{}", secret.replace('.', "-")), "/", "", ""));
    requests
}

fn multipart(name: &str, value: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--X--\r\n")
}

/// Requests that are none.
fn broken(secret: &str) -> Vec<Vec<u8>> {
    [
        format!("GET /message?token={secret}\r\n\r\n"),
        format!("GET /message?token={secret} HTTP/9.9\r\n\r\n"),
        format!("GET /mess age?token={secret} HTTP/1.1\r\nHost: test\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nX-Gotify-Key {secret}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nX-Gotify-Key: {secret}\u{1}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: test\r\nX-Gotify-Key: {secret}"),
        format!("POST /message HTTP/1.1\r\nHost: test\r\nX-Gotify-Key: {secret}\r\nContent-Length: 50\r\n\r\n{{"),
        format!("POST /message HTTP/1.1\r\nHost: test\r\nContent-Length: {secret}\r\n\r\n"),
        format!("POST /message?token={secret} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n"),
        format!("\u{16}\u{3}\u{1}{secret}\r\n\r\n"),
        format!("GET /?{} HTTP/1.1\r\nHost: test\r\nX-Gotify-Key: {secret}\r\n\r\n", "q".repeat(20_000)),
        secret.to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

/// Opens a stream, or tries to, and hangs up.
fn open_stream(server: &Serving, target: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(&server.address).unwrap();
    let handshake = format!(
        "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    socket.write_all(handshake.as_bytes()).unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).unwrap();
    String::from_utf8_lossy(&head).into_owned()
}

/// Runs the program at a level, sends everything, and returns the log with the secrets that must not be in it.
fn run(level: &str) -> (String, Vec<String>) {
    let server = Program::new(&[])
        .file(&format!("defaultuser:\n  pass: \"{PASSWORD}\"\n"))
        .variable("GOTIFY_LOGLEVEL", level)
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_PASSSTRENGTH", "4")
        // With limits and without: where a password is refused unread, and where it is looked at.
        .variable("GOTIFY_SERVER_LOGINLIMIT_FAILURES", if level == "debug" { "3" } else { "0" })
        .variable("GOTIFY_SERVER_LOGINLIMIT_NAMEFAILURES", "0")
        .serve();
    let made = |target: &str| make(&server, target, r#"{"name":"canary"}"#);
    let (application, client, doomed) = (made("/application"), made("/client"), made("/client"));
    let token = |made: &Value| made["token"].as_str().unwrap().to_owned();
    let tokens = [token(&application), token(&client), token(&doomed)];
    let password_header = format!("Authorization: Basic {}\r\n", basic(USER, PASSWORD));
    assert!(open_stream(&server, &format!("/stream?token={}", tokens[1]), "").ends_with("101"));
    assert!(open_stream(&server, "/stream", &password_header).ends_with("101"));
    let deleted =
        ask(&server, &request("DELETE", &format!("/client/{}", doomed["id"]), &password_header, ""), false);
    assert_eq!(status(&deleted), 200);

    let mut secrets: Vec<String> = tokens.into();
    secrets.extend(TOKENS_OF_NOBODY.map(str::to_owned));
    secrets.extend([PASSWORD, NEW_PASSWORD, WRONG_PASSWORD].map(str::to_owned));
    let encoded: Vec<String> = secrets.iter().map(|secret| basic(USER, secret)).collect();
    for secret in &secrets {
        let answers = whole(secret).into_iter().map(|bytes| (ask(&server, &bytes, false), bytes));
        let broken = broken(secret).into_iter().map(|bytes| (ask(&server, &bytes, true), bytes));
        for (answer, sent) in answers.chain(broken) {
            let shows = status(&answer) >= 400 && answer.contains(needle(secret));
            // A number that is none is quoted to whoever sent it.
            let quoted = answer.contains("a whole number");
            assert!(!shows || quoted, "{}\nwas answered\n{answer}", String::from_utf8_lossy(&sent));
        }
        open_stream(&server, &format!("/stream?token={secret}x"), "");
        open_stream(&server, "/stream", &format!("Authorization: Basic {}\r\n", basic(USER, secret)));
    }
    let body = format!(r#"{{"pass":"{NEW_PASSWORD}"}}"#);
    let headers = format!("{password_header}Content-Type: application/json\r\n");
    // Where failures are limited, the password is refused now as well.
    ask(&server, &request("POST", "/current/user/password", &headers, &body), false);
    ask(&server, &request("GET", "/a-place-to-be-seen", "", ""), false);

    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    secrets.extend(encoded);
    (log, secrets)
}

#[test]
fn no_secret_reaches_the_log_at_any_level_nor_an_answer_that_is_an_error() {
    // `warn` and `error` log a part of what `info` does, and not where the server listens.
    let levels = ["trace", "debug", "info"];
    let runs = levels.map(|level| (level, std::thread::spawn(move || run(level))));
    for (level, run) in runs {
        let (log, secrets) = run.join().unwrap();
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(needle(secret)));
            assert_eq!(line, None, "`{secret}` is in the log at level {level}");
        }
        // Were nothing logged at all, nothing would have been tested.
        if matches!(level, "trace" | "debug") {
            assert!(log.contains("/a-place-to-be-seen") && log.contains("[masked]"), "{level}: {log}");
        }
    }
}

#[test]
fn a_start_that_fails_shows_no_password() {
    for (file, variables) in [
        ("defaultuser:\n  pass: [7700112233445566]\n", vec![]),
        ("defaultuser:\n  password: \"7700112233445566\"\n", vec![]),
        ("database:\n  connection: \"7700112233445566", vec![]),
        (
            "",
            vec![
                ("GOTIFY_DATABASE_DIALECT", "postgres"),
                ("GOTIFY_DATABASE_CONNECTION", "host=db user=gotify password=7700112233445566"),
            ],
        ),
        ("", vec![("GOTIFY_DATABASE_CONNECTION", "/proc/none/gotify.db?_auth_pass=7700112233445566")]),
        ("", vec![("GOTIFY_DATABASE_CONNECTION", "/proc/gotify:7700112233445566@db/gotify")]),
    ] {
        for command in [vec!["serve"], vec!["config"]] {
            let mut program = Program::new(&command).file(file).variable("GOTIFY_LOGLEVEL", "trace");
            for (name, value) in &variables {
                program = program.variable(name, value);
            }
            let outcome = program.run();
            let said = outcome.stdout + &outcome.stderr;
            assert!(!said.contains("77001122"), "{command:?} {file:?} {variables:?} said: {said}");
            assert!(command == ["config"] || outcome.code != Some(0), "{file:?} {variables:?}: {said}");
        }
    }
}

#[track_caller]
fn assert_silent(value: &impl Debug, secrets: &[&str]) {
    let shown = format!("{value:?}{value:#?}");
    for secret in secrets {
        assert!(!shown.contains(needle(secret)), "`{secret}` is in {shown}");
    }
}

#[tokio::test]
async fn no_public_type_shows_what_is_secret_in_it() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let database = server.store.database();
    let known = database.user(ann.user.id).await.unwrap().unwrap();
    let hash = known.password_hash.clone().unwrap();
    let secrets = [ann.application.token.as_str(), &ann.client.token, &ann.password, &hash];
    let headers = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    assert_eq!(server.send("GET", "/client", &headers, "").await.status, 200);

    assert_silent(&known, &secrets);
    assert_silent(&ann.application, &secrets);
    assert_silent(&ann.client, &secrets);
    assert_silent(&database.client_by_token(&ann.client.token).await.unwrap(), &secrets);
    assert_silent(&database.applications(ann.user.id).await.unwrap(), &secrets);
    assert_silent(&database, &secrets);
    assert_silent(&server.store, &secrets);
    assert_silent(&server.hub, &secrets);
    assert_silent(
        &server.hub.register(shardcast::hub::UserId(ann.user.id.0), &ann.client.token, None),
        &secrets,
    );
    let mut config = NodeConfig::default();
    config.first_password = SecretString::from(ann.password.clone());
    assert_silent(&config, &secrets);
    let passwords = Passwords::new(4);
    assert!(passwords.verify(ann.password.clone().into(), Some(hash.clone())).await.unwrap());
    assert_silent(&passwords, &secrets);
    assert_silent(&LoginLimits::default(), &secrets);
}
