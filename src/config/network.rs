//! Addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads `10.0.0.0/8` or a single address. IPv4 in IPv6 counts as IPv4.
pub(super) fn parse(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if text.contains('/') {
        return text.parse().ok();
    }
    text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(parse("127.0.0.1").unwrap().to_string(), "127.0.0.1/32");
        assert_eq!(parse(" ::1 ").unwrap().to_string(), "::1/128");
        assert_eq!(parse("10.0.0.0/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(parse("::ffff:10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        for text in ["", "10.0.0", "10.0.0.0/33", "proxy.example.com"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
