//! Reading request bodies with Gotify's leniencies.
//!
//! JSON for `application/json`, form fields for everything else: from a multipart body alone, else from the
//! body and the URL's query. Either way, what comes out is a [`Form`], checked for what it requires.

mod fields;
mod file;
mod form;
mod json;
mod literal;
mod schema;

pub(super) use fields::{Field, Form, Slot};
pub(super) use file::UploadedFile;
pub(super) use literal::integer;
pub(super) use schema::{documented, schema};

use std::error::Error;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{ApiError, ApiSettings};
use crate::model::Compatibility;

/// A body that is not read before it is known that the request may be granted.
pub(super) struct Unread {
    parts: Parts,
    body: Body,
    limit_bytes: usize,
    compatibility: Compatibility,
}

impl<S: Send + Sync> FromRequest<S> for Unread
where
    Arc<ApiSettings>: FromRef<S>,
    Compatibility: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let limit_bytes = Arc::<ApiSettings>::from_ref(state).max_body_bytes;
        Ok(Self { parts, body, limit_bytes, compatibility: Compatibility::from_ref(state) })
    }
}

impl Unread {
    /// The headers of the request.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The type of the body without its parameters; empty if there is none.
    pub(super) fn media_type(&self) -> &str {
        media_type(content_type(&self.parts))
    }

    /// Reads the body, decodes it in this way, and checks that what is required is there. The error of `decode` is the
    /// text for the client.
    pub(super) async fn read_by<F: Form>(
        &mut self,
        decode: impl FnOnce(&[u8]) -> Result<F, String>,
    ) -> Result<F, ApiError> {
        let form = decode(&self.bytes().await?).map_err(ApiError::BadRequest)?;
        checked(form)
    }

    /// Reads and decodes the body by its type, and checks that what is required is there.
    ///
    /// By reference, and the rare kind in a box: the future of a handler stays small, which every request allocates.
    pub(super) async fn read<F: Form>(&mut self) -> Result<F, ApiError> {
        let kind = Kind::of(self.media_type());
        // A body of any other kind is not looked at.
        let content = if kind == Kind::Other { Bytes::new() } else { self.bytes().await? };
        let query = self.parts.uri.query().unwrap_or_default();
        let form: F = match kind {
            Kind::Json => json::decode(&content),
            Kind::Multipart => {
                Box::pin(form::decode_multipart(content_type(&self.parts), content, self.compatibility)).await
            }
            Kind::Form => form::decode(&[&content, query.as_bytes()], self.compatibility),
            Kind::Other => form::decode(&[query.as_bytes()], self.compatibility),
        }
        .map_err(ApiError::BadRequest)?;
        checked(form)
    }

    async fn bytes(&mut self) -> Result<Bytes, ApiError> {
        bytes(&self.parts, &mut self.body, self.limit_bytes).await
    }
}

/// What kinds of bodies there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Multipart,
    Form,
    Other,
}

impl Kind {
    fn of(media_type: &str) -> Self {
        match media_type {
            "application/json" => Self::Json,
            "multipart/form-data" => Self::Multipart,
            other if other.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Self::Form,
            _ => Self::Other,
        }
    }
}

fn content_type(parts: &Parts) -> &str {
    parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn media_type(content_type: &str) -> &str {
    content_type.split([';', ' ']).next().unwrap_or_default()
}

fn checked<F: Form>(mut form: F) -> Result<F, ApiError> {
    fields::check(&mut form).map_err(ApiError::BadRequest)?;
    Ok(form)
}

async fn bytes(parts: &Parts, body: &mut Body, limit_bytes: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::BodyTooLarge { limit_bytes };
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: usize| bytes > limit_bytes) {
        return Err(too_large());
    }
    match Limited::new(body, limit_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if is_timeout(&*error) => Err(ApiError::BodyTimeout),
        Err(error) => {
            tracing::debug!(error, "failed to read a request body");
            Err(ApiError::BadRequest("failed to read the request body".to_owned()))
        }
    }
}

/// Whether the client was too slow, as the server says it somewhere in this error.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => error.kind() == std::io::ErrorKind::TimedOut,
        None => error.source().is_some_and(is_timeout),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read(body: &str, limit_bytes: usize) -> Result<Bytes, ApiError> {
        // Without a `Content-Length`, as in chunks.
        let parts = Request::new(()).into_parts().0;
        bytes(&parts, &mut Body::from(body.to_owned()), limit_bytes).await
    }

    #[tokio::test]
    async fn a_body_that_does_not_announce_its_length_is_bounded_too() {
        assert_eq!(read("12345", 5).await.unwrap(), "12345");
        let error = read("123456", 5).await.unwrap_err();
        assert!(matches!(error, ApiError::BodyTooLarge { limit_bytes: 5 }), "{error}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_no_bad_request() {
        let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let pieces = futures_util::stream::iter([Ok("{\""), Err(late)]);
        let parts = Request::new(()).into_parts().0;
        let error = bytes(&parts, &mut Body::from_stream(pieces), 100).await.unwrap_err();
        assert_eq!(error.status(), 408);
    }
}
