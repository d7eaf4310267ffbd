//! HTTPS and `wss://`, with certificates of an authority that the test makes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use serde_json::Value;
use shardcast::server::{CertificateFiles, Certificates, ServerConfig, TlsConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::event_stream::RawEvents;
use crate::harness::{Person, TestServer};
use crate::listener::PATIENCE;
use crate::program::Program;

const HOST: &str = "push.example.com";

/// As `openssl x509 -req` makes it without extensions.
const OF_VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBJDCBywIUQxTziy+vjTd6KiIeF3qN1cVojYMwCgYIKoZIzj0EAwIwFDESMBAG\n\
A1UEAwwJbG9jYWxob3N0MCAXDTI2MTIwMTA1NDQwNVoYDzIxMjYxMTA3MDU0NDA1\n\
WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n\
AATu6xiZymxbt29pDBZTasC6hYl2p5GuCDz+MfYuGIFnyKuumeNEXvnxJD4Q8ESz\n\
s0ZCz3drRI+Fv0yZeMkh89tLMAoGCCqGSM49BAMCA0gAMEUCIQC+RkBIvx4gCM7q\n\
Xx+VdTXA7kDldRV/xR1XeLCtnBoQFQIgYI77qKzxkSMjDUFqQOX0RnHsvX69/iHT\n\
0UG9PlAak+k=\n\
-----END CERTIFICATE-----\n";

/// An authority, and a folder for what it signs.
struct Authority {
    root: Certificate,
    key: KeyPair,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        Self { root, key, folder: tempfile::tempdir().unwrap() }
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("chain.pem"), self.folder.path().join("key.pem"))
    }

    /// Signs a new certificate, writes it with its key, and returns it.
    fn renew(&self) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![HOST.to_owned(), "localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.root, &self.key).unwrap();
        let (chain_file, key_file) = self.files();
        std::fs::write(chain_file, certificate.pem()).unwrap();
        std::fs::write(key_file, key.serialize_pem()).unwrap();
        certificate.der().clone()
    }

    fn tls(&self) -> TlsConfig {
        let (chain, key) = self.files();
        let mut files = CertificateFiles::new(chain, key);
        files.check_interval = Duration::from_millis(20);
        let mut tls = TlsConfig::new(Certificates::Files(files));
        tls.listen_address = "127.0.0.1".into();
        tls
    }

    async fn connect(&self, server: &TestServer) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let secure = server.server.endpoints().iter().find(|endpoint| endpoint.secure).unwrap();
        let address = secure.address.to_string();
        let socket = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
    }

    async fn ask(&self, server: &TestServer, head: &str) -> String {
        self.send(server, head, "").await
    }

    /// Sends a message, and returns it.
    async fn push(&self, server: &TestServer, person: &Person, text: &str) -> Value {
        let head = format!("POST /message?token={}", person.application.token);
        let answer = self.send(server, &head, &format!("message={text}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    async fn send(&self, server: &TestServer, head: &str, body: &str) -> String {
        let mut socket = self.connect(server).await;
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn listen(
        &self,
        server: &TestServer,
        person: &Person,
        query: &str,
    ) -> WebSocketStream<TlsStream<TcpStream>> {
        let url = format!("wss://{HOST}/stream?token={}{query}", person.client.token);
        client_async(url, self.connect(server).await).await.unwrap().0
    }

    fn serving(&self) -> impl FnOnce(&mut ServerConfig) + use<> {
        let tls = self.tls();
        |config| config.tls = Some(tls)
    }
}

async fn start(authority: &Authority) -> TestServer {
    TestServer::start_listening(|_| {}, authority.serving()).await
}

async fn next(stream: &mut WebSocketStream<TlsStream<TcpStream>>) -> Message {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("a frame comes").unwrap().unwrap()
}

async fn text(stream: &mut WebSocketStream<TlsStream<TcpStream>>) -> String {
    loop {
        match next(stream).await {
            Message::Text(text) => return text.to_string(),
            Message::Ping(_) => {}
            other => panic!("expected a message, not {other:?}"),
        }
    }
}

#[tokio::test]
async fn requests_are_served_over_tls_with_http_1() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    assert_eq!(authority.connect(&server).await.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(authority.ask(&server, "GET /version").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn links_lead_to_https() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    let ann = server.person("ann").await;
    for text in ["first", "second"] {
        authority.push(&server, &ann, text).await;
    }
    let page = authority.ask(&server, &format!("GET /message?limit=1&token={}", ann.client.token)).await;
    assert!(page.contains(&format!("\"next\":\"https://{HOST}/message?")), "{page}");
}

#[tokio::test]
async fn plain_requests_are_sent_on_but_for_health_checks_of_this_machine() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    let port = server.server.endpoints()[1].address.to_string().rsplit_once(':').unwrap().1.to_owned();
    let answer = server.send("GET", "/message?limit=1", &[], "").await;
    assert_eq!(answer.status, 302);
    let location = format!("https://{}:{port}/message?limit=1", server.address.ip());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let answer = server.send("POST", "/message", &[], "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (400, &*format!("Use HTTPS: https://{}:{port}/message", server.address.ip()))
    );
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    for path in ["/health", "/health/ready"] {
        assert_eq!(server.send("GET", path, &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn plain_requests_are_served_where_they_are_not_redirected() {
    let authority = Authority::new();
    authority.renew();
    let mut tls = authority.tls();
    tls.redirect = false;
    let server = TestServer::start_listening(|_| {}, |config| config.tls = Some(tls)).await;
    assert_eq!(server.send("GET", "/version", &[], "").await.status, 200);
}

#[tokio::test]
async fn streams_work_over_tls_also_for_a_client_that_falls_behind() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    let ann = server.person("ann").await;
    let mut stream = authority.listen(&server, &ann, "").await;
    // Small, at once: it is live.
    authority.push(&server, &ann, "first").await;
    assert!(text(&mut stream).await.contains("\"first\""));
    // Much more than sockets hold, while the client does not read.
    let (count, long) = (60, "x".repeat(100_000));
    for at in 0..count {
        authority.push(&server, &ann, &format!("{at}-{long}")).await;
    }
    for at in 0..count {
        let message = text(&mut stream).await;
        assert!(message.contains(&format!("\"{at}-xxx")), "{at}: {}", &message[..80]);
    }
    // It is live again.
    authority.push(&server, &ann, "last").await;
    assert!(text(&mut stream).await.contains("\"last\""));

    stream.send(Message::Ping("there?".into())).await.unwrap();
    assert_eq!(next(&mut stream).await, Message::Pong("there?".into()));
    server.hub.close_token(shardcast::hub::UserId(ann.user.id.0), &ann.client.token);
    let Message::Close(Some(frame)) = next(&mut stream).await else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1008);
}

#[tokio::test]
async fn what_was_missed_comes_over_tls_too() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    let ann = server.person("ann").await;
    for at in 0..200 {
        authority.push(&server, &ann, &format!("m{at}")).await;
    }
    let mut stream = authority.listen(&server, &ann, "&since=0").await;
    for at in 0..200 {
        assert!(text(&mut stream).await.contains(&format!("\"m{at}\"")));
    }
}

#[tokio::test]
async fn events_are_resumed_and_streamed_over_tls() {
    let authority = Authority::new();
    authority.renew();
    let server = start(&authority).await;
    let ann = server.person("ann").await;
    let seen = authority.push(&server, &ann, "seen").await;
    let missed = authority.push(&server, &ann, "missed").await;
    let socket = authority.connect(&server).await;
    let mut events = RawEvents::open(socket, &ann, seen["id"].as_u64().unwrap()).await;
    events.expect_message(&missed).await;
    events.expect_message(&authority.push(&server, &ann, "live").await).await;
    server.hub.close_token(shardcast::hub::UserId(ann.user.id.0), &ann.client.token);
    events.expect_end("token deleted").await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed_as_slow() {
    let authority = Authority::new();
    authority.renew();
    let short =
        |config: &mut shardcast::server::NodeConfig| config.stream.stall_timeout = Duration::from_secs(1);
    let server = TestServer::start_listening(short, authority.serving()).await;
    let ann = server.person("ann").await;
    let _stuck = authority.listen(&server, &ann, "").await;
    let long = "x".repeat(1_000_000);
    for _ in 0..10 {
        authority.push(&server, &ann, &long).await;
    }
    tokio::time::timeout(PATIENCE, async {
        while server.hub.stream_count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the stream is closed");
}

#[tokio::test]
async fn a_changed_certificate_is_taken_over_and_a_broken_one_is_not() {
    let authority = Authority::new();
    let first = authority.renew();
    let server = start(&authority).await;
    let shown = async || {
        let stream = authority.connect(&server).await;
        stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    };
    assert_eq!(shown().await, first);

    // Time for many looks: were it taken over, connections would fail.
    std::fs::write(authority.files().0, "broken").unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(shown().await, first);
    }
    let second = authority.renew();
    tokio::time::timeout(PATIENCE, async {
        while shown().await != second {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the new certificate is shown");
}

fn refusal(chain: &Path, key: &Path) -> String {
    let outcome = Program::new(&[])
        .variable("GOTIFY_SERVER_SSL_ENABLED", "true")
        .variable("GOTIFY_SERVER_SSL_CERTFILE", chain.to_str().unwrap())
        .variable("GOTIFY_SERVER_SSL_CERTKEY", key.to_str().unwrap())
        .run();
    assert_eq!(outcome.code, Some(78), "{}", outcome.stderr);
    outcome.stderr
}

#[test]
fn files_that_can_not_be_used_stop_the_start_and_are_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    authority.renew();
    other.renew();
    let ((chain, key), (_, other_key)) = (authority.files(), other.files());

    let missing = refusal(Path::new("/nowhere/chain.pem"), &key);
    assert!(
        missing.starts_with(
            "GOTIFY_SERVER_SSL_CERTFILE: server.ssl.certfile: failed to read the certificate `/nowhere/chain.pem`: "
        ),
        "{missing}"
    );
    let foreign = refusal(&chain, &other_key);
    assert!(foreign.starts_with("GOTIFY_SERVER_SSL_CERTKEY: server.ssl.certkey: "), "{foreign}");
    assert!(foreign.ends_with("it does not belong to the certificate\n"), "{foreign}");
    let swapped = refusal(&key, &chain);
    assert!(swapped.ends_with("it holds no certificate in PEM form\n"), "{swapped}");
    let unnamed = Program::new(&[]).variable("GOTIFY_SERVER_SSL_ENABLED", "true").run();
    assert_eq!(unnamed.code, Some(78));
    assert!(unnamed.stderr.contains("server.ssl.certfile: must name a file"), "{}", unnamed.stderr);
}

#[test]
fn certificates_and_keys_that_can_not_be_used_are_explained() {
    let authority = Authority::new();
    authority.renew();
    let (chain, key) = authority.files();
    let file = |name: &str, text: &str| {
        let path = authority.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let of_version_1 = refusal(&file("v1.pem", OF_VERSION_1), &key);
    assert!(of_version_1.contains("server.ssl.certfile: "), "{of_version_1}");
    assert!(of_version_1.contains("it is in version 1 of X.509, and version 3 is needed"), "{of_version_1}");
    for (text, expected) in [
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "encrypted with a",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
             -----END RSA PRIVATE KEY-----\n",
            "encrypted with a",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "of a kind that is not supported"),
        ("AAAA", "it holds no key in PEM form"),
    ] {
        let refused = refusal(&chain, &file("wrong.pem", text));
        assert!(refused.contains("server.ssl.certkey: ") && refused.contains(expected), "{refused}");
        assert!(!refused.contains("AAAA"), "{refused}");
    }
}

#[cfg(feature = "remote")]
#[tokio::test]
async fn commands_say_what_is_wrong_with_a_server() {
    use crate::remote::run;

    let authority = Authority::new();
    let root = authority.folder.path().join("root.pem");
    std::fs::write(&root, authority.root.pem()).unwrap();
    // A server that has the authority's own certificate.
    let (chain, key) = authority.files();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(&chain, params.signed_by(&authority.key, &authority.root, &authority.key).unwrap().pem())
        .unwrap();
    std::fs::write(&key, authority.key.serialize_pem()).unwrap();
    let server = TestServer::start_listening(|_| {}, |config| config.tls = Some(authority.tls())).await;
    let secure = server.server.endpoints().iter().find(|endpoint| endpoint.secure).unwrap();
    let secure_port = secure.address.to_string().rsplit_once(':').unwrap().1.to_owned();
    let plain_port = server.address.port().to_string();
    for (url, send, tail) in [
        (
            format!("https://localhost:{secure_port}"),
            "it is that of an authority (CA:TRUE)",
            "it is that of an authority (CA:TRUE)",
        ),
        (
            format!("https://localhost:{plain_port}"),
            "the server does not speak TLS on this port",
            "the server does not speak TLS on this port",
        ),
        (
            format!("http://localhost:{plain_port}"),
            &*format!("Use HTTPS: https://localhost:{secure_port}/message"),
            &*format!("it sends clients on to https://localhost:{secure_port}/message;"),
        ),
    ] {
        for (arguments, said) in [(&["send", "hi"][..], send), (&["tail", "--limit", "1"], tail)] {
            let program = Program::new(arguments)
                .variable("GOTIFY_URL", &url)
                .variable("GOTIFY_TOKEN", "A1")
                .variable("GOTIFY_CLIENT_TOKEN", "C1")
                .variable("SSL_CERT_FILE", root.to_str().unwrap());
            let outcome = run(program, "").await;
            assert!(
                outcome.code != Some(0) && outcome.stderr.contains(said),
                "{arguments:?} {url}: {outcome:?}"
            );
        }
    }
}

#[cfg(feature = "remote")]
#[tokio::test]
async fn commands_talk_to_a_server_whose_certificate_is_trusted_and_to_no_other() {
    use crate::remote::run;

    let (authority, other) = (Authority::new(), Authority::new());
    authority.renew();
    let server = TestServer::start_listening(|_| {}, |config| config.tls = Some(authority.tls())).await;
    let person = server.person("ann").await;
    let secure = server.server.endpoints().iter().find(|endpoint| endpoint.secure).unwrap();
    let address = secure.address.to_string();
    let port = address.rsplit_once(':').unwrap().1;
    let command = |arguments: &[&str], trusted: &Authority| {
        let file = trusted.folder.path().join("root.pem");
        std::fs::write(&file, trusted.root.pem()).unwrap();
        Program::new(arguments)
            .variable("GOTIFY_URL", &format!("https://localhost:{port}"))
            .variable("GOTIFY_TOKEN", &person.application.token)
            .variable("GOTIFY_CLIENT_TOKEN", &person.client.token)
            .variable("SSL_CERT_FILE", file.to_str().unwrap())
    };
    let sent = run(command(&["send", "hi"], &authority), "").await;
    assert_eq!((sent.code, sent.stderr.as_str()), (Some(0), ""));
    let read = run(command(&["tail", "--since", "0", "--limit", "1"], &authority), "").await;
    assert_eq!((read.code, read.stderr.as_str()), (Some(0), ""));
    assert!(read.stdout.ends_with(" ci: hi\n"), "{}", read.stdout);
    let refused = run(command(&["send", "hi"], &other), "").await;
    assert_eq!(refused.code, Some(69), "{refused:?}");
    let expected =
        "the certificate of the server can't be trusted: no authority that this system trusts has signed it";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
}
