//! Addresses to listen on.

use std::net::{IpAddr, SocketAddr};

/// Takes an IP address, a host name, `unix:` and a path, or nothing for all addresses. Says what to write instead.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() { Err("a path must follow unix:".to_owned()) } else { Ok(()) };
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    // A link-local address may name its interface: fe80::1%eth0.
    let address = bare.split('%').next().unwrap_or(bare);
    if text.is_empty() || address.parse::<IpAddr>().is_ok() || is_host_name(text) {
        return Ok(());
    }
    if text.contains("://") {
        return Err("write the address alone, without a scheme".to_owned());
    }
    let is_pair = text.parse::<SocketAddr>().is_ok()
        || text.split_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok());
    match text.rsplit_once(':') {
        Some(("", port)) if is_pair => Err(format!("write \"\" here, and {port} as the value of `port`")),
        Some((host, port)) if is_pair => Err(format!("write {host} here, and {port} as the value of `port`")),
        _ if text.starts_with('/') => Err(format!("for a Unix socket write unix:{text}")),
        _ => Err("for all addresses write \"\"".to_owned()),
    }
}

fn is_host(text: &str) -> bool {
    text.is_empty() || is_host_name(text)
}

/// Letters, digits, hyphens and dots (RFC 1123, section 2.1), and underscores, which containers' names may have.
fn is_host_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !text.is_empty() && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn addresses_names_and_sockets_are_taken() {
        for text in [
            "",
            "0.0.0.0",
            "::",
            "[::1]",
            "fe80::1%eth0",
            "localhost",
            "push_1.example.com",
            "unix:/run/a.sock",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_what_to_write() {
        for (text, instead) in [
            ("127.0.0.1:8101", "write 127.0.0.1 here, and 8101 as the value of `port`"),
            ("[::1]:8101", "write [::1] here, and 8101 as the value of `port`"),
            ("localhost:8101", "write localhost here, and 8101 as the value of `port`"),
            (":8101", "write \"\" here, and 8101 as the value of `port`"),
            ("http://localhost", "write the address alone, without a scheme"),
            ("/run/a.sock", "for a Unix socket write unix:/run/a.sock"),
            ("unix:", "a path must follow unix:"),
            ("*", "for all addresses write \"\""),
        ] {
            assert_eq!(check(text), Err(instead.to_owned()), "{text}");
        }
    }
}
