//! Lists that are larger than what is read at a time.

use serde_json::Value;
use shardcast::model::UserId;
use shardcast::store::{NewApplication, NewMessage};

use crate::harness::{Person, TestServer};

fn key(person: &Person) -> Vec<(String, String)> {
    vec![("X-Gotify-Key".to_owned(), person.client.token.clone())]
}

/// A message that each of JSON's characters makes longer.
fn message(person: &Person, number: usize, bytes: usize) -> NewMessage {
    NewMessage {
        user_id: person.user.id,
        application_id: person.application.id,
        message: format!("{number}<\n\"").repeat(bytes / 4),
        title: "t".to_owned(),
        priority: 5,
        extras: None,
        date: chrono_of("2026-11-23T19:26:10+01:00"),
    }
}

fn chrono_of(rfc3339: &str) -> shardcast::model::Timestamp {
    shardcast::external::chrono::DateTime::parse_from_rfc3339(rfc3339).unwrap()
}

#[tokio::test]
async fn a_page_of_large_messages_is_the_page_of_gotify() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let new: Vec<_> = (0..30).map(|number| message(&ann, number, [20, 400_000][number % 2])).collect();
    server.store.database().insert_messages(&new).await.unwrap();
    let mut url = "/message?limit=12".to_owned();
    let mut listed = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = server.send("GET", &url, &key(&ann), "").await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("application/json")));
        assert!(page.body.starts_with(r#"{"paging":{"#), "paging comes first");
        let page = page.json();
        listed.extend(page["messages"].as_array().unwrap().clone());
        sizes.push(page["paging"]["size"].as_u64().unwrap());
        let Some(next) = page["paging"]["next"].as_str() else { break };
        url = next[next.find("/message").unwrap()..].to_owned();
    }
    assert_eq!(sizes, [12, 12, 6]);
    let texts: Vec<_> = listed.iter().map(|message| message["message"].as_str().unwrap()).collect();
    let expected: Vec<_> = new.iter().rev().map(|message| message.message.as_str()).collect();
    assert!(texts == expected);
}

/// Reads a list from a page on, each next page by the URL that the one before names. Returns the ids and the sizes of the
/// pages, and where the last page says that messages follow.
async fn walk(server: &TestServer, person: &Person, first: &str) -> (Vec<u64>, Vec<u64>, Value) {
    let (mut url, mut ids, mut sizes) = (first.to_owned(), Vec::new(), Vec::new());
    loop {
        let page = server.send("GET", &url, &key(person), "").await.json();
        ids.extend(
            page["messages"].as_array().unwrap().iter().map(|message| message["id"].as_u64().unwrap()),
        );
        sizes.push(page["paging"]["size"].as_u64().unwrap());
        assert_eq!(page["paging"]["since"], 0, "{url}");
        let Some(next) = page["paging"]["next"].as_str() else {
            return (ids, sizes, page["paging"]["after"].clone());
        };
        next[next.find(first.split('?').next().unwrap()).unwrap()..].clone_into(&mut url);
    }
}

#[tokio::test]
async fn pages_after_an_id_bring_what_follows_on_it_oldest_first_and_say_where_to_go_on() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let new: Vec<_> = (0..30).map(|number| message(&ann, number, [20, 400_000][number % 2])).collect();
    let stored = server.store.database().insert_messages(&new).await.unwrap().ids();
    let stored: Vec<u64> = stored.iter().map(|id| id.0).collect();
    for path in ["/message".to_owned(), format!("/application/{}/message", ann.application.id)] {
        let (ids, sizes, last) = walk(&server, &ann, &format!("{path}?limit=12&after={}", stored[2])).await;
        assert_eq!((ids, sizes), (stored[3..].to_vec(), vec![12, 12, 3]), "{path}");
        assert_eq!(last, stored[29]);
        let (ids, _, last) = walk(&server, &ann, &format!("{path}?after={last}")).await;
        assert_eq!((ids, last), (vec![], stored[29].into()), "{path}: nothing follows yet");
        let (ids, ..) = walk(&server, &ann, &format!("{path}?after=0&limit=200")).await;
        assert_eq!(ids, stored, "{path}: from the oldest on");
        let both = server.send("GET", &format!("{path}?since=9&after=5"), &key(&ann), "").await;
        assert_eq!(both.status, 400);
        let text = both.json()["errorDescription"].as_str().unwrap().to_owned();
        assert!(text.starts_with("Field 'after' must not be given with 'since'"), "{text}");
    }
    let page = server.send("GET", "/message?limit=1", &key(&ann), "").await.json();
    assert_eq!(page["paging"].get("after"), None, "Gotify's pages stay as they are");
}

#[tokio::test]
async fn descriptions_that_an_older_server_took_are_listed() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for number in 0..5 {
        let application = NewApplication {
            user_id: ann.user.id,
            token: format!("Alarge.{number}"),
            name: "n".repeat(100_000),
            description: "d".repeat(1_000_000),
            default_priority: 0,
            sort_key: None,
            created_at: chrono_of("2026-11-23T19:26:10+01:00"),
        };
        server.store.database().create_application(application).await.unwrap();
    }
    let listed = server.send("GET", "/application", &key(&ann), "").await.json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 6);
    assert!(listed[1..].iter().all(|one| one["description"].as_str().unwrap().len() == 1_000_000));
    assert_eq!(server.store.database().applications(UserId(ann.user.id.0)).await.unwrap().len(), 6);
}
