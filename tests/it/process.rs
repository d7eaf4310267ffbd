//! Commands, signals and exit codes.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write};
#[cfg(feature = "postgres")]
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::harness::http;
use crate::program::{Program, Serving};

fn server(variables: &[(&str, &str)]) -> Serving {
    let program = Program::new(&[])
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1");
    variables.iter().fold(program, |program, (name, value)| program.variable(name, value)).serve()
}

#[test]
fn the_version_is_printed() {
    let outcome = Program::new(&["version"]).file("not: read").run();
    assert_eq!(outcome.code, Some(0));
    let names: Vec<&str> = outcome.stdout.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(names, ["Version", "Commit", "Build Date"]);
    assert!(outcome.stdout.starts_with(concat!("Version: ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn an_unknown_command_ends_with_2_and_what_was_probably_meant() {
    for (argument, meant) in [("sreve", "'serve'"), ("--confg", "'--config'")] {
        let outcome = Program::new(&[argument]).run();
        assert_eq!(outcome.code, Some(2), "{argument}");
        assert!(outcome.stderr.contains(meant), "{}", outcome.stderr);
    }
}

#[test]
fn help_is_no_failure() {
    let outcome = Program::new(&["--help"]).run();
    assert_eq!(outcome.code, Some(0));
    for named in ["healthcheck", "Exit codes:"] {
        assert!(outcome.stdout.contains(named), "no `{named}` in {}", outcome.stdout);
    }
}

#[test]
fn a_health_check_without_a_server_ends_with_1() {
    // Port 1 is reserved, and nothing listens there.
    let outcome = Program::new(&["healthcheck"]).variable("GOTIFY_SERVER_PORT", "1").run();
    assert_eq!(outcome.code, Some(1));
    let asked = "not healthy: http://127.0.0.1:1/health (server.listenaddr and server.port): ";
    assert!(outcome.stderr.starts_with(asked), "{}", outcome.stderr);
}

/// Its allocator then gives large blocks back when they are freed, see `src/cli/allocator.rs`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_server_sets_its_allocator_and_stays_the_same_process() {
    let of_process = |server: &Serving, file: &str| {
        let path = format!("/proc/{}/{file}", server.id().as_raw_nonzero());
        std::fs::read_to_string(path).unwrap().replace('\0', "\n")
    };
    let set = server(&[("OTHER", "kept")]);
    let variables = of_process(&set, "environ");
    for expected in ["GLIBC_TUNABLES=glibc.malloc.mmap_threshold=", "OTHER=kept"] {
        assert!(variables.lines().any(|line| line.starts_with(expected)), "no {expected} in {variables}");
    }
    assert_eq!(of_process(&set, "comm").trim_end(), "shardcast");
    assert_eq!(of_process(&set, "cmdline").trim_end(), env!("CARGO_BIN_EXE_shardcast"));
    let left_alone = server(&[("MALLOC_ARENA_MAX", "2")]);
    assert!(!of_process(&left_alone, "environ").contains("GLIBC_TUNABLES"));
}

#[test]
fn either_signal_ends_the_server_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = server(&[]);
        server.signal(signal);
        let (code, log) = server.wait();
        assert_eq!(code, Some(0), "{log}");
    }
}

