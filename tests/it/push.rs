//! Web Push, with a push service of the test's own.

mod service;

use base64::prelude::*;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use shardcast::push::PushConfig;
use shardcast::server::NodeConfig;
use tokio::time::sleep;

use crate::harness::{Answer, Person, TestServer};
use crate::listener::{PATIENCE, push};
use service::{Browser, Pushed, Service};

/// A server that pushes, also to the machine that it runs on.
fn pushing(config: &mut NodeConfig) {
    let push = PushConfig::default().with_allowed_hosts(["127.0.0.1".to_owned()]);
    config.push = Some(push.with_subject("mailto:admin@example.com".to_owned()));
}

fn key(token: &str) -> [(String, String); 1] {
    [("X-Gotify-Key".to_owned(), token.to_owned())]
}

async fn show(server: &TestServer, token: &str) -> Answer {
    server.send("GET", "/shardcast/push", &key(token), "").await
}

/// Makes another client of a person, and returns its id and token.
async fn another_client(server: &TestServer, person: &Person) -> (u64, String) {
    let made = server.send("POST", "/client?name=other", &key(&person.client.token), "").await.json();
    (made["id"].as_u64().unwrap(), made["token"].as_str().unwrap().to_owned())
}

/// Sends a message in JSON.
async fn send(server: &TestServer, person: &Person, message: &Value) {
    let mut headers = key(&person.application.token).to_vec();
    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    let answer = server.send("POST", "/message", &headers, &message.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Checks who signed it, and returns what was signed (RFC 8292, sections 2 and 3).
fn claims(pushed: &Pushed, public_key: &str) -> Value {
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let parameters = pushed.header("authorization").strip_prefix("vapid t=").unwrap();
    let (token, named_key) = parameters.split_once(",k=").unwrap();
    assert_eq!(named_key, public_key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decode(public_key));
    key.verify(signed.as_bytes(), &decode(signature)).expect("the signature is right");
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(header, json!({ "typ": "JWT", "alg": "ES256" }));
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[tokio::test]
async fn a_message_reaches_the_push_service_signed_and_for_the_browser_alone() {
    let (server, mut service) = (TestServer::start_with(pushing).await, Service::start().await);
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let overview = server.send("GET", "/shardcast/overview", &[], "").await.json();
    let public_key = overview["push"]["publicKey"].as_str().unwrap();
    let browser = Browser::new(format!("{}/of-ann?a=b", service.origin));
    assert_eq!(show(&server, &ann.client.token).await.status, 404);
    let subscribed = browser.subscribe(&server, &ann.client.token, -1).await;
    assert_eq!(subscribed.status, 200, "{subscribed:?}");
    assert_eq!(subscribed.json(), json!({ "endpoint": browser.endpoint, "minPriority": -1 }));
    assert_eq!(show(&server, &ann.client.token).await.json(), subscribed.json());

    push(&server, &bob, "for-bob-alone").await;
    let extras = json!({
        "client::notification": { "click": { "url": "https://ci.example/7" } },
        "shardcast::replace": { "key": "build" },
    });
    let message =
        json!({ "title": "Build", "message": "failed: <b>🦀</b>", "priority": 8, "extras": extras });
    send(&server, &ann, &message).await;

    let pushed = service.pushed().await;
    assert_eq!(pushed.path, "/of-ann");
    let headers = ["content-encoding", "urgency", "ttl"].map(|name| pushed.header(name));
    assert_eq!(headers, ["aes128gcm", "high", "604800"]);
    assert_eq!(pushed.header("topic").len(), 32);
    let claims = claims(&pushed, public_key);
    assert_eq!(
        (&claims["aud"], &claims["sub"]),
        (&json!(service.origin), &json!("mailto:admin@example.com"))
    );
    let valid_for = claims["exp"].as_i64().unwrap() - chrono::Utc::now().timestamp();
    assert!((1..=24 * 3600).contains(&valid_for), "{valid_for}");
    let expected = json!({
        "id": 2, "appid": ann.application.id, "title": "Build", "message": "failed: <b>🦀</b>", "priority": 8,
        "url": "https://ci.example/7", "unread": 1,
    });
    assert_eq!(browser.read(&pushed.body), expected);
    assert!(service.is_quiet());
}

#[tokio::test]
async fn a_client_that_was_deleted_gets_nothing_any_more_and_one_that_wants_urgent_messages_gets_these() {
    let (server, mut service) = (TestServer::start_with(pushing).await, Service::start().await);
    let ann = server.person("ann").await;
    let (id, deleted) = another_client(&server, &ann).await;
    let (_, unsubscribed) = another_client(&server, &ann).await;
    let endpoint = |name: &str| format!("{}/{name}", service.origin);
    let browsers = ["kept", "deleted", "unsubscribed"].map(|name| Browser::new(endpoint(name)));
    for (browser, token) in browsers.iter().zip([&ann.client.token, &deleted, &unsubscribed]) {
        assert_eq!(browser.subscribe(&server, token, 5).await.status, 200);
    }
    send(&server, &ann, &json!({ "message": "first", "priority": 5 })).await;
    let mut paths = [service.pushed().await.path, service.pushed().await.path, service.pushed().await.path];
    paths.sort();
    assert_eq!(paths, ["/deleted", "/kept", "/unsubscribed"]);

    let gone = server.send("DELETE", &format!("/client/{id}"), &key(&ann.client.token), "").await;
    assert_eq!(gone.status, 200);
    for _ in 0..2 {
        let ended = server.send("DELETE", "/shardcast/push", &key(&unsubscribed), "").await;
        assert_eq!((ended.status, ended.body.as_str()), (200, ""));
    }
    send(&server, &ann, &json!({ "message": "not urgent", "priority": 4 })).await;
    for text in ["second", "third"] {
        send(&server, &ann, &json!({ "message": text, "priority": 6 })).await;
        assert_eq!(service.pushed().await.path, "/kept");
    }
    assert!(service.is_quiet());
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_deleted_and_a_busy_push_service_is_asked_again() {
    let (server, mut service) = (TestServer::start_with(pushing).await, Service::start().await);
    let ann = server.person("ann").await;
    let browser = Browser::new(format!("{}/a", service.origin));
    browser.subscribe(&server, &ann.client.token, 0).await;
    service.answer(429, ("retry-after", "1"));
    service.answer(503, ("retry-after", "0"));
    service.answer(307, ("location", "/elsewhere"));
    push(&server, &ann, "first").await;
    for _ in 0..3 {
        assert_eq!(service.pushed().await.path, "/a");
    }
    service.answer(410, ("x-none", ""));
    push(&server, &ann, "second").await;
    let pushed = service.pushed().await;
    assert_eq!(pushed.path, "/a", "a redirect is not followed, and is no reason to try again");
    assert_eq!(browser.read(&pushed.body)["message"], "second");
    let is_deleted = async {
        while show(&server, &ann.client.token).await.status != 404 {
            sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_deleted).await.expect("the subscription is deleted");
    assert!(service.is_quiet());
}

#[tokio::test]
async fn what_can_not_be_sent_to_is_refused_with_the_reason() {
    let server = TestServer::start_with(|config| config.push = Some(PushConfig::default())).await;
    let ann = server.person("ann").await;
    let right = Browser::new("https://push.example/secret".to_owned()).subscription(0);
    let with = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let no_point = BASE64_URL_SAFE_NO_PAD.encode([4; 65]);
    for (body, reason) in [
        (json!({}), "Field 'endpoint' is required; Field 'keys' is required"),
        (
            with("/endpoint", json!(format!("https://push.example/secret{}", "a".repeat(2022)))),
            "Field 'endpoint' must be at most 2048 characters long, not 2049",
        ),
        (with("/endpoint", json!("http://push.example/secret")), "Field 'endpoint' must be an https URL"),
        (
            with("/endpoint", json!("https://10.0.0.1/secret")),
            "Field 'endpoint' must be at a public address, and 10.0.0.1 is none",
        ),
        (
            with("/endpoint", json!("https://[::1]/secret")),
            "Field 'endpoint' must be at a public address, and ::1 is none",
        ),
        (with("/keys", json!({ "auth": "a" })), "Field 'keys.p256dh' is required"),
        (with("/keys/p256dh", json!(5)), "Field 'keys.p256dh' must be a text"),
        (with("/keys/p256dh", json!("secret!")), "Field 'keys.p256dh' must be base64url"),
        (
            with("/keys/p256dh", json!(no_point)),
            "Field 'keys.p256dh' must be a public key of the curve P-256",
        ),
        (with("/keys/auth", json!("AAAA")), "Field 'keys.auth' must have 16 bytes, not 3"),
        (with("/minPriority", json!("high")), "Field 'minPriority'"),
    ] {
        let headers =
            [key(&ann.client.token)[0].clone(), ("Content-Type".to_owned(), "application/json".to_owned())];
        let answer = server.send("PUT", "/shardcast/push", &headers, &body.to_string()).await;
        let text = answer.json()["errorDescription"].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(text.contains(reason), "{body}: {text}");
        assert!(!text.contains("secret"), "{text}");
        assert_eq!(show(&server, &ann.client.token).await.status, 404, "{body}");
    }
    let of_form = async |keys: &str| {
        let form = reqwest::Url::parse_with_params(
            "http://a",
            [("endpoint", "https://push.example/secret"), ("keys", keys)],
        );
        let headers = [key(&ann.client.token)[0].clone()];
        server.send("PUT", &format!("/shardcast/push?{}", form.unwrap().query().unwrap()), &headers, "").await
    };
    let answer = of_form("secret").await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["errorDescription"], "Field 'keys' must be an object in JSON");
    assert_eq!(of_form(&right["keys"].to_string()).await.status, 200);
    let password = BASE64_STANDARD.encode(format!("ann:{}", ann.password));
    let password = [("Authorization".to_owned(), format!("Basic {password}"))];
    for method in ["GET", "PUT", "DELETE"] {
        let answer = server.send(method, "/shardcast/push", &password, "").await;
        assert_eq!(answer.status, 403, "{method}: {answer:?}");
    }
}

#[tokio::test]
async fn the_clients_of_a_user_have_so_many_subscriptions_and_no_more() {
    let server = TestServer::start_with(pushing).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let browser = |name: &str| Browser::new(format!("https://push.example/{name}"));
    for number in 0..100 {
        let (_, token) = another_client(&server, &ann).await;
        let subscribed = browser(&number.to_string()).subscribe(&server, &token, 0).await;
        assert_eq!(subscribed.status, 200, "{number}: {subscribed:?}");
    }
    let refused = browser("one-more").subscribe(&server, &ann.client.token, 0).await;
    let text = "the clients of this user have 100 push subscriptions, which is the most: delete clients that are not used";
    assert_eq!((refused.status, &refused.json()["errorDescription"]), (400, &json!(text)));
    assert_eq!(show(&server, &ann.client.token).await.status, 404);
    assert_eq!(browser("of-bob").subscribe(&server, &bob.client.token, 0).await.status, 200);
}

#[tokio::test]
async fn a_server_that_pushes_nothing_says_so() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    assert_eq!(server.send("GET", "/shardcast/overview", &[], "").await.json()["push"], Value::Null);
    let answer = show(&server, &ann.client.token).await;
    let text = "push messages are switched off on this server (push.enabled)";
    assert_eq!((answer.status, &answer.json()["errorDescription"]), (404, &json!(text)));
}

#[cfg(all(feature = "cluster", feature = "postgres"))]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts the servers")]
async fn of_several_nodes_the_one_that_stores_a_message_pushes_it_once() {
    use std::sync::Arc;

    use shardcast::cluster::MemoryBackplane;
    use shardcast::server::NodeParts;
    use shardcast::store::{DatabaseConfig, Dialect, open};

    let config = DatabaseConfig::new(Dialect::Postgres, crate::databases::postgres().await);
    let backplane = Arc::new(MemoryBackplane::default());
    let node = async || {
        let parts = NodeParts::default().with_backplane(Arc::<MemoryBackplane>::clone(&backplane));
        TestServer::start_on(open(&config).await.unwrap(), parts, pushing).await
    };
    let (a, b, mut service) = (node().await, node().await, Service::start().await);
    let key_of = async |server: &TestServer| server.send("GET", "/shardcast/overview", &[], "").await.json();
    assert_eq!(key_of(&a).await["push"]["publicKey"], key_of(&b).await["push"]["publicKey"]);

    let ann = a.person("ann").await;
    let browser = Browser::new(format!("{}/ann", service.origin));
    assert_eq!(browser.subscribe(&a, &ann.client.token, 0).await.status, 200);
    // By its priority a message is urgent, which the push service sees.
    let message = |priority: u32| json!({ "message": "m", "priority": priority });
    // What is sent by the node that knows of the subscription comes in any case, and after what the other one has sent.
    let b_knows = async {
        loop {
            send(&b, &ann, &message(0)).await;
            sleep(std::time::Duration::from_millis(50)).await;
            send(&a, &ann, &message(5)).await;
            if service.until("normal").await.contains_key("low") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, b_knows).await.expect("the other node learns of the subscription");
    let mut urgent = 0;
    for node in [&a, &b].repeat(5) {
        send(node, &ann, &message(8)).await;
        send(node, &ann, &message(5)).await;
        urgent += service.until("normal").await.get("high").unwrap_or(&0);
    }
    // Each node has read what the other one has sent before it pushes this.
    for node in [&a, &b] {
        send(node, &ann, &message(5)).await;
        urgent += service.until("normal").await.get("high").unwrap_or(&0);
    }
    assert_eq!(urgent, 10, "each message is pushed once");
}
