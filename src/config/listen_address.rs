//! Addresses to listen on.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::net as unix;

/// Takes an IP address, a host name, `unix:` and a path, or nothing for all addresses. Says what to write instead.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return check_path(path);
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

/// Whether a socket can have its file there, as far as the path says.
fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("a path must follow unix:".to_owned());
    }
    if path.starts_with('@') {
        return Err("sockets without a file are not supported, write the path of one".to_owned());
    }
    if unix::SocketAddr::from_pathname(path).is_err() {
        return Err(format!("the path of a socket may have 107 bytes on Linux, not {}", path.len()));
    }
    Ok(())
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
            format!("unix:/{}", "a".repeat(106)).as_str(),
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
            ("unix:@gotify", "sockets without a file are not supported, write the path of one"),
            (
                format!("unix:/{}", "a".repeat(107)).as_str(),
                "the path of a socket may have 107 bytes on Linux, not 108",
            ),
            ("*", "for all addresses write \"\""),
        ] {
            assert_eq!(check(text), Err(instead.to_owned()), "{text}");
        }
    }
}
