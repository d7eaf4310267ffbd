//! What nobody means well: every field, every id and every parameter of every request, replaced by what should break it.
//!
//! Each answer is a success, where Gotify takes such a value too, or a refusal with the error object, after which the
//! database is as it was.

mod values;

use serde_json::Value;
use shardcast::model::Compatibility;

use crate::access::{Request, SentCredentials, World, requests};
use crate::harness::{Answer, TestServer};
use crate::watch::Watch;
use values::{bodies, segments, texts, values};

/// A server to be maltreated.
struct Victim {
    server: TestServer,
    world: World,
    watch: Watch,
    sent: usize,
}

impl Victim {
    async fn new() -> Self {
        let server = TestServer::start_with(|config| config.api.compatibility = Compatibility::V3).await;
        let world = World::new(&server).await;
        Self { watch: Watch::new(&server.database).await, server, world, sent: 0 }
    }

    /// Sends a request, and checks that it is taken, or refused as it should be.
    async fn check(&mut self, request: &Request, target: &str, content_type: &str, body: &[u8]) -> Answer {
        self.sent += 1;
        let mut headers = self.world.headers(who(request));
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        self.watch.changed().await;
        let answer = self.server.send_bytes(&request.method, target, &headers, body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(300)]);
        let what = format!("{} {target} {content_type} {shown}\nwas answered {answer:?}", request.method);
        match answer.status {
            200..=204 | 301 | 307 => {}
            400..=499 if request.path == "/stream" => {}
            status @ 400..=499 => {
                let error: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{what}"));
                assert_eq!(error["errorCode"], status, "{what}");
                assert!(!error["error"].as_str().unwrap().is_empty(), "{what}");
                assert!(!error["errorDescription"].as_str().unwrap().is_empty(), "{what}");
                let change = self.watch.changed().await;
                assert_eq!(change, None, "{what}\nand changed something");
            }
            _ => panic!("{what}"),
        }
        let has_logged_out = answer.status == 401 && !target.contains("token=");
        if has_logged_out || !self.world.is_there(&self.server).await {
            // It has got hold of what the next ones are to be about.
            self.world = World::new(&self.server).await;
        }
        answer
    }
}

/// Returns who may make such a request.
fn who(request: &Request) -> SentCredentials {
    match request.path.as_str() {
        "/auth/local/login" => SentCredentials::AdminPassword,
        path if path.starts_with("/user") => SentCredentials::Admin,
        _ => SentCredentials::Elevated,
    }
}

/// Returns the fields of a request's body.
fn fields(request: &Request, world: &World) -> serde_json::Map<String, Value> {
    match request.body.as_str() {
        "" | "picture" => serde_json::Map::new(),
        json => serde_json::from_str(&world.filled(json)).unwrap(),
    }
}

/// Writes the body with one of its values replaced, as JSON.
fn with_json(fields: &serde_json::Map<String, Value>, replaced: &str, value: &[u8]) -> Vec<u8> {
    let mut body = b"{".to_vec();
    for (name, usual) in fields {
        let separator = if body.len() > 1 { "," } else { "" };
        body.extend_from_slice(format!("{separator}\"{name}\":").as_bytes());
        if name == replaced {
            body.extend_from_slice(value);
        } else {
            body.extend_from_slice(usual.to_string().as_bytes());
        }
    }
    body.push(b'}');
    body
}

/// Writes it as a form.
fn with_form(fields: &serde_json::Map<String, Value>, replaced: &str, value: &str) -> Vec<u8> {
    let mut pairs = Vec::new();
    for (name, usual) in fields {
        let usual = usual.as_str().map_or_else(|| usual.to_string(), escaped);
        pairs.push(if name == replaced { format!("{name}={value}") } else { format!("{name}={usual}") });
    }
    pairs.join("&").into_bytes()
}

fn escaped(text: &str) -> String {
    let escaped: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    escaped.concat()
}

#[tokio::test]
async fn every_field_of_every_body_may_hold_anything() {
    let mut victim = Victim::new().await;
    for request in requests() {
        let names: Vec<String> = fields(&request, &victim.world).keys().cloned().collect();
        for name in names {
            for value in values(&name) {
                let body = with_json(&fields(&request, &victim.world), &name, &value);
                let target = victim.world.filled(&request.path);
                victim.check(&request, &target, "application/json", &body).await;
            }
            for text in texts() {
                let body = with_form(&fields(&request, &victim.world), &name, &text);
                let target = victim.world.filled(&request.path);
                victim.check(&request, &target, "application/x-www-form-urlencoded", &body).await;
            }
        }
    }
    assert!(victim.sent > 1000, "only {} requests", victim.sent);
}

#[tokio::test]
async fn every_body_may_be_anything() {
    let mut victim = Victim::new().await;
    for request in requests().into_iter().filter(|request| !request.body.is_empty()) {
        for (content_type, body) in bodies() {
            let target = victim.world.filled(&request.path);
            victim.check(&request, &target, content_type, &body).await;
        }
    }
    assert!(victim.sent > 100, "only {} requests", victim.sent);
}

#[tokio::test]
async fn every_id_and_every_parameter_may_be_anything() {
    let mut victim = Victim::new().await;
    for request in requests() {
        for segment in segments() {
            if let Some((before, after)) = request.path.split_once('{') {
                let after = after.split_once('}').unwrap().1;
                let (content_type, body) = victim.world.body(&request);
                let target = format!("{before}{segment}{after}");
                victim.check(&request, &target, content_type, body.as_bytes()).await;
            }
            for parameter in ["limit", "since", "after", "token", "base"] {
                let target = format!("{}?{parameter}={segment}", victim.world.filled(&request.path));
                if request.method == "GET" {
                    victim.check(&request, &target, "text/plain", b"").await;
                }
            }
        }
    }
    assert!(victim.sent > 500, "only {} requests", victim.sent);
}
