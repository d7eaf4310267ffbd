//! How a server takes leave behind a proxy: first it is not ready, then it closes its streams, then it ends.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::http;
use crate::listener::{Listener, PATIENCE};
use crate::program::{Program, Serving};

const PASSWORD: &str = "first-canary-password";

/// A server with such a drain, and the tokens of a client and of an application.
async fn serve(drain: &[(&str, &str)]) -> (Serving, String, String) {
    let program = Program::new(&[])
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_PASSSTRENGTH", "4")
        .variable("GOTIFY_DEFAULTUSER_PASS", PASSWORD);
    let server = drain.iter().fold(program, |program, (name, value)| program.variable(name, value)).serve();
    let [client, application] = ["client", "application"].map(async |kind| {
        let made =
            http().post(format!("http://{}/{kind}", server.address)).basic_auth("admin", Some(PASSWORD));
        let made: Value = made.json(&json!({ "name": "test" })).send().await.unwrap().json().await.unwrap();
        made["token"].as_str().unwrap().to_owned()
    });
    let (client, application) = (client.await, application.await);
    (server, client, application)
}

#[tokio::test]
async fn a_server_that_waits_is_not_ready_and_serves_everything_until_a_second_signal() {
    let (mut server, client, application) = serve(&[("GOTIFY_SERVER_DRAIN_WAITSECONDS", "600")]).await;
    let address = server.address.clone();
    let url = |path: &str| format!("http://{address}/{path}");
    let ready = async || {
        let (get, head) = (http().get(url("health/ready")).send(), http().head(url("health/ready")).send());
        let (get, head) = (get.await.unwrap(), head.await.unwrap());
        (get.status().as_u16(), get.text().await.unwrap(), head.status().as_u16())
    };
    assert_eq!(ready().await, (200, r#"{"ready":true}"#.to_owned(), 200));
    let mut before = Listener::at(&server.address, &client, "").await;

    server.signal(Signal::TERM);
    let log = server.wait_for_log("stopping: ");
    assert!(log.contains("after 600 s (server.drain.waitseconds)"), "{log}");
    let not_ready = async { while ready().await.0 == 200 {} };
    tokio::time::timeout(PATIENCE, not_ready).await.expect("it is not ready");
    assert_eq!(ready().await, (404, r#"{"ready":false}"#.to_owned(), 404));

    let mut during = Listener::at(&server.address, &client, "").await;
    let sent =
        http().post(url("message")).query(&[("token", &application)]).json(&json!({ "message": "hi" }));
    assert_eq!(sent.send().await.unwrap().status(), 200);
    for stream in [&mut before, &mut during] {
        assert_eq!(stream.message().await["message"], "hi");
    }
    assert_eq!(http().get(url("health")).send().await.unwrap().status(), 200);

    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(143), "{log}");
}

#[tokio::test]
async fn a_window_closes_the_streams_with_1012_and_the_server_ends_well() {
    let (server, client, _) = serve(&[("GOTIFY_SERVER_DRAIN_WINDOWSECONDS", "1")]).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(Listener::at(&server.address, &client, "").await);
    }
    server.signal(Signal::TERM);
    for stream in &mut streams {
        assert_eq!(stream.close_code().await, 1012);
        let _ = stream.0.close(None).await;
    }
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cutting off"), "{log}");
}

#[tokio::test]
async fn a_new_stream_is_told_that_the_server_stops_and_nothing_has_failed() {
    let (mut server, client, _) = serve(&[("GOTIFY_SERVER_DRAIN_WINDOWSECONDS", "600")]).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(Listener::at(&server.address, &client, "").await);
    }
    server.signal(Signal::TERM);
    server.wait_for_log("stopping: ");
    let url = format!("http://{}/stream", server.address);
    let events =
        || http().get(&url).header("Accept", "text/event-stream").header("X-Gotify-Key", &client).send();
    let refused = async {
        loop {
            let answer = events().await.unwrap();
            // A moment after that line they are still taken.
            if answer.status() != 200 {
                return answer;
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await.expect("streams are refused");
    assert_eq!((refused.status().as_u16(), refused.headers()["Retry-After"].to_str().unwrap()), (503, "1"));
    let said: Value = refused.json().await.unwrap();
    assert_eq!(said["errorDescription"], "this server is stopping, try again in 1 s");
    let url = format!("ws://{}/stream?token={client}", server.address);
    let refused = tokio_tungstenite::connect_async(url).await.unwrap_err().to_string();
    assert!(refused.contains("503"), "{refused}");

    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert!(!log.contains("ERROR") && !log.contains("database"), "{log}");
}
