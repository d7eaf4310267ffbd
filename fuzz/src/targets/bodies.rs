//! Bodies of requests in every encoding.
//!
//! The first byte chooses the request, the second the type of the body. A message that is taken is read back as it was
//! answered, and an object that is made is in its list.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;
use shardcast::model::Compatibility;

use super::world::{self, APPLICATION, CLIENT, World};

/// Requests with bodies. What they are about need not be there.
const REQUESTS: [(Method, &str); 13] = [
    (Method::POST, "/message"),
    (Method::POST, "/message"),
    (Method::POST, "/application"),
    (Method::PUT, "/application/1"),
    (Method::POST, "/client"),
    (Method::PUT, "/client/2"),
    (Method::PUT, "/shardcast/application/1"),
    (Method::POST, "/shardcast/read"),
    (Method::PUT, "/shardcast/push"),
    (Method::POST, "/application/2/image"),
    (Method::PUT, "/application/2/security"),
    (Method::POST, "/client/2/elevate"),
    (Method::POST, "/auth/local/login"),
];

const TYPES: [&str; 6] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/x-protobuf",
    "text/plain",
    "application/json; charset=utf-8",
];

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let [request, kind, body @ ..] = data else { return };
    let (method, path) = &REQUESTS[usize::from(*request) % REQUESTS.len()];
    let kind = TYPES[usize::from(*kind) % TYPES.len()];
    world::with(Compatibility::V3, |world| {
        let token = if *path == "/message" { APPLICATION } else { CLIENT };
        let request = Request::builder()
            .method(method)
            .uri(*path)
            .header("X-Gotify-Key", token)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_LENGTH, body.len())
            .body(Body::from(body.to_vec()))
            .expect("the request is well-formed");
        let Some(answer) = world.ask(request) else { return };
        if !answer.status.is_success() || answer.body.is_empty() {
            return;
        }
        match (method, *path) {
            (&Method::POST, "/message") => message(world, &answer.json()),
            (&Method::POST, "/application" | "/client") => listed_and_deleted(world, path, &answer.json()),
            _ => {}
        }
    });
}

/// The message is the newest, as it was answered; and is deleted.
fn message(world: &World, answered: &Value) {
    let page = as_client(world, Method::GET, "/message?limit=1");
    assert_eq!(page["messages"][0], *answered, "it is not read back as it was answered");
    as_client(world, Method::DELETE, &format!("/message/{}", answered["id"]));
}

/// The object is in the list of its kind, without its token; and is deleted.
fn listed_and_deleted(world: &World, path: &str, answered: &Value) {
    let list = as_client(world, Method::GET, path);
    let list = list.as_array().expect("it is a list");
    let found = list.iter().find(|found| found["id"] == answered["id"]);
    let found = found.unwrap_or_else(|| panic!("{path} does not have {answered}"));
    for (name, value) in found.as_object().expect("objects are listed") {
        if name != "token" {
            assert_eq!(*value, answered[name], "{name} of {answered}");
        }
    }
    as_client(world, Method::DELETE, &format!("{path}/{}", answered["id"]));
}

fn as_client(world: &World, method: Method, path: &str) -> Value {
    let request = Request::builder().method(method).uri(path).header("X-Gotify-Key", CLIENT);
    let answer = world.ask(request.body(Body::empty()).expect("the request is well-formed"));
    let answer = answer.expect("no stream was asked for");
    assert!(answer.status.is_success(), "{path}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}
