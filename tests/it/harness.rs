//! A real server on a free port, its database in a folder of its own, and a client that sends exactly what a test gives it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use shardcast::auth::{NewToken, Passwords, TokenKind};
use shardcast::hub::Hub;
use shardcast::model::{Application, Client, Compatibility, User};
use shardcast::server::{Node, NodeConfig, NodeParts, Server, ServerConfig};
use shardcast::store::{Database, NewApplication, NewClient, NewUser, Sqlite, Store};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A real HTTP client. With `oidc` or `push` in the tree its library has TLS, and must know which library does the cryptography.
pub(crate) fn http() -> reqwest::Client {
    #[cfg(any(feature = "oidc", feature = "push"))]
    // An error says that it knows already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::new()
}

/// A running server. Dropping it stops it and removes its folder.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) hub: Hub,
    pub(crate) server: Server,
    pub(crate) router: axum::Router,
    /// The file of the database.
    pub(crate) database: PathBuf,
    /// The folder of the applications' pictures.
    pub(crate) images: PathBuf,
    passwords: Passwords,
    compatibility: Compatibility,
    _folder: TempDir,
}

/// A user of a server, with an application and a client.
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) password: String,
    pub(crate) application: Application,
    pub(crate) client: Client,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a server whose configuration was changed first.
    pub(crate) async fn start_with(change: impl FnOnce(&mut NodeConfig)) -> Self {
        Self::start_listening(change, |_| {}).await
    }

    /// As [`TestServer::start_with`], with what it listens on changed too.
    pub(crate) async fn start_listening(
        change: impl FnOnce(&mut NodeConfig),
        change_listener: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        Self::start_of(NodeParts::default(), change, change_listener).await
    }

    /// As [`TestServer::start_listening`], of parts of the test's own.
    pub(crate) async fn start_of(
        parts: NodeParts,
        change: impl FnOnce(&mut NodeConfig),
        change_listener: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gotify.db");
        let database = Sqlite::open(file.to_str().unwrap()).await.unwrap();
        Self::start_in(folder, Arc::new(database), parts, change, change_listener).await
    }

    /// As [`TestServer::start_of`], on a database that others may use too.
    pub(crate) async fn start_on(
        database: Arc<dyn Database>,
        parts: NodeParts,
        change: impl FnOnce(&mut NodeConfig),
    ) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), database, parts, change, |_| {}).await
    }

    async fn start_in(
        folder: TempDir,
        database: Arc<dyn Database>,
        parts: NodeParts,
        change: impl FnOnce(&mut NodeConfig),
        change_listener: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let mut config = NodeConfig::default();
        config.images_folder = folder.path().join("images");
        // The cheapest that bcrypt takes: these tests are not about its strength.
        config.password_cost = 4;
        // Nor about how many wrong ones are taken: that has tests of its own.
        config.login_limits.failures_per_address = 0;
        config.login_limits.failures_per_name = 0;
        config.first_user = "admin".into();
        config.first_password = "admin".into();
        change(&mut config);
        let compatibility = config.api.compatibility;
        let (node, _) = Node::open_with(database, config, parts).await.unwrap();
        let mut config = ServerConfig::default();
        config.listen_address = "127.0.0.1".into();
        // So that every test can be its own proxy.
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.stream_path = Some("/stream".to_owned());
        change_listener(&mut config);
        let router = node.router();
        let server = Server::bind(config, router.clone(), node.hub().clone()).await.unwrap();
        Self {
            address: server.local_addr(),
            store: node.store().clone(),
            hub: node.hub().clone(),
            database: folder.path().join("gotify.db"),
            images: folder.path().join("images"),
            passwords: Passwords::new(4),
            compatibility,
            server,
            router,
            _folder: folder,
        }
    }

    /// Makes a user with an application called `ci`, whose default priority is 4, and a client called `phone`.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let created_at = chrono::Local::now().fixed_offset();
        let password = format!("secret of {name}");
        let password_hash = self.passwords.hash(password.clone().into()).await.unwrap();
        let database = self.store.database();
        let token = |kind| NewToken::make(kind, self.compatibility, &mut rand::rng());
        let (application_token, client_token) = (token(TokenKind::Application), token(TokenKind::Client));
        let user = database
            .create_user(NewUser { name: name.to_owned(), password_hash, admin: false, created_at })
            .await
            .unwrap();
        let application = database
            .create_application(NewApplication {
                user_id: user.id,
                token: application_token.stored,
                name: "ci".to_owned(),
                description: String::new(),
                default_priority: 4,
                sort_key: None,
                created_at,
            })
            .await
            .unwrap();
        let client = database
            .create_client(NewClient::new(user.id, client_token.stored, "phone", created_at))
            .await
            .unwrap();
        // The tokens as their holders have them.
        let application = Application { token: application_token.secret, ..application };
        let client = Client { token: client_token.secret, ..client };
        Person { user, password, application, client }
    }

    /// Sends a request exactly as given: unlike with a real client, paths are not tidied and no header is added
    /// but `Host`, `Connection` and `Content-Length`.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
        self.exchange(method, target, &headers, body.as_bytes()).await
    }

    /// As [`TestServer::send`], of a body that need not be text.
    pub(crate) async fn send_bytes(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
        self.exchange(method, target, &headers, body).await
    }

    /// Sends a request whose body never comes.
    /// Sends a body as it is, without its length.
    pub(crate) async fn send_raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Answer {
        self.exchange(method, target, headers, body).await
    }
    pub(crate) async fn send_head(&self, method: &str, target: &str, headers: &[(String, String)]) -> Answer {
        self.exchange(method, target, headers, b"").await
    }

    /// Sends a request to change the protocol and returns the status of the answer.
    pub(crate) async fn send_upgrade(&self, target: &str, headers: &[(String, String)]) -> u16 {
        let headers: String =
            headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address);
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut status_line = [0; 12];
        socket.read_exact(&mut status_line).await.unwrap();
        std::str::from_utf8(&status_line[9..]).unwrap().parse().unwrap()
    }

    /// Opens a stream and returns its socket, with nothing read but the answer to the handshake.
    pub(crate) async fn upgrade(&self, target: &str) -> TcpStream {
        self.upgrade_on(TcpStream::connect(self.address).await.unwrap(), target).await
    }

    /// As [`TestServer::upgrade`], on a connection that the test has made.
    pub(crate) async fn upgrade_on(&self, mut socket: TcpStream, target: &str) -> TcpStream {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        socket
    }

    async fn exchange(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Answer {
        let headers: String =
            headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        );
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let request = [request.as_bytes(), body].concat();
        // What is refused unread is answered while it is still being sent.
        let _ = socket.write_all(&request).await;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        parse(&String::from_utf8(answer).unwrap())
    }
}

/// Reads an answer that has come to its end.
pub(crate) fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect::<Vec<_>>();
    let is_chunked =
        headers.iter().any(|header| *header == ("transfer-encoding".to_owned(), "chunked".to_owned()));
    let body = if is_chunked { joined(body.as_bytes()) } else { body.to_owned() };
    Answer { status, headers, body }
}

/// Joins the chunks of a body, which must be complete.
fn joined(mut chunks: &[u8]) -> String {
    let mut body = Vec::new();
    loop {
        let line_end = chunks.windows(2).position(|window| window == b"\r\n").expect("a chunk has a length");
        let length = std::str::from_utf8(&chunks[..line_end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let content = &chunks[line_end + 2..];
        body.extend_from_slice(&content[..length]);
        assert_eq!(&content[length..length + 2], b"\r\n", "a chunk has an end");
        if length == 0 {
            return String::from_utf8(body).unwrap();
        }
        chunks = &content[length + 2..];
    }
}
