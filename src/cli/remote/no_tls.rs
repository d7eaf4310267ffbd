//! A program without TLS: the URL of a server that needs it was refused when it was read.

use std::io;

use tokio::net::TcpStream;

use super::connection::Transport;
use crate::config::not_built;

#[expect(clippy::unused_async, reason = "as with TLS")]
pub(super) async fn secure(_: TcpStream, _: &str) -> io::Result<Box<dyn Transport>> {
    Err(io::Error::other(not_built("tls")))
}
