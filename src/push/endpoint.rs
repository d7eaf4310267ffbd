//! Which endpoints are sent to.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;

/// Says which endpoints are sent to: HTTPS at public addresses, and the hosts that the configuration allows. As the resolver
/// of the HTTP client it looks at each address just before a connection is made, so that a name can't mean another address by then.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointPolicy {
    /// In lower case, without brackets.
    allowed_hosts: Arc<HashSet<String>>,
}

/// Why nothing is sent to an endpoint. Its text goes on after the name of the field, and has no part of the URL but the
/// host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error("must be an https URL, as in https://push.example/abc")]
    NoUrl,
    #[error("must not have a name or a password in it")]
    HasCredentials,
    #[error(
        "must be at a public address, and {0} is none; the configuration of the server may allow it \
         (push.allowedhosts)"
    )]
    NotPublic(IpAddr),
}

/// A name has no public address.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name has no public address; the configuration of the server may allow its host (push.allowedhosts)"
)]
pub(super) struct NoPublicAddress;

impl EndpointPolicy {
    pub(super) fn new(allowed_hosts: &[String]) -> Self {
        Self { allowed_hosts: Arc::new(allowed_hosts.iter().map(|host| plain(host)).collect()) }
    }

    /// Looks whether an endpoint may be sent to. A name is looked up only when something is sent.
    pub(super) fn check(&self, endpoint: &str) -> Result<Url, EndpointError> {
        let url = Url::parse(endpoint).map_err(|_| EndpointError::NoUrl)?;
        let is_allowed = self.allows(url.host_str().unwrap_or_default());
        if !(url.scheme() == "https" || url.scheme() == "http" && is_allowed) {
            return Err(EndpointError::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::HasCredentials);
        }
        // Addresses are not asked of a resolver. Forms such as `0x7f.1` are addresses by now.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(EndpointError::NoUrl),
        };
        match address.filter(|address| !is_allowed && !is_public(*address)) {
            Some(address) => Err(EndpointError::NotPublic(address)),
            None => Ok(url),
        }
    }

    fn allows(&self, host: &str) -> bool {
        self.allowed_hosts.contains(&plain(host))
    }
}

/// A host as it is compared.
fn plain(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase()
}

impl Resolve for EndpointPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let is_allowed = self.allows(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> =
                found.filter(|address| is_allowed || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_at_public_https_addresses() {
        let policy = EndpointPolicy::default();
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://updates.push.services.mozilla.com:8443/wpush/v2/abc?a=b",
            "https://1.1.1.1/a",
            "https://[2606:4700::1111]/a",
        ] {
            assert!(policy.check(good).is_ok(), "{good}");
        }
        let ip = |text: &str| EndpointError::NotPublic(text.parse().unwrap());
        for (bad, expected) in [
            ("", EndpointError::NoUrl),
            ("fcm.googleapis.com", EndpointError::NoUrl),
            ("http://fcm.googleapis.com/a", EndpointError::NoUrl),
            ("file:///etc/passwd", EndpointError::NoUrl),
            ("https:///", EndpointError::NoUrl),
            ("https://user@push.example/a", EndpointError::HasCredentials),
            ("https://:pass@push.example/a", EndpointError::HasCredentials),
            ("https://127.0.0.1/a", ip("127.0.0.1")),
            ("https://2130706433/a", ip("127.0.0.1")),
            ("https://0x7f.1/a", ip("127.0.0.1")),
            ("https://[::1]:8443/a", ip("::1")),
            ("https://[::ffff:10.0.0.1]/a", ip("::ffff:10.0.0.1")),
            ("https://169.254.169.254/latest", ip("169.254.169.254")),
        ] {
            assert_eq!(policy.check(bad), Err(expected), "{bad}");
        }
    }

    #[test]
    fn hosts_that_are_allowed_may_be_anywhere_and_speak_http() {
        let allowed = ["Push.Internal", "127.0.0.1", "[fd00::1]"].map(str::to_owned);
        let policy = EndpointPolicy::new(&allowed);
        for good in [
            "http://push.internal:9000/a",
            "https://push.internal./a",
            "http://127.0.0.1/a",
            "http://[fd00::1]/a",
        ] {
            assert!(policy.check(good).is_ok(), "{good}");
        }
        for bad in ["http://127.0.0.2/a", "http://a.push.internal/a", "https://10.0.0.1/a"] {
            assert!(policy.check(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_to_public_addresses_alone() {
        let resolve = |policy: EndpointPolicy| async move {
            let resolved = policy.resolve("localhost".parse().unwrap()).await;
            resolved.map(Iterator::count).map_err(|error| error.to_string())
        };
        assert_eq!(resolve(EndpointPolicy::default()).await, Err(NoPublicAddress.to_string()));
        let allowing = EndpointPolicy::new(&["localhost".to_owned()]);
        assert!(resolve(allowing).await.unwrap() > 0);
    }
}
