//! HTTPS.

use serde::{Deserialize, Serialize};

/// `server.ssl`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SslSection {
    /// Whether to serve HTTPS beside HTTP. Default false.
    pub enabled: bool,
    /// Whether HTTP requests are sent on to HTTPS. Default true.
    pub redirecttohttps: bool,
    /// The address to listen on. Default empty: all of them.
    pub listenaddr: String,
    /// The TCP port. Default 443.
    pub port: u16,
    /// The path of the certificate chain. Default empty.
    pub certfile: String,
    /// The path of the certificate's key. Default empty.
    pub certkey: String,
    /// Certificates from Let's Encrypt.
    pub letsencrypt: LetsEncryptSection,
}

impl Default for SslSection {
    fn default() -> Self {
        Self {
            enabled: false,
            redirecttohttps: true,
            listenaddr: String::new(),
            port: 443,
            certfile: String::new(),
            certkey: String::new(),
            letsencrypt: LetsEncryptSection::default(),
        }
    }
}

/// `server.ssl.letsencrypt`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LetsEncryptSection {
    /// Whether to fetch certificates. Default false.
    pub enabled: bool,
    /// Whether the authority's terms are accepted. Default false.
    pub accepttos: bool,
    /// The folder where certificates are kept. Default `data/certs`.
    pub cache: String,
    /// The authority's directory. Default empty: Let's Encrypt's.
    pub directoryurl: String,
    /// The names to have certificates for. Default none.
    pub hosts: Vec<String>,
}

impl Default for LetsEncryptSection {
    fn default() -> Self {
        Self {
            enabled: false,
            accepttos: false,
            cache: "data/certs".to_owned(),
            directoryurl: String::new(),
            hosts: Vec::new(),
        }
    }
}
