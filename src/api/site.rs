//! What a browser asks for: the web page, and `/static`, where apps find the picture of applications that have none.

#[cfg(not(feature = "ui"))]
#[path = "site/no_page.rs"]
mod page;
#[cfg(feature = "ui")]
mod page;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use super::AppState;
use super::routing::without_head;

/// The picture of applications that have none of their own.
const DEFAULT_PICTURE: &[u8] = include_bytes!("../../assets/defaultapp.png");

const NO_SNIFF: (HeaderName, &str) = (X_CONTENT_TYPE_OPTIONS, "nosniff");

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .merge(page::router())
        .route("/static/defaultapp.png", without_head(get(default_picture)))
        .route("/static/", without_head(get(no_such_file)))
        .route("/static/{*file}", without_head(get(no_such_file)))
}

async fn default_picture() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "public, max-age=86400"), NO_SNIFF];
    (headers, DEFAULT_PICTURE)
}

async fn no_such_file() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), NO_SNIFF];
    (StatusCode::NOT_FOUND, headers, "404 page not found\n")
}
