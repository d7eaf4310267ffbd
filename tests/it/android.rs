//! Gotify's Android app from its set-up to its logout: the calls that it makes, in their order, by a real client.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::harness::{Person, TestServer, http};
use crate::listener::{Listener, push};

/// How many messages the app asks for when it looks for those that it missed.
const PAGE: usize = 10;

/// The app, logged in.
struct App<'s> {
    server: &'s TestServer,
    token: String,
}

impl<'s> App<'s> {
    /// Finds the server, checks the password, and makes a client of its own.
    async fn log_in(server: &'s TestServer, person: &Person) -> Self {
        let version = server.send("GET", "/version", &[], "").await;
        assert_eq!(version.status, 200);
        assert!(version.json()["version"].is_string());

        let credentials = format!("{}:{}", person.user.name, person.password);
        let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        let basic = vec![("Authorization".to_owned(), basic)];
        let user = server.send("GET", "/current/user", &basic, "").await;
        assert_eq!((user.status, user.json()["name"].as_str()), (200, Some(person.user.name.as_str())));

        let as_json = [basic, vec![("Content-Type".to_owned(), "application/json".to_owned())]].concat();
        let client = server.send("POST", "/client", &as_json, r#"{"name":"Pixel 9"}"#).await;
        assert_eq!(client.status, 200);
        Self { server, token: client.json()["token"].as_str().unwrap().to_owned() }
    }

    async fn call(&self, method: &str, path: &str) -> (u16, Value) {
        let key = [("X-Gotify-Key".to_owned(), self.token.clone())];
        let answer = self.server.send(method, path, &key, "").await;
        let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
        (answer.status, body)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Pages back from the newest message until one that it has seen; returns those that it missed, newest first.
    async fn missed(&self, last_seen: u64) -> Vec<Value> {
        let mut missed = Vec::new();
        let mut since = 0;
        loop {
            let page = self.get(&format!("/message?limit={PAGE}&since={since}")).await;
            for message in page["messages"].as_array().unwrap() {
                if id(message) <= last_seen {
                    return missed;
                }
                missed.push(message.clone());
            }
            let paging = &page["paging"];
            if paging.get("next").is_none() {
                return missed;
            }
            since = paging["since"].as_u64().unwrap();
        }
    }
}

fn id(message: &Value) -> u64 {
    message["id"].as_u64().unwrap()
}

fn find<'v>(list: &'v Value, key: &str, value: &str) -> &'v Value {
    list.as_array().unwrap().iter().find(|entry| entry[key] == value).unwrap()
}

#[tokio::test]
async fn the_android_app_gets_all_that_it_needs() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let app = App::log_in(&server, &ann).await;

    // Its first screen: who is logged in, applications with their pictures, and the newest messages.
    assert_eq!(app.get("/current/user").await["name"], "ann");
    let applications = app.get("/application").await;
    let ci = find(&applications, "name", "ci");
    assert_eq!(ci["token"], ann.application.token.as_str(), "what is shared to it is sent with its token");
    let picture = ci["image"].as_str().unwrap();
    assert!(!picture.starts_with('/'), "it is joined to the base URL");
    let answer = http().get(format!("http://{}/{picture}", server.address)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let empty = json!({"paging": {"size": 0, "since": 0, "limit": 100}, "messages": []});
    assert_eq!(app.get("/message?limit=100&since=0").await, empty);

    // It listens; what comes is what a list shows.
    let mut listener = Listener::at(&server.address.to_string(), &app.token, "").await;
    let first = push(&server, &ann, "first").await;
    assert_eq!(listener.message().await, first);
    assert!(chrono::DateTime::parse_from_rfc3339(first["date"].as_str().unwrap()).is_ok());
    let mut last_seen = id(&first);

    // It loses the connection, misses more than two pages, comes back, and pages until what it has seen.
    drop(listener);
    let mut sent = Vec::new();
    for number in 0..2 * PAGE + 3 {
        sent.push(push(&server, &ann, &format!("missed{number}")).await);
    }
    let mut listener = Listener::at(&server.address.to_string(), &app.token, "").await;
    assert_eq!(app.get("/message?limit=1&since=0").await["messages"][0], sent[sent.len() - 1]);
    let missed = app.missed(last_seen).await;
    sent.reverse();
    assert_eq!(missed, sent, "each once, newest first");
    last_seen = id(&missed[0]);
    assert_eq!(app.missed(last_seen).await, Vec::<Value>::new());
    assert_eq!(app.missed(0).await.len(), sent.len() + 1, "to the very first one");
    let live = push(&server, &ann, "live").await;
    assert_eq!(listener.message().await, live);

    // One application's messages; one is swiped away, then all of them.
    let of_application = format!("/application/{}/message", ann.application.id);
    let page = app.get(&format!("{of_application}?limit=100&since=0")).await;
    assert_eq!(page["messages"][0], live);
    assert_eq!(app.call("DELETE", &format!("/message/{}", id(&live))).await, (200, Value::Null));
    assert_eq!(app.get("/message?limit=1&since=0").await["messages"][0], missed[0]);
    assert_eq!(app.call("DELETE", &of_application).await, (200, Value::Null));
    assert_eq!(app.get("/message?limit=100&since=0").await, empty);
    push(&server, &ann, "again").await;
    assert_eq!(app.call("DELETE", "/message").await, (200, Value::Null));
    assert_eq!(app.get("/message?limit=100&since=0").await, empty);

    // It finds itself among the clients, and logs out; a 401 tells it that it is.
    let clients = app.get("/client").await;
    let itself = find(&clients, "token", &app.token)["id"].as_u64().unwrap();
    assert_eq!(app.call("DELETE", &format!("/client/{itself}")).await, (200, Value::Null));
    assert_eq!(listener.close_code().await, 1008);
    assert_eq!(app.call("GET", "/current/user").await.0, 401);
}
