//! `run` as a user runs it: plans against a real server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    process::Command,
    sync::Arc,
    thread,
};

use serde_json::{Value, json};
use shardcast::{
    external::axum,
    server::{Node, NodeConfig},
    store::{Database, Sqlite},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

/// A server in this process, until it is dropped.
struct Server {
    address: String,
    database: Arc<dyn Database>,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let file = folder.path().join("gotify.db");
        let (stop, stopped) = oneshot::channel::<()>();
        let (database, address) = runtime.block_on(async {
            let database: Arc<dyn Database> = Arc::new(Sqlite::open(&file.to_string_lossy()).await.unwrap());
            let config = NodeConfig::default()
                .with_first_user("root")
                .with_first_password("secret".to_owned())
                .with_password_cost(4);
            let (node, _) = Node::open(Arc::clone(&database), config).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            tokio::spawn(async move {
                let served = axum::serve(listener, node.router());
                tokio::select! {
                    _ = served => {}
                    _ = stopped => {}
                }
            });
            (database, address)
        });
        Self { address, database, runtime, stop: Some(stop), _folder: folder }
    }

    fn users(&self) -> usize {
        self.runtime.block_on(self.database.users()).unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

/// Runs a plan; returns its exit code, its report, and what it said.
fn run(plan: &str, more: &[&str]) -> (Option<i32>, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yml");
    std::fs::write(&path, plan).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_shardcast-bench"))
        .args(["--user", "root", "--pass", "secret", "run", path.to_str().unwrap(), "--report", "json"])
        .args(more)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_fan_out_by_two_drivers_reaches_each_stream_once() {
    let server = Server::start();
    let plan = format!(
        "target: {{server: 'http://{}', do: fanout, streams: 11, connect_rate: 200}}\n\
         load: {{model: rate, stages: [{{to: 20, for: 1s}}]}}\nwarm_up: 200ms\n\
         thresholds: [lost < 1, duplicated < 1, out of order < 1, closed < 1, delivery max < 1m]",
        server.address
    );
    let (code, report, said) = run(&plan, &["--drivers", "2"]);
    assert_eq!(code, Some(0), "{said}");
    let total = &report["total"];
    assert_eq!((&total["counts"]["done"], &total["streams"]["open"]), (&16.into(), &11.into()), "{report}");
    // Eight messages to six streams, and eight to five.
    assert_eq!(
        (&total["deliveries"]["expected"], &total["deliveries"]["received"]),
        (&88.into(), &88.into())
    );
    assert_eq!(total["deliveries"]["latency"]["count"], 88);
    assert_eq!(server.users(), 1, "the users of the load are removed");
}

#[test]
fn streams_are_opened_held_and_left_and_messages_published() {
    let server = Server::start();
    let target = |what: &str| format!("target: {{server: 'http://{}', do: {what}}}\n", server.address);
    for (what, load) in [
        ("connect, hold: 100ms", "{model: rate, stages: [{to: 50, for: 1s}]}"),
        ("churn, hold: 50ms", "{model: tsunami, requests: 50, delay: 10ms}"),
        ("publish, size: 5000", "{model: avalanche, requests: 50, concurrency: 4}"),
    ] {
        let (code, report, said) = run(&format!("{}load: {load}", target(what)), &[]);
        assert_eq!(code, Some(0), "{what}: {said}");
        assert_eq!(report["total"]["counts"]["done"], 50, "{what}: {report}");
        assert_eq!(report["total"]["latency"]["count"], 50, "{what}: {report}");
    }
    assert_eq!(server.users(), 1);
}

#[test]
fn a_threshold_that_is_not_kept_ends_with_99_and_is_named() {
    let server = Server::start();
    let plan = format!(
        "target: {{url: 'http://{}/nothing'}}\nload: {{model: avalanche, requests: 3}}\nthresholds: [errors < 1%]",
        server.address
    );
    let (code, report, said) = run(&plan, &[]);
    assert_eq!((code, &report["complete"]), (Some(99), &true.into()), "{said}");
    assert_eq!(report["total"]["errors"]["status 404"], 3);
    assert!(said.ends_with("not kept: `errors < 1%`, it was 100.00 %\n"), "{said}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    for (plan, part) in [
        ("target: {url: 'http://127.0.0.1/'}\nload: {model: fast}", "plan.yml: line 2: `model` is `fast`"),
        ("target: {url: 'http://192.0.2.1/'}\nload: {model: avalanche, requests: 1}", "`--allow 192.0.2.1`"),
        (
            "target: {server: 'https://localhost', do: publish}\nload: {model: avalanche, requests: 1}",
            "http://",
        ),
    ] {
        let (code, _, said) = run(plan, &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_login_that_may_not_make_users_is_named_in_the_report() {
    let server = Server::start();
    let plan = format!(
        "target: {{server: 'http://{}', do: publish}}\nload: {{model: avalanche, requests: 1}}",
        server.address
    );
    let (code, report, said) = run(&plan, &["--pass", "wrong"]);
    assert_eq!((code, &report["complete"]), (Some(1), &false.into()), "{said}");
    assert!(said.contains("must be an administrator") && said.contains("401"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
fn a_run_in_which_nothing_succeeds_ends_with_1() {
    // Nobody listens there: the port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let plan = format!("target: {{url: 'http://127.0.0.1:{port}'}}\nload: {{model: avalanche, requests: 3}}");
    let (code, report, said) = run(&plan, &[]);
    assert_eq!(
        (code, &report["total"]["errors"]["connect: connection refused"]),
        (Some(1), &3.into()),
        "{said}"
    );
    assert!(said.contains("no request succeeded"), "{said}");
}

#[test]
fn a_report_that_cannot_be_written_stops_a_run_before_its_load() {
    let server = Server::start();
    let plan =
        format!("target: {{url: 'http://{}'}}\nload: {{model: avalanche, requests: 3}}", server.address);
    let (code, _, said) = run(&plan, &["--output", "/nothing/is/here"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("failed to open `/nothing/is/here`") && !said.contains("done"), "{said}");
}

#[test]
fn a_target_that_answers_slowly_is_told_from_a_slow_generator() {
    let server = Server::start();
    // Each publish is stored: four connections are too few for all at once.
    let plan = format!(
        "target: {{server: 'http://{}', do: publish}}\nload: {{model: avalanche, requests: 2000, concurrency: 4}}",
        server.address
    );
    let (code, report, said) = run(&plan, &[]);
    assert_eq!(code, Some(0), "{said}");
    let counts = &report["total"]["counts"];
    assert!(counts["late"].as_u64() > Some(500), "{counts}");
    assert!(counts["queued"].as_u64() > Some(500), "{counts}");
    assert!(said.contains("waited because all connections"), "{said}");
    assert!(!said.contains("started more than"), "{said}");
}

#[test]
fn drivers_of_one_process_end_before_it() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shardcast-bench"))
        .args(["--user", "root", "--pass", "secret", "local", "--listen", "127.0.0.1:0", "--folder"])
        .arg(folder.path())
        .env("SHARDCAST_BENCH_TOKEN", "a-token-for-tests")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line)
        .unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    let plan = json!({
        "target": {"server": format!("http://{}", server.address), "do": "publish"},
        "load": {"model": "rate", "stages": [{"to": 10, "for": "1h"}]},
    });
    let ask = |path: &str, body: Value| {
        let body = body.to_string();
        let mut socket = std::net::TcpStream::connect(&address).unwrap();
        let head = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a-token-for-tests\r\n";
        write!(socket, "POST {path} {head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let id = ask("/tests", json!({ "Plan": plan }));
    // Until its drivers are there.
    while ask("/trigger", json!({ "TestID": id })).contains("no driver") {}
    while server.users() < 3 {
        thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(server.users(), 1, "those of the load are removed");
    let kept = std::fs::read_to_string(folder.path().join(format!("{id}.json"))).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let missing = &kept["report"]["missing"];
    assert_eq!(missing[0]["reason"], "the driver was told to end", "{kept}");
}

#[test]
fn a_run_that_is_interrupted_reports_what_it_has() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yml");
    let load = "load: {model: rate, stages: [{to: 50, for: 1h}]}";
    std::fs::write(&path, format!("target: {{url: 'http://{}/health'}}\n{load}", server.address)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shardcast-bench"))
        .args(["run", path.to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    lines.find(|line| line.as_ref().is_ok_and(|line| !line.contains(" 0 done"))).unwrap().unwrap();
    // What it says afterwards must not fill the pipe.
    thread::spawn(move || lines.for_each(drop));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("Result: aborted"), "{report}");
}
