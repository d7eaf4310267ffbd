//! Messages to browsers by Web Push.

use axum::http::Uri;

use super::declare::section;
#[cfg(feature = "push")]
use crate::push::PushConfig;

section! {
    /// Messages to browsers by Web Push, also while the page is closed, in builds with the feature `push`.
    pub struct PushSection at "push." {
        /// Whether browsers may subscribe. The server then talks to the push services that they name.
        enabled: bool = true;
        /// Whom push services may write to about this server: `mailto:` and an address, or an https URL. Apple's takes no
        /// messages without it.
        subject: String = "";
        /// Hosts of push services that may have any address, and may be spoken to by plain HTTP. All others must have HTTPS
        /// and a public address.
        allowedhosts: Vec<String> = [];
    }
}

impl PushSection {
    /// Lists what keeps it from being used: the key, and why.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if !self.subject.is_empty() && !is_contact(&self.subject) {
            let reason =
                "must be `mailto:` and an address, such as mailto:admin@example.com, or an https URL";
            found.push(("push.subject", reason.to_owned()));
        }
        for host in self.allowedhosts.iter().filter(|host| !is_host(host)) {
            let reason =
                format!("`{host}` is no host: write a name or an address alone, such as push.example.com");
            found.push(("push.allowedhosts", reason));
        }
        found
    }

    /// Returns how messages are pushed, if they are.
    #[cfg(feature = "push")]
    pub(super) fn config(&self) -> Option<PushConfig> {
        let subject = (!self.subject.is_empty()).then(|| self.subject.clone());
        let config =
            PushConfig::default().with_subject(subject).with_allowed_hosts(self.allowedhosts.clone());
        self.enabled.then_some(config)
    }
}

fn is_contact(text: &str) -> bool {
    if let Some(address) = text.strip_prefix("mailto:") {
        return address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && is_host(host));
    }
    let url = Uri::try_from(text).ok();
    url.is_some_and(|url| {
        url.scheme_str() == Some("https") && url.host().is_some_and(|host| !host.is_empty())
    })
}

/// A name, or an address, which may have colons.
fn is_host(text: &str) -> bool {
    let is_address = text.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok();
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    is_address || !text.is_empty() && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_and_hosts_that_are_none_are_named() {
        let keys = |subject: &str, host: &str| {
            let section = PushSection {
                subject: subject.to_owned(),
                allowedhosts: vec![host.to_owned()],
                ..PushSection::default()
            };
            section.problems().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        for subject in ["", "mailto:admin@example.com", "https://push.example.com/contact"] {
            for host in ["push.internal", "127.0.0.1", "::1", "[::1]"] {
                assert_eq!(keys(subject, host), [""; 0], "{subject} {host}");
            }
        }
        for subject in [
            "admin@example.com",
            "mailto:admin",
            "mailto:@example.com",
            "http://push.example.com",
            "https://",
        ] {
            assert_eq!(keys(subject, "a"), ["push.subject"], "{subject}");
        }
        for host in ["", "https://push.internal", "push.internal:8080", "push.internal/a", "a b"] {
            assert_eq!(keys("", host), ["push.allowedhosts"], "{host}");
        }
    }
}
