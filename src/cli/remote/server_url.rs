//! The URL of a server.

use std::fmt;

use hyper::Uri;

use crate::config::not_built;

/// Where a server is: `https://push.example.com/gotify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUrl {
    /// Whether it is HTTPS.
    pub(super) is_secure: bool,
    /// A name or an address; an IPv6 address has no brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as they were written, for the header `Host`.
    pub(super) authority: String,
    /// What stands before `/message`, without a slash at its end.
    base_path: String,
}

/// A text that is no URL of a server.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum UrlError {
    #[error("`{text}` is not the URL of a server, such as https://push.example.com")]
    Invalid { text: String },
    #[error("`{text}` does not begin with https:// or http://: write `{suggestion}`")]
    Scheme { text: String, suggestion: String },
    #[error("the URL of a server has no user name or password in it: a token says who is asking")]
    User,
    #[error("the URL of a server has no `?`: write it as {suggestion}")]
    Query { suggestion: String },
    #[error("`{text}` can't be reached: {}", not_built("tls"))]
    NoTls { text: String },
}

impl ServerUrl {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if !text.contains("://") && !text.is_empty() {
            return Err(UrlError::Scheme { text: text.to_owned(), suggestion: format!("https://{text}") });
        }
        let invalid = || UrlError::Invalid { text: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid());
        };
        // It may hold a password, and is not repeated.
        if authority.as_str().contains('@') {
            return Err(UrlError::User);
        }
        let is_secure = match scheme {
            "https" => true,
            "http" => false,
            other => {
                let rest = &text[other.len()..];
                let meant = if other == "ws" { "http" } else { "https" };
                return Err(UrlError::Scheme { text: text.to_owned(), suggestion: format!("{meant}{rest}") });
            }
        };
        let base_path = uri.path().trim_end_matches('/').to_owned();
        // A query may hold a token, and is not repeated.
        if uri.query().is_some() {
            let suggestion = format!("{scheme}://{authority}{base_path}");
            return Err(UrlError::Query { suggestion });
        }
        if is_secure && !cfg!(feature = "tls") {
            return Err(UrlError::NoTls { text: text.to_owned() });
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        // `Authority::port` has none for a number that is too large.
        let port = match authority.as_str().strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
            Some(port) => port.parse().map_err(|_| invalid())?,
            None if is_secure => 443,
            None => 80,
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { is_secure, host, port, authority: authority.to_string(), base_path })
    }

    /// Returns the path of a request: `/gotify/message` for `/message`.
    pub(super) fn path(&self, path: &str) -> String {
        [&self.base_path, path].concat()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_and_a_path_before_the_routes() {
        for (text, host, port, path) in [
            ("http://localhost", "localhost", 80, "/message"),
            ("http://localhost:8080/", "localhost", 8080, "/message"),
            (" http://127.0.0.1:1/gotify/ ", "127.0.0.1", 1, "/gotify/message"),
            ("http://[::1]:8080", "::1", 8080, "/message"),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!((url.host.as_str(), url.port, url.path("/message").as_str()), (host, port, path));
            assert_eq!(url.to_string(), text.trim().trim_end_matches('/'));
        }
        assert_eq!(
            ServerUrl::parse("https://a").map(|url| url.port).ok(),
            cfg!(feature = "tls").then_some(443)
        );
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_with_what_would_be_right() {
        for (text, said) in [
            ("", "`` is not the URL of a server"),
            ("localhost:8080", "write `https://localhost:8080`"),
            ("push.example.com", "write `https://push.example.com`"),
            ("wss://push.example.com/a", "write `https://push.example.com/a`"),
            ("ws://localhost:80", "write `http://localhost:80`"),
            ("http://", "`http://` is not the URL of a server"),
            ("http://localhost:99999", "is not the URL of a server"),
            ("http://localhost/?token=A", "write it as http://localhost"),
        ] {
            let error = ServerUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_or_a_token_in_a_url_is_not_repeated() {
        for text in ["http://admin:hunter2@localhost", "http://localhost/?token=hunter2"] {
            assert!(!ServerUrl::parse(text).unwrap_err().to_string().contains("hunter2"));
        }
    }
}
