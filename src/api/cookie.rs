//! The cookie of a session, which holds the token of its client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use ::cookie::time::Duration;
use ::cookie::{Cookie, CookieBuilder, SameSite};
use axum::extract::Request;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::Response;

use super::ApiSettings;
use super::external_base::ExternalBase;
use super::gate::cookie;

/// Its name.
pub(super) const NAME: &str = "gotify-client-token";

/// How long a browser keeps it, and how long a session lives without use.
pub(super) const MAX_AGE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Returns the header that gives a browser the cookie. Pages can't read it, and other sites can't make use of it.
pub(super) fn set(token: &str, settings: &ApiSettings) -> HeaderValue {
    header(token, MAX_AGE_SECONDS, settings)
}

/// Returns the header that takes it away again.
pub(super) fn cleared(settings: &ApiSettings) -> HeaderValue {
    header("", 0, settings)
}

fn header(token: &str, max_age_seconds: u64, settings: &ApiSettings) -> HeaderValue {
    let cookie = Cookie::build((NAME, token)).same_site(SameSite::Strict);
    give(cookie, max_age_seconds, settings)
}

/// Returns the header that gives a browser a cookie which no script can read.
pub(super) fn give(cookie: CookieBuilder<'_>, max_age_seconds: u64, settings: &ApiSettings) -> HeaderValue {
    let cookie = cookie
        .path("/")
        .max_age(Duration::seconds(max_age_seconds.cast_signed()))
        .http_only(true)
        .secure(settings.secure_cookie);
    let text = cookie.build().to_string();
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Returns the cookies of a name that came with a request.
pub(super) fn sent<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = Cookie<'h>> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(Cookie::split_parse_encoded).flatten().filter(move |cookie| cookie.name() == name)
}

/// Warns, once per process, of a browser that is given the cookie over plain HTTP though it may be sent over HTTPS alone:
/// the browser drops it, and the log-in that seemed to work is lost.
pub(super) fn warn_if_dropped(settings: &ApiSettings, headers: &HeaderMap, extensions: &Extensions) {
    static WARNED: Once = Once::new();
    if settings.secure_cookie && ExternalBase::of(headers, extensions).scheme == "http" {
        WARNED.call_once(|| {
            tracing::warn!(
                "a log-in over plain HTTP was answered with a cookie for HTTPS alone, which browsers drop: use HTTPS, \
                 or turn `server.securecookie` (GOTIFY_SERVER_SECURECOOKIE) off; if a proxy ends TLS, it must send \
                 X-Forwarded-Proto, and be one of `server.trustedproxies` (GOTIFY_SERVER_TRUSTEDPROXIES)"
            );
        });
    }
}

/// Whether the cookie that came with a request is to be sent again with the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct CookieUse(Arc<AtomicBool>);

impl CookieUse {
    /// Notes on a request that its cookie is to be sent again.
    pub(super) fn note(extensions: &Extensions) {
        if let Some(Self(again)) = extensions.get() {
            again.store(true, Ordering::Relaxed);
        }
    }
}

/// The cookie that came with a request.
pub(super) struct Session {
    token: String,
    again: CookieUse,
}

impl Session {
    /// Looks for the cookie, and lets its use be noted on the request.
    pub(super) fn of(request: &mut Request) -> Option<Self> {
        let token = cookie(request.headers())?.into_owned();
        let again = CookieUse::default();
        request.extensions_mut().insert(again.clone());
        Some(Self { token, again })
    }

    /// Sends the cookie again, once a use of it was noted, so that a session that is used lives on in the browser too.
    pub(super) fn keep_alive(self, response: &mut Response, settings: &ApiSettings) {
        if self.again.0.load(Ordering::Relaxed) && !response.headers().contains_key(SET_COOKIE) {
            response.headers_mut().insert(SET_COOKIE, set(&self.token, settings));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_site_alone_and_no_script() {
        let mut settings = ApiSettings::default();
        assert_eq!(
            set("Cabc", &settings),
            "gotify-client-token=Cabc; HttpOnly; SameSite=Strict; Path=/; Max-Age=604800"
        );
        settings.secure_cookie = true;
        assert_eq!(
            cleared(&settings),
            "gotify-client-token=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn the_token_in_a_cookie_is_not_shown() {
        assert_eq!(format!("{:?}", set("Cabc", &ApiSettings::default())), "Sensitive");
    }
}
