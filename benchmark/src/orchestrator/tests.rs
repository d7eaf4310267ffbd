//! An orchestrator, drivers and a target on a bus in memory, over HTTP.

use std::path::Path;

use axum::{Router, routing::get};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::*;
use crate::{
    bus::{
        event::Event,
        memory::MemoryBus,
        message::{Heartbeat, Latencies, Measured, Metrics, SCHEMA, Status},
    },
    driver::{DriverConfig, drive},
};

const TOKEN: &str = "a-token-for-tests";

/// An orchestrator, drivers and a target on one bus.
struct Bench {
    bus: Arc<MemoryBus>,
    address: SocketAddr,
    target: SocketAddr,
    stops: Vec<(String, oneshot::Sender<()>, JoinHandle<()>)>,
    orchestrator: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    folder: Option<tempfile::TempDir>,
}

async fn orchestrator(
    bus: &Arc<MemoryBus>,
    folder: &Path,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = OrchestratorConfig {
        folder: folder.to_owned(),
        token: TOKEN.to_owned(),
        origins: vec!["https://allowed.example".to_owned()],
        allowed: Vec::new(),
        lost_after: Duration::from_secs(4),
    };
    let (stop, stopped) = oneshot::channel();
    let bus = Arc::<MemoryBus>::clone(bus);
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        serve(bus, config, listener, stopped).await.unwrap();
    });
    (address, stop, task)
}

impl Bench {
    async fn start(drivers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Self::on(folder.path(), drivers).await;
        bench.folder = Some(folder);
        bench
    }

