//! What the handlers share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::body::BodyMemory;
use super::event::Event;
use super::listing::AnswerMemory;
use super::sender_limit::{SenderLimiter, SenderLimits};
use super::stream::StreamState;
use super::{Boundary, ImageLimits, Oidc, Readiness, RequestObserver};
use crate::auth::{Authenticator, ClientExpiry, Revocation, RevocationReader};
use crate::model::{Compatibility, UserId};
use crate::push::Push;
use crate::store::{Images, RetentionJob, Store};

/// What the handlers share. A clone is one more reference to the same: every request makes several.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parts: AppParts,
    answer_memory: AnswerMemory,
    body_memory: BodyMemory,
    sender_limiter: Option<SenderLimiter>,
    started_at: Instant,
}

impl From<AppParts> for AppState {
    fn from(parts: AppParts) -> Self {
        let answer_memory = AnswerMemory::new(parts.settings.answer_memory_bytes);
        let body_memory = BodyMemory::new(parts.settings.body_memory_bytes);
        let sender_limiter = SenderLimiter::new(&parts.settings.sender_limits);
        let started_at = Instant::now();
        Self(Arc::new(Shared { parts, answer_memory, body_memory, sender_limiter, started_at }))
    }
}

impl AppState {
    /// Returns what holds senders to their limits, if there are any.
    pub(crate) fn sender_limiter(&self) -> Option<&SenderLimiter> {
        self.0.sender_limiter.as_ref()
    }

    /// Returns for how long there is this node.
    pub(crate) fn uptime(&self) -> Duration {
        self.0.started_at.elapsed()
    }

    /// Makes this node act on a change that revokes something. To be called once the change is committed, in a task
    /// that goes on when the client goes away.
    pub(crate) fn revoke(&self, revocation: &Revocation) {
        revocation.apply(&self.auth, &self.stream.hub);
        if let Some(cluster) = &self.stream.cluster {
            cluster.announce_revocation();
        }
    }
}

impl AppState {
    /// Brings an event to the user's streams that ask for events, here and on other nodes. To be called as
    /// [`Self::revoke`] is.
    pub(crate) fn announce(&self, user: UserId, event: &Event) {
        event.announce(&self.stream.hub, self.stream.cluster.as_ref(), user);
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0.parts
    }
}

/// What an [`AppState`] is made of: handles.
pub struct AppParts {
    /// Users, applications, clients and messages.
    pub store: Store,
    /// Who is asking.
    pub auth: Authenticator,
    /// The hub, and what its clients may do.
    pub stream: StreamState,
    /// Whether the node takes new streams.
    pub readiness: Readiness,
    /// The applications' pictures.
    pub images: Arc<dyn Images>,
    /// What deletes clients that are not used any more.
    pub expiry: ClientExpiry,
    /// What applies what others have revoked.
    pub revocations: RevocationReader,
    /// What deletes messages that are not kept.
    pub retention: RetentionJob,
    /// The identity provider, if there is one.
    pub oidc: Option<Oidc>,
    /// What pushes messages to browsers, if they are pushed.
    pub(crate) push: Option<Push>,
    /// Limits, and what the server says about itself.
    pub settings: Arc<ApiSettings>,
    /// The observer of requests.
    pub observer: Arc<dyn RequestObserver>,
    /// Who may come from elsewhere, and what every answer carries.
    pub boundary: Arc<Boundary>,
}

macro_rules! part {
    ($field:ident: $part:ty) => {
        impl FromRef<AppState> for $part {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        }
    };
}

part!(store: Store);
part!(auth: Authenticator);
part!(stream: StreamState);
part!(readiness: Readiness);
part!(images: Arc<dyn Images>);
part!(settings: Arc<ApiSettings>);

impl FromRef<AppState> for AnswerMemory {
    fn from_ref(state: &AppState) -> Self {
        state.0.answer_memory.clone()
    }
}

impl FromRef<AppState> for BodyMemory {
    fn from_ref(state: &AppState) -> Self {
        state.0.body_memory.clone()
    }
}

impl FromRef<AppState> for Compatibility {
    fn from_ref(state: &AppState) -> Self {
        state.settings.compatibility
    }
}

impl FromRef<AppState> for ImageLimits {
    fn from_ref(state: &AppState) -> Self {
        state.settings.image_limits
    }
}

impl fmt::Debug for AppParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppParts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Limits of the API, and what it says about itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiSettings {
    /// The largest request body, in bytes; a larger one is answered with 413. 4 MiB by default.
    pub max_body_bytes: usize,
    /// How much memory the bodies of all requests may take that are read or worked on, in bytes; those of up to 16 KiB
    /// do not count. 8 MiB by default.
    pub body_memory_bytes: usize,
    /// How much memory answers may take in all, in bytes: lists that are being made, and what their clients have not
    /// taken yet. A quarter is for usual lists alone. A single larger row is read nevertheless, alone. 32 MiB by default.
    pub answer_memory_bytes: usize,
    /// Which Gotify the API behaves as where 2 and 3 differ. Gotify 2 by default.
    pub compatibility: Compatibility,
    /// Whether browsers send the session's cookie over HTTPS alone. Default false.
    pub secure_cookie: bool,
    /// How large applications' pictures may be.
    pub image_limits: ImageLimits,
    /// How much applications and users may send, and have stored. No limits by default.
    pub sender_limits: SenderLimits,
    /// Whether anybody may make a user, though no administrator. No by default.
    pub registration: bool,
    /// The answer of `GET /version`.
    pub version: VersionInfo,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 * 1024 * 1024,
            body_memory_bytes: 8 * 1024 * 1024,
            answer_memory_bytes: 32 * 1024 * 1024,
            compatibility: Compatibility::default(),
            secure_cookie: false,
            image_limits: ImageLimits::default(),
            sender_limits: SenderLimits::default(),
            registration: false,
            version: VersionInfo::default(),
        }
    }
}

with_methods!(ApiSettings {
    with_max_body_bytes(max_body_bytes: usize),
    with_answer_memory_bytes(answer_memory_bytes: usize),
    with_body_memory_bytes(body_memory_bytes: usize),
    with_compatibility(compatibility: Compatibility),
    with_secure_cookie(secure_cookie: bool),
    with_image_limits(image_limits: ImageLimits),
    with_sender_limits(sender_limits: SenderLimits),
    with_registration(registration: bool),
    with_version(version: VersionInfo),
});

/// Which build this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// The version; the package's by default.
    pub version: String,
    /// The commit that it was built from, or `unknown`.
    pub commit: String,
    /// When it was built, as in `2026-11-29T12:00:00Z`, or `unknown`.
    pub build_date: String,
    /// The name of the node that answers, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Default for VersionInfo {
    /// Returns what the build script has found out; only release builds know commit and time.
    fn default() -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("SHARDCAST_BUILD_COMMIT").map_or_else(unknown, str::to_owned),
            build_date: option_env!("SHARDCAST_BUILD_SECONDS").and_then(date).unwrap_or_else(unknown),
            node: None,
        }
    }
}

/// Writes seconds since 1970 as a date.
fn date(seconds: &str) -> Option<String> {
    let time = DateTime::from_timestamp(seconds.parse().ok()?, 0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn the_build_date_is_a_date_in_utc() {
        assert_eq!(date("1700000000").unwrap(), "2023-11-14T22:13:20Z");
        assert_eq!(date("yesterday"), None);
    }
}
