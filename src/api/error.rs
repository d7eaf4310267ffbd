//! Every answer that is not a success.

use std::error::Error;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Json;
use super::listing::NoMemory;
use crate::auth::{AuthError, HashPasswordError, LoginError, Overloaded, TokenError, whole_seconds};
use crate::store::{PublishError, StoreError, Unstorable};

/// Why a request was not granted. Its text is what the client reads.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The request itself is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// Nobody in particular is asking, or nobody who may.
    #[error("you need to provide a valid access token or user credentials to access this api")]
    Unauthorized,
    /// As [`Self::Unauthorized`], for a reason of its own.
    #[error("{0}")]
    UnauthorizedWith(&'static str),
    /// What was presented as a token is none.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It is known who is asking, and may not.
    #[error("you are not allowed to access this api")]
    Forbidden,
    /// As [`Self::Forbidden`], for a reason of its own.
    #[error("{0}")]
    ForbiddenWith(&'static str),
    /// The client may not do what is dangerous now.
    #[error("session not elevated, use basic auth or call /client:elevate")]
    NotElevated,
    /// Who is asking may not make a user, or not this one.
    #[error("{text}")]
    MayNotCreateUser {
        /// What exactly is not allowed.
        text: &'static str,
        /// Whether it is known who is asking: 403 then, else 401.
        known: bool,
    },
    /// It is known who logs in through the identity provider, and may not.
    #[error("{0}")]
    LoginDenied(String),
    /// The identity provider does not tell what a user needs.
    #[error("the identity provider does not tell the name of the user")]
    IdentityWithoutName,
    /// The identity provider can't be asked now.
    #[error("the identity provider is unavailable, try again later")]
    NoIdentityProvider,
    /// A search has no answer now.
    #[error("{0}")]
    NoSearch(&'static str),
    /// There is no such route.
    #[error("page not found")]
    NoRoute,
    /// The thing that was asked for is not there, or belongs to somebody else.
    #[error("{0}")]
    NotFound(String),
    /// The body is larger than allowed.
    #[error("request body must be at most {limit_bytes} bytes long")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// The database can't hold what the request has.
    #[error(transparent)]
    Unstorable(#[from] Unstorable),
    /// The client was too slow to send the body.
    #[error("the request body did not come in time")]
    BodyTimeout,
    /// The picture is larger than allowed.
    #[error("image must be at most {limit_bytes} bytes long")]
    ImageTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// Pictures can't be read or written now: the disk is full, or the folder is not ours.
    #[error("pictures are unavailable, try again later")]
    ImagesUnavailable,
    /// Too many logins have failed; this one was not looked at.
    #[error("too many failed logins, try again in {retry_after_seconds} s")]
    TooManyLogins {
        /// When the next one will be, as `Retry-After` says it.
        retry_after_seconds: u64,
    },
    /// An application or a user has sent as many messages as it may; the next one may be sent then.
    #[error("the {of} may send {limit} messages per minute, try again in {retry_after_seconds} s")]
    TooManyMessages {
        /// Whose limit it is: `application` or `user`.
        of: &'static str,
        /// The limit.
        limit: u32,
        /// When the next one may be sent, as `Retry-After` says it.
        retry_after_seconds: u64,
    },
    /// An application or a user has stored as much as it may; there may be room once messages are deleted.
    #[error(
        "the messages of the {of} may have {limit_bytes} bytes in all; delete some, and try again in \
         {retry_after_seconds} s"
    )]
    TooManyStoredBytes {
        /// Whose limit it is: `application` or `user`.
        of: &'static str,
        /// The limit.
        limit_bytes: u64,
        /// When the bytes are counted again, as `Retry-After` says it.
        retry_after_seconds: u64,
    },
    /// A message is larger than all messages of its application or user together may be.
    #[error(
        "the message has {bytes} bytes in its text, title and extras, and the messages of the {of} may have {limit_bytes} \
         bytes in all"
    )]
    MessageTooLarge {
        /// Whose limit it is: `application` or `user`.
        of: &'static str,
        /// What the message has.
        bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Too many passwords wait to be hashed; the same request may succeed soon.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// There is no memory for the body now; the same request may succeed soon.
    #[error("too many large request bodies are being received, try again in 1 s")]
    NoBodyMemory,
    /// There is no memory for the answer now; the same request may succeed soon.
    #[error("too many large lists are being sent, try again in 1 s")]
    NoAnswerMemory,
    /// This server takes nothing new any more; another one, or the next one here, may.
    #[error("this server is stopping, try again in 1 s")]
    Stopping,
    /// The database can't do it now; the same request may succeed later.
    #[error("the database is unavailable, try again later")]
    Unavailable,
    /// A defect, or a broken database. What exactly is in the log.
    #[error("an internal error occurred")]
    Internal,
}

