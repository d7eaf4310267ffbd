//! Logging in through an identity provider.

use axum::http::Uri;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::secret;

/// `oidc`: OpenID Connect, as Gotify 3 has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OidcSection {
    /// Whether users may log in through the provider. Default false.
    pub enabled: bool,
    /// The provider's URL, as it calls itself. Default empty.
    pub issuer: String,
    /// What the provider calls this server. Default empty.
    pub clientid: String,
    /// The password that goes with it. Default empty: the provider wants none.
    #[serde(with = "secret")]
    pub clientsecret: SecretString,
    /// The URL that the provider sends browsers back to: this server's `/auth/oidc/callback`. Default empty.
    pub redirecturl: String,
    /// The claim that holds a user's name. Default `preferred_username`.
    pub usernameclaim: String,
    /// Whether whoever the provider knows gets a user. Default true.
    pub autoregister: bool,
    /// Whether whoever goes by the name of a user at the provider is that user. Default false.
    pub link_by_username: bool,
    /// What the provider is asked for. Default `openid`, `profile` and `email`.
    pub scopes: Vec<String>,
}

impl Default for OidcSection {
    fn default() -> Self {
        Self {
            enabled: false,
            issuer: String::new(),
            clientid: String::new(),
            clientsecret: SecretString::default(),
            redirecturl: String::new(),
            usernameclaim: "preferred_username".to_owned(),
            autoregister: true,
            link_by_username: false,
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        }
    }
}

impl OidcSection {
    /// Lists what keeps it from being used: the key, and why.
    pub(super) fn problems(&self) -> Vec<(&'static str, &'static str)> {
        if !self.enabled {
            return Vec::new();
        }
        let mut found = Vec::new();
        if !cfg!(feature = "oidc") {
            found.push(("oidc.enabled", "this program was built without the feature `oidc`"));
        }
        if !is_url(&self.issuer) || self.issuer.contains('#') {
            found.push(("oidc.issuer", "must be an http or https URL without a fragment"));
        }
        if self.clientid.is_empty() {
            found.push(("oidc.clientid", "must not be empty while oidc.enabled is true"));
        }
        if !is_url(&self.redirecturl) {
            found.push(("oidc.redirecturl", "must be an http or https URL"));
        }
        if self.usernameclaim.is_empty() {
            found.push(("oidc.usernameclaim", "must not be empty while oidc.enabled is true"));
        }
        found
    }
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
