//! What a program may watch of requests.

use std::time::Duration;

use axum::http::StatusCode;

/// What a request was about, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteClass {
    /// `/message` and below.
    Message,
    /// `/stream`.
    Stream,
    /// `/application` and below.
    Application,
    /// `/client` and below.
    Client,
    /// `/user`, `/current/user` and below.
    User,
    /// Everything else.
    Other,
}

impl RouteClass {
    /// Returns the class of a path, whether or not anything is there.
    pub(super) fn of(path: &str) -> Self {
        match path.trim_start_matches('/').split('/').next().unwrap_or_default() {
            "message" => Self::Message,
            "stream" => Self::Stream,
            "application" => Self::Application,
            "client" => Self::Client,
            "user" | "current" => Self::User,
            _ => Self::Other,
        }
    }
}

/// Observes the answers of the API. Every method does nothing by default.
///
/// Calls come from the tasks of requests. They must be quick and must not block.
pub trait RequestObserver: Send + Sync + 'static {
    /// A request was answered, so long after its header was read. A stream is answered with 101 when its handshake
    /// is done.
    fn on_response(&self, route: RouteClass, status: StatusCode, took: Duration) {
        let _ = (route, status, took);
    }
}

/// Watches nothing.
impl RequestObserver for () {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_decides() {
        for (path, class) in [
            ("/message", RouteClass::Message),
            ("//message/5", RouteClass::Message),
            ("/stream", RouteClass::Stream),
            ("/application/1/message", RouteClass::Application),
            ("/client/3", RouteClass::Client),
            ("/current/user/password", RouteClass::User),
            ("/user/2", RouteClass::User),
            ("/", RouteClass::Other),
            ("/messages", RouteClass::Other),
        ] {
            assert_eq!(RouteClass::of(path), class, "{path}");
        }
    }
}
