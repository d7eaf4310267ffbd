//! A request that becomes a stream, and how the stream gets its connection.

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use parking_lot::Mutex;

use super::handshake::{HandshakeError, accept, switching_protocols};
use super::session::{Inbox, Session, SessionLimits};
use super::transport::{self, Carrier};
use crate::hub::Registration;

/// A request that is a WebSocket handshake, and the connection it came on.
#[derive(Debug)]
pub struct Upgrade {
    accept: HeaderValue,
    /// The subprotocol that was agreed on; none unless the caller sets one.
    pub subprotocol: Option<HeaderValue>,
    connection: Connection,
}

/// Who gives the connection to the session.
#[derive(Debug)]
enum Connection {
    /// The HTTP library, once it has sent the answer.
    Http(OnUpgrade),
    /// The server, which has read the request by itself.
    Server(Handover),
}

impl Upgrade {
    /// Checks the handshake and takes hold of the connection.
    pub fn from_parts(parts: &mut Parts) -> Result<Self, HandshakeError> {
        let accept = accept(&parts.headers)?;
        let connection = match parts.extensions.remove().map(Connection::Server) {
            Some(connection) => connection,
            None => parts.extensions.remove().map(Connection::Http).ok_or(HandshakeError::NotUpgradable)?,
        };
        Ok(Self { accept, subprotocol: None, connection })
    }

    /// Answers 101, and runs a session on the connection once that answer is out. The session is owned by the
    /// registration's hub: it ends with [`Hub::close_all`](crate::hub::Hub::close_all), and at the latest when the
    /// hub is dropped.
    pub fn run(
        self,
        registration: Registration,
        inbox: impl Inbox + Unpin + 'static,
        limits: Arc<SessionLimits>,
    ) -> Response {
        let Self { accept, subprotocol, connection } = self;
        // The session runs by itself, so that nothing of the handshake is held for as long as the stream lives.
        let start = |carrier: Carrier, early: &[u8]| match carrier {
            Carrier::Kernel(socket) => {
                registration.run(socket, |stream| Session::new(stream, inbox, limits, early));
            }
            #[cfg(feature = "tls")]
            Carrier::Tls(socket) => {
                tokio::spawn(Session::new(registration.attach_boxed(socket), inbox, limits, early));
            }
        };
        match connection {
            Connection::Server(handover) => handover.set(start),
            Connection::Http(upgrade) => {
                tokio::spawn(async move {
                    match upgrade.await.map(transport::take) {
                        Ok(Some((carrier, early))) => start(carrier, &early),
                        Ok(None) => tracing::error!("a stream came on a connection of an unknown kind"),
                        Err(error) => {
                            tracing::debug!(%error, "a stream's connection was lost before it began");
                        }
                    }
                });
            }
        }
        let mut response = switching_protocols(accept);
        if let Some(subprotocol) = subprotocol {
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }
}

/// Begins a session on a connection, with what has arrived after the handshake.
type Start = Box<dyn FnOnce(Carrier, &[u8]) + Send>;

/// Where [`Upgrade::run`] leaves what begins the session, for a server that has read the handshake by itself and sends
/// the answer by itself. Such a server puts it into the extensions of the request. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Handover(Arc<Mutex<Option<Start>>>);

impl Handover {
    fn set(&self, start: impl FnOnce(Carrier, &[u8]) + Send + 'static) {
        *self.0.lock() = Some(Box::new(start));
    }

    /// Begins the session, once the answer is out. False if the handler has left none.
    pub(crate) fn start(&self, carrier: Carrier, early: &[u8]) -> bool {
        let start = self.0.lock().take();
        start.map(|start| start(carrier, early)).is_some()
    }
}

impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover").finish_non_exhaustive()
    }
}
