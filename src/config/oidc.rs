//! Logging in through an identity provider.

use axum::http::Uri;
use secrecy::SecretString;

use super::declare::section;
use super::{features, secret};

section! {
    /// Logging in through an identity provider (OpenID Connect), in builds with the feature `oidc`.
    pub struct OidcSection at "oidc." {
        /// Whether users may log in through the provider.
        enabled: bool = false;
        /// The provider's URL, exactly as the provider itself writes it.
        issuer: String = "";
        /// The id that the provider has given to this server.
        clientid: String = "";
        /// The secret that belongs to the id; empty if the provider wants none.
        #[serde(with = "secret")]
        clientsecret: SecretString = "";
        /// The URL to which the provider sends browsers back: this server's /auth/oidc/callback.
        redirecturl: String = "";
        /// The claim that holds the user name.
        usernameclaim: String = "preferred_username";
        /// Whether a user is created for everybody who logs in through the provider.
        autoregister: bool = true;
        /// Whether a person at the provider may log in as the user of the same name here. Turn it on only if nobody can
        /// choose a name at the provider that is another person's name here.
        link_by_username: bool = false;
        /// What the provider is asked for.
        scopes: Vec<String> = ["openid", "profile", "email"];
    }
}

impl OidcSection {
    /// Lists what keeps it from being used: the key, and why.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        if !self.enabled {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut problem = |key, reason: &str| found.push((key, reason.to_owned()));
        if !cfg!(feature = "oidc") {
            problem("oidc.enabled", &features::not_built("oidc"));
        }
        if !is_url(&self.issuer) || self.issuer.contains('#') {
            problem(
                "oidc.issuer",
                "must be an http or https URL without a fragment while oidc.enabled is true",
            );
        }
        if self.clientid.is_empty() {
            problem("oidc.clientid", "must not be empty while oidc.enabled is true");
        }
        if !is_url(&self.redirecturl) {
            let reason = "must be an http or https URL while oidc.enabled is true, such as \
                          https://push.example.com/auth/oidc/callback";
            problem("oidc.redirecturl", reason);
        } else if !is_callback(&self.redirecturl) {
            let reason = "must end with /auth/oidc/callback, where this server waits for browsers, such as \
                          https://push.example.com/auth/oidc/callback";
            problem("oidc.redirecturl", reason);
        }
        if self.usernameclaim.is_empty() {
            problem("oidc.usernameclaim", "must not be empty while oidc.enabled is true");
        }
        found
    }
}

/// Whether browsers come to the route of this server. A proxy may have put something before it.
fn is_callback(url: &str) -> bool {
    Uri::try_from(url).is_ok_and(|url| url.path().ends_with("/auth/oidc/callback")) && !url.contains('#')
}

fn is_url(text: &str) -> bool {
    let Ok(url) = Uri::try_from(text.split('#').next().unwrap_or_default()) else { return false };
    matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_needs_urls_and_names() {
        assert_eq!(OidcSection { issuer: "x".to_owned(), ..OidcSection::default() }.problems(), []);
        let nothing = OidcSection { enabled: true, usernameclaim: String::new(), ..OidcSection::default() };
        let keys: Vec<&str> = nothing.problems().iter().map(|(key, _)| *key).collect();
        let expected = ["oidc.issuer", "oidc.clientid", "oidc.redirecturl", "oidc.usernameclaim"];
        assert_eq!(
            keys.iter().filter(|key| **key != "oidc.enabled").collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
    }

    #[test]
    fn browsers_come_back_to_the_route_of_this_server() {
        for (url, is_right) in [
            ("https://push.example.com/auth/oidc/callback", true),
            ("https://example.com/push/auth/oidc/callback", true),
            ("http://localhost/foo", false),
            ("http://localhost", false),
            ("http://localhost/auth/oidc/callback/", false),
            ("http://localhost/auth/oidc/callback#top", false),
        ] {
            let section = OidcSection {
                enabled: true,
                issuer: "https://id.example".to_owned(),
                clientid: "push".to_owned(),
                redirecturl: url.to_owned(),
                ..OidcSection::default()
            };
            let is_named = section.problems().iter().any(|(key, _)| *key == "oidc.redirecturl");
            assert_eq!(is_named, !is_right, "{url}");
        }
    }

    #[test]
    fn urls_are_told_from_other_texts() {
        for text in ["https://id.example", "http://127.0.0.1:9000/realms/a", "https://id.example/"] {
            assert!(is_url(text), "{text}");
        }
        for text in ["", "id.example", "/callback", "ftp://id.example", "https://"] {
            assert!(!is_url(text), "{text}");
        }
    }

    #[test]
    fn the_client_secret_is_never_shown() {
        let section = OidcSection { clientsecret: "hunter2".to_owned().into(), ..OidcSection::default() };
        assert!(!format!("{section:?}").contains("hunter2"));
        assert!(serde_json::to_string(&section).unwrap().contains(r#""clientsecret":"[masked]""#));
    }
}
