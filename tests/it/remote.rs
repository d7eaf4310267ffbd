//! `shardcast send` and `shardcast tail`, against this server and against one that ignores `since`, as Gotify does.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use chrono::Local;
use serde_json::{Value, json};
use shardcast::hub::EndReason;
use shardcast::model::ApplicationId;
use shardcast::store::{MessagePage, NewMessage};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::{Person, TestServer};
use crate::listener::{PATIENCE, push};
use crate::program::{Outcome, Program};

/// Nobody listens there.
const NOBODY: &str = "http://127.0.0.1:1";

/// Runs a command to its end, with an input.
pub(crate) async fn run(program: Program, input: &str) -> Outcome {
    let (_folder, command) = program.into_command();
    let mut command = Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that does not read its input may have ended.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    Outcome::from(timeout(PATIENCE, child.wait_with_output()).await.expect("the command ends").unwrap())
}

fn send(url: &str, token: &str, arguments: &[&str]) -> Program {
    let program = Program::new(&[&["send"], arguments].concat());
    program.variable("GOTIFY_URL", url).variable("GOTIFY_TOKEN", token)
}

fn url(server: &TestServer) -> String {
    format!("http://{}", server.address)
}

/// Returns the user's messages as the database has them, oldest first.
async fn stored(server: &TestServer, person: &Person) -> Vec<Value> {
    let page = MessagePage { before: None, limit: 1000 };
    let mut messages = server.store.database().messages(person.user.id, page).await.unwrap();
    messages.reverse();
    messages.iter().map(|message| serde_json::to_value(message).unwrap()).collect()
}

async fn publish(server: &TestServer, person: &Person, text: &str, priority: i64) -> Value {
    let message = NewMessage {
        user_id: person.user.id,
        application_id: person.application.id,
        message: text.to_owned(),
        title: "ci".to_owned(),
        priority,
        extras: None,
        date: Local::now().fixed_offset(),
    };
    serde_json::to_value(&*server.store.publish(message).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_message_is_sent_with_all_that_the_flags_say() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let arguments = [
        "--title",
        "Backup",
        "-p",
        "-3",
        "--markdown",
        "--click",
        "https://a.example",
        "--json",
        "--extras",
        r#"{"own::key": {"a": [1]}}"#,
        "all",
        "is",
        "*done*",
    ];
    let outcome = run(send(&url(&server), &person.application.token, &arguments), "").await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let printed: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(stored(&server, &person).await, std::slice::from_ref(&printed));
    assert_eq!(
        json!({ "message": "all is *done*", "title": "Backup", "priority": -3, "extras": {
            "client::display": { "contentType": "text/markdown" },
            "client::notification": { "click": { "url": "https://a.example" } },
            "own::key": { "a": [1] },
        }}),
        json!({ "message": printed["message"], "title": printed["title"], "priority": printed["priority"],
            "extras": printed["extras"] }),
    );
}

#[tokio::test]
async fn a_text_may_come_from_standard_input_and_the_account_from_a_file() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let account = json!({ "url": url(&server), "token": person.application.token, "defaultPriority": 7 });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gotify/cli.json");
    std::fs::create_dir(folder.path().join("gotify")).unwrap();
    std::fs::write(&file, account.to_string()).unwrap();
    let named = Program::new(&["send", "--config", file.to_str().unwrap()]);
    let found = Program::new(&["send"]).variable("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    for program in [named, found] {
        let outcome = run(program, "two\nlines\n").await;
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    }
    let stored = stored(&server, &person).await;
    assert_eq!(stored.len(), 2);
    for message in stored {
        // The title is the name of the application.
        assert_eq!(
            [&message["message"], &message["title"], &message["priority"]],
            [&json!("two\nlines"), &json!("ci"), &json!(7)]
        );
    }
}

#[tokio::test]
async fn the_exit_code_says_why_a_command_failed_and_nothing_shows_the_token() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let (url, token) = (url(&server), person.application.token.as_str());
    let nothing = || Program::new(&["send", "hi"]);
    let tail = |token: &str| {
        Program::new(&["tail", "--no-follow"])
            .variable("GOTIFY_URL", &url)
            .variable("GOTIFY_CLIENT_TOKEN", token)
    };
    for (program, code, said) in [
        (send(&url, "Asecret-canary1", &["hi"]), 77, "answered with 401 Unauthorized: "),
        (tail("Csecret-canary1"), 77, "answered with 401 Unauthorized: "),
        (send(NOBODY, "Asecret-canary1", &["hi"]), 69, "failed to connect to http://127.0.0.1:1: "),
        (Program::new(&["tail", "--url", NOBODY, "--token", "Csecret-canary1"]), 69, "failed to connect"),
        (nothing(), 78, "no server is set: use --url, "),
        (
            nothing().variable("GOTIFY_URL", &url).variable("GOTIFY_TOKEN", ""),
            78,
            "no token of an application is set",
        ),
        (send("localhost", "Asecret-canary1", &["hi"]), 78, "write `https://localhost`"),
        (send(&url, "Asecret-canary1\n\u{1b}x", &["hi"]), 78, "the token has characters that no token has"),
        (send(&url, token, &[]), 1, "there is no text to send"),
        (send(&url, token, &["--extras", "[]", "hi"]), 2, "not a JSON object"),
        (Program::new(&["tail", "--limit", "0"]), 2, "--limit"),
        (send(&format!("{url}/nowhere"), token, &["hi"]), 1, "answered with 404 Not Found: "),
    ] {
        let outcome = run(program, "").await;
        assert_eq!(outcome.code, Some(code), "{said}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{said}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("secret-canary"), "{outcome:?}");
    }
    assert!(stored(&server, &person).await.is_empty());
}

