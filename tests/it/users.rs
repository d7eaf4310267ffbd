//! What deleting a user does beyond its answer, and to others at the same time.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shardcast::store::UpdateUser;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::TestServer;
use crate::listener::{Listener, push};

fn basic(name: &str, password: &str) -> Vec<(String, String)> {
    let credentials = BASE64_STANDARD.encode(format!("{name}:{password}"));
    vec![("Authorization".to_owned(), format!("Basic {credentials}"))]
}

#[tokio::test]
async fn deleting_a_user_closes_its_streams_and_nobody_elses() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut by_token = Listener::open(&server, &ann, "").await;
    let mut request = format!("ws://{}/stream", server.address).into_client_request().unwrap();
    request.headers_mut().insert("Authorization", basic("ann", &ann.password)[0].1.parse().unwrap());
    let mut by_password = Listener(connect_async(request).await.unwrap().0);
    let mut other = Listener::open(&server, &bob, "").await;

    let admin = basic("admin", "admin");
    let answer = server.send("DELETE", &format!("/user/{}", ann.user.id), &admin, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(by_token.close_code().await, 1008);
    assert_eq!(by_password.close_code().await, 1008);
    let sent = push(&server, &bob, "still").await;
    assert_eq!(other.message().await, sent);
}

#[tokio::test]
async fn what_a_deleted_user_had_in_the_caches_is_forgotten() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let client = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    // Both tokens are in use, hence cached.
    push(&server, &ann, "first").await;
    assert_eq!(server.send("GET", "/message", &client, "").await.status, 200);

    let admin = basic("admin", "admin");
    assert_eq!(server.send("DELETE", &format!("/user/{}", ann.user.id), &admin, "").await.status, 200);
    let application = [("X-Gotify-Key".to_owned(), ann.application.token.clone())];
    assert_eq!(server.send("POST", "/message?message=second", &application, "").await.status, 401);
    assert_eq!(server.send("GET", "/message", &client, "").await.status, 401);
}

#[tokio::test]
async fn two_admins_that_delete_each_other_leave_one() {
    let server = TestServer::start().await;
    let admin = basic("admin", "admin");
    let mut left = "admin".to_owned();
    for round in 0..10 {
        let rival = format!("rival{round}");
        let body = format!("/user?name={rival}&pass=admin&admin=true");
        let made = server.send("POST", &body, &basic(&left, "admin"), "").await;
        assert_eq!(made.status, 200, "{made:?}");
        let users = server.store.database().users().await.unwrap();
        let path_of =
            |name: &str| format!("/user/{}", users.iter().find(|user| user.name == name).unwrap().id);
        let (of_rival, of_left) = (path_of(&rival), path_of(&left));
        let (by_left, by_rival) = (basic(&left, "admin"), basic(&rival, "admin"));
        let (first, second) = tokio::join!(
            server.send("DELETE", &of_rival, &by_left, ""),
            server.send("DELETE", &of_left, &by_rival, ""),
        );
        // Whoever comes second is refused as the last one's deletion, or not known any more.
        left = match (first.status, second.status) {
            (200, 400 | 401) => left,
            (400 | 401, 200) => rival,
            other => panic!("round {round}: {other:?}"),
        };
    }
    assert_eq!(server.store.database().users().await.unwrap().len(), 1);
    let refused = server.send("GET", "/user", &admin, "").await.status;
    assert_eq!(refused == 200, left == "admin", "whoever is left is the one who may");
}

#[tokio::test]
async fn no_new_name_has_a_colon_and_an_old_one_stays() {
    let server = TestServer::start().await;
    let admin = basic("admin", "admin");
    let refused = "Field 'name' must have no colon, because basic authentication ends the name there";
    let answer = server.send("POST", "/user?name=a:b&pass=secret", &admin, "").await;
    assert_eq!((answer.status, answer.json()["errorDescription"].as_str()), (400, Some(refused)));

    let ann = server.person("ann").await;
    let path = format!("/user/{}", ann.user.id);
    let answer = server.send("POST", &format!("{path}?name=a:b"), &admin, "").await;
    assert_eq!((answer.status, answer.json()["errorDescription"].as_str()), (400, Some(refused)));

    // As a Gotify lets it.
    let old = UpdateUser { name: "a:b".to_owned(), admin: false, password_hash: None };
    server.store.database().update_user(ann.user.id, old).await.unwrap();
    let answer = server.send("POST", &format!("{path}?name=a:b&pass=another"), &admin, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    push(&server, &ann, "still").await;
}