impl ApiError {
    /// Returns the status that it is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::Unstorable(Unstorable::Character) => StatusCode::BAD_REQUEST,
            Self::Unauthorized
            | Self::UnauthorizedWith(_)
            | Self::Token(_)
            | Self::MayNotCreateUser { known: false, .. } => StatusCode::UNAUTHORIZED,
            Self::Forbidden
            | Self::ForbiddenWith(_)
            | Self::NotElevated
            | Self::LoginDenied(_)
            | Self::MayNotCreateUser { known: true, .. } => StatusCode::FORBIDDEN,
            Self::NoRoute | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. }
            | Self::ImageTooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::Unstorable(Unstorable::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyLogins { .. } | Self::TooManyMessages { .. } | Self::TooManyStoredBytes { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::ImagesUnavailable
            | Self::NoIdentityProvider
            | Self::Overloaded(_)
            | Self::NoAnswerMemory
            | Self::NoBodyMemory
            | Self::NoSearch(_)
            | Self::Stopping
            | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::IdentityWithoutName | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns after how many seconds it is worth trying again, where that is known.
    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooManyLogins { retry_after_seconds }
            | Self::TooManyMessages { retry_after_seconds, .. }
            | Self::TooManyStoredBytes { retry_after_seconds, .. } => Some(*retry_after_seconds),
            Self::Overloaded(_)
            | Self::NoAnswerMemory
            | Self::NoBodyMemory
            | Self::NoSearch(_)
            | Self::Stopping
            | Self::Unavailable => Some(1),
            _ => None,
        }
    }
}

/// Why a request was not granted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ErrorObject {
    /// The phrase that goes with the status.
    error: &'static str,
    /// The status.
    error_code: u16,
    /// What exactly is wrong.
    error_description: String,
}

/// Goes with the answer of a server that is stopping, for the log: nothing has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopsOnPurpose;

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = ErrorObject {
            error: status.canonical_reason().unwrap_or_default(),
            error_code: status.as_u16(),
            error_description: self.to_string(),
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if matches!(self, Self::Stopping) {
            response.extensions_mut().insert(StopsOnPurpose);
        }
        response
    }
}

/// Logs the cause, which the client does not see. A conflict that a handler did not expect is a defect.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<NoMemory> for ApiError {
    fn from(_: NoMemory) -> Self {
        Self::NoAnswerMemory
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Token(error) => error.into(),
            AuthError::Store(error) => error.into(),
        }
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Store(error) => Self::from(&*error),
            // As for a token that nobody has: its application is not there any more.
            PublishError::NoSuchApplication => Self::Unauthorized,
            PublishError::TimedOut => {
                tracing::warn!(%error, "answered that the database is unavailable");
                Self::Unavailable
            }
            PublishError::ShutDown => Self::Unavailable,
            // The store has logged the defect.
            PublishError::Interrupted => Self::Internal,
        }
    }
}

impl From<&StoreError> for ApiError {
    fn from(error: &StoreError) -> Self {
        let cause = error.source().map(tracing::field::display);
        match error {
            StoreError::NoSuchUser => Self::Unauthorized,
            StoreError::Unstorable(why) => Self::Unstorable(*why),
            StoreError::Unavailable { .. } => {
                tracing::warn!(%error, cause, "answered that the database is unavailable");
                Self::Unavailable
            }
            StoreError::Conflict { .. } | StoreError::Failed { .. } => {
                tracing::error!(%error, cause, "the store failed");
                Self::Internal
            }
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Store(error) => error.into(),
            LoginError::Overloaded(overloaded) => overloaded.into(),
            LoginError::TooManyFailures { retry_after } => {
                Self::TooManyLogins { retry_after_seconds: whole_seconds(retry_after) }
            }
        }
    }
}

impl From<HashPasswordError> for ApiError {
    fn from(error: HashPasswordError) -> Self {
        match error {
            HashPasswordError::Overloaded(overloaded) => overloaded.into(),
            HashPasswordError::TooLong => Self::BadRequest(error.to_string()),
            HashPasswordError::Hash(cause) => {
                tracing::error!(%cause, "failed to hash a password");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    #[tokio::test]
    async fn an_error_is_answered_as_gotifys_object() {
        let response = ApiError::NotFound("app with id 7 doesn't exists".to_owned()).into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(
            body,
            r#"{"error":"Not Found","errorCode":404,"errorDescription":"app with id 7 doesn't exists"}"#
        );
    }

    #[test]
    fn who_is_to_come_back_later_learns_when() {
        for error in [ApiError::Unavailable, ApiError::Stopping] {
            let response = error.into_response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()[RETRY_AFTER]),
                (503, &"1".parse().unwrap())
            );
        }
    }

    #[test]
    fn an_unavailable_database_is_a_503_and_any_other_failure_a_500_that_tells_nothing() {
        let unavailable = StoreError::Unavailable { operation: "list clients", source: "disk full".into() };
        assert_eq!(ApiError::from(unavailable).status(), 503);
        let failed = StoreError::Failed { operation: "list clients", source: "no such table".into() };
        let failed = ApiError::from(failed);
        assert_eq!(failed.status(), 500);
        assert_eq!(failed.to_string(), "an internal error occurred");
    }
}
