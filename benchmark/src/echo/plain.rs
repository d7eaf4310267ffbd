//! The echo to compare with: tokio-tungstenite with its defaults, a task per connection.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{accept_async, tungstenite};

use super::asked_to_end;
use crate::report::terminal;

/// Serves until the process is asked to end; connections are then cut off.
pub(super) async fn serve(address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("failed to bind {address}"))?;
    terminal::line(&format!("listening on {}", listener.local_addr()?));
    let mut clients = JoinSet::new();
    let stop = asked_to_end();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            outcome = &mut stop => return outcome,
            // What has ended is forgotten, so that the set does not grow.
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => {
                // A client that is gone again is none.
                if let Ok((socket, _)) = accepted {
                    clients.spawn(echo(socket));
                }
            }
        }
    }
}

async fn echo(socket: TcpStream) -> Result<(), tungstenite::Error> {
    socket.set_nodelay(true)?;
    let mut client = accept_async(socket).await?;
    while let Some(message) = client.next().await.transpose()? {
        if message.is_binary() {
            client.send(message).await?;
        }
    }
    Ok(())
}
