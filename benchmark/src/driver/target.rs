//! Where load goes: looked up, allowed, and ready to be sent to.

use std::{
    fmt::Write as _,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};

use axum::http::Method;

use super::allowed::{self, Allowed};
use crate::{
    client::{sender::Endpoint, transport::Tls},
    peer::Peer,
    plan::target::{HttpTarget, ServerTarget, parse_url},
};

/// A request over HTTP, as it is sent.
#[derive(Debug, Clone)]
pub(super) struct HttpWork {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) request: Vec<u8>,
    /// The right status; without it each from 200 to 299.
    pub(super) expect: Option<u16>,
}

impl HttpWork {
    /// Looks a target up. Waits for the resolver.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, or that it is not allowed.
    pub(super) fn look_up(target: &HttpTarget, allowed: &[Allowed]) -> Result<Self, String> {
        let HttpTarget { url, method, headers, body, expect, closes, ca } = target;
        let uri = parse_url(url)?;
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let (tls, port) = match uri.scheme_str() {
            Some("https") => (Some(Tls::new(bare, ca.as_deref())?), 443),
            _ => (None, 80),
        };
        let address = resolve(url, bare, uri.port_u16().unwrap_or(port), allowed)?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut request = format!("{method} {slash}{path} HTTP/1.1\r\n");
        let has = |wanted: &str| headers.iter().any(|(name, _)| name == wanted);
        if !has("host") {
            let _ = write!(request, "host: {authority}\r\n");
        }
        if !has("user-agent") {
            request.push_str("user-agent: shardcast-bench\r\n");
        }
        if *closes {
            request.push_str("connection: close\r\n");
        }
        let takes_body = !matches!(*method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
        if !body.is_empty() || takes_body {
            let _ = write!(request, "content-length: {}\r\n", body.len());
        }
        let mut request = request.into_bytes();
        for (name, value) in headers {
            request.extend_from_slice(name.as_str().as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(value.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body.as_bytes());
        let endpoint = Endpoint {
            address,
            tls,
            keep_alive: !closes,
            is_safe: method.is_idempotent(),
            to_head: method == Method::HEAD,
            wants_id: false,
        };
        Ok(Self { endpoint: Arc::new(endpoint), request, expect: *expect })
    }
}

/// Looks a notification server up. Waits for the resolver.
///
/// # Errors
///
/// Says what is wrong with it, or that it is not allowed.
pub(super) fn look_up_server(target: &ServerTarget, allowed: &[Allowed]) -> Result<Peer, String> {
    let url = &target.server;
    let uri = parse_url(url)?;
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = resolve(url, bare, uri.port_u16().unwrap_or(80), allowed)?;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    Ok(Peer::at(address, authority, uri.path().trim_end_matches('/').to_owned()))
}

fn resolve(url: &str, host: &str, port: u16, allowed: &[Allowed]) -> Result<SocketAddr, String> {
    let found = (host, port).to_socket_addrs();
    let address = found
        .map_err(|error| wrong(url, &format!("can't be looked up: {error}")))?
        .next()
        .ok_or_else(|| wrong(url, "has no address"))?;
    allowed::check(allowed, host, address)?;
    Ok(address)
}

fn wrong(url: &str, why: &str) -> String {
    format!("the target `{url}` {why}; an example is `http://127.0.0.1:8080/health`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(url: &str) -> Result<HttpWork, String> {
        HttpWork::look_up(&HttpTarget { url: url.to_owned(), ..HttpTarget::default() }, &[])
    }

    #[test]
    fn a_target_is_a_url_that_is_allowed() {
        let work = look_up("http://127.0.0.1:81/a?b=c").unwrap();
        assert_eq!(work.endpoint.address.port(), 81);
        assert!(work.endpoint.is_safe && work.endpoint.keep_alive && work.endpoint.tls.is_none());
        let request = String::from_utf8(work.request).unwrap();
        assert_eq!(
            request,
            "GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:81\r\nuser-agent: shardcast-bench\r\n\r\n"
        );
        assert!(look_up("https://localhost/").unwrap().endpoint.tls.is_some());
        for (url, part) in [
            ("ftp://127.0.0.1/", "does not begin with `http://`"),
            ("127.0.0.1", "does not begin"),
            ("http://user:secret@127.0.0.1/", "user or password"),
            ("http://10.0.0.1/", "is not allowed here"),
            ("https://10.0.0.1/", "is not allowed here"),
            ("http:///x", "is no URL"),
        ] {
            let error = look_up(url).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn a_body_has_its_length_and_own_headers_win() {
        let headers = [("host", "a.example"), ("user-agent", "x"), ("x-y", "z")]
            .map(|(name, value)| (name.parse().unwrap(), axum::http::HeaderValue::from_static(value)));
        let target = HttpTarget {
            url: "http://127.0.0.1".to_owned(),
            method: Method::POST,
            headers: headers.to_vec(),
            body: "hello".to_owned(),
            closes: true,
            ..HttpTarget::default()
        };
        let work = HttpWork::look_up(&target, &[]).unwrap();
        assert!(!work.endpoint.is_safe && !work.endpoint.keep_alive);
        assert_eq!(
            String::from_utf8(work.request).unwrap(),
            "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 5\r\n\
             host: a.example\r\nuser-agent: x\r\nx-y: z\r\n\r\nhello"
        );
    }
}
