//! HTTPS without the feature `tls`: there is none.

use super::tls_config::{TlsConfig, TlsError};

/// Nothing: without the feature there is no value of this type.
#[derive(Debug)]
pub(super) enum Tls {}

/// A connection as it is: there are no encrypted ones.
pub(super) type Encrypted<S> = S;

impl Tls {
    pub(super) fn check(config: &TlsConfig) -> Result<(), TlsError> {
        Self::new(config).map(|_| ())
    }

    pub(super) fn new(_: &TlsConfig) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt { feature: "tls" })
    }

    pub(super) fn handshake<S>(&self, _: S) -> std::future::Pending<Option<S>> {
        match *self {}
    }
}
