//! The program under a service manager: what it says to it, and the sockets that it is given.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Outcome, Program};

/// Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// The end of a service manager that services talk to.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("notify")
    }

    /// Reads what the server says until one of its lines is this one, and returns all of it.
    fn read_until(&self, expected: &str) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        let mut bytes = [0; 1000];
        while said.last().is_none_or(|state| !state.lines().any(|line| line == expected)) {
            let length =
                self.socket.recv(&mut bytes).unwrap_or_else(|_| panic!("no `{expected}` in {said:?}"));
            said.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        }
        said
    }
}

pub(crate) fn local(program: Program) -> Program {
    program
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_PASSSTRENGTH", "4")
}

/// Sends a request and returns the answer; empty if none comes.
fn answer(mut connection: impl Read + Write, request: &[u8]) -> String {
    connection.write_all(request).unwrap();
    let mut answer = String::new();
    // A server that does not answer lets this time out.
    let _ = connection.read_to_string(&mut answer);
    answer
}

fn health(address: &str) -> String {
    answer(connect(address), HEALTH)
}

fn connect(address: &str) -> TcpStream {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

fn tcp() -> (TcpListener, OwnedFd) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let passed = listener.try_clone().unwrap().into();
    (listener, passed)
}

#[test]
fn the_manager_learns_that_the_server_starts_is_ready_lives_and_stops() {
    let manager = Manager::new();
    let program = local(Program::new(&[])).variable("NOTIFY_SOCKET", manager.path().to_str().unwrap());
    let server = program.variable("WATCHDOG_USEC", "200000").serve();
    let start = manager.read_until("READY=1");
    assert_eq!(start[0], "STATUS=starting: the database is opened");
    assert!(start.contains(&"EXTEND_TIMEOUT_USEC=30000000".to_owned()), "{start:?}");
    let address = &server.address;
    let status = format!("STATUS=listening on http://{address}; streams: 0");
    assert_eq!(start.last().unwrap(), &format!("READY=1\n{status}"));
    // Ready means that a connection is served.
    assert!(health(address).starts_with("HTTP/1.1 200 "));
    for _ in 0..3 {
        manager.read_until("WATCHDOG=1");
    }
    server.signal(Signal::TERM);
    manager.read_until("STOPPING=1");
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_single_socket_that_is_passed_serves_http_instead_of_the_configured_port() {
    let (listener, passed) = tcp();
    let address = listener.local_addr().unwrap().to_string();
    // A client that comes before the server: its connection waits in the socket.
    let early = connect(&address);
    let server =
        local(Program::with_sockets([passed])).variable("LISTEN_FDNAMES", "shardcast.socket").serve();
    assert_eq!(server.address, address);
    assert!(answer(early, HEALTH).starts_with("HTTP/1.1 200 "));
    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    // It still listens: for the next server.
    TcpStream::connect(&address).unwrap().shutdown(Shutdown::Both).unwrap();
}

#[test]
fn a_unix_socket_that_is_passed_keeps_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.sock");
    let passed = UnixListener::bind(&path).unwrap();
    let server = local(Program::with_sockets([passed.into()])).serve();
    assert_eq!(server.address, format!("unix:{}", path.display()));
    let connection = UnixStream::connect(&path).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(answer(connection, HEALTH).starts_with("HTTP/1.1 200 "));
    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(path.exists());
}

#[cfg(feature = "metrics")]
#[test]
fn sockets_are_told_apart_by_their_names() {
    let ((http, first), (metrics, second)) = (tcp(), tcp());
    // The metrics come first: it is not the order that counts.
    let program = Program::with_sockets([second, first]).variable("LISTEN_FDNAMES", "metrics:http");
    let server = local(program).variable("GOTIFY_METRICS_ENABLED", "true").serve();
    assert_eq!(server.address, http.local_addr().unwrap().to_string());
    let scrape = connect(&metrics.local_addr().unwrap().to_string());
    let text = answer(scrape, b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 200 ") && text.contains("active_connections"), "{text}");
}

fn refused(program: Program) -> String {
    let Outcome { code, stderr, .. } = local(program).run();
    assert_eq!(code, Some(78), "{stderr}");
    stderr
}

#[test]
fn sockets_that_can_not_be_used_end_the_start_with_78_and_what_would_be_right() {
    let two = || Program::with_sockets([tcp().1, tcp().1]);
    let text = refused(two().variable("LISTEN_FDNAMES", "http:web"));
    assert!(text.contains("socket 2 of 2 is called `web`"), "{text}");
    let text = refused(two().variable("LISTEN_FDNAMES", "http"));
    assert!(text.contains("LISTEN_FDNAMES has 1 names for 2 sockets"), "{text}");
    // Without TLS in the configuration.
    let text = refused(two().variable("LISTEN_FDNAMES", "http:https"));
    assert!(text.contains("default: server.ssl.enabled: a socket for HTTPS was passed"), "{text}");
    let text = refused(two().variable("LISTEN_FDNAMES", "http:metrics"));
    assert!(text.contains("default: metrics.enabled: a socket for metrics was passed"), "{text}");

    let file = tempfile::tempfile().unwrap();
    let text = refused(Program::with_sockets([file.into()]));
    assert!(text.contains("descriptor 3, passed for `http`, is neither a TCP socket nor a Unix"), "{text}");
    let (listener, _) = tcp();
    let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let text = refused(Program::with_sockets([connection.into()]));
    assert!(text.contains("does not listen") && text.contains("Accept=no"), "{text}");
    let text = refused(Program::new(&[]).variable("LISTEN_FDS", "some"));
    assert!(text.contains("LISTEN_FDS: `some` is no number of sockets"), "{text}");
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let program = Program::new(&[]).variable("LISTEN_FDS", "1").variable("LISTEN_PID", "1");
    let server = local(program).serve();
    assert!(health(&server.address).starts_with("HTTP/1.1 200 "));
}

#[test]
fn the_first_password_is_not_written_where_the_journal_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    for is_journal in [true, false] {
        let path = folder.path().join(is_journal.to_string());
        let output = std::fs::File::create(&path).unwrap();
        let at = output.metadata().unwrap();
        let inode = at.ino() + u64::from(!is_journal);
        let program = local(Program::new(&[])).variable("JOURNAL_STREAM", &format!("{}:{inode}", at.dev()));
        let server = program.start(|| output.try_clone().unwrap().into());
        let deadline = Instant::now() + PATIENCE;
        let text = loop {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("listening on") {
                break text;
            }
            assert!(Instant::now() < deadline, "it does not listen: {text}");
            std::thread::yield_now();
        };
        assert_eq!(text.contains("#/setup/admin/"), !is_journal, "{text}");
        assert!(text.contains("`shardcast user reset-password admin`"), "{text}");
        server.signal(Signal::TERM);
        assert_eq!(server.wait(), Some(0));
    }
}
