//! Certificates from an authority without the feature `acme`: there are none.

use std::future::Pending;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::ResolvesServerCert;

use crate::server::tls_config::{AcmeConfig, TlsError};

pub(super) fn check(_: &AcmeConfig) -> Result<(), TlsError> {
    Err(TlsError::NotBuilt { feature: "acme" })
}

pub(super) fn obtain(
    _: &AcmeConfig,
    _: Arc<CryptoProvider>,
) -> Result<(Arc<dyn ResolvesServerCert>, Pending<()>), TlsError> {
    Err(TlsError::NotBuilt { feature: "acme" })
}
