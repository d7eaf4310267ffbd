//! The certificate authorities that this system trusts.

use rustls::RootCertStore;

/// What to do about a system that trusts none.
pub(crate) const NONE: &str =
    "this system trusts no authority: install its CA certificates, or set SSL_CERT_FILE";

/// Loads them; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others. Also returns what could not be read.
pub(crate) fn load() -> (RootCertStore, Vec<rustls_native_certs::Error>) {
    let found = rustls_native_certs::load_native_certs();
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(found.certs);
    (authorities, found.errors)
}

/// As [`load`], and logs what could not be read.
#[cfg_attr(
    not(any(feature = "acme", feature = "oidc", feature = "push")),
    expect(dead_code, reason = "commands have no log")
)]
pub(crate) fn load_with_log() -> RootCertStore {
    let (authorities, errors) = load();
    for error in errors {
        tracing::warn!(%error, "failed to load certificates that this system trusts");
    }
    authorities
}
