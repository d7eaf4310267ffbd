//! Where the requests of a test of the specification go.

use std::net::{SocketAddr, ToSocketAddrs};

use axum::http::Uri;

use super::allowed::{self, Allowed};

/// A plain HTTP target, looked up and allowed.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// What `Host` says.
    pub(super) authority: String,
    pub(super) path: String,
}

impl Target {
    /// Looks a target up. Waits for the resolver.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, or that it is not allowed.
    pub(super) fn look_up(url: &str, allowed: &[Allowed]) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("the target `{url}` {why}; an example is `http://127.0.0.1:8080/ping`");
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("is no URL: {error}")))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("does not begin with `http://`, which is all that these tests send"));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("has no host"))?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        if authority.contains('@') {
            return Err("the target's URL holds a user or password, which these tests do not send".to_owned());
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = (bare, uri.port_u16().unwrap_or(80)).to_socket_addrs();
        let address = found
            .map_err(|error| wrong(&format!("can't be looked up: {error}")))?
            .next()
            .ok_or_else(|| wrong("has no address"))?;
        allowed::check(allowed, host, address)?;
        let path = uri.path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str).to_owned();
        Ok(Self { address, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_plain_url_that_is_allowed() {
        let target = Target::look_up("http://127.0.0.1:81/a?b=c", &[]).unwrap();
        assert_eq!((target.address.port(), target.path.as_str()), (81, "/a?b=c"));
        for (url, part) in [
            ("ftp://127.0.0.1/", "does not begin with `http://`"),
            ("127.0.0.1", "does not begin"),
            ("http://user:secret@127.0.0.1/", "user or password"),
            ("http://10.0.0.1/", "is not allowed here"),
            ("http:///x", "is no URL"),
        ] {
            let error = Target::look_up(url, &[]).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
        }
    }
}
