//! The examples do what they show.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);

#[expect(dead_code, reason = "the tests call what `main` calls")]
#[path = "../../examples/embed_axum.rs"]
mod embed_axum;
#[expect(dead_code, reason = "the tests call what `main` calls")]
#[path = "../../examples/hub_only.rs"]
mod hub_only;
#[expect(dead_code, reason = "the tests call what `main` calls")]
#[path = "../../examples/observer.rs"]
mod observer;

#[tokio::test]
async fn the_hub_alone_brings_messages_over_tcp() {
    let told = timeout(PATIENCE, hub_only::run()).await.unwrap().unwrap();
    assert_eq!(
        told,
        [
            "phone: hello",
            "phone: and again",
            "laptop: hello",
            "laptop: and again",
            "0 left, (None, None) after the end"
        ]
    );
}

#[tokio::test]
async fn the_server_works_below_a_path_of_another_application() {
    // For its HTTP client, where all features are on.
    crate::harness::http();
    let told = timeout(PATIENCE, embed_axum::run()).await.unwrap().unwrap();
    assert_eq!(
        told,
        [
            r#""From Rust": "the first""#,
            r#""From Rust": "the second""#,
            r#"listed "the second""#,
            r#"listed "the first""#,
            "an application"
        ]
    );
}

#[tokio::test]
async fn an_observer_sees_deliveries_and_the_slow_consumer() {
    let (messages, counters) = timeout(PATIENCE, observer::run()).await.unwrap().unwrap();
    assert!(messages > 0);
    assert_eq!(counters.slow_consumers.load(Ordering::Relaxed), 1);
    let delivered = counters.delivered.load(Ordering::Relaxed);
    assert!((messages..2 * messages).contains(&delivered), "{delivered} of {messages} to each");
}
