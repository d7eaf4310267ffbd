//! A driver on a bus in memory, with a target that answers.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};

use super::*;
use crate::bus::{
    Outgoing, Received,
    event::Event,
    memory::MemoryBus,
    message::{Control, Measured, SCHEMA, Takeover, TestConfig, TestType, Trigger},
    unix_ms,
};

/// A driver on a bus of its own, and a target beside it.
struct Bench {
    bus: Arc<MemoryBus>,
    heard: tokio::sync::mpsc::Receiver<Received>,
    target: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    driver: JoinHandle<()>,
}

impl Bench {
    async fn start() -> Self {
        let bus = Arc::new(MemoryBus::new());
        Self::on(bus, Duration::from_secs(90)).await
    }

    async fn on(bus: Arc<MemoryBus>, grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let router = Router::new().route("/ping", get(|| async { "pong" }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let heard = bus.subscribe(&[Topic::Register, Topic::Heartbeat, Topic::Metrics], Duration::MAX);
        let config = DriverConfig {
            login: crate::client::api::Credentials { user: String::new(), pass: String::new() },
            is_quiet: false,
            watches_machine: false,
            node_id: "d1".to_owned(),
            address: String::new(),
            allowed: Vec::new(),
            target: None,
            grace,
            shutdown: PERIOD,
        };
        let (stop, stopped) = oneshot::channel();
        let driver = tokio::spawn(drive(Arc::<MemoryBus>::clone(&bus), config, async {
            stopped.await.ok();
        }));
        Self { bus, heard, target, stop: Some(stop), driver }
    }

    fn send(&self, event: &Event) {
        self.bus.publish(event.to_message());
    }

    fn config(&self, id: &str, requests: u64) -> TestConfig {
        TestConfig {
            test_id: id.to_owned(),
            message_count_per_driver: requests,
            target: Some(format!("http://{}/ping", self.target)),
            ..TestConfig::default()
        }
    }

    /// A test whose second request is a minute away.
    fn long_test(&self, id: &str) -> TestConfig {
        let (test_type, test_message_delay) = (TestType::Tsunami, 60_000);
        TestConfig { test_type, test_message_delay, ..self.config(id, 1000) }
    }

    /// Begins such a test, and waits until it runs.
    async fn begin_long_test(&mut self, id: &str) {
        self.send(&Event::TestConfig(Box::new(self.long_test(id))));
        self.send(&trigger(id));
        self.until_it_runs().await;
    }

    async fn until_it_runs(&mut self) {
        self.until(|event| match event {
            Event::Heartbeat(heartbeat) => heartbeat.status.filter(|status| !status.running.is_empty()),
            _ => None,
        })
        .await;
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let received = self.heard.recv().await.unwrap();
                if let Some(found) = wanted(Event::read(&received).unwrap()) {
                    return found;
                }
            }
        };
        timeout(Duration::from_secs(30), search).await.unwrap()
    }

    async fn last_report(&mut self, id: &str) -> Measured {
        let id = id.to_owned();
        self.until(|event| match event {
            Event::Metrics(metrics) if metrics.test_id == id => {
                metrics.measured.filter(|measured| measured.is_final)
            }
            _ => None,
        })
        .await
    }

    async fn refusal(&mut self, id: &str) -> String {
        let id = id.to_owned();
        self.until(|event| match event {
            Event::Heartbeat(heartbeat) => heartbeat.status.unwrap().refused.remove(&id),
            _ => None,
        })
        .await
    }
}

fn trigger(id: &str) -> Event {
    Event::Trigger(Trigger {
        test_id: id.to_owned(),
        trigger: "YES".to_owned(),
        begin_unix_ms: None,
        drivers: None,
    })
}

#[tokio::test]
async fn a_driver_runs_a_test_of_the_plain_specification() {
    let mut bench = Bench::start().await;
    bench.send(&Event::TestConfig(Box::new(bench.config("t", 50))));
    bench.send(&trigger("t"));
    let report = bench.last_report("t").await;
    assert_eq!((report.counts.asked, report.counts.started, report.counts.done), (50, 50, 50));
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    assert_eq!(report.stopped, None);
}

#[tokio::test]
async fn a_trigger_that_comes_before_its_test_is_not_lost() {
    let mut bench = Bench::start().await;
    bench.send(&trigger("t"));
    bench.send(&Event::TestConfig(Box::new(bench.config("t", 3))));
    assert_eq!(bench.last_report("t").await.counts.done, 3);
}

