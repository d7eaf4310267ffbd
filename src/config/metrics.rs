//! Numbers for Prometheus.

use super::declare::section;
use super::shape::Shape::Listener;

section! {
    /// Numbers for Prometheus at `GET /metrics`. They name no user and no token, and everybody who reaches the listener
    /// can read them.
    pub struct MetricsSection at "metrics." {
        /// Whether `GET /metrics` is answered.
        enabled: bool = false;
        /// The address and port of a listener for metrics alone; or `main` for server.port, where all clients can read
        /// them.
        listenaddr: String = "127.0.0.1:9090", Listener;
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
