//! HTTPS.

use super::declare::section;
use super::shape::Shape::{ListenAddress, NonEmpty};

section! {
    /// HTTPS, in builds with the feature `tls`.
    pub struct SslSection at "server.ssl." {
        /// Whether to serve HTTPS beside HTTP.
        enabled: bool = false;
        /// Whether HTTP requests are redirected to HTTPS.
        redirecttohttps: bool = true;
        /// The address to listen on; empty for all addresses.
        listenaddr: String = "", ListenAddress;
        /// The TCP port.
        port: u16 = 443;
        /// The path of the certificate chain in PEM form. It is read again when it changes, as is the key.
        certfile: String = "";
        /// The path of the certificate's key.
        certkey: String = "";
        section letsencrypt: LetsEncryptSection;
    }
}

section! {
    /// Certificates from Let's Encrypt, in builds with the feature `acme`.
    pub struct LetsEncryptSection at "server.ssl.letsencrypt." {
        /// Whether to fetch certificates. Let's Encrypt checks the names by connecting to port 443.
        enabled: bool = false;
        /// Whether you accept the terms of Let's Encrypt.
        accepttos: bool = false;
        /// The folder where certificates are kept.
        cache: String = "data/certs", NonEmpty;
        /// The directory URL of another authority that speaks ACME; empty for Let's Encrypt.
        directoryurl: String = "";
        /// The host names to get certificates for.
        hosts: Vec<String> = [];
    }
}
