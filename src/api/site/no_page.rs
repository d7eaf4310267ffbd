//! What stands in the place of the web page in a build without it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse};
use axum::routing::get;

use crate::api::routing::without_head;
use crate::api::{ApiSettings, AppState};

const MANIFEST: &str = r#"{"name":"Shardcast","short_name":"Shardcast","start_url":".","display":"browser","icons":[{"src":"static/defaultapp.png","type":"image/png","sizes":"256x256"}]}"#;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/", without_head(get(index)))
        .route("/index.html", without_head(get(index)))
        .route("/manifest.json", without_head(get(manifest)))
}

/// Says what is here. All paths are relative: the server may be below a path of another one.
async fn index(State(settings): State<Arc<ApiSettings>>) -> impl IntoResponse {
    // The version is the program's own text, yet markup must not depend on that.
    let version = settings.version.version.replace('&', "&amp;").replace('<', "&lt;");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Shardcast</title>\n\
         <link rel=\"icon\" href=\"static/defaultapp.png\">\n<h1>Shardcast {version}</h1>\n\
         <p>The server is running. This build has no web page (feature <code>ui</code>): apps that speak Gotify's API \
         connect to this address, and <a href=\"docs\">its API is described here</a>.</p>\n</html>\n"
    );
    let headers = [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; img-src 'self'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(page))
}

async fn manifest() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], MANIFEST)
}
