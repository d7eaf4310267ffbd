//! `/shardcast/search`: what is asked for over HTTP is what is found.

use std::time::Duration;

use serde_json::{Value, json};
use shardcast::store::{IndexPace, NewMessage};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::harness::{Person, TestServer};

fn key(person: &Person) -> Vec<(String, String)> {
    vec![("X-Gotify-Key".to_owned(), person.client.token.clone())]
}

/// Publishes messages `number 0` and so on, as senders do.
async fn publish(server: &TestServer, person: &Person, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let message = NewMessage {
            user_id: person.user.id,
            application_id: person.application.id,
            message: format!("number {number} of {}", person.user.name),
            title: if number.is_multiple_of(100) { "Größe".to_owned() } else { "usual".to_owned() },
            priority: i64::try_from(number % 10).unwrap(),
            extras: None,
            date: shardcast::external::chrono::Local::now().fixed_offset(),
        };
        server.store.publish(message).await.unwrap();
    }
}

async fn search(server: &TestServer, person: &Person, query: &str) -> Value {
    let answer = server.send("GET", &format!("/shardcast/search?{query}"), &key(person), "").await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.json()
}

fn texts(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|message| message["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_of_a_search_follow_on_one_another() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    publish(&server, &bob, 0..3).await;
    publish(&server, &ann, 0..300).await;
    let mut url = format!(
        "/shardcast/search?text=GROSSE+number*&appid={}&minpriority=0&from=2020-01-01T00:00:00Z&limit=2",
        ann.application.id
    );
    let mut found = Vec::new();
    loop {
        let page = server.send("GET", &url, &key(&ann), "").await.json();
        found.extend(texts(&page).into_iter().map(str::to_owned));
        let Some(next) = page["paging"]["next"].as_str() else { break };
        url = next[next.find("/shardcast").unwrap()..].to_owned();
    }
    assert_eq!(found, ["number 200 of ann", "number 100 of ann", "number 0 of ann"]);
    assert_eq!(texts(&search(&server, &bob, "text=number").await).len(), 3);
    assert_eq!(
        search(&server, &ann, "text=nothing").await,
        json!({
            "paging": { "size": 0, "since": 0, "limit": 100 }, "messages": []
        })
    );
    let answer = server.send("GET", "/shardcast/search?after=1", &key(&ann), "").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn what_was_published_is_indexed_without_being_asked_and_found_at_any_moment() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for part in 0..4 {
        publish(&server, &ann, part * 100..part * 100 + 100).await;
        for number in [0, part * 100, part * 100 + 99] {
            let page = search(&server, &ann, &format!("text={number}+number")).await;
            assert_eq!(texts(&page), [format!("number {number} of ann")]);
        }
    }
    // The task of the server does it: nothing is left for this call.
    let wait = async {
        let nobody = shardcast::model::MessageId(0);
        while server
            .store
            .database()
            .renew_index(ann.user.id, nobody, &IndexPace::unlimited())
            .await
            .unwrap()
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it is indexed");
    for number in [0, 150, 399] {
        let page = search(&server, &ann, &format!("text={number}+number")).await;
        assert_eq!(texts(&page), [format!("number {number} of ann")]);
    }
    let answer = server.send("DELETE", "/message", &key(&ann), "").await;
    assert_eq!(answer.status, 200);
    assert!(texts(&search(&server, &ann, "text=number").await).is_empty());
    // Nothing but the task of the server makes the index anew here.
    let options = SqliteConnectOptions::new().filename(&server.database);
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    let wait = async {
        let count = "SELECT count(*) FROM shardcast_search_segments";
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut file).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the index forgets what is deleted");
}