/// A tail that is running; killed when dropped.
struct Tail {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

impl Tail {
    fn start(address: SocketAddr, token: &str, arguments: &[&str]) -> Self {
        let program = Program::new(&[&["tail", "--json"], arguments].concat())
            .variable("GOTIFY_URL", &format!("http://{address}"))
            .variable("GOTIFY_CLIENT_TOKEN", token);
        let (folder, command) = program.into_command();
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, _folder: folder }
    }

    /// Starts one and waits until it has a stream.
    async fn open(server: &TestServer, address: SocketAddr, token: &str, arguments: &[&str]) -> Self {
        let tail = Self::start(address, token, arguments);
        wait_for_streams(server, 1).await;
        tail
    }

    /// Waits for a message.
    async fn message(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a line comes").unwrap();
        let Some(line) = line else {
            let mut said = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
            panic!("it ended: {said}");
        };
        serde_json::from_str(&line).unwrap()
    }

    /// Waits for its end. Returns the messages that were not read yet, and what went to standard error.
    async fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        let ending = async {
            let mut rest = Vec::new();
            while let Some(line) = self.lines.next_line().await.unwrap() {
                rest.push(serde_json::from_str(&line).unwrap());
            }
            let mut said = String::new();
            self.child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
            (self.child.wait().await.unwrap(), rest, said)
        };
        timeout(PATIENCE, ending).await.expect("the command ends")
    }
}

async fn wait_for_streams(server: &TestServer, count: usize) {
    let waiting = async {
        while server.hub.stream_count() != count {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("streams come and go");
}

/// What stands between a client and the server, and can cut all connections.
struct Proxy {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
}

impl Proxy {
    /// Starts it. One that hides `since` makes the server one that ignores it, and `after`, as Gotify does.
    async fn start(server: SocketAddr, hides_since: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut cut = cut.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = cut.wait_for(|is_cut| *is_cut) => {}
                        () = pass(client, server, hides_since) => {}
                    }
                });
            }
        });
        Self { address, is_cut }
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, hides_since: bool) {
    let mut server = TcpStream::connect(server).await.unwrap();
    if !hides_since {
        // It fails where either side is gone.
        let _ = copy_bidirectional(&mut client, &mut server).await;
        return;
    }
    let (mut requests, mut client) = client.split();
    let (mut answers, mut server) = server.split();
    let hide = async {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = requests.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let is_stream = head.starts_with("GET /stream?since=");
            let name = if is_stream { "since=" } else { "after=" };
            if server.write_all(head.replacen(name, "ignored=", 1).as_bytes()).await.is_err() {
                return;
            }
            if is_stream {
                let _ = copy(&mut requests, &mut server).await;
                return;
            }
        }
    };
    tokio::select! {
        () = hide => {}
        _ = copy(&mut answers, &mut client) => {}
    }
}

#[tokio::test]
async fn new_messages_are_printed_as_they_come_until_there_are_enough() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    push(&server, &person, "old").await;
    let mut tail = Tail::open(&server, server.address, &person.client.token, &["-n", "2"]).await;
    let first = push(&server, &person, "first").await;
    assert_eq!(tail.message().await, first);
    let second = push(&server, &person, "second").await;
    let (status, rest, said) = tail.end().await;
    assert_eq!((status.code(), rest, said.as_str()), (Some(0), vec![second], ""));
}

#[tokio::test]
async fn nothing_is_missed_and_nothing_is_shown_twice_when_connections_are_lost() {
    for hides_since in [false, true] {
        let server = TestServer::start().await;
        let person = server.person("ann").await;
        let proxy = Proxy::start(server.address, hides_since).await;
        publish(&server, &person, "before", 0).await;
        let mut tail = Tail::open(&server, proxy.address, &person.client.token, &["--limit", "306"]).await;
        let mut expected = Vec::new();
        // The first time, nothing has come yet.
        for missed in [1, 3, 150, 150] {
            proxy.is_cut.send_replace(true);
            wait_for_streams(&server, 0).await;
            for number in 0..missed {
                expected.push(publish(&server, &person, &format!("missed {number}"), 0).await);
            }
            proxy.is_cut.send_replace(false);
            for message in &expected[expected.len() - missed..] {
                assert_eq!(&tail.message().await, message, "since is hidden: {hides_since}");
            }
        }
        wait_for_streams(&server, 1).await;
        for text in ["live", "last"] {
            expected.push(publish(&server, &person, text, 0).await);
        }
        let (status, rest, _) = tail.end().await;
        assert_eq!(
            (status.code(), rest.as_slice()),
            (Some(0), &expected[304..]),
            "since is hidden: {hides_since}"
        );
    }
}

