//! Who is behind the proxies.

use std::net::IpAddr;
use std::time::Duration;

use hyper::HeaderMap;
use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::time::Instant;

/// The header that proxies tell the client's address in.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The time between two warnings of headers that are ignored.
const BETWEEN_WARNINGS: Duration = Duration::from_hours(1);

/// The proxies whose word counts.
#[derive(Debug)]
pub(super) struct TrustedProxies {
    networks: Vec<IpNet>,
    warned_at: Mutex<Option<Instant>>,
}

impl TrustedProxies {
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self { networks: networks.to_vec(), warned_at: Mutex::default() }
    }

    /// Returns the client's address: the right-most that is not a trusted proxy's, since each proxy adds the address
    /// that it sees at the right, and what is left of an untrusted one is hearsay. Where all are proxies' it is the
    /// left-most; a header that can't be read counts for nothing.
    ///
    /// Several headers are one list, in order: `HAProxy` adds a header of its own. Gotify reads the first alone, which a
    /// client can send.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trust(peer) {
            if headers.contains_key(X_FORWARDED_FOR) {
                self.warn_of_ignored(peer);
            }
            return peer;
        }
        let mut client = peer;
        for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            let Ok(line) = line.to_str() else { return peer };
            for hop in line.rsplit(',') {
                let Ok(hop) = hop.trim().parse::<IpAddr>() else { return peer };
                client = hop.to_canonical();
                if !self.trust(client) {
                    return client;
                }
            }
        }
        client
    }

    /// Returns whether what this peer says of its clients is believed.
    pub(super) fn trust(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Says how to trust a proxy. Only now and then: anybody can send the header. The address must be in the log, since
    /// it is what the configuration lacks.
    fn warn_of_ignored(&self, peer: IpAddr) {
        let mut warned_at = self.warned_at.lock();
        if warned_at.is_some_and(|at| at.elapsed() < BETWEEN_WARNINGS) {
            return;
        }
        *warned_at = Some(Instant::now());
        drop(warned_at);
        tracing::warn!(
            address = %peer,
            "ignored the header X-Forwarded-For from this address; if it is your reverse proxy, add it to \
             `server.trustedproxies` (GOTIFY_SERVER_TRUSTEDPROXIES): until then all clients behind it count as one, \
             and a few wrong passwords keep all of them from logging in"
        );
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn client(peer: &str, lines: &[&'static str]) -> String {
        let networks = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        TrustedProxies::new(&networks).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("fd00::1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn the_right_most_hop_that_is_not_trusted_is_the_client() {
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.7"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["10.0.0.8,10.0.0.7"]), "10.0.0.8");
        assert_eq!(client("127.0.0.1", &["::ffff:10.0.0.7"]), "10.0.0.7");
    }

    #[test]
    fn several_headers_are_one_list() {
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["203.0.113.9", "10.0.0.7"]), "203.0.113.9");
    }

    #[test]
    fn what_can_not_be_read_counts_for_nothing() {
        for line in ["", "unknown", "203.0.113.9:1234", "203.0.113.9,,10.0.0.7", "203.0.113.9, 10.0.0"] {
            assert_eq!(client("127.0.0.1", &[line]), "127.0.0.1", "{line}");
        }
        // Further left than the client nobody looks.
        assert_eq!(client("127.0.0.1", &["garbage, 203.0.113.9"]), "203.0.113.9");
    }
}
