//! `shardcast serve`.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;

use super::runtime;
use super::signals::Signals;
use crate::config::Loaded;
use crate::server::{BindError, Server, Streams};

/// How long threads that block may hold the exit; nothing that matters waits for them.
const BLOCKED: Duration = Duration::from_millis(500);

/// A server that did not start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
    #[error("failed to catch signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Serves until a signal ends it.
pub(super) fn run(loaded: &Loaded) -> ExitCode {
    let outcome = runtime::build().map_err(StartError::Runtime).and_then(|runtime| {
        let outcome = runtime.block_on(start(loaded));
        runtime.shutdown_timeout(BLOCKED);
        outcome
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{}", with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

async fn start(loaded: &Loaded) -> Result<ExitCode, StartError> {
    // Before anything is opened, so that a signal during the start also ends it well.
    let signals = Signals::catch().map_err(StartError::Signals)?;
    serve(loaded, signals, Router::new(), ()).await
}

/// Serves the router until the first signal, then drains; a second signal ends at once.
async fn serve(
    loaded: &Loaded,
    mut signals: Signals,
    router: Router,
    streams: impl Streams,
) -> Result<ExitCode, StartError> {
    let mut server = Server::bind(loaded.server(), router, streams).await?;
    tracing::info!(address = %server.local_addr(), "listening on {}", url(server.local_addr()));

    signals.next().await;
    tracing::info!("stopping: requests are finished, streams are closed");
    server.shutdown();
    tokio::select! {
        biased;
        code = signals.next() => {
            tracing::warn!("stopped by a second signal");
            Ok(ExitCode::from(code))
        }
        _ = server.join() => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Returns what to put into a browser on this machine.
fn url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// Writes an error with its causes on one line.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
