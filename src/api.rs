//! Gotify's REST API.
//!
//! Each resource has one file with its handlers and its own `router()`. [`router`] joins them. The resources share:
//!
//! - [`ApiError`], the type of every answer that is not a success;
//! - [`encode_json`], the encoder of JSON, also for streams; only the document at `/swagger` has another one;
//! - extractors such as [`ClientAuth`], which check the credentials of a request before its handler runs.
//!
//! The order of a handler's arguments is the order of its checks. The credentials come first, then the id in the path.
//! The body comes last: it is read only once it is known that the resource exists.

mod application;
mod application_state;
mod body;
mod boundary;
mod client;
mod client_address;
mod completion;
mod compression;
mod cookie;
mod cors;
mod current_user;
mod error;
pub(crate) mod event;
mod external_base;
mod gate;
mod health;
mod image;
mod json;
mod listing;
mod live;
mod message;
mod observer;
mod oidc;
mod openapi;
mod overview;
mod paced_io;
mod paging;
mod path;
mod patterns;
mod plugin;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(not(feature = "protobuf"))]
#[path = "api/no_protobuf.rs"]
mod protobuf;
mod push;
mod query;
mod readiness;
mod routing;
mod search;
mod sender_limit;
mod session;
mod site;
mod state;
pub mod stream;
mod token_shown;
mod user;
mod version;

pub(crate) use body::MAX_USER_NAME_CHARACTERS;
#[cfg(feature = "sqlite")]
pub(crate) use body::{MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS};
#[cfg(feature = "metrics")]
pub(crate) use compression::compression;
pub(crate) use paced_io::{Hints, Pace};

pub use boundary::Boundary;
pub use client_address::ClientAddress;
pub use cors::CorsConfig;
pub use error::ApiError;
pub(crate) use error::StopsOnPurpose;
pub use external_base::ConnectionKind;
pub use gate::{AdminAuth, AdminViewAuth, ClientAuth, ElevatedAuth, OptionalAuth, SenderAuth};
pub use image::ImageLimits;
pub use json::{Json, encode_json};
pub use observer::{RequestObserver, RouteClass};
pub use oidc::{Oidc, OidcSettings};
pub use paced_io::{PaceLimits, PacedIo};
pub use readiness::Readiness;
pub use sender_limit::SenderLimits;
pub use state::{ApiSettings, AppParts, AppState, VersionInfo};

use std::sync::Arc;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use boundary::ApiMiddleware;
use openapi::Specification;

/// Returns the whole API, ready to be served or nested into another router.
pub fn router(state: AppState) -> Router {
    let published = Specification::default();
    let mut open = open(&published);
    if state.oidc.is_some() {
        open = open.merge(oidc::router());
    }
    let (open, mut document) = open.split_for_parts();
    let (guarded, described) = guarded().split_for_parts();
    document.merge(described);
    published.publish(document);
    let middleware = ApiMiddleware {
        rules: Arc::clone(&state.boundary),
        observer: Arc::clone(&state.observer),
        settings: Arc::clone(&state.settings),
    };
    routing::forgiving(open.with_state(state.clone()), guarded.with_state(state), Arc::new(middleware))
}

/// Returns what is open to every page, and answered without the configured headers, as in Gotify. Each route comes with
/// the document that its annotations make.
fn open(published: &Specification) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(health::router())
        .merge(readiness::router())
        .merge(openapi::router(published.clone()))
        .merge(image::pictures().into())
        .merge(site::router().into())
}

/// Returns the API proper.
fn guarded() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(message::router())
        .merge(search::router())
        .merge(stream::router())
        .merge(application::router())
        .merge(application_state::router())
        .merge(image::router())
        .merge(client::router())
        .merge(current_user::router())
        .merge(session::router())
        .merge(user::router())
        .merge(plugin::router())
        .merge(version::router())
        .merge(live::router())
        .merge(push::router())
        .merge(overview::router())
}
