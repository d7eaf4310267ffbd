//! Routes as Gotify's router takes them.
//!
//! Exact paths are served at once. Only a request that matches none gets a second look: repeated slashes,
//! dots and escapes are resolved, and a slash too many at the end is redirected away.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{NestedPath, Request};
use axum::handler::Handler;
use axum::http::header::{ALLOW, LOCATION};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::MethodRouter;
use percent_encoding::percent_decode_str;
use tokio::time::Instant;
use tower::ServiceExt;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::ApiError;
use super::boundary::{ApiMiddleware, ApiMiddlewareLayer};
use super::external_base::ExternalBase;
use super::json::EmptyResponse;

/// Serves GET, and not HEAD, which axum would add.
pub(super) fn get_only<S>(routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.map(without_head)
}

/// Takes the HEAD away that axum adds to GET.
pub(super) fn without_head<S>(methods: MethodRouter<S>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    methods.head(unmatched)
}

/// Puts open routes and those of the API proper together, with what happens to requests that match none of them.
pub(super) fn forgiving(open: Router, guarded: Router, middleware: Arc<ApiMiddleware>) -> Router {
    let unmatched = unmatched.layer(ApiMiddlewareLayer::guarded(Arc::clone(&middleware)));
    let known = open.clone().merge(guarded.clone());
    let exact = open
        .layer(ApiMiddlewareLayer::open(Arc::clone(&middleware)))
        .merge(guarded.layer(ApiMiddlewareLayer::guarded(Arc::clone(&middleware))))
        .method_not_allowed_fallback(unmatched.clone())
        .fallback(unmatched);
    let resolving = exact.clone();
    exact.fallback(move |request| resolve(resolving, known, middleware, request))
}

/// Answers a method that the path does not have, and a path that is not there.
async fn unmatched(method: Method) -> Response {
    if method == Method::OPTIONS { EmptyResponse.into_response() } else { ApiError::NoRoute.into_response() }
}

/// Takes a second look at a path. `known` are the bare routes, to be asked what there is; it is up to `routes` to
/// answer, also that there is nothing.
async fn resolve(
    routes: Router,
    known: Router,
    middleware: Arc<ApiMiddleware>,
    mut request: Request,
) -> Response {
    let began_at = Instant::now();
    let method = request.method().clone();
    let Some(path) = resolved(request.uri().path()) else {
        return routes.oneshot(request).await.into_response();
    };
    let is_as_sent = path == request.uri().path();
    let other = match path.strip_suffix('/') {
        // Routes without a slash at the end do exist with one at times, as `/image/`.
        None if is_as_sent => Some(format!("{path}/")),
        Some(stripped) if !stripped.is_empty() && !has_route(&known, &method, &path).await => {
            Some(stripped.to_owned())
        }
        _ => None,
    };
    if let Some(other) = other {
        if let Some(location) = with_path(request.uri(), &other)
            && has_route(&known, &method, &other).await
        {
            let base = ExternalBase::of(request.headers(), request.extensions());
            let nested_at = request.extensions().get().map_or("", NestedPath::as_str);
            let response = redirect(&method, &base, nested_at.trim_end_matches('/'), &location);
            return middleware.answer(&path, began_at, response);
        }
    } else if let Some(uri) = with_path(request.uri(), &path) {
        *request.uri_mut() = uri;
    }
    routes.oneshot(request).await.into_response()
}

/// Asks the routes whether a path has a method, without running a handler.
async fn has_route(known: &Router, method: &Method, path: &str) -> bool {
    let Ok(uri) = Uri::try_from(path) else {
        return false;
    };
    let mut question = Request::new(Body::empty());
    *question.method_mut() = Method::OPTIONS;
    *question.uri_mut() = uri;
    let answer = known.clone().oneshot(question).await.into_response();
    let allowed = answer.headers().get(ALLOW).and_then(|allowed| allowed.to_str().ok()).unwrap_or_default();
    allowed.split(',').any(|allowed| allowed == method.as_str())
}

fn redirect(method: &Method, base: &ExternalBase, nested_at: &str, location: &Uri) -> Response {
    let location = format!("{}{nested_at}{location}", base.prefix);
    if method != Method::GET {
        return (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response();
    }
    let shown =
        location.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
    let page = Html(format!("<a href=\"{shown}\">Moved Permanently</a>.\n\n"));
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, location)], page).into_response()
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(target).ok().map(Uri::from)
}

/// Decodes a path, then resolves `//`, `.` and `..`. A slash at the end stays one. `None` if what comes out
/// is not a path that could be served.
fn resolved(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    if !decoded.bytes().all(|byte| byte.is_ascii_graphic()) || decoded.contains(['?', '#', '%']) {
        return None;
    }
    let mut segments = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut path = format!("/{}", segments.join("/"));
    if decoded.ends_with('/') && !segments.is_empty() {
        path.push('/');
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;
    use crate::api::ConnectionKind;

    #[test]
    fn paths_are_resolved() {
        for (path, expected) in [
            ("/message", "/message"),
            ("//message", "/message"),
            ("/./message", "/message"),
            ("/a/../message", "/message"),
            ("/../../message", "/message"),
            ("/%6Dessage", "/message"),
            ("/message//", "/message/"),
            ("/", "/"),
            ("//", "/"),
        ] {
            assert_eq!(resolved(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_would_be_no_path_is_not_resolved() {
        for path in ["/%", "/%zz", "/%0a", "/%20", "/%FF", "/%3Fx", "/%25"] {
            assert_eq!(resolved(path), None, "{path}");
        }
    }

    #[tokio::test]
    async fn a_redirect_below_a_path_stays_below_it() {
        let routes = Router::new().route("/message", get(|| async {}));
        let api = forgiving(Router::new(), routes, Arc::new(ApiMiddleware::default()));
        let app = Router::new().nest("/push/v2", api);
        let request = |prefix: &str| {
            let request = Request::builder().uri("/push/v2/message/").header("x-forwarded-prefix", prefix);
            let request = request.extension(ConnectionKind::new(false, true));
            app.clone().oneshot(request.body(Body::empty()).unwrap())
        };
        assert_eq!(request("").await.unwrap().headers()[LOCATION], "/push/v2/message");
        assert_eq!(request("/proxy").await.unwrap().headers()[LOCATION], "/proxy/push/v2/message");
    }
}
