//! HTTP requests where there is HTTPS: they are sent on, as by Gotify.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use hyper::header::{CONTENT_TYPE, HOST, LOCATION};
use hyper::{Method, StatusCode};
use tower::ServiceExt;

/// The port that needs no mention.
const HTTPS: u16 = 443;

/// Sends every request on to a port, but for health checks from this machine, which `router` answers: they ask for the
/// server behind the port, not for another port.
pub(super) fn to_https(router: Router, port: u16) -> Router {
    Router::new().fallback(move |request: Request| async move {
        let peer = request.extensions().get().map(|&ConnectInfo::<SocketAddr>(peer)| peer.ip());
        let is_health_check = ["/health", "/health/ready"].contains(&request.uri().path());
        if is_health_check && peer.is_some_and(|peer| peer.is_loopback()) {
            return router.oneshot(request).await.into_response();
        }
        redirect(&request, port)
    })
}

fn redirect(request: &Request, port: u16) -> Response {
    match location(request, port) {
        Some(location) if [Method::GET, Method::HEAD].contains(request.method()) => {
            (StatusCode::FOUND, [(LOCATION, location)]).into_response()
        }
        location => {
            // Where to is said too: a program shows its user no more than this text. A query may hold a token.
            let place = location.as_deref().and_then(|place| place.split('?').next());
            let text = place.map_or_else(|| "Use HTTPS".to_owned(), |place| format!("Use HTTPS: {place}"));
            let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
            (StatusCode::BAD_REQUEST, kind, text).into_response()
        }
    }
}

/// The same target at the other port. None if the request does not say where it was sent to.
fn location(request: &Request, port: u16) -> Option<String> {
    let asked = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(HOST)?.to_str().ok()?,
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match asked.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => asked,
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return None;
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    Some(match port {
        HTTPS => format!("https://{host}{target}"),
        port => format!("https://{host}:{port}{target}"),
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn at(host: &str, target: &str, port: u16) -> Option<String> {
        let request = Request::builder().uri(target).header(HOST, host);
        location(&request.body(Body::empty()).unwrap(), port)
    }

    #[test]
    fn host_and_target_stay_and_the_port_changes() {
        for (host, target, port, expected) in [
            ("push.example.com", "/message?limit=1", 443, "https://push.example.com/message?limit=1"),
            ("push.example.com:8080", "/", 8443, "https://push.example.com:8443/"),
            ("[::1]:8080", "/", 443, "https://[::1]/"),
            // Gotify cuts this one at its last colon.
            ("[::1]", "/", 443, "https://[::1]/"),
            ("ignored", "http://asked.example.com:80/x", 443, "https://asked.example.com/x"),
        ] {
            assert_eq!(at(host, target, port).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_host_leads_nowhere() {
        for host in ["", "a/b", "a@b", "a b", ":80"] {
            assert_eq!(at(host, "/", 443), None, "{host}");
        }
    }
}
