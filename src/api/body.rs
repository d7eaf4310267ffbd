//! Reading request bodies, within limits and with Gotify's leniencies.
//!
//! JSON for `application/json`, form fields for everything else: from a multipart body alone, else from the
//! body and the URL's query. Either way, what comes out is a [`Form`], checked for what it requires.

mod content;
mod fields;
mod file;
mod form;
pub(super) mod json;
mod mismatch;
mod number;
mod schema;

pub(super) use content::BodyMemory;
pub(super) use fields::{Field, FieldTarget, Form};
pub(crate) use fields::{MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS, MAX_USER_NAME_CHARACTERS};
pub(super) use file::UploadedFile;
pub(super) use number::{shortened, whole_number, whole_number_of};
pub(super) use schema::{documented, schema};

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use self::fields::AnyForm;
use super::{ApiError, ApiSettings};

/// The most bytes of a body that anybody may send, without being known.
pub(super) const ANONYMOUS_BYTES: usize = 16 * 1024;

/// A body that is not read before it is known that the request may be granted.
///
/// It holds the memory of what was read, so a handler keeps it to its end.
pub(super) struct LazyBody {
    /// In a box, because the future of a handler holds its arguments twice.
    parts: Box<Parts>,
    body: Body,
    limit_bytes: usize,
    read_bytes: usize,
    memory: BodyMemory,
    held: Option<OwnedSemaphorePermit>,
}

impl<S: Send + Sync> FromRequest<S> for LazyBody
where
    Arc<ApiSettings>: FromRef<S>,
    BodyMemory: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let limit_bytes = Arc::<ApiSettings>::from_ref(state).max_body_bytes;
        let parts = Box::new(parts);
        Ok(Self { parts, body, limit_bytes, read_bytes: 0, memory: BodyMemory::from_ref(state), held: None })
    }
}

impl LazyBody {
    /// The headers of the request.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The type of the body without its parameters; empty if there is none.
    pub(super) fn media_type(&self) -> &str {
        media_type(content_type(&self.parts))
    }

    /// How long the body was, once it is read.
    pub(super) fn read_bytes(&self) -> usize {
        self.read_bytes
    }

    /// Takes less than a body may otherwise have.
    pub(super) fn limit(&mut self, bytes: usize) {
        self.limit_bytes = self.limit_bytes.min(bytes);
    }

    /// Reads the body, decodes it in this way, and checks that what is required is there. The error of `decode` is the
    /// text for the client.
    pub(super) async fn read_by<F: Form>(
        &mut self,
        decode: impl FnOnce(&[u8]) -> Result<F, String>,
    ) -> Result<F, ApiError> {
        let mut form = decode(&self.bytes().await?).map_err(ApiError::BadRequest)?;
        fields::check(&mut form).map_err(ApiError::BadRequest)?;
        Ok(form)
    }

    /// Reads and decodes the body by its type, and checks that what is required is there.
    ///
    /// By reference, and the rare kind in a box: the future of a handler stays small, which every request allocates.
    pub(super) async fn read<F: Form>(&mut self) -> Result<F, ApiError> {
        let kind = Kind::of(self.media_type());
        // A body of any other kind is not looked at.
        let content = if kind == Kind::Other { Bytes::new() } else { self.bytes().await? };
        let mut form = F::default();
        fill(&mut form, kind, content, &self.parts).await.map_err(ApiError::BadRequest)?;
        Ok(form)
    }

    async fn bytes(&mut self) -> Result<Bytes, ApiError> {
        let announced = self.parts.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
        let content = content::collect(&mut self.body, announced, self.limit_bytes, &self.memory).await?;
        self.held = content.memory;
        self.read_bytes = content.bytes.len();
        Ok(content.bytes)
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
        // In any case (RFC 9110, section 8.3.1), though Gotify knows two of them in lower case alone.
        let is = |known: &str| media_type.eq_ignore_ascii_case(known);
        if is("application/json") {
            Self::Json
        } else if is("multipart/form-data") {
            Self::Multipart
        } else if is("application/x-www-form-urlencoded") {
            Self::Form
        } else {
            Self::Other
        }
    }
}

fn content_type(parts: &Parts) -> &str {
    parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn media_type(content_type: &str) -> &str {
    content_type.split([';', ' ']).next().unwrap_or_default()
}

/// Fills in a form that is as by default, and checks it. The error is the text for the client.
async fn fill(form: &mut dyn AnyForm, kind: Kind, content: Bytes, parts: &Parts) -> Result<(), String> {
    let query = parts.uri.query().unwrap_or_default();
    let filled = match kind {
        Kind::Json => json::decode(&content, form),
        Kind::Multipart => return Box::pin(fill_multipart(form, content, parts)).await,
        Kind::Form => form::decode(&[&content, query.as_bytes()], form),
        Kind::Other => form::decode(&[query.as_bytes()], form),
    };
    checked(filled, form, kind, &content, parts)
}

/// The same for the only kind of body that takes long. Its future is not part of all others.
async fn fill_multipart(form: &mut dyn AnyForm, content: Bytes, parts: &Parts) -> Result<(), String> {
    let filled = form::decode_multipart(content_type(parts), content.clone(), form).await;
    checked(filled, form, Kind::Multipart, &content, parts)
}

/// Checks a form that was filled in. What is wrong may come from a body that is of another type than its header says.
fn checked(
    filled: Result<(), String>,
    form: &mut dyn AnyForm,
    kind: Kind,
    content: &Bytes,
    parts: &Parts,
) -> Result<(), String> {
    filled.and_then(|()| fields::check(form)).map_err(|error| match mismatch::of(kind, content, parts) {
        Some(mismatch) => format!("{error}; {mismatch}"),
        None => error,
    })
}
