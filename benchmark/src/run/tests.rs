//! Runs of plans against a target that counts by itself.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, http::StatusCode, routing::any};
use tokio::net::TcpListener;

use super::*;

mod faulty;

/// A target that counts by itself, and answers with a status. Returns its address and its count.
async fn target(status: StatusCode) -> (String, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let answer = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { status }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    (url, count)
}

fn nobody() -> Credentials {
    Credentials { user: String::new(), pass: String::new() }
}

async fn run(drivers: u32, plan: &str, stop: impl Future<Output = ()>) -> Report {
    let (json, plan) = Plan::parse_to_json(plan).unwrap();
    run_alone(planned(json, &plan), drivers, &[], &nobody(), stop, |_| ()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_model_sends_as_many_requests_as_the_target_counts() {
    for (load, asked) in [
        ("{model: avalanche, requests: 40, concurrency: 3}", Some(40)),
        ("{model: tsunami, requests: 20, delay: 1ms}", Some(20)),
        ("{model: rate, stages: [{from: 0, to: 400, for: 100ms}]}", Some(20)),
        ("{model: users, stages: [{to: 3, for: 100ms}]}", None),
    ] {
        let (url, count) = target(StatusCode::OK).await;
        let report = run(2, &format!("target: {{url: '{url}'}}\nload: {load}"), pending()).await;
        assert!(report.complete, "{load}: {report:?}");
        let done = report.total.counts.done;
        assert_eq!(done, count.load(Ordering::Relaxed), "{load}");
        assert_eq!(done, asked.unwrap_or(done), "{load}");
        assert!(done > 0 && report.total.latency.p95.is_some(), "{load}");
        assert_eq!(report.total.failed(), 0, "{load}: {:?}", report.total.errors);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_warm_up_is_sent_and_not_counted() {
    let (url, count) = target(StatusCode::OK).await;
    let load = "load: {model: rate, stages: [{to: 100, for: 200ms}]}\nwarm_up: 100ms";
    let report = run(3, &format!("target: {{url: '{url}'}}\n{load}"), pending()).await;
    let counts = report.total.counts;
    assert_eq!((count.load(Ordering::Relaxed), counts.asked, counts.done), (20, 10, 10));
    assert_eq!(report.phases.last().unwrap().label, "warm-up ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_status_is_an_error_and_misses_the_threshold() {
    let (url, _) = target(StatusCode::IM_A_TEAPOT).await;
    let load = "load: {model: avalanche, requests: 4}\nthresholds: [errors < 1%, rate > 0]";
    let report = run(1, &format!("target: {{url: '{url}'}}\n{load}"), pending()).await;
    assert_eq!(report.total.errors["status 418"], 4);
    assert_eq!(report.missed().unwrap(), "`errors < 1%`, it was 100.00 %");
    for format in [Format::Markdown, Format::Csv] {
        let text = report.written(format);
        assert!(text.contains("thresholds not kept (`errors < 1%`, it was 100.00 %)"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_says_that_it_is_not_complete() {
    let (url, _) = target(StatusCode::OK).await;
    let plan = format!("target: {{url: '{url}'}}\nload: {{model: tsunami, requests: 1000, delay: 10s}}");
    let report = run(1, &plan, tokio::time::sleep(std::time::Duration::from_secs(2))).await;
    assert!(!report.complete && report.aborted);
    let counts = report.total.counts;
    assert_eq!(counts.started + counts.dropped, 1000);
}
