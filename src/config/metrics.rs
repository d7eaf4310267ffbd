//! Numbers for Prometheus.

use serde::{Deserialize, Serialize};

/// `metrics`. (ours)
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MetricsSection {
    /// Whether `GET /metrics` is answered. Default false.
    pub enabled: bool,
    /// The address and port of a listener of its own, or `main` for the port of everything else, where everybody can
    /// read it. Default `127.0.0.1:9090`.
    pub listenaddr: String,
}

impl Default for MetricsSection {
    fn default() -> Self {
        Self { enabled: false, listenaddr: "127.0.0.1:9090".to_owned() }
    }
}

/// Where metrics are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsListener {
    /// On the port of everything else.
    Main,
    /// On a port of their own.
    Own {
        /// The address or host name; empty for all addresses.
        host: String,
        /// The TCP port; 0 takes a free one.
        port: u16,
    },
}

impl MetricsListener {
    /// The word for the port of everything else.
    const MAIN: &str = "main";

    /// Reads `main`, or an address or host name and a port. IPv6 addresses stand in brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == Self::MAIN {
            return Some(Self::Main);
        }
        let (host, port) = text.rsplit_once(':')?;
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        if !is_bracketed && host.contains(':') {
            return None;
        }
        Some(Self::Own { host: host.to_owned(), port: port.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_a_word_or_an_address() {
        let own = |host: &str, port| Some(MetricsListener::Own { host: host.to_owned(), port });
        for (text, listener) in [
            ("main", Some(MetricsListener::Main)),
            ("127.0.0.1:9090", own("127.0.0.1", 9090)),
            ("[::1]:9090", own("[::1]", 9090)),
            ("localhost:0", own("localhost", 0)),
            (":9090", own("", 9090)),
            ("::1:9090", None),
            ("127.0.0.1", None),
            ("127.0.0.1:metrics", None),
            ("127.0.0.1:65536", None),
            ("", None),
        ] {
            assert_eq!(MetricsListener::parse(text), listener, "{text}");
        }
    }
}
