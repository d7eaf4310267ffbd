//! Certificates from an authority that speaks ACME.

use std::fs::DirBuilder;
use std::future::Future;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use futures_util::StreamExt;
use rustls::crypto::CryptoProvider;
use rustls::server::ResolvesServerCert;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::{AcmeConfig as Order, EventOk};

use super::acme_cache::AcmeCache;
use crate::server::tls_config::{AcmeConfig, TlsError, host_of_certificate};
use crate::trusted_authorities;

/// Looks whether there is anything to ask for, and whom.
pub(super) fn check(config: &AcmeConfig) -> Result<(), TlsError> {
    let invalid =
        |reason: &str| Err(TlsError::Authority(io::Error::new(io::ErrorKind::InvalidInput, reason)));
    if config.hosts.is_empty() {
        return invalid("there are no names to have a certificate for");
    }
    for host in &config.hosts {
        // The authority would refuse it each time that it is asked.
        if let Err(reason) = host_of_certificate(host) {
            return invalid(&format!("`{}` {reason}", host.escape_debug()));
        }
    }
    match &config.directory_url {
        Some(url) if !url.starts_with("https://") => {
            invalid("the directory's URL does not begin with https://")
        }
        _ => Ok(()),
    }
}

/// Returns the certificate, that of the cache to begin with, and what gets and renews it. It is renewed when two thirds
/// of its time are over; what goes wrong is logged and tried again, more and more rarely.
pub(super) fn obtain(
    config: &AcmeConfig,
    provider: Arc<CryptoProvider>,
) -> Result<(Arc<dyn ResolvesServerCert>, impl Future<Output = ()> + Send + use<>), TlsError> {
    check(config)?;
    // Keys will be in there.
    DirBuilder::new().recursive(true).mode(0o700).create(&config.cache).map_err(TlsError::Authority)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers of TLS 1.2 and 1.3")
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    let order = Order::new_with_client_config(&config.hosts, Arc::new(client))
        .cache(AcmeCache::open(&config.cache).map_err(TlsError::Authority)?);
    let order = match &config.directory_url {
        Some(url) => order.directory(url),
        None => order.directory_lets_encrypt(true),
    };
    let mut state = order.state();
    let resolver = state.resolver();
    let upkeep = async move {
        while let Some(event) = state.next().await {
            match event {
                Ok(EventOk::DeployedNewCert) => tracing::info!("a new certificate was obtained"),
                Ok(EventOk::DeployedCachedCert) => tracing::info!("the certificate of the cache is used"),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "failed to obtain a certificate, it will be tried again");
                }
            }
        }
    };
    Ok((resolver, upkeep))
}

/// The authorities that this system trusts. There must be one.
fn roots() -> Result<RootCertStore, TlsError> {
    let roots = trusted_authorities::load_with_log();
    if roots.is_empty() {
        let none = io::Error::new(io::ErrorKind::NotFound, trusted_authorities::NONE);
        return Err(TlsError::Authority(none));
    }
    Ok(roots)
}
