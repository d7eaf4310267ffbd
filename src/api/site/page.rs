//! The files of the web page.
//!
//! Their names in `assets` have a hash of the content in them, so a browser keeps them for good. It asks each time whether
//! the others have changed. All paths in them are relative, so that the page works below any path of a proxy.

use axum::Router;
use axum::extract::NestedPath;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::api::external_base::ExternalBase;
use crate::api::routing::without_head;
use crate::api::{ApiError, AppState};
use crate::ui::{FILES, File};

/// What the page may load and do (Content Security Policy Level 3). Pictures of messages come from anywhere, and only
/// after a click. Whatever a message brings, no script of it runs, no text becomes markup, and nothing is sent to another
/// host.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: http: https:; \
     connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'none'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

/// What the document may do that sends the HTTP requests of action buttons. It has an origin of its own, so it reaches
/// neither the page nor the session, and it can do nothing but talk to other hosts.
const ACTION_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; connect-src http: https:; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'self'; sandbox allow-scripts",
);

pub(super) fn router() -> Router<AppState> {
    FILES.iter().fold(Router::new(), |router, file| {
        let serve = without_head(get(move |headers: HeaderMap| async move { answer(file, &headers) }));
        let router = router.route(&format!("/{}", file.path), serve);
        if file.path != "index.html" {
            return router;
        }
        let page = move |headers: HeaderMap, extensions: Extensions| async move {
            elsewhere(&headers, &extensions).unwrap_or_else(|| answer(file, &headers))
        };
        router.route("/", without_head(get(page)))
    })
}

/// Sends a browser on, if this router is nested at a path: it may have left out the slash at the end, without which
/// relative paths miss their files.
fn elsewhere(headers: &HeaderMap, extensions: &Extensions) -> Option<Response> {
    let nested_at = extensions.get::<NestedPath>()?.as_str().trim_end_matches('/');
    let base = ExternalBase::of(headers, extensions);
    let location = format!("{}{nested_at}/index.html", base.prefix);
    Some((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response())
}

fn answer(file: &'static File, headers: &HeaderMap) -> Response {
    let caching = if file.never_changes() { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if is_known(file, headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        match content(file, headers) {
            Ok(response) => response,
            Err(error) => return error.into_response(),
        }
    };
    let set = |(name, value): (HeaderName, HeaderValue)| {
        response.headers_mut().insert(name, value);
    };
    [
        (ETAG, HeaderValue::from_static(file.tag)),
        (CACHE_CONTROL, HeaderValue::from_static(caching)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CONTENT_SECURITY_POLICY, if file.path == "action.html" { ACTION_POLICY } else { POLICY }),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ]
    .into_iter()
    .for_each(set);
    response
}

fn content(file: &'static File, headers: &HeaderMap) -> Result<Response, ApiError> {
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(file.content_type))];
    if file.is_gzip && accepts_gzip(headers) {
        return Ok((kind, [(CONTENT_ENCODING, "gzip")], file.bytes).into_response());
    }
    match file.plain() {
        Ok(plain) => Ok((kind, plain).into_response()),
        Err(error) => {
            tracing::error!(%error, "failed to decompress `{}`, which is part of this program", file.path);
            Err(ApiError::Internal)
        }
    }
}

/// Whether the browser has the file as it is (RFC 9110, section 13.1.2).
fn is_known(file: &File, headers: &HeaderMap) -> bool {
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == file.tag.trim_start_matches("W/"))
}

/// Whether gzip is named, and not refused (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_gzip && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_accepted_where_it_is_named_and_not_refused() {
        for value in ["gzip", "br, GZIP;q=0.5", "deflate, gzip ; q=1"] {
            assert!(accepts_gzip(&accepting(value)), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"] {
            assert!(!accepts_gzip(&accepting(value)), "{value}");
        }
    }
}