#[test]
fn an_idle_connection_does_not_hold_the_end() {
    let server = server(&[("GOTIFY_SERVER_SHUTDOWNGRACESECONDS", "600")]);
    let mut client = TcpStream::connect(&server.address).unwrap();
    client.write_all(b"HEAD /nowhere HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    client.read_exact(&mut [0; 12]).unwrap();
    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = server(&[
        ("GOTIFY_SERVER_SHUTDOWNGRACESECONDS", "600"),
        ("GOTIFY_SERVER_HEADERTIMEOUTSECONDS", "600"),
    ]);
    // Half a first request counts as one that runs: it holds the drain for as long as its header may take.
    let mut half = TcpStream::connect(&server.address).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
    // Once a later connection has its answer, the server has seen that half.
    let mut whole = TcpStream::connect(&server.address).unwrap();
    for _ in 0..2 {
        whole.write_all(b"HEAD /nowhere HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            whole.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
    }
    server.signal(Signal::TERM);
    server.wait_for_log("stopping");
    server.signal(Signal::INT);
    let (code, log) = server.wait();
    assert_eq!(code, Some(130), "{log}");
}

/// Once the connections have been cut off, the node waits for the database before it closes.
#[tokio::test]
async fn a_second_signal_does_not_wait_for_a_database_that_somebody_else_holds() {
    let mut server = server(&[
        ("GOTIFY_DEFAULTUSER_PASS", "first-canary-password"),
        ("GOTIFY_SERVER_SHUTDOWNGRACESECONDS", "1"),
    ]);
    let url = |path: &str| format!("http://{}/{path}", server.address);
    let made = http().post(url("application")).basic_auth("admin", Some("first-canary-password"));
    let made: Value = made.json(&json!({ "name": "test" })).send().await.unwrap().json().await.unwrap();
    let options = SqliteConnectOptions::new().filename(server.file("data/gotify.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let mut publish = TcpStream::connect(&server.address).unwrap();
    let token = made["token"].as_str().unwrap();
    let request = format!(
        "POST /message?token={token}&message=waits HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"
    );
    publish.write_all(request.as_bytes()).unwrap();
    // Once a later request has its answer, the server has that one.
    http().get(url("version")).send().await.unwrap();
    server.signal(Signal::TERM);
    server.wait_for_log("cutting off the rest");
    server.signal(Signal::INT);
    let (code, log) = server.wait();
    assert_eq!(code, Some(130), "{log}");
    assert_eq!(publish.read(&mut [0]).unwrap_or(0), 0, "nothing is acknowledged");
    drop(other);
}

#[test]
fn a_taken_port_is_named_with_its_listener_and_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let outcome = Program::new(&["serve"])
        .file(&format!("server:\n  listenaddr: 127.0.0.1\n  port: {}\n", address.port()))
        .run();
    assert_eq!(outcome.code, Some(1));
    let said = format!("config.yml:3: server.port: failed to listen for HTTP at `{address}`: ");
    assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Another program listens there"), "{}", outcome.stderr);
}

#[test]
fn a_database_that_cannot_be_opened_is_named_with_its_key() {
    let outcome =
        Program::new(&["serve"]).variable("GOTIFY_DATABASE_CONNECTION", "/dev/null/gotify.db").run();
    assert_eq!(outcome.code, Some(78));
    let said = "GOTIFY_DATABASE_CONNECTION: database.connection: failed to open the database";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
}

#[cfg(feature = "push")]
#[tokio::test]
async fn a_push_key_that_can_not_be_read_is_named_with_what_to_do() {
    let first = server(&[]);
    first.signal(Signal::TERM);
    let (_, _, folder) = first.end();
    let file = folder.path().join("data/gotify.db");
    let options = SqliteConnectOptions::new().filename(&file);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let start = || Program::new(&["serve"]).variable("GOTIFY_DATABASE_CONNECTION", file.to_str().unwrap());
    database.execute("UPDATE shardcast_push_keys SET content = x'00'").await.unwrap();
    let outcome = start().run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let problem = "failed to read the push key in the table `shardcast_push_keys`";
    assert!(outcome.stderr.contains(problem), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("Delete the row of that table"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`push.enabled: false`"), "{}", outcome.stderr);

    let local = |program: Program| {
        let program = program.variable("GOTIFY_SERVER_PORT", "0");
        program.variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1").serve()
    };
    drop(local(start().variable("GOTIFY_PUSH_ENABLED", "false")));
    database.execute("DELETE FROM shardcast_push_keys").await.unwrap();
    drop(local(start()));
}

#[test]
fn warnings_about_the_configuration_are_logged_once() {
    let server = server(&[("GOTIFY_PORT", "tcp://10.0.0.1:80"), ("GOTIFY_PLUGINSDIR", "plugins")]);
    server.signal(Signal::TERM);
    let (_, log) = server.wait();
    assert_eq!(log.matches("GOTIFY_PORT: Kubernetes sets this variable").count(), 1, "{log}");
    assert_eq!(log.matches("GOTIFY_PLUGINSDIR: pluginsdir: ").count(), 1, "{log}");
    assert!(!log.contains('\u{1b}'), "colours in a pipe: {log:?}");
}

/// As a service is run, which has no terminal.
#[cfg(target_os = "linux")]
#[test]
fn signals_that_ask_for_no_end_make_a_line_in_the_log() {
    let mut server = Program::after(r#"exec env --default-signal setsid "$0" "$@""#)
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .serve();
    for (signal, name) in [
        (Signal::HUP, "SIGHUP"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::ALARM, "SIGALRM"),
    ] {
        server.signal(signal);
        server.wait_for_log(&format!("{name} is ignored"));
    }
    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_terminal_is_closed_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    // Whoever runs this test may ignore SIGHUP, and that would be inherited.
    // `script` makes a terminal, and is the only one who has its other end. The log has no writer left once all is over.
    let start =
        r#"mkfifo "$LOG"; exec script --quiet --command "exec env --default-signal '$0' 2>'$LOG'" /dev/null"#;
    let terminal = Program::after(start)
        .variable("LOG", log.to_str().unwrap())
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .start(Stdio::null);
    let log = loop {
        // Until the pipe is there.
        if let Ok(log) = File::open(&log) {
            break log;
        }
        std::thread::yield_now();
    };
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("listening on")));
    drop(terminal);
    let rest: Vec<String> = lines.collect();
    assert!(rest.last().is_some_and(|line| line.ends_with("stopped")), "{rest:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_that_is_away_ends_the_start_with_75_and_one_that_is_named_wrongly_with_78() {
    let program = |arguments: &[&str], connection: &str| {
        Program::new(arguments)
            .variable("GOTIFY_SERVER_PORT", "0")
            .variable("GOTIFY_DATABASE_DIALECT", "postgres")
            .variable("GOTIFY_DATABASE_CONNECTION", connection)
            .run()
    };
    // Port 1 is reserved, and nothing listens there.
    let away = "host=127.0.0.1 port=1 user=a dbname=b sslmode=disable";
    for arguments in [&[][..], &["user", "list"], &["backup", "file"]] {
        let outcome = program(arguments, away);
        assert_eq!(outcome.code, Some(75), "{arguments:?}: {}", outcome.stderr);
        let said = "failed to connect to PostgreSQL: it can't be reached, or takes no connections now: ";
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);
    }
    assert_eq!(program(&[], "host=127.0.0.1 port=none").code, Some(78));
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_waits_for_its_database_ends_by_a_signal() {
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = database.local_addr().unwrap().port();
    let server = Program::new(&[])
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_DATABASE_DIALECT", "postgres")
        .variable(
            "GOTIFY_DATABASE_CONNECTION",
            &format!("host=127.0.0.1 port={port} user=a dbname=b sslmode=disable"),
        )
        .start(Stdio::null);
    // It has connected, and gets no answer.
    let _connection = database.accept().unwrap();
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), Some(0));
}
