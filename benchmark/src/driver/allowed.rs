//! Where load may go: nothing on the bus can turn a driver against others.

use std::{fmt, net::SocketAddr, str::FromStr};

/// A host that may be loaded, with any port or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    host: String,
    port: Option<u16>,
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is not `HOST` or `HOST:PORT`, such as `10.0.0.7:8080` or `[::1]:80`");
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { host: address.ip().to_string(), port: Some(address.port()) });
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<std::net::IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: None });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let is_name = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if is_name(host) { Ok(Self { host: host.to_ascii_lowercase(), port }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(formatter, "{}:{port}", self.host),
            None => formatter.write_str(&self.host),
        }
    }
}

/// Checks that a host, which resolved to this address, may be loaded: loopback always, others if they are listed by
/// the name that the test uses.
///
/// # Errors
///
/// Names the target, what is allowed, and how to allow more.
pub(crate) fn check(allowed: &[Allowed], host: &str, address: SocketAddr) -> Result<(), String> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let listed = |entry: &Allowed| entry.host == host && entry.port.is_none_or(|port| port == address.port());
    if address.ip().is_loopback() || allowed.iter().any(listed) {
        return Ok(());
    }
    let mut list = vec!["loopback".to_owned()];
    list.extend(allowed.iter().map(ToString::to_string));
    Err(format!(
        "the target `{host}:{}` is not allowed here, only {}; `--allow {host}` would allow it",
        address.port(),
        list.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_allowed_and_others_only_by_name() {
        let local = "127.0.0.1:80".parse().unwrap();
        let other = "10.1.2.3:80".parse().unwrap();
        assert!(check(&[], "localhost", local).is_ok());
        let error = check(&[], "example.org", other).unwrap_err();
        assert!(error.contains("`example.org:80`") && error.contains("--allow example.org"), "{error}");
        for entry in ["Example.org", "example.org:80"] {
            assert!(check(&[entry.parse().unwrap()], "EXAMPLE.org", other).is_ok(), "{entry}");
        }
        for entry in ["example.org:81", "org", "10.1.2.3"] {
            assert!(check(&[entry.parse().unwrap()], "example.org", other).is_err(), "{entry}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "a b", "a:b", "a:70000", "http://a"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
        assert_eq!("[::1]".parse::<Allowed>().unwrap().to_string(), "::1");
    }
}
