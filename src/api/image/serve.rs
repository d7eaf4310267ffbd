//! `GET /image/{name}`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::services::ServeFile;

use super::super::listing::AnswerMemory;
use super::super::{ApiError, AppState};
use super::content::{Content, ContentError};
use crate::store::{Image, ImageName, Images};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/image/{name}", get(serve)).route("/image/", get(nothing))
}

/// Serves HEAD, ranges and conditional requests as well.
async fn serve(
    State(images): State<Arc<dyn Images>>,
    State(memory): State<AnswerMemory>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request,
) -> Response {
    let Some(name) = path.ok().and_then(|Path(name)| ImageName::parse(&name)) else {
        return nothing().await;
    };
    let Some(media_type) = name.media_type().map(HeaderValue::from_static) else {
        return nothing().await;
    };
    let found = match images.find(&name).await {
        Ok(Some(Image::File(path))) => {
            ServeFile::new(path).try_call(request).await.map(IntoResponse::into_response)
        }
        Ok(Some(Image::Stored { bytes })) => {
            let content = Content { images, memory, name, bytes };
            match content.answer(request.method(), request.headers()).await {
                Ok(response) => Ok(response),
                Err(ContentError::Gone) => return nothing().await,
                Err(ContentError::NoMemory(error)) => return ApiError::from(error).into_response(),
                Err(ContentError::Read(error)) => Err(error),
            }
        }
        Ok(None) => return nothing().await,
        Err(error) => Err(error),
    };
    let mut response = match found {
        // It was removed since it was found.
        Ok(response) if response.status() == StatusCode::NOT_FOUND => return nothing().await,
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%error, "failed to read a picture");
            return ApiError::ImagesUnavailable.into_response();
        }
    };
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    // Whatever was uploaded, nothing in it runs, also when it is opened as a page.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    response
}

/// Gotify names the character set here, and nowhere else.
async fn nothing() -> Response {
    let charset = HeaderValue::from_static("application/json; charset=utf-8");
    ([(CONTENT_TYPE, charset)], ApiError::NoRoute).into_response()
}
