//! Handshakes that are read without the HTTP library, beside the same server that leaves all of them to it.

use shardcast::server::{Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::TestServer;
use crate::listener::PATIENCE;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The same routes, with all requests left to the HTTP library.
async fn beside(server: &TestServer) -> Server {
    let mut config = ServerConfig::default();
    config.listen_address = "127.0.0.1".into();
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    assert_eq!(config.stream_path, None);
    Server::bind(config, server.router.clone(), server.hub.clone()).await.unwrap()
}

fn head(target: &str, lines: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: push.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\n{KEY}{lines}\r\n"
    )
}

/// Sends a request and nothing after it. Returns the answer without its date.
async fn ask(server: &Server, request: &str) -> String {
    let mut socket = TcpStream::connect(server.local_addr()).await.unwrap();
    // What is refused unread may be answered, and the connection closed, while it is still being sent.
    let _ = socket.write_all(request.as_bytes()).await;
    let _ = socket.shutdown().await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("a close in time");
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("\r\ndate: "), "{request}: {answer}");
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}

#[tokio::test]
async fn answers_are_those_of_the_http_library_byte_by_byte() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let other = beside(&server).await;
    let path = format!("/stream?token={}", ann.client.token);
    let usual = head(&path, "");
    for (request, status) in [
        (usual.clone(), 101),
        (head("/stream", &format!("x-gotify-KEY:{}\r\n", ann.client.token)), 101),
        (head(&format!("{path}&since=0"), "X-Forwarded-For: 203.0.113.9\r\nCookie: a=b\r\n"), 101),
        (head(&path, "Sec-WebSocket-Protocol: chat, gotify.v1.protobuf\r\n"), 101),
        (head(&path, "Origin: http://push.example.com\r\nX-Latin: caf\u{e9}\r\n"), 101),
        (usual.replace("\r\n", "\n"), 101),
        (head(&path, &"X: y\r\n".repeat(60)), 101),
        (head(&path, "Content-Length: 0\r\n"), 101),
        (format!("\r\n{usual}"), 101),
        (usual.replace("/stream", "/./stream"), 101),
        (head("/stream", ""), 401),
        (head("/stream?token=Cwrong", "Connection: close\r\n"), 401),
        (head(&path, "Origin: http://elsewhere.example.com\r\n"), 403),
        (head(&format!("{path}&since=x"), ""), 400),
        (usual.replace("Version: 13", "Version: 8"), 400),
        (usual.replace(KEY, ""), 400),
        (usual.replace("Upgrade: websocket", "Upgrade: h2c"), 400),
        (usual.replace("Upgrade: websocket\r\n", ""), 400),
        (usual.replace("HTTP/1.1", "HTTP/1.0"), 400),
        (usual.replace("GET", "POST"), 404),
        (head("/streams", ""), 404),
        (usual.replace("Upgrade: w", "Upgr ade: w"), 400),
        (usual.replace("/stream", "/str\u{1}eam"), 400),
        (head(&path, &format!("X-Long: {}\r\n", "x".repeat(10_000))), 101),
        (head(&path, &format!("X-Long: {}\r\n", "x".repeat(40_000))), 431),
        (head(&path, &"X: y\r\n".repeat(200)), 431),
        // One request behind another, where the first is refused.
        (head("/stream", "") + "GET /version HTTP/1.1\r\nConnection: close\r\n\r\n", 401),
    ] {
        let answers = [ask(&server.server, &request).await, ask(&other, &request).await];
        let answered = answers[1].split(' ').nth(1).unwrap();
        assert_eq!(answered, status.to_string(), "{request}: {}", answers[1]);
        assert_eq!(answers[0], answers[1], "{request}");
    }
}

/// Reads until the end of an answer's head.
async fn read_head(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(timeout(PATIENCE, socket.read_u8()).await.expect("an answer in time").unwrap());
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_head_may_be_split_anywhere() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let request = head(&format!("/stream?token={}", ann.client.token), "");
    for at in 1..request.len() {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let (first, second) = request.split_at(at);
        socket.write_all(first.as_bytes()).await.unwrap();
        // The server runs in between, and reads what has come.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        socket.write_all(second.as_bytes()).await.unwrap();
        assert!(read_head(&mut socket).await.starts_with("HTTP/1.1 101 "), "{at}");
    }
}

#[tokio::test]
async fn what_comes_right_behind_the_head_is_the_first_of_the_stream() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let request = head(&format!("/stream?token={}", ann.client.token), "");
    // A ping that says `hi`, masked with zeros, in one piece with the head and in part.
    let ping = b"\x89\x82\0\0\0\0hi";
    for early in 0..=ping.len() {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(&[request.as_bytes(), &ping[..early]].concat()).await.unwrap();
        assert!(read_head(&mut socket).await.starts_with("HTTP/1.1 101 "));
        socket.write_all(&ping[early..]).await.unwrap();
        let mut answer = [0; 4];
        timeout(PATIENCE, socket.read_exact(&mut answer)).await.expect("a pong in time").unwrap();
        assert_eq!(&answer, b"\x8a\x02hi", "{early}");
    }
}

#[tokio::test]
async fn a_refused_handshake_does_not_cost_the_connection() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(head("/stream", "").as_bytes()).await.unwrap();
    let refused = read_head(&mut socket).await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let length = refused.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    socket.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
    let request = head(&format!("/stream?token={}", ann.client.token), "");
    socket.write_all(request.as_bytes()).await.unwrap();
    assert!(read_head(&mut socket).await.starts_with("HTTP/1.1 101 "));
    assert_eq!(server.hub.stream_count(), 1);
}
