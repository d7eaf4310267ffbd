//! `shardcast healthcheck`.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio::time::{Instant, timeout_at};

use super::print_problem;
use crate::config::Loaded;
use crate::config::on_one_line;
use crate::server::ServerConfig;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

const REQUEST: &[u8] =
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nUser-Agent: shardcast-healthcheck\r\nConnection: close\r\n\r\n";

/// As much of the answer as is looked at.
const STATUS_LINE: &[u8] = b"HTTP/1.1 200";

/// Asks the server at the configured address; 0 if it says that it is well, 1 if not.
pub(super) fn run(loaded: &Loaded) -> ExitCode {
    let outcome = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            runtime.block_on(ask(&loaded.server())).map_err(|error| format!("not healthy: {error}"))
        }
        Err(error) => Err(format!("failed to start the runtime: {error}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            print_problem(&on_one_line(&problem));
            ExitCode::FAILURE
        }
    }
}

/// What was asked in vain, and why.
#[derive(Debug, thiserror::Error)]
#[error("{asked}/health ({keys}): {source}")]
struct NotHealthy {
    asked: String,
    keys: &'static str,
    source: io::Error,
}

async fn ask(config: &ServerConfig) -> Result<(), NotHealthy> {
    // One deadline for all that is asked.
    let deadline = Instant::now() + PATIENCE;
    if let Some(path) = config.listen_address.strip_prefix("unix:") {
        let answer = in_time(deadline, async { ask_on(UnixStream::connect(path).await?).await }).await;
        let failed =
            |source| NotHealthy { asked: config.listen_address.clone(), keys: "server.listenaddr", source };
        return answer.map_err(failed);
    }
    let answer = ask_port(config, config.port, deadline).await;
    match (answer, config.fallback_port) {
        // The first address is the configured one: it is named even if the fallback fails too.
        (Err(error), Some(port)) => ask_port(config, port, deadline).await.or(Err(error)),
        (answer, _) => answer,
    }
}

/// The host to ask: a server that listens on all addresses listens on the local one.
fn host(config: &ServerConfig) -> &str {
    match config.listen_address.trim_start_matches('[').trim_end_matches(']') {
        "" | "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    }
}

async fn ask_port(config: &ServerConfig, port: u16, deadline: Instant) -> Result<(), NotHealthy> {
    let host = host(config);
    let answer = in_time(deadline, async { ask_on(TcpStream::connect((host, port)).await?).await }).await;
    answer.map_err(|source| {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        NotHealthy {
            asked: format!("http://{host}:{port}"),
            keys: "server.listenaddr and server.port",
            source,
        }
    })
}

async fn in_time(deadline: Instant, answer: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 seconds");
    timeout_at(deadline, answer).await.unwrap_or_else(|_| Err(late()))
}

async fn ask_on(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    stream.write_all(REQUEST).await?;
    let mut status = [0; STATUS_LINE.len()];
    stream.read_exact(&mut status).await?;
    if status == STATUS_LINE {
        return Ok(());
    }
    Err(io::Error::other(format!("the server answered {}", String::from_utf8_lossy(&status))))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::*;
    use crate::server::Server;

    async fn answer_to(status: StatusCode) -> Result<(), NotHealthy> {
        let router = Router::new().route("/health", get(move || async move { status }));
        let server = Server::bind(ServerConfig::default(), router, ()).await.unwrap();
        ask(&ServerConfig { port: server.local_addr().port(), ..ServerConfig::default() }).await
    }

    #[tokio::test]
    async fn only_200_is_healthy() {
        answer_to(StatusCode::OK).await.unwrap();
        let error = answer_to(StatusCode::SERVICE_UNAVAILABLE).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("http://127.0.0.1:"), "{text}");
        assert!(text.ends_with(": the server answered HTTP/1.1 503"), "{text}");
    }

    #[tokio::test]
    async fn a_unix_socket_is_asked_too() {
        let folder = tempfile::tempdir().unwrap();
        let listen_address = format!("unix:{}", folder.path().join("push.sock").display());
        let config = ServerConfig { listen_address, ..ServerConfig::default() };
        ask(&config).await.unwrap_err();
        let router = Router::new().route("/health", get(|| async {}));
        let _server = Server::bind(config.clone(), router, ()).await.unwrap();
        ask(&config).await.unwrap();
    }

    #[tokio::test]
    async fn the_fallback_port_is_asked_where_there_is_nobody_on_the_first() {
        let router = Router::new().route("/health", get(|| async {}));
        let server = Server::bind(ServerConfig::default(), router, ()).await.unwrap();
        // Nobody listens on port 1, which is reserved for a service of the eighties.
        let config = ServerConfig { port: 1, ..ServerConfig::default() };
        ask(&config).await.unwrap_err();
        ask(&ServerConfig { fallback_port: Some(server.local_addr().port()), ..config }).await.unwrap();
    }
}
