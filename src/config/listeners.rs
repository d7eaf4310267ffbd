//! Whether the listeners of the server are in each other's way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::MetricsListener;
use super::load::Loaded;
use super::problem::Problem;

/// A listener of the configuration.
struct Listener<'a> {
    /// The key that is to be changed if it is in the way of an earlier one, and that which makes it matter.
    key: &'static str,
    because_of: &'static str,
    /// What it is called.
    name: &'static str,
    host: &'a str,
    /// `None` for a Unix socket.
    port: Option<u16>,
}

/// Lists the listeners that have the address of an earlier one.
pub(super) fn problems(loaded: &Loaded) -> Vec<Problem> {
    let (server, metrics) = (&loaded.config.server, loaded.metrics());
    let port = |host: &str, port| (!host.starts_with("unix:")).then_some(port);
    let mut listeners = vec![Listener {
        key: "server.port",
        because_of: "server.listenaddr",
        name: "server.listenaddr and server.port",
        host: &server.listenaddr,
        port: port(&server.listenaddr, server.port),
    }];
    if server.ssl.enabled {
        let is_socket = server.ssl.listenaddr.starts_with("unix:");
        listeners.push(Listener {
            key: if is_socket { "server.ssl.listenaddr" } else { "server.ssl.port" },
            because_of: "server.ssl.enabled",
            name: "server.ssl.listenaddr and server.ssl.port",
            host: &server.ssl.listenaddr,
            port: port(&server.ssl.listenaddr, server.ssl.port),
        });
    }
    if let Some(MetricsListener::Own { host, port }) = &metrics {
        let (key, because_of) = ("metrics.listenaddr", "metrics.enabled");
        listeners.push(Listener { key, because_of, name: "", host, port: Some(*port) });
    }
    let mut found = Vec::new();
    for (place, listener) in listeners.iter().enumerate() {
        let Some(earlier) = listeners[..place].iter().find(|earlier| overlap(earlier, listener)) else {
            continue;
        };
        let way_out = match listener.key {
            "metrics.listenaddr" => "choose another port, or `main` to have metrics on the server's own",
            "server.ssl.listenaddr" => "choose another path",
            _ => "choose another port",
        };
        let reason = format!("is the place where this server listens by {}: {way_out}", earlier.name);
        found.push(loaded.problem(listener.key, listener.because_of, reason));
    }
    found
}

/// Whether two listeners can't have both their addresses. Names are not looked up, but for `localhost`.
fn overlap(a: &Listener<'_>, b: &Listener<'_>) -> bool {
    if a.port != b.port || a.port == Some(0) {
        return false;
    }
    let (a, b) = (bare(a.host), bare(b.host));
    if a.eq_ignore_ascii_case(b) || a.is_empty() || b.is_empty() {
        return true;
    }
    let addresses = |host: &str| -> Vec<IpAddr> {
        if host.eq_ignore_ascii_case("localhost") {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        host.parse::<IpAddr>().map(|address| address.to_canonical()).into_iter().collect()
    };
    let is_one = |a: IpAddr, b: IpAddr| {
        // The address for all of IPv6 takes IPv4 too.
        let is_all = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
        a == b || is_all(a, b) || is_all(b, a)
    };
    addresses(a).iter().any(|&a| addresses(b).iter().any(|&b| is_one(a, b)))
}

/// A host without brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use crate::config::{Files, load};

    fn keys(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let loaded = load(&Files::Search { yaml: Vec::new(), variables: Vec::new() }, variables);
        loaded
            .err()
            .map_or_else(Vec::new, |error| error.problems.into_iter().map(|found| found.key).collect())
    }

    #[test]
    fn metrics_may_not_listen_where_the_server_does() {
        for (address, port, metrics, is_taken) in [
            ("127.0.0.1", "8080", "127.0.0.1:8080", true),
            ("", "8080", "127.0.0.1:8080", true),
            ("127.0.0.1", "8080", ":8080", true),
            ("0.0.0.0", "8080", "localhost:8080", true),
            ("::", "8080", "127.0.0.1:8080", true),
            ("[::1]", "8080", "[::1]:8080", true),
            ("push.example", "8080", "push.example:8080", true),
            ("127.0.0.1", "8080", "127.0.0.2:8080", false),
            ("0.0.0.0", "8080", "[::1]:8080", false),
            ("127.0.0.1", "8080", "127.0.0.1:8081", false),
            ("127.0.0.1", "0", "127.0.0.1:0", false),
            ("unix:/run/gotify.sock", "8080", "127.0.0.1:8080", false),
            ("127.0.0.1", "8080", "main", false),
        ] {
            let found = keys(&[
                ("GOTIFY_SERVER_LISTENADDR", address),
                ("GOTIFY_SERVER_PORT", port),
                ("GOTIFY_METRICS_ENABLED", "true"),
                ("GOTIFY_METRICS_LISTENADDR", metrics),
            ]);
            let expected = if is_taken { vec!["metrics.listenaddr"] } else { Vec::new() };
            assert_eq!(found, expected, "{address} {port} {metrics}");
        }
    }

    #[test]
    fn https_may_not_listen_where_http_does() {
        for (name, value, key) in [
            ("GOTIFY_SERVER_SSL_PORT", "80", "server.ssl.port"),
            ("GOTIFY_METRICS_LISTENADDR", ":443", "metrics.listenaddr"),
        ] {
            let found = keys(&[
                ("GOTIFY_SERVER_SSL_ENABLED", "true"),
                ("GOTIFY_METRICS_ENABLED", "true"),
                (name, value),
            ]);
            assert!(found.iter().any(|found| found == key), "{found:?}");
        }
    }
}
