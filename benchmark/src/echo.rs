//! An echo server for comparisons with benchmarks of WebSocket servers that speak this protocol: binary messages at
//! `/ws`, each a Protobuf [`WebsocketMessage`](message::WebsocketMessage), come back as they were; `GET /` says that
//! the server is there, `GET /metrics` what it has done.
//!
//! It is Shardcast's own server, hub and stream session with another inbox, and so the one part of this program that
//! knows more of the server than its public protocol. `--plain` is the peer to put beside it: tokio-tungstenite, as
//! one would write it, which sends every message back and counts nothing.

mod message;
mod metrics;
mod plain;
mod session;

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Args;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use crate::client::address::socket_address;

/// Be an echo server for binary messages at `/ws`, with `/metrics`, until killed.
#[derive(Debug, Args)]
pub(crate) struct Echo {
    /// Where to listen; the first line on standard output names the address.
    #[arg(value_parser = socket_address)]
    address: SocketAddr,
    /// Be a plain tokio-tungstenite echo instead, to compare with.
    #[arg(long)]
    plain: bool,
}

impl Echo {
    /// Serves until SIGINT or SIGTERM.
    pub(crate) fn run(&self) -> Result<()> {
        let runtime = Runtime::new().context("failed to start the runtime")?;
        runtime.block_on(async {
            if self.plain { plain::serve(self.address).await } else { session::serve(self.address).await }
        })
    }
}

/// Returns when the process is asked to end.
async fn asked_to_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to catch SIGTERM")?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome.context("failed to catch SIGINT"),
        _ = terminate.recv() => Ok(()),
    }
}
