//! The real accept loop on a free port, with clients that write bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::routing::{get, post};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::*;
use crate::api::PacedIo;

mod drain;

/// Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(50);

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";

fn config() -> ServerConfig {
    ServerConfig { listen_address: "127.0.0.1".to_owned(), ..ServerConfig::default() }
}

fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/length", post(|body: axum::body::Bytes| async move { body.len().to_string() }))
        .route("/forever", get(std::future::pending::<()>))
}

async fn start(config: ServerConfig) -> Server {
    Server::bind(config, router(), ()).await.unwrap()
}

/// Waits until nobody listens there.
pub(super) async fn listens_no_more(address: SocketAddr) {
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("no further connections");
}

struct Client(TcpStream);

impl Client {
    async fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.local_addr()).await.unwrap())
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads until the text has come, and returns all that came.
    async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer in time").unwrap();
            text.push(char::from(byte));
        }
        text
    }

    /// Reads until the server closes. A reset counts as that.
    async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("a close in time");
        String::from_utf8(bytes).unwrap()
    }
}

async fn ended(server: &mut Server) -> Drained {
    timeout(PATIENCE, server.join()).await.expect("the server ends in time")
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let server = start(config()).await;
    let mut client = Client::connect(&server).await;
    for _ in 0..3 {
        client.send(GET).await;
        assert!(client.read_until("hello").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

/// As `nc -N` does, and some embedded senders.
#[tokio::test]
async fn a_client_that_has_no_more_to_say_still_gets_its_answer() {
    let slow = || async {
        tokio::time::sleep(SHORT).await;
        "hello"
    };
    let server = Server::bind(config(), Router::new().route("/", get(slow)), ()).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.send(GET).await;
    client.0.shutdown().await.unwrap();
    assert!(client.read_to_end().await.ends_with("\r\n\r\nhello"));
}

#[tokio::test]
async fn handlers_see_the_address_of_the_peer() {
    use axum::extract::ConnectInfo;
    let handler = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
    // All addresses: IPv4 clients come in on an IPv6 socket there, and must still look like IPv4.
    let config = ServerConfig::default();
    let server = Server::bind(config, Router::new().route("/", get(handler)), ()).await.unwrap();
    let stream = TcpStream::connect(("127.0.0.1", server.local_addr().port())).await.unwrap();
    let address = stream.local_addr().unwrap().to_string();
    let mut client = Client(stream);
    client.send(GET).await;
    client.read_until(&format!("\r\n\r\n{address}")).await;
}

#[tokio::test]
async fn handlers_see_the_address_behind_trusted_proxies() {
    use crate::api::ClientAddress;
    use axum::extract::Extension;
    let handler = |Extension(client): Extension<ClientAddress>| async move { client.0.to_string() };
    for (trusted, expected) in [("127.0.0.0/8", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")] {
        let config = ServerConfig { trusted_proxies: vec![trusted.parse().unwrap()], ..config() };
        let server = Server::bind(config, Router::new().route("/", get(handler)), ()).await.unwrap();
        let mut client = Client::connect(&server).await;
        client.send(b"GET / HTTP/1.1\r\nhost: test\r\nx-forwarded-for: 1.2.3.4, 203.0.113.9\r\n\r\n").await;
        client.read_until(&format!("\r\n\r\n{expected}")).await;
    }
}

#[tokio::test]
async fn an_upgrade_gives_the_plain_socket_back() {
    let handler = |mut request: Request<axum::body::Body>| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let upgraded = upgrade.await.unwrap();
            let parts = upgraded.downcast::<TokioIo<PacedIo<TcpStream>>>().expect("a TCP stream");
            let mut stream = parts.io.into_inner().into_inner();
            stream.write_all(&parts.read_buf).await.unwrap();
            stream.write_all(b"bye").await.unwrap();
        });
        (StatusCode::SWITCHING_PROTOCOLS, [("connection", "upgrade"), ("upgrade", "echo")])
    };
    let server = Server::bind(config(), Router::new().route("/", get(handler)), ()).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.send(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nearly").await;
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\nearlybye"), "{answer}");
}

#[tokio::test]
async fn a_panic_in_a_handler_costs_its_connection_alone() {
    async fn defect() {
        panic!("a defect");
    }
    let router = router().route("/defect", get(defect));
    let mut server = Server::bind(config(), router, ()).await.unwrap();
    let mut unlucky = Client::connect(&server).await;
    unlucky.send(b"GET /defect HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(unlucky.read_to_end().await, "");
    let mut other = Client::connect(&server).await;
    other.send(GET).await;
    other.read_until("hello").await;
    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

#[tokio::test]
async fn a_header_that_does_not_come_closes_the_connection_with_408_if_it_has_begun() {
    let server = start(ServerConfig { header_timeout: SHORT, idle_timeout: SHORT, ..config() }).await;
    let mut silent = Client::connect(&server).await;
    let mut slow = Client::connect(&server).await;
    slow.send(b"GET / HTTP/1.1\r\nhost: te").await;
    assert_eq!(silent.read_to_end().await, "");
    assert!(slow.read_to_end().await.starts_with("HTTP/1.1 408 "));

    let mut later = Client::connect(&server).await;
    later.send(GET).await;
    later.read_until("hello").await;
    later.send(b"GET / HTTP/1.1\r\nhost: te").await;
    assert!(later.read_to_end().await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = start(ServerConfig { idle_timeout: SHORT, ..config() }).await;
    let mut client = Client::connect(&server).await;
    client.send(GET).await;
    client.read_until("hello").await;
    assert!(!client.read_to_end().await.contains("200 OK"));
}

#[tokio::test]
async fn a_body_that_stops_coming_ends_the_request() {
    let server = start(ServerConfig { header_timeout: SHORT, ..config() }).await;
    let mut client = Client::connect(&server).await;
    client.send(b"POST /length HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nabc").await;
    assert!(client.read_to_end().await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_body_that_comes_a_byte_at_a_time_ends_the_request() {
    let config = ServerConfig { header_timeout: PATIENCE * 10, transfer_timeout: SHORT, ..config() };
    let server = start(config).await;
    let mut client = Client::connect(&server).await;
    client.send(b"POST /length HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\n").await;
    let trickle = async {
        loop {
            if client.0.write_all(b"x").await.is_err() || client.0.try_read(&mut [0; 9]).is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, trickle).await.expect("an answer, or an end");
}

/// Waits until the only place is free, and somebody else gets it.
async fn wait_for_a_place(server: &Server) {
    let admitted = async {
        loop {
            let mut client = Client::connect(server).await;
            client.send(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
            if client.read_to_end().await.starts_with("HTTP/1.1 200 ") {
                break;
            }
        }
    };
    timeout(PATIENCE, admitted).await.expect("a connection is admitted again");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answers_loses_its_place() {
    let router = router().route("/large", get(|| async { "x".repeat(1 << 20) }));
    let limits = ServerConfig { max_connections: Some(1), ..config() };
    for (requests, limits) in [
        (400, ServerConfig { header_timeout: SHORT, ..limits.clone() }),
        (20, ServerConfig { transfer_timeout: SHORT, ..limits }),
    ] {
        let server = Server::bind(limits, router.clone(), ()).await.unwrap();
        let mut client = Client::connect(&server).await;
        client.send(&b"GET /large HTTP/1.1\r\nhost: test\r\n\r\n".repeat(requests)).await;
        client.read_until("\r\n\r\n").await;
        wait_for_a_place(&server).await;
    }
}

#[tokio::test]
async fn a_small_body_that_nobody_wants_does_not_cost_the_connection() {
    let server = start(config()).await;
    let mut client = Client::connect(&server).await;
    for (framing, body) in
        [("content-length: 5", "early"), ("transfer-encoding: chunked", "5\r\nearly\r\n0\r\n\r\n")]
    {
        for target in ["/", "/nowhere"] {
            client
                .send(format!("POST {target} HTTP/1.1\r\nhost: test\r\n{framing}\r\n\r\n").as_bytes())
                .await;
            // The answer would be there by then if it did not wait for the body.
            let mut other = Client::connect(&server).await;
            other.send(GET).await;
            other.read_until("hello").await;
            client.send(body.as_bytes()).await;
            let head = client.read_until("\r\n\r\n").await;
            assert!(head.starts_with("HTTP/1.1 40"), "{head}");
            assert!(!head.contains("connection: close"), "{head}");
        }
    }
    client.send(GET).await;
    client.read_until("hello").await;
}

#[tokio::test]
async fn a_large_body_that_nobody_wants_is_answered_and_ends_the_connection() {
    let server = start(config()).await;
    let mut client = Client::connect(&server).await;
    let length = 3 << 20;
    client
        .send(format!("POST /nowhere HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n").as_bytes())
        .await;
    // As clients do that look at the answer when all is sent.
    client.send(&vec![b'x'; length]).await;
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_asked_for_in_vain() {
    let server = start(config()).await;
    let mut client = Client::connect(&server).await;
    let head = "POST /nowhere HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
    client.send(head.as_bytes()).await;
    let answer = client.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_may_have_the_configured_size_and_no_more() {
    let server = start(ServerConfig { max_body_bytes: 4, ..config() }).await;
    for (body, status) in [("four", "200 "), ("fiver", "413 ")] {
        let mut client = Client::connect(&server).await;
        let length = body.len();
        let head =
            format!("POST /length HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}");
        client.send(format!("{head}\r\n\r\n{body}").as_bytes()).await;
        let answer = client.read_to_end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test]
async fn beyond_the_cap_connections_get_503_until_one_ends() {
    let server = start(ServerConfig { max_connections: Some(1), ..config() }).await;
    let mut first = Client::connect(&server).await;
    first.send(GET).await;
    first.read_until("hello").await;

    let mut second = Client::connect(&server).await;
    second.send(GET).await;
    let answer = second.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains(r#""errorCode":503"#), "{answer}");

    // The first one is still served, and its end makes room.
    first.send(GET).await;
    first.read_until("hello").await;
    drop(first);
    wait_for_a_place(&server).await;
}

/// Streams that are only a number.
#[derive(Clone, Default)]
struct Counted {
    open: Arc<AtomicUsize>,
    drained: Arc<AtomicUsize>,
}

impl Streams for Counted {
    fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    async fn drain(&self, deadline: Instant) {
        assert!(deadline > Instant::now());
        self.drained.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn streams_count_against_the_cap() {
    let streams = Counted::default();
    let config = ServerConfig { max_connections: Some(5), ..config() };
    let server = Server::bind(config, router(), streams.clone()).await.unwrap();
    for (open, status) in [(5, "503"), (4, "200")] {
        streams.open.store(open, Ordering::SeqCst);
        let mut client = Client::connect(&server).await;
        client.send(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
        assert!(client.read_to_end().await.starts_with(&format!("HTTP/1.1 {status} ")));
    }
}

/// Watches connections, with a defect.
struct Defective(AtomicUsize);

impl ConnectionObserver for Defective {
    fn on_refuse(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("a defect");
    }
}

#[tokio::test]
async fn a_panic_while_a_connection_is_admitted_costs_that_connection_alone() {
    let (streams, observer) = (Counted::default(), Arc::new(Defective(AtomicUsize::new(0))));
    streams.open.store(1, Ordering::SeqCst);
    let config = ServerConfig { max_connections: Some(1), ..config() };
    let observing = Arc::clone(&observer) as Arc<dyn ConnectionObserver>;
    let parts = ServerParts::default().with_observer(observing);
    let mut server = Server::bind_with(config, router(), streams.clone(), parts).await.unwrap();
    assert_eq!(Client::connect(&server).await.read_to_end().await, "");
    assert_eq!(observer.0.load(Ordering::SeqCst), 1);

    streams.open.store(0, Ordering::SeqCst);
    let mut client = Client::connect(&server).await;
    client.send(GET).await;
    client.read_until("hello").await;
    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

#[tokio::test]
async fn a_shutdown_drains_the_streams_once() {
    let streams = Counted::default();
    let mut server = Server::bind(config(), router(), streams.clone()).await.unwrap();
    server.shutdown();
    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
    assert_eq!(streams.drained.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_shutdown_finishes_the_request_that_runs() {
    let (started, finish) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let handler = {
        let (started, finish) = (Arc::clone(&started), Arc::clone(&finish));
        move || async move {
            started.add_permits(1);
            finish.acquire().await.unwrap().forget();
            "finished"
        }
    };
    let router = Router::new().route("/", get(handler));
    let mut server = Server::bind(config(), router, ()).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.send(GET).await;
    started.acquire().await.unwrap().forget();

    server.shutdown();
    // The listener is gone once the drain has begun; only then may the request end.
    listens_no_more(server.local_addr()).await;
    finish.add_permits(1);
    let answer = client.read_to_end().await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("finished"), "{answer}");
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_shutdown() {
    let config = ServerConfig { shutdown_grace: PATIENCE * 10, idle_timeout: PATIENCE * 10, ..config() };
    let mut server = start(config).await;
    let mut used = Client::connect(&server).await;
    used.send(GET).await;
    used.read_until("hello").await;
    let mut fresh = Client::connect(&server).await;

    server.shutdown();
    assert_eq!(used.read_to_end().await, "");
    assert_eq!(fresh.read_to_end().await, "");
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_off() {
    let mut server = start(ServerConfig { shutdown_grace: SHORT, ..config() }).await;
    let mut client = Client::connect(&server).await;
    client.send(GET).await;
    client.read_until("hello").await;
    client.send(b"GET /forever HTTP/1.1\r\nhost: test\r\n\r\nGET / HTTP/1.1\r\n").await;
    // Another connection's answer shows that the loop has turned and the request above been taken up.
    let mut other = Client::connect(&server).await;
    other.send(GET).await;
    other.read_until("hello").await;

    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 1 });
    assert_eq!(client.read_to_end().await, "");
}

#[tokio::test]
async fn dropping_the_server_closes_everything() {
    let server = start(config()).await;
    let address = server.local_addr();
    let mut client = Client::connect(&server).await;
    client.send(b"GET /forever HTTP/1.1\r\nhost: test\r\n\r\n").await;
    drop(server);
    assert_eq!(client.read_to_end().await, "");
    listens_no_more(address).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_names_it() {
    let first = start(config()).await;
    let taken = ServerConfig { port: first.local_addr().port(), fallback_port: Some(0), ..config() };
    let error = Server::bind(taken, router(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("failed to listen for HTTP at `{}`", first.local_addr()));
    let BindError::Listen { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn ipv6_addresses_come_with_or_without_brackets() {
    for address in ["::1", "[::1]"] {
        let config = ServerConfig { listen_address: address.to_owned(), ..ServerConfig::default() };
        match Server::bind(config, router(), ()).await {
            Ok(server) => assert!(server.local_addr().is_ipv6()),
            // A machine without IPv6 still has to have understood the address.
            Err(error) => assert!(error.to_string().contains("`[::1]:0`"), "{error}"),
        }
    }
}
