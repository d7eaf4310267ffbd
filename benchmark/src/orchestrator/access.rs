//! Who may start load, and from which pages.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

use super::{Shared, rest::RestError};

/// Who may do what.
pub(super) struct Access {
    token: String,
    origins: Vec<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Access").field("origins", &self.origins).finish_non_exhaustive()
    }
}

impl Access {
    pub(super) fn new(token: String, origins: Vec<String>) -> Self {
        Self { token, origins }
    }

    /// Returns whether this is the token. Takes as long for each wrong one of its length.
    pub(super) fn knows(&self, token: &str) -> bool {
        let (own, other) = (self.token.as_bytes(), token.as_bytes());
        own.len() == other.len() && own.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }

    /// Checks `Authorization: Bearer TOKEN`.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), RestError> {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        match token {
            Some(token) if self.knows(token) => Ok(()),
            Some(_) => Err(RestError::new(StatusCode::UNAUTHORIZED, "the token is wrong")),
            None => Err(RestError::new(
                StatusCode::UNAUTHORIZED,
                "this needs the header `Authorization: Bearer TOKEN`, with the orchestrator's token",
            )),
        }
    }

    /// Returns whether a page of this origin may use the interface: the orchestrator's own, and those configured.
    pub(super) fn allows(&self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let own = host.and_then(|host| host.to_str().ok());
        let is_own = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == own);
        is_own || self.origins.iter().any(|allowed| allowed == origin)
    }
}

/// Answers preflights, lets configured origins read answers, and refuses requests of other pages that change something.
pub(super) async fn cross_origin(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let is_allowed = shared.access.allows(&origin, request.headers().get(header::HOST));
    if !is_allowed && request.method() != Method::GET {
        let text =
            format!("pages of the origin `{}` may not use this interface", origin.to_str().unwrap_or("?"));
        return RestError::new(StatusCode::FORBIDDEN, text).into_response();
    }
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if is_allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            let methods = HeaderValue::from_static("GET, POST, DELETE");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let allowed = HeaderValue::from_static("authorization, content-type");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
    }
    response
}
