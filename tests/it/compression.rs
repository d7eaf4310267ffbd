//! Which answers are compressed: all that are lists, or long in another way.

use std::collections::BTreeSet;

use base64::prelude::*;

use crate::access::requests;
use crate::harness::{TestServer, http};

/// What can be long.
const LONG: [&str; 10] = [
    "/swagger",
    "/docs",
    "/message",
    "/application",
    "/application/{application}/message",
    "/client",
    "/user",
    "/shardcast/live",
    "/shardcast/application",
    "/shardcast/search",
];

/// What is always short, is a picture, or is a stream.
const OTHERS: [&str; 16] = [
    "/version",
    "/health",
    "/health/ready",
    "/current/user",
    "/stream",
    "/image/{image}",
    "/user/{user}",
    "/plugin",
    "/plugin/{plugin}/config",
    "/plugin/{plugin}/display",
    "/gotifyinfo",
    "/shardcast/push",
    "/shardcast/overview",
    "/auth/oidc/login",
    "/auth/oidc/callback",
    "/auth/oidc/elevate",
];

#[tokio::test]
async fn every_list_is_compressed_for_a_client_that_accepts_it() {
    let routes: BTreeSet<_> = requests()
        .into_iter()
        .filter(|request| request.method == "GET")
        .map(|request| request.path)
        .collect();
    let known: BTreeSet<_> = LONG.into_iter().chain(OTHERS).map(str::to_owned).collect();
    assert_eq!(routes, known, "each route that is read is long or not");

    // A list of shards that is long without a stream.
    let server = TestServer::start_with(|config| config.stream.shard_count = 1024).await;
    let authorization =
        ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")));
    let json = ("Content-Type".to_owned(), "application/json".to_owned());
    let post = async |who: &(String, String), path: &str, body: String| {
        let answer = server.send("POST", path, &[who.clone(), json.clone()], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let (mut application, mut sender) = (0, authorization.clone());
    for number in 0..20 {
        let made =
            post(&authorization, "/application", format!(r#"{{"name":"application {number}"}}"#)).await;
        application = made["id"].as_u64().unwrap();
        sender = ("X-Gotify-Key".to_owned(), made["token"].as_str().unwrap().to_owned());
        post(&authorization, "/client", format!(r#"{{"name":"client {number}"}}"#)).await;
        let user = format!(r#"{{"name":"user {number}","pass":"p","admin":false}}"#);
        post(&authorization, "/user", user).await;
    }
    for number in 0..20 {
        post(&sender, "/message", format!(r#"{{"message":"message {number}"}}"#)).await;
    }
    for route in LONG {
        let url =
            format!("http://{}{}", server.address, route.replace("{application}", &application.to_string()));
        for (accepted, sent) in [("identity", None), ("gzip", Some("gzip"))] {
            let request = http().get(&url).header("authorization", &authorization.1);
            let answer = request.header("accept-encoding", accepted).send().await.unwrap();
            let encoding =
                answer.headers().get("content-encoding").map(|encoding| encoding.to_str().unwrap());
            assert_eq!((answer.status().as_u16(), encoding), (200, sent), "{route}");
        }
    }
}
