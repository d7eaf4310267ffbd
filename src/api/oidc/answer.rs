//! What a browser sees of a login.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse, Response};

use super::super::ApiError;
use super::begun::random_text;

/// Why a login did not go on, as plain text: that is what Gotify answers browsers with.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    text: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        Self::new(error.status(), error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
        (self.status, headers, format!("{}\n", self.text)).into_response()
    }
}

/// A page that says that the session is elevated, and closes itself where the browser lets it.
pub(super) fn elevated_page() -> Response {
    let nonce = random_text(16);
    let policy = format!("default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors 'none'");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Session elevated</title>\n\
         <p>The session is elevated. This page can be closed.</p>\n\
         <script nonce=\"{nonce}\">window.close();</script>\n"
    );
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}
