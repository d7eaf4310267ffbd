//! `/`, `/manifest.json` and `/static`: what a browser asks for, and apps that show pictures. There is no web UI yet.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse};
use axum::routing::get;

use super::routing::without_head;
use super::{ApiSettings, AppState};

/// The picture of applications that have none of their own.
const DEFAULT_PICTURE: &[u8] = include_bytes!("../../assets/defaultapp.png");

const MANIFEST: &str = r#"{"name":"Shardcast","short_name":"Shardcast","start_url":".","display":"browser","icons":[{"src":"static/defaultapp.png","type":"image/png","sizes":"256x256"}]}"#;

const NO_SNIFF: (HeaderName, &str) = (X_CONTENT_TYPE_OPTIONS, "nosniff");

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/", without_head(get(index)))
        .route("/index.html", without_head(get(index)))
        .route("/manifest.json", without_head(get(manifest)))
        .route("/static/defaultapp.png", without_head(get(default_picture)))
        .route("/static/", without_head(get(no_such_file)))
        .route("/static/{*file}", without_head(get(no_such_file)))
}

/// Says what is here. All paths are relative: the server may be below a path of another one.
async fn index(State(settings): State<Arc<ApiSettings>>) -> impl IntoResponse {
    // The version is the program's own text, yet markup must not depend on that.
    let version = settings.version.version.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Shardcast</title>\n\
         <link rel=\"icon\" href=\"static/defaultapp.png\">\n<h1>Shardcast {version}</h1>\n\
         <p>The server is running. It has no web interface yet: apps that speak Gotify's API connect to this \
         address, and <a href=\"docs\">its API is described here</a>.</p>\n</html>\n"
    );
    ([(CONTENT_SECURITY_POLICY, "default-src 'none'; img-src 'self'"), NO_SNIFF], Html(page))
}

async fn manifest() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], MANIFEST)
}

async fn default_picture() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "public, max-age=86400"), NO_SNIFF];
    (headers, DEFAULT_PICTURE)
}

async fn no_such_file() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), NO_SNIFF];
    (StatusCode::NOT_FOUND, headers, "404 page not found\n")
}