#[tokio::test]
async fn a_driver_that_comes_after_the_test_prepares_it() {
    let bus = Arc::new(MemoryBus::new());
    let early = TestConfig {
        test_id: "early".to_owned(),
        message_count_per_driver: 1,
        target: Some("http://127.0.0.1:9/".to_owned()),
        ..TestConfig::default()
    };
    bus.publish(Event::TestConfig(Box::new(early)).to_message());
    let mut bench = Bench::on(bus, Duration::from_secs(90)).await;
    bench
        .until(|event| match event {
            Event::Heartbeat(heartbeat) => heartbeat.status.filter(|status| status.ready == ["early"]),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_test_that_cannot_run_is_refused_with_a_reason() {
    let mut bench = Bench::start().await;
    let mut foreign = bench.config("foreign", 1);
    foreign.target = Some("http://192.0.2.1/".to_owned());
    let mut empty = bench.config("empty", 0);
    empty.throughput = Some(1.0);
    let mut slow = bench.config("slow", 1);
    slow.throughput = Some(-1.0);
    for config in [foreign, empty, slow] {
        bench.send(&Event::TestConfig(Box::new(config)));
    }
    assert!(bench.refusal("foreign").await.contains("is not allowed here, only loopback"));
    assert!(bench.refusal("empty").await.contains("`message_count_per_driver` is 0"));
    assert!(bench.refusal("slow").await.contains("`throughput` is -1"));
}

#[tokio::test]
async fn messages_that_cannot_be_read_do_not_end_a_driver() {
    let mut bench = Bench::start().await;
    for topic in [Topic::TestConfig, Topic::Trigger, Topic::Control] {
        for payload in ["", "{}", "[1]", "\u{1}", r#"{"test_id":{},"test_type":1}"#] {
            bench.bus.publish(Outgoing {
                topic,
                key: String::new(),
                payload: payload.into(),
                replaces: None,
            });
        }
    }
    bench.send(&Event::TestConfig(Box::new(bench.config("t", 2))));
    bench.send(&trigger("t"));
    assert_eq!(bench.last_report("t").await.counts.done, 2);
}

#[tokio::test]
async fn a_driver_that_is_not_named_in_the_trigger_sits_out() {
    let mut bench = Bench::start().await;
    for id in ["others", "ours"] {
        bench.send(&Event::TestConfig(Box::new(bench.config(id, 1))));
    }
    let named = |id: &str, driver: &str| {
        Event::Trigger(Trigger {
            test_id: id.to_owned(),
            trigger: "YES".to_owned(),
            begin_unix_ms: Some(unix_ms()),
            drivers: Some(vec![driver.to_owned()]),
        })
    };
    bench.send(&named("others", "d2"));
    bench.send(&named("ours", "d1"));
    let first = bench
        .until(|event| match event {
            Event::Metrics(metrics) => Some(metrics.test_id),
            _ => None,
        })
        .await;
    assert_eq!(first, "ours");
}

#[tokio::test]
async fn an_aborted_test_stops_and_says_so() {
    let mut bench = Bench::start().await;
    bench.begin_long_test("t").await;
    bench.send(&Event::Control(Control { aborted: vec!["t".to_owned()], ..Control::default() }));
    let report = bench.last_report("t").await;
    assert_eq!(report.stopped.as_deref(), Some("aborted"));
    assert!(report.counts.done < 1000);
}

fn takeover(lost: &str) -> Takeover {
    Takeover {
        test_id: "t".to_owned(),
        lost: lost.to_owned(),
        place: 1,
        of: 2,
        by: vec!["other".to_owned(), "d1".to_owned()],
        from_ms: 0,
        started: 4,
    }
}

#[tokio::test]
async fn the_share_of_a_lost_driver_is_sent_by_the_others() {
    let mut bench = Bench::start().await;
    let mut config = bench.config("t", 0);
    let target = config.target.clone().unwrap();
    let stages = json!([{"to": 20, "for": "2s"}]);
    config.plan = Some(json!({"target": {"url": target}, "load": {"model": "rate", "stages": stages}}));
    bench.send(&Event::TestConfig(Box::new(config)));
    let Event::Trigger(mut both) = trigger("t") else { unreachable!("it is a trigger") };
    both.drivers = Some(vec!["d1".to_owned(), "d2".to_owned()]);
    bench.send(&Event::Trigger(both));
    bench.until_it_runs().await;
    // One that can't be counted is passed over.
    let too_large = Takeover { place: u64::MAX - 1, of: u64::MAX, ..takeover("d3") };
    // Repeated, as the orchestrator does.
    for _ in 0..2 {
        let takeovers = vec![too_large.clone(), takeover("d2")];
        bench.send(&Event::Control(Control { takeovers, ..Control::default() }));
    }
    let report = bench.last_report("t").await;
    // Its own 20 of 40 requests, and every second one of the 20 of the other driver.
    assert_eq!((report.counts.asked, report.counts.done), (30, 30), "{report:?}");
    assert_eq!(report.stopped, None);
}

#[tokio::test]
async fn a_driver_whose_share_others_send_stops() {
    let mut bench = Bench::start().await;
    bench.begin_long_test("t").await;
    bench.send(&Event::Control(Control { takeovers: vec![takeover("d1")], ..Control::default() }));
    let report = bench.last_report("t").await;
    assert_eq!(report.stopped.as_deref(), Some("others have taken its share over"));
}

#[tokio::test]
async fn load_stops_when_the_orchestrator_is_gone() {
    // Long enough that the test has begun before its load is stopped.
    let mut bench = Bench::on(Arc::new(MemoryBus::new()), 3 * PERIOD).await;
    let mut config = bench.long_test("t");
    config.schema = Some(SCHEMA);
    bench.send(&Event::TestConfig(Box::new(config)));
    bench.send(&trigger("t"));
    let stopped = bench.last_report("t").await.stopped.unwrap();
    assert!(stopped.starts_with("the orchestrator was not heard for"), "{stopped}");
}

#[tokio::test]
async fn a_driver_that_is_told_to_end_reports_before_it_ends() {
    let mut bench = Bench::start().await;
    bench.begin_long_test("t").await;
    bench.stop.take().unwrap().send(()).unwrap();
    let report = bench.last_report("t").await;
    assert_eq!(report.stopped.as_deref(), Some("the driver was told to end"));
    timeout(Duration::from_secs(30), bench.driver).await.unwrap().unwrap();
}
