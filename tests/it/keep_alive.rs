//! Many requests on one connection, some of which are refused before their body has come.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::TestServer;
use crate::listener::PATIENCE;

/// Sends the head and, as Python's `http.client` does, the body by itself; returns the status.
async fn post(socket: &mut TcpStream, target: &str, token: &str, body: &str) -> String {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: test\r\nX-Gotify-Key: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // The server runs on this thread, and sees the head alone.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    socket.write_all(body.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, read_answer(socket)).await;
    answer.expect("an answer in time")
}

/// Reads the head of an answer, in lower case; `None` if the connection ends before.
async fn read_head(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap().to_ascii_lowercase())
}

/// Reads an answer, and returns its status; `closed` if there is none.
async fn read_answer(socket: &mut TcpStream) -> String {
    let Some(head) = read_head(socket).await else { return "closed".to_owned() };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    socket.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
    assert!(!head.contains("connection: close"), "{head}");
    head.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn refused_requests_do_not_cost_the_ones_that_follow_on_their_connection() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let token = &ann.application.token;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    for at in 0..40 {
        let (target, token, body, expected) = match at % 5 {
            0 => ("/message", "Anothing", r#"{"message": "refused"}"#, "401"),
            1 => ("/nowhere", token.as_str(), r#"{"message": "refused"}"#, "404"),
            2 => ("/message", token.as_str(), r#"{"message": ""}"#, "400"),
            _ => ("/message", token.as_str(), r#"{"message": "taken"}"#, "200"),
        };
        assert_eq!(post(&mut socket, target, token, body).await, expected, "request {at}");
    }
}

#[tokio::test]
async fn an_answer_to_a_body_that_can_not_be_read_to_its_end_says_that_the_connection_is_closed() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let too_large = [b"500000\r\n".to_vec(), vec![b' '; 0x50_0000]].concat();
    for (what, body, expected) in
        [("too large", too_large, "http/1.1 413 "), ("no chunk", b"nonsense\r\n".to_vec(), "http/1.1 400 ")]
    {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /message HTTP/1.1\r\nHost: test\r\nX-Gotify-Key: {}\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            ann.application.token
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&body).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, read_head(&mut socket)).await.expect("an answer in time");
        let answer = answer.unwrap();
        assert!(answer.starts_with(expected), "{what}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{what}: {answer}");
    }
}
