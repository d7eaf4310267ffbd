//! HTTPS: rustls over the accepted connections.
//!
//! Only HTTP/1.1 is offered. Streams need it, and a connection that has to be HTTP/2 to send one message saves nothing.

#[cfg(feature = "acme")]
mod acme;
#[cfg(not(feature = "acme"))]
#[path = "tls/no_acme.rs"]
mod acme;
#[cfg(feature = "acme")]
mod acme_cache;
mod files;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ResolvesServerCert;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use super::tls_config::{Certificates, TlsConfig, TlsError};

/// The protocol of connections that only prove to an authority whose server this is.
const CHALLENGE: &[u8] = b"acme-tls/1";

/// An encrypted connection.
pub(super) type Encrypted<S> = TlsStream<S>;

/// What connections are encrypted with. Dropping it ends the task that looks after the certificate.
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    _upkeep: AbortOnDropHandle<()>,
}

impl Tls {
    /// Looks whether the certificate can be used.
    pub(super) fn check(config: &TlsConfig) -> Result<(), TlsError> {
        match &config.certificates {
            Certificates::Files(files) => files::load(files, &provider()).map(|_| ()),
            Certificates::Acme(config) => acme::check(config),
        }
    }

    /// Loads the certificate, and starts to look after it. Needs a runtime.
    pub(super) fn new(config: &TlsConfig) -> Result<Self, TlsError> {
        let provider = provider();
        let (resolver, upkeep): (Arc<dyn ResolvesServerCert>, _) = match &config.certificates {
            Certificates::Files(files) => {
                let (resolver, upkeep) = files::watch(files.clone(), Arc::clone(&provider))?;
                (resolver, tokio::spawn(look_after(upkeep)))
            }
            Certificates::Acme(config) => {
                let (resolver, upkeep) = acme::obtain(config, Arc::clone(&provider))?;
                (resolver, tokio::spawn(look_after(upkeep)))
            }
        };
        let mut server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers of TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        if matches!(config.certificates, Certificates::Acme(_)) {
            server.alpn_protocols.push(CHALLENGE.to_vec());
        }
        // So that many clients that come back at once need not be proven the certificate again.
        match ring::Ticketer::new() {
            Ok(ticketer) => server.ticketer = ticketer,
            Err(error) => tracing::warn!(%error, "sessions can't be resumed"),
        }
        let upkeep = AbortOnDropHandle::new(upkeep);
        Ok(Self { acceptor: Arc::new(server).into(), _upkeep: upkeep })
    }

    /// Encrypts a connection. None if the two did not agree, or if it was for the authority's challenge alone.
    pub(super) async fn handshake<S>(&self, stream: S) -> Option<Encrypted<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Boxed, because it is large and short.
        match Box::pin(self.acceptor.accept(stream)).await {
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(CHALLENGE) => None,
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    }
}

/// Runs what looks after the certificate. The server outlives its end, but not well: the log says so.
async fn look_after(upkeep: impl Future<Output = ()>) {
    if AssertUnwindSafe(upkeep).catch_unwind().await.is_err() {
        tracing::error!("looking after the certificate panicked, which is a defect");
    }
    tracing::error!("the certificate is not renewed any more: restart the server before it expires");
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
