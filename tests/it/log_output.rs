//! The program when nobody takes what it prints and logs.

use std::fs::OpenOptions;
use std::io::{PipeReader, Read, pipe};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::harness::http;
use crate::listener::{Listener, PATIENCE};
use crate::program::{Program, StartedServer};

/// What a pipe holds, the queue of the log, and some.
const MORE_THAN_ANYBODY_TAKES: usize = 2 << 20;

struct Server {
    running: StartedServer,
    address: String,
}

impl Server {
    /// Starts a server, and waits until it listens on a port that the test has chosen: what it says is lost.
    async fn start(output: impl Fn() -> Stdio) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let program = Program::new(&[])
            .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
            .variable("GOTIFY_SERVER_PORT", &free.port().to_string())
            .variable("GOTIFY_DEFAULTUSER_PASS", "first-canary-password")
            .variable("GOTIFY_PASSSTRENGTH", "4")
            .variable("GOTIFY_METRICS_ENABLED", "true")
            .variable("GOTIFY_METRICS_LISTENADDR", "main");
        let running = program.start(output);
        let listening = async {
            while TcpStream::connect(free).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, listening).await.expect("the server starts");
        Self { running, address: free.to_string() }
    }

    /// Makes requests that fail, each of which is a line in the log as long as its path.
    async fn fail(&self, requests: usize, path: &str) {
        let (http, url) = (http(), format!("http://{}/{path}", self.address));
        for _ in 0..requests {
            let asked = tokio::time::timeout(PATIENCE, http.get(&url).send()).await;
            assert_eq!(asked.expect("an answer in time").unwrap().status(), 404);
        }
    }

    async fn lost_lines(&self) -> u64 {
        let text = http().get(format!("http://{}/metrics", self.address)).send().await.unwrap();
        let text = text.text().await.unwrap();
        let lost = text.lines().find_map(|line| line.strip_prefix("shardcast_log_lines_lost_total "));
        lost.expect("the metric is there").parse().unwrap()
    }

    async fn listen(&self) -> Listener {
        let url = format!("http://{}/client", self.address);
        let request = http().post(url).basic_auth("admin", Some("first-canary-password"));
        let made: Value =
            request.json(&json!({ "name": "test" })).send().await.unwrap().json().await.unwrap();
        Listener::at(&self.address, made["token"].as_str().unwrap(), "").await
    }

    /// Ends the server as systemd does; it must end well, its streams included.
    async fn end_well(self, mut listener: Listener) {
        self.running.signal(Signal::TERM);
        assert_eq!(listener.close_code().await, 1012);
        let _ = listener.0.close(None).await;
        assert_eq!(self.running.wait(), Some(0));
    }
}

/// Waits until lines have been lost: they are written after the answers that they are about.
async fn wait_for_lost_lines(server: &Server) {
    let lost = async {
        while server.lost_lines().await == 0 {
            server.fail(1, "nowhere").await;
        }
    };
    tokio::time::timeout(PATIENCE, lost).await.expect("lost lines are counted");
}

#[tokio::test]
async fn an_output_that_is_closed_costs_nothing_but_lines() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let server = Server::start(|| writer.try_clone().unwrap().into()).await;
    let listener = server.listen().await;
    server.fail(3, "nowhere").await;
    wait_for_lost_lines(&server).await;
    server.end_well(listener).await;
}

#[tokio::test]
async fn an_output_on_a_full_disk_costs_nothing_but_lines() {
    let server = Server::start(|| OpenOptions::new().write(true).open("/dev/full").unwrap().into()).await;
    let listener = server.listen().await;
    server.fail(3, "nowhere").await;
    wait_for_lost_lines(&server).await;
    server.end_well(listener).await;
}

#[tokio::test]
async fn an_output_that_nobody_reads_holds_up_nobody_and_tells_later_what_it_lacks() {
    let (mut reader, writer) = pipe().unwrap();
    let server = Server::start(|| writer.try_clone().unwrap().into()).await;
    drop(writer);
    let listener = server.listen().await;
    let path = "nowhere".repeat(1000);
    server.fail(MORE_THAN_ANYBODY_TAKES / path.len(), &path).await;
    assert!(server.lost_lines().await > 0);

    let (found, log) = read_until(reader.try_clone().unwrap(), "lines of the log were lost").await;
    assert!(found, "{log}");
    let rest = tokio::task::spawn_blocking(move || std::io::copy(&mut reader, &mut std::io::sink()));
    server.end_well(listener).await;
    rest.await.unwrap().unwrap();
}

/// Reads until a text has come; false if the output ends before.
async fn read_until(mut reader: PipeReader, text: &'static str) -> (bool, String) {
    let reading = tokio::task::spawn_blocking(move || {
        let (mut seen, mut piece) = (Vec::new(), [0; 8192]);
        loop {
            let count = reader.read(&mut piece).unwrap();
            seen.extend_from_slice(&piece[..count]);
            let tail = String::from_utf8_lossy(&seen[seen.len().saturating_sub(count + text.len())..]);
            if tail.contains(text) || count == 0 {
                return (count > 0, tail.into_owned());
            }
        }
    });
    tokio::time::timeout(PATIENCE, reading).await.expect("the output goes on").unwrap()
}

#[test]
fn a_first_password_that_nobody_can_read_is_reported_with_the_command_that_makes_another_one() {
    let program = Program::after("exec >&-").variable("GOTIFY_SERVER_PORT", "0");
    let mut server = program.variable("GOTIFY_PASSSTRENGTH", "4").serve();
    let said = server.wait_for_log("failed to print the first password");
    assert!(said.contains("`shardcast user reset-password admin` makes another one"), "{said}");
}

#[test]
fn a_command_whose_answer_is_lost_says_so_by_its_exit_code() {
    for arguments in [["version"], ["config"]] {
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap().into();
        assert_eq!(Program::new(&arguments).start(full).wait(), Some(1), "{arguments:?}");
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let closed = || writer.try_clone().unwrap().into();
        assert_eq!(Program::new(&arguments).start(closed).wait(), Some(0), "{arguments:?}");
    }
}