#[tokio::test]
async fn stored_messages_are_printed_from_the_oldest_on_with_and_without_a_stream() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let mut expected = Vec::new();
    for number in 0..250 {
        expected.push(publish(&server, &person, &format!("message {number}"), number % 10).await);
    }
    let token = &person.client.token;
    let since = expected[9]["id"].to_string();
    let all = Tail::start(server.address, token, &["--no-follow"]).end().await;
    assert_eq!((all.0.code(), &all.1), (Some(0), &expected));
    let after = Tail::start(server.address, token, &["--no-follow", "--since", &since]).end().await;
    assert_eq!(after.1, expected[10..]);
    for hides_since in [false, true] {
        let proxy = Proxy::start(server.address, hides_since).await;
        let after = Tail::start(proxy.address, token, &["--since", &since, "--limit", "240"]).end().await;
        assert_eq!(
            (after.0.code(), after.1.as_slice()),
            (Some(0), &expected[10..]),
            "since is hidden: {hides_since}"
        );
    }
}

#[tokio::test]
async fn more_missed_messages_than_a_stream_brings_are_read_as_pages() {
    let server = TestServer::start_with(|config| config.stream.max_resume_messages = 20).await;
    let person = server.person("ann").await;
    let mut expected = Vec::new();
    for number in 0..250 {
        expected.push(publish(&server, &person, &format!("message {number}"), 0).await);
    }
    let since = expected[9]["id"].to_string();
    let arguments = ["--since", &since, "--limit", "241"];
    let mut tail = Tail::start(server.address, &person.client.token, &arguments);
    for message in &expected[10..] {
        assert_eq!(&tail.message().await, message);
    }
    let live = publish(&server, &person, "live", 0).await;
    let (status, rest, said) = tail.end().await;
    assert_eq!((status.code(), rest, said.as_str()), (Some(0), vec![live], ""));
    wait_for_streams(&server, 0).await;
    assert!(server.hub.end_counts().contains(&(EndReason::TooFarBehind, 1)));
}

#[tokio::test]
async fn messages_can_be_chosen_by_application_and_priority() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let other = Person { application: server.person("bob").await.application, ..server.person("eve").await };
    let token = &person.client.token;
    let application = person.application.id.to_string();
    for priority in [4, 5, 6] {
        publish(&server, &person, "hi", priority).await;
    }
    assert_ne!(person.application.id, ApplicationId(0));
    let expected = stored(&server, &person).await[1..].to_vec();
    for hides_since in [false, true] {
        let proxy = Proxy::start(server.address, hides_since).await;
        let chosen = ["--application", &application, "--min-priority", "5", "--since", "0", "--limit", "2"];
        assert_eq!(Tail::start(proxy.address, token, &chosen).end().await.1, expected);
    }
    let others = other.application.id.to_string();
    let none = Tail::start(server.address, token, &["--application", &others, "--no-follow"]).end().await;
    assert_eq!((none.0.code(), none.1.len()), (Some(0), 0));
}

#[tokio::test]
async fn a_token_that_is_deleted_ends_it_with_a_code_of_its_own() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let tail = Tail::open(&server, server.address, &person.client.token, &[]).await;
    let target = format!("/client/{}", person.client.id);
    let key = [("X-Gotify-Key".to_owned(), person.client.token.clone())];
    assert_eq!(server.send("DELETE", &target, &key, "").await.status, 200);
    let (status, _, said) = tail.end().await;
    assert_eq!(status.code(), Some(77), "{said}");
    assert!(said.starts_with("the server closed the stream: token deleted (1008); trying again\n"), "{said}");
}

#[tokio::test]
async fn an_output_that_nobody_reads_any_more_ends_it_quietly() {
    let server = TestServer::start().await;
    let person = server.person("ann").await;
    let mut tail = Tail::open(&server, server.address, &person.client.token, &[]).await;
    let first = push(&server, &person, "first").await;
    assert_eq!(tail.message().await, first);
    let Tail { mut child, lines, _folder } = tail;
    drop(lines);
    push(&server, &person, "second").await;
    let mut said = String::new();
    let ending = async {
        child.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
        child.wait().await.unwrap()
    };
    let status = timeout(PATIENCE, ending).await.expect("the command ends");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}
