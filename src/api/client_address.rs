//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;

/// The address of the client that sent a request: the peer's, or what proxies that are trusted say.
///
/// [`Server`](crate::server::Server) puts one into the extensions of every request. Whoever serves the API otherwise and
/// wants limits by address puts it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Finds the address of a request: the server's word, or else the peer that `axum::serve` tells.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        let peer = || extensions.get().map(|&ConnectInfo::<SocketAddr>(peer)| Self(peer.ip()));
        extensions.get().copied().or_else(peer)
    }
}
