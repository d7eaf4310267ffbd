//! The configuration of HTTPS, and its errors.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::tls::Tls;

/// How to serve HTTPS beside HTTP. Takes the feature `tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The address or host name to listen on, or `unix:` and the path of a socket. Default empty: all addresses.
    pub listen_address: String,
    /// The TCP port. Default 0: a free one.
    pub port: u16,
    /// Where the certificate comes from.
    pub certificates: Certificates,
    /// Whether HTTP requests are sent on to HTTPS. Default true.
    pub redirect: bool,
}

impl TlsConfig {
    /// Listens on a free port of all addresses, with certificates from there.
    pub fn new(certificates: Certificates) -> Self {
        Self { listen_address: String::new(), port: 0, certificates, redirect: true }
    }

    /// Looks whether the certificate can be used, as far as that shows now.
    pub fn check(&self) -> Result<(), TlsError> {
        Tls::check(self)
    }
}

with_methods!(TlsConfig {
    with_listen_address(listen_address: impl Into<String>),
    with_port(port: u16),
    with_certificates(certificates: Certificates),
    with_redirect(redirect: bool),
});

/// Where a certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificates {
    /// From files, which may change while the server runs.
    Files(CertificateFiles),
    /// From an authority that speaks ACME (RFC 8555), with the challenge TLS-ALPN-01 (RFC 8737). Takes the feature
    /// `acme`.
    Acme(AcmeConfig),
}

/// A certificate in files, both in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFiles {
    /// The certificate, then those that it is signed with.
    pub chain: PathBuf,
    /// Its key: PKCS #8, SEC 1 or PKCS #1.
    pub key: PathBuf,
    /// How often is looked whether the files have changed; a change is taken over once it has lasted for so long.
    /// Default 5 s.
    pub check_interval: Duration,
}

impl CertificateFiles {
    /// A certificate in these files.
    pub fn new(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { chain: chain.into(), key: key.into(), check_interval: Duration::from_secs(5) }
    }
}

with_methods!(CertificateFiles { with_check_interval(check_interval: Duration) });

/// An authority to get certificates from. Whoever names one accepts its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcmeConfig {
    /// The names to have a certificate for.
    pub hosts: Vec<String>,
    /// The folder where account and certificate are kept, which hold secrets.
    pub cache: PathBuf,
    /// The authority's directory. Default none: Let's Encrypt's.
    pub directory_url: Option<String>,
}

impl AcmeConfig {
    /// Certificates of Let's Encrypt for these names.
    pub fn new(hosts: Vec<String>, cache: impl Into<PathBuf>) -> Self {
        Self { hosts, cache: cache.into(), directory_url: None }
    }
}

with_methods!(AcmeConfig { with_directory_url(directory_url: impl Into<Option<String>>) });

/// Looks whether an authority gives certificates for a name by its challenge TLS-ALPN-01: a name of the DNS without a
/// wildcard (RFC 8737, section 3). The error says what is wrong, to follow the name.
pub(crate) fn host_of_certificate(name: &str) -> Result<(), String> {
    const LONGEST: usize = 253;
    const LONGEST_LABEL: usize = 63;
    let wrong = |reason: &str| {
        Err(format!("is no name that a certificate is given for, such as push.example.com: {reason}"))
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if name.is_empty() {
        return wrong("it is empty");
    }
    if name.contains("://") || name.contains('/') {
        return wrong("write the name alone, without a scheme and a path");
    }
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return wrong("an IP address has no name");
    }
    if name.contains('*') {
        return wrong("wildcards need a challenge that this server does not know; list each name");
    }
    if name.contains(':') {
        return wrong("write the name alone, without a port");
    }
    if !name.is_ascii() {
        return wrong("write it in ASCII, with `xn--`");
    }
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if name.len() > LONGEST || !name.split('.').all(is_label) {
        return wrong("it has letters, digits and hyphens, with dots between them");
    }
    Ok(())
}

/// Why there can't be HTTPS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The crate was built without it.
    #[error("this build can't: it takes the feature `{feature}`")]
    NotBuilt {
        /// The feature that it takes.
        feature: &'static str,
    },
    /// The certificate can't be read.
    #[error("failed to read the certificate `{path}`")]
    Chain {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The key can't be read, or is not the certificate's.
    #[error("failed to use the key `{path}`")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The authority can't be asked.
    #[error("failed to prepare for the certificate authority")]
    Authority(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::host_of_certificate;

    #[test]
    fn only_names_of_the_dns_have_certificates() {
        for name in ["push.example.com", "Push-1.example", "xn--mnchen-3ya.de", "pebble"] {
            assert_eq!(host_of_certificate(name), Ok(()), "{name}");
        }
        for (name, reason) in [
            ("", "it is empty"),
            ("*.example.com", "wildcards need"),
            ("192.0.2.1", "an IP address has no name"),
            ("[::1]", "an IP address has no name"),
            ("a b", "it has letters"),
            ("a_b.example", "it has letters"),
            ("-a.example", "it has letters"),
            ("a..example", "it has letters"),
            ("example.com.", "it has letters"),
            ("https://push.example.com", "without a scheme"),
            ("push.example.com:443", "without a port"),
            ("münchen.de", "with `xn--`"),
        ] {
            let refused = host_of_certificate(name).unwrap_err();
            assert!(refused.contains(reason), "{name}: {refused}");
        }
        assert!(host_of_certificate(&"a".repeat(64)).is_err());
        assert!(host_of_certificate(&["a"; 200].join(".")).is_err());
    }
}