    async fn on(folder: &Path, drivers: &[&str]) -> Self {
        let bus = Arc::new(MemoryBus::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let router = Router::new().route("/ping", get(|| async { "pong" }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (address, stop, task) = orchestrator(&bus, folder).await;
        let mut bench =
            Self { bus, address, target, stops: Vec::new(), orchestrator: Some((stop, task)), folder: None };
        for driver in drivers {
            bench.driver(driver);
        }
        bench.until_drivers(drivers.len()).await;
        bench
    }

    fn driver(&mut self, node_id: &str) {
        let config = DriverConfig {
            login: crate::client::api::Credentials { user: String::new(), pass: String::new() },
            is_quiet: false,
            watches_machine: false,
            node_id: node_id.to_owned(),
            address: String::new(),
            allowed: Vec::new(),
            target: None,
            grace: Duration::from_secs(90),
            shutdown: PERIOD,
        };
        let (stop, stopped) = oneshot::channel();
        let bus = Arc::<MemoryBus>::clone(&self.bus);
        let task = tokio::spawn(drive(bus, config, async { drop(stopped.await) }));
        self.stops.push((node_id.to_owned(), stop, task));
    }

    async fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.address
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn start_load(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let header = format!("Authorization: Bearer {TOKEN}\r\n");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.call(method, path, &header, &body).await;
        (status, answer)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.call("GET", path, "", "").await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn create(&self, test: Value) -> String {
        let mut test = test;
        test["Target"] = json!(format!("http://{}/ping", self.target));
        let (status, id) = self.start_load("POST", "/tests", &test).await;
        assert_eq!(status, 200, "{id}");
        id
    }

    async fn run(&self, test: Value) -> Value {
        let id = self.create(test).await;
        let (status, answer) = self.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
        assert_eq!(status, 200, "{answer}");
        self.ended(&id).await
    }

    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let search = async {
            loop {
                let value = self.get(path).await;
                if wanted(&value) {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_mins(1), search).await.unwrap()
    }

    async fn until_drivers(&self, count: usize) {
        self.until("/drivers", |list| list.as_array().unwrap().len() == count).await;
    }

    async fn ended(&self, id: &str) -> Value {
        self.until(&format!("/tests/{id}/report"), |report| !report["ended_unix_ms"].is_null()).await
    }
}

fn slow_test() -> Value {
    json!({ "TestType": "Tsunami", "TestMessageDelay": 60_000, "NumRequests": 100 })
}

#[tokio::test]
async fn three_drivers_run_a_test_and_one_report_holds_all_of_it() {
    let bench = Bench::start(&["a", "b", "c"]).await;
    let report = bench.run(json!({ "TestType": "Avalanche", "NumRequests": 40, "Concurrency": 4 })).await;
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(report["missing"], json!([]));
    assert_eq!(report["total"]["counts"]["done"], 120);
    assert_eq!(report["total"]["latency"]["count"], 120);
    let names: Vec<_> =
        report["drivers"].as_array().unwrap().iter().map(|driver| &driver["node_id"]).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for key in ["min", "max", "mean", "median", "mode", "p95", "p99"] {
        assert!(report["total"]["latency"][key].is_f64(), "{key}: {report}");
        assert!(report["drivers"][0]["figures"]["latency"][key].is_f64(), "{key}: {report}");
    }
}

#[tokio::test]
async fn several_tests_at_a_time_are_kept_apart() {
    let bench = Bench::start(&["a"]).await;
    let (first, second) = tokio::join!(
        bench.run(json!({ "TestType": "Tsunami", "TestMessageDelay": 10, "NumRequests": 30 })),
        bench.run(json!({ "TestType": "Avalanche", "NumRequests": 7 })),
    );
    assert_eq!((&first["total"]["counts"]["done"], &first["complete"]), (&json!(30), &json!(true)));
    assert_eq!((&second["total"]["counts"]["done"], &second["complete"]), (&json!(7), &json!(true)));
}

#[tokio::test]
async fn a_driver_that_vanishes_is_named_in_an_incomplete_report() {
    let mut bench = Bench::start(&["a", "b"]).await;
    let id = bench.create(json!({ "TestType": "Tsunami", "TestMessageDelay": 100, "NumRequests": 20 })).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    bench.until(&format!("/tests/{id}"), |test| test["test"]["phase"] == "running").await;
    // As after `kill -9`: it says nothing more.
    bench.stops.remove(1).2.abort();
    let report = bench.ended(&id).await;
    assert_eq!(report["complete"], false);
    assert_eq!(report["missing"][0]["node_id"], "b", "{report}");
    assert!(report["missing"][0]["reason"].as_str().unwrap().contains("was not heard for"), "{report}");
    assert_eq!(report["drivers"][0]["figures"]["counts"]["done"], 20);
}

#[tokio::test]
async fn a_test_goes_on_after_a_restart_of_the_orchestrator() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::on(folder.path(), &["a"]).await;
    let id = bench.create(json!({ "TestType": "Tsunami", "TestMessageDelay": 50, "NumRequests": 60 })).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    bench.until(&format!("/tests/{id}"), |test| test["test"]["phase"] == "running").await;
    // What is shown is on its way to the disk, where the next one finds it.
    let file = folder.path().join(format!("{id}.json"));
    bench
        .until("/tests", |_| !std::fs::read_to_string(&file).unwrap().contains("\"begin_unix_ms\":null"))
        .await;
    let (_, task) = bench.orchestrator.take().unwrap();
    task.abort();
    let (address, stop, task) = orchestrator(&bench.bus, folder.path()).await;
    bench.address = address;
    bench.orchestrator = Some((stop, task));
    let report = bench.ended(&id).await;
    assert_eq!(
        (&report["complete"], &report["total"]["counts"]["done"]),
        (&json!(true), &json!(60)),
        "{report}"
    );
}

#[tokio::test]
async fn an_aborted_test_ends_and_says_so() {
    let bench = Bench::start(&["a"]).await;
    let id = bench.create(slow_test()).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    bench.until(&format!("/tests/{id}"), |test| test["test"]["phase"] == "running").await;
    let (status, text) = bench.start_load("DELETE", &format!("/tests/{id}"), &Value::Null).await;
    assert_eq!(status, 200, "{text}");
    let report = bench.ended(&id).await;
    assert_eq!((&report["aborted"], &report["complete"]), (&json!(true), &json!(false)));
    assert_eq!(report["missing"][0]["reason"], "aborted");
    let (status, text) = bench.start_load("DELETE", &format!("/tests/{id}"), &Value::Null).await;
    assert_eq!((status, text.contains("has ended")), (409, true));
}

#[tokio::test]
async fn a_driver_of_another_program_takes_part_and_the_report_says_so() {
    let bench = Bench::start(&["a"]).await;
    let heartbeat = Heartbeat {
        node_id: "foreign".to_owned(),
        heartbeat: "YES".to_owned(),
        timestamp: json!("2026-01-01T00:00:00Z"),
        status: None,
    };
    bench.bus.publish(Event::Heartbeat(heartbeat).to_message());
    bench.until_drivers(2).await;
    let id = bench.create(json!({ "TestType": "Avalanche", "NumRequests": 5 })).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    bench.until(&format!("/tests/{id}"), |test| test["test"]["phase"] == "running").await;
    let metrics = Metrics {
        node_id: "foreign".to_owned(),
        test_id: id.clone(),
        report_id: "r".to_owned(),
        metrics: Latencies { mean_latency: Some(12.5), ..Latencies::default() },
        no_of_req: Some(5),
        measured: None,
    };
    bench.bus.publish(Event::Metrics(Box::new(metrics)).to_message());
    let report = bench.ended(&id).await;
    let foreign = &report["drivers"][1];
    assert_eq!(
        (&foreign["is_foreign"], &foreign["figures"]["latency"]["mean"]),
        (&json!(true), &json!(12.5))
    );
    assert!(report["notes"].to_string().contains("`foreign` is another program"), "{report}");
    assert_eq!(report["complete"], true, "{report}");
    assert_eq!(report["total"]["latency"]["count"], 5);
}

/// A driver of ours as the bus sees it, which says what a test wants it to say.
fn say(bench: &Bench, ready: &[&str], running: &[&str]) {
    let texts = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    let status = Status {
        schema: SCHEMA,
        incarnation: "first".to_owned(),
        ready: texts(ready),
        running: texts(running),
        ..Status::default()
    };
    let heartbeat = Heartbeat {
        node_id: "b".to_owned(),
        heartbeat: "YES".to_owned(),
        timestamp: Value::Null,
        status: Some(status),
    };
    bench.bus.publish(Event::Heartbeat(heartbeat).to_message());
}

#[tokio::test]
async fn a_report_that_comes_after_the_end_amends_it() {
    let bench = Bench::start(&["a"]).await;
    say(&bench, &[], &[]);
    bench.until_drivers(2).await;
    let id = bench.create(json!({ "TestType": "Avalanche", "NumRequests": 5 })).await;
    say(&bench, &[&id], &[]);
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    let report = bench.ended(&id).await;
    assert_eq!(
        (&report["complete"], &report["missing"][0]["node_id"]),
        (&json!(false), &json!("b")),
        "{report}"
    );
    let mut figures = crate::driver::figures::Figures::new(5);
    for _ in 0..5 {
        figures.on_start(Duration::ZERO, false);
        figures.on_end(Ok(()), Duration::from_millis(3), Duration::from_millis(3));
    }
    let measured = Measured {
        incarnation: "first".to_owned(),
        is_final: true,
        counts: figures.counts,
        from_due: crate::driver::figures::encoded(&figures.from_due),
        from_sent: crate::driver::figures::encoded(&figures.from_sent),
        span_us: 10_000,
        ..Measured::default()
    };
    let metrics = Metrics {
        node_id: "b".to_owned(),
        test_id: id.clone(),
        report_id: "r".to_owned(),
        metrics: Latencies::default(),
        no_of_req: None,
        measured: Some(measured),
    };
    bench.bus.publish(Event::Metrics(Box::new(metrics)).to_message());
    let path = format!("/tests/{id}/report");
    let amended = bench.until(&path, |report| report["complete"] == true).await;
    assert_eq!(amended["total"]["counts"]["done"], 10, "{amended}");
    assert_eq!(amended["ended_unix_ms"], report["ended_unix_ms"]);
    assert!(amended["notes"].to_string().contains("has amended this one"), "{amended}");
}

#[tokio::test]
async fn the_share_of_a_driver_that_is_told_to_end_is_sent_by_the_others() {
    let mut bench = Bench::start(&["a", "b"]).await;
    let plan = json!({
        "target": { "url": format!("http://{}/ping", bench.target) },
        "load": { "model": "rate", "stages": [{ "to": 20, "for": "12s" }] },
        "lost_driver": "redistribute",
    });
    let (_, id) = bench.start_load("POST", "/tests", &json!({ "Plan": plan })).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    let path = format!("/tests/{id}");
    bench.until(&path, |test| test["report"]["total"]["counts"]["done"].as_u64() > Some(0)).await;
    let (_, stop, _) = bench.stops.remove(1);
    stop.send(()).unwrap();
    let report = bench.ended(&id).await;
    assert_eq!(report["missing"][0]["reason"], "the driver was told to end", "{report}");
    assert!(report["notes"].to_string().contains("a had to send the share of `b`"), "{report}");
    let own = report["drivers"][0]["figures"]["counts"]["done"].as_u64().unwrap();
    assert!(own > 120, "its own are 120: {report}");
}

#[tokio::test]
async fn a_message_that_is_read_again_does_not_replace_a_report_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::on(folder.path(), &["a"]).await;
    let before = bench.run(json!({ "TestType": "Avalanche", "NumRequests": 5 })).await;
    let id = before["test_id"].as_str().unwrap().to_owned();
    let (_, task) = bench.orchestrator.take().unwrap();
    task.abort();
    // An older test that is still open, because of which messages are read again.
    let open = crate::orchestrator::test::Record { created_unix_ms: 1, ..Default::default() };
    let text = serde_json::to_string(&open).unwrap().replace("\"test_id\":\"\"", "\"test_id\":\"open\"");
    std::fs::write(folder.path().join("open.json"), text).unwrap();
    let (address, stop, task) = orchestrator(&bench.bus, folder.path()).await;
    bench.address = address;
    bench.orchestrator = Some((stop, task));
    // The driver is known again: so the messages before it were read.
    bench.until_drivers(1).await;
    let other = bench.run(json!({ "TestType": "Avalanche", "NumRequests": 1 })).await;
    assert_eq!(other["complete"], true, "{other}");
    assert_eq!(bench.get(&format!("/tests/{id}/report")).await, before);
}

#[tokio::test]
async fn a_plan_is_judged_on_all_drivers_together_and_hides_its_headers() {
    let bench = Bench::start(&["a", "b", "c"]).await;
    let plan = json!({
        "target": { "url": format!("http://{}/ping", bench.target), "headers": { "x-key": "secret-value" } },
        "load": { "model": "rate", "stages": [{ "to": 50, "for": "1s" }] },
        "thresholds": ["errors < 1%", "rate > 1000"],
    });
    let (status, id) = bench.start_load("POST", "/tests", &json!({ "Plan": plan })).await;
    assert_eq!(status, 200, "{id}");
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    let report = bench.ended(&id).await;
    assert_eq!(
        (&report["complete"], &report["total"]["counts"]["done"]),
        (&json!(true), &json!(50)),
        "{report}"
    );
    assert!((report["total"]["rate"].as_f64().unwrap() - 50.0).abs() < 1.0, "{report}");
    let kept: Vec<_> =
        report["thresholds"].as_array().unwrap().iter().map(|verdict| &verdict["kept"]).collect();
    assert_eq!(kept, [true, false]);
    let seen = [bench.get(&format!("/tests/{id}")).await, bench.get("/tests").await, report];
    assert!(seen.iter().all(|value| !value.to_string().contains("secret-value")));
    let folder = bench.folder.as_ref().unwrap().path().join(format!("{id}.json"));
    assert!(!std::fs::read_to_string(folder).unwrap().contains("secret-value"));
}

#[tokio::test]
async fn what_starts_load_needs_the_token() {
    let bench = Bench::start(&[]).await;
    let body = json!({ "TestType": "Avalanche", "NumRequests": 1 }).to_string();
    for (method, path) in [("POST", "/tests"), ("POST", "/trigger"), ("DELETE", "/tests/x")] {
        for header in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic YTpi\r\n"] {
            let (status, _, answer) = bench.call(method, path, header, &body).await;
            assert_eq!(status, 401, "{method} {path} {header} {answer}");
            assert!(answer.contains("errorDescription"), "{answer}");
        }
    }
}

#[tokio::test]
async fn refusals_name_what_was_wrong() {
    let bench = Bench::start(&[]).await;
    let (status, text) = bench.start_load("POST", "/trigger", &json!({ "TestID": "none" })).await;
    assert_eq!((status, text.contains("there is no test `none`")), (404, true), "{text}");
    let id = bench.create(json!({ "TestType": "Avalanche", "NumRequests": 1 })).await;
    let (status, text) = bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    assert_eq!((status, text.contains("no driver is there")), (409, true), "{text}");
    let (status, _, text) = bench.call("GET", &format!("/tests/{id}/report?format=xml"), "", "").await;
    assert_eq!((status, text.contains("`xml`")), (400, true), "{text}");
    let (status, text) = bench.start_load("POST", "/tests", &json!("x".repeat(2 << 20))).await;
    assert_eq!((status, text.contains("more than 1048576 bytes")), (413, true), "{text}");
    let (status, _, text) = bench.call("GET", "/nothing", "", "").await;
    assert_eq!((status, text.contains("/openapi.json")), (404, true), "{text}");
}

#[tokio::test]
async fn only_configured_origins_may_use_the_interface() {
    let bench = Bench::start(&[]).await;
    let (status, head, _) = bench.call("OPTIONS", "/tests", "Origin: https://allowed.example\r\n", "").await;
    assert_eq!(status, 204);
    assert!(head.contains("access-control-allow-origin: https://allowed.example"), "{head}");
    let (status, head, _) = bench.call("POST", "/trigger", "Origin: https://other.example\r\n", "{}").await;
    assert_eq!((status, head.contains("access-control-allow-origin")), (403, false), "{head}");
}

#[tokio::test]
async fn the_live_view_follows_a_test_and_knows_the_token() {
    let bench = Bench::start(&["a"]).await;
    let socket = TcpStream::connect(bench.address).await.unwrap();
    let (mut live, _) = client_async(format!("ws://{}/ws", bench.address), socket).await.unwrap();
    live.send(Message::text(json!({ "token": TOKEN }).to_string())).await.unwrap();
    let first = live.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap(), json!({ "authorized": true }));
    let id = bench.create(slow_test()).await;
    bench.start_load("POST", "/trigger", &json!({ "TestID": id })).await;
    let search = async {
        loop {
            let text = live.next().await.unwrap().unwrap().into_text().unwrap();
            let state: Value = serde_json::from_str(&text).unwrap();
            if state["running"][0]["test_id"] == id.as_str() {
                return state;
            }
        }
    };
    let state = timeout(Duration::from_secs(30), search).await.unwrap();
    assert_eq!(state["drivers"][0]["node_id"], "a");
}

#[test]
fn the_document_has_every_route() {
    let document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
    let source = include_str!("rest.rs");
    let routes = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    let files = ["/", "/page.css", "/page.js", "/report.js", "/openapi.json"];
    for route in routes.filter(|route| !files.contains(route)) {
        assert!(document["paths"][route].is_object(), "{route}");
    }
}
