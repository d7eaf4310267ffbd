//! Logins of browsers: `/auth/oidc/login`, `/auth/oidc/elevate`, and `/auth/oidc/callback`, where both end.

use ::cookie::{Cookie, SameSite};
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::body::MAX_NAME_CHARACTERS;
use super::super::error::ErrorObject;
use super::super::routing::get_only;
use super::super::{ApiError, ApiSettings, AppState, client, cookie, query, session};
use super::answer::{Failure, elevated_page};
use super::begun::{LIFETIME, LoginOrigin, LoginPurpose, random_text};
use super::{Oidc, account, begun};
use crate::auth::{Authorization, Exchange, Pkce};
use crate::model::ClientId;

/// The cookie that binds a login to the browser that began it.
const COOKIE_NAME: &str = "gotify-oidc";

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(get_only(routes!(login)))
        .routes(get_only(routes!(elevate)))
        .routes(get_only(routes!(callback)))
}

/// Sends a browser to the identity provider, to log in.
#[utoipa::path(
    get, path = "/auth/oidc/login", operation_id = "oidcLogin", tag = "oidc",
    security(()),
    params(("name" = String, Query, description = "What the session's client will be called.", min_length = 1,
        max_length = 255)),
    responses(
        (status = 302, description = "To the identity provider."),
        (status = 400, description = "`name` is missing or has more than 255 characters: the text says which.", body = String, content_type = "text/plain"),
        (status = 503, description = "The identity provider does not answer: \
            `the identity provider is unavailable, try again later`.", body = String,
            content_type = "text/plain"),
    )
)]
async fn login(
    State(state): State<AppState>,
    oidc: Oidc,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let name = client_name(&uri).map_err(|text| Failure::new(StatusCode::BAD_REQUEST, text))?;
    send(&state, &oidc, &headers, LoginPurpose::Session(name)).await
}

/// Sends a browser to the identity provider, to elevate a client of whoever logs in there.
#[utoipa::path(
    get, path = "/auth/oidc/elevate", operation_id = "oidcElevate", tag = "oidc",
    security(()),
    params(
        ("id" = u64, Query, description = "The client.", minimum = 1),
        ("durationSeconds" = i64, Query, description = "For how long; a negative one ends an elevation."),
    ),
    responses(
        (status = 302, description = "To the identity provider."),
        (status = 400, body = ErrorObject, description = "A parameter is missing: `Field 'id' is required`. \
            Or it is no number, or 0: `Field 'id' is not valid`."),
        (status = 503, description = "The identity provider does not answer: \
            `the identity provider is unavailable, try again later`.", body = String,
            content_type = "text/plain"),
    )
)]
async fn elevate(
    State(state): State<AppState>,
    oidc: Oidc,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Response> {
    let id = number(&uri, "id").map_err(IntoResponse::into_response)?;
    let seconds = number(&uri, "durationSeconds").map_err(IntoResponse::into_response)?;
    let purpose = LoginPurpose::Elevation(id, seconds);
    send(&state, &oidc, &headers, purpose).await.map_err(IntoResponse::into_response)
}

/// Takes a browser back from the identity provider.
#[utoipa::path(
    get, path = "/auth/oidc/callback", operation_id = "oidcCallback", tag = "oidc",
    security(()),
    params(
        ("code" = Option<String>, Query, nullable = false, description = "What the provider gives out for a login."),
        ("state" = Option<String>, Query, nullable = false, description = "What the browser was sent there with."),
        ("error" = Option<String>, Query, nullable = false, description = "Why there was no login."),
    ),
    responses(
        (status = 200, description = "The client is elevated. A page that closes itself.", body = String,
            content_type = "text/html; charset=utf-8"),
        (status = 307, description = "To the start page, with the cookie of a session."),
        (status = 400, description = "The provider sent the browser back without a code: `missing code`. \
            Or the user would be new, and the provider's name of the user has more than 180 characters.", body = String, content_type = "text/plain"),
        (status = 401,
            description = "The login was not begun by this browser, or too long ago: \
                `failed to get state: unknown or expired state`. \
                Or the provider refuses the code: `token exchange failed`. \
                Or the provider reports an error: `the identity provider reports: {error}`.",
            body = String, content_type = "text/plain"),
        (status = 403, description = "The user of the provider may not be a user here: the text says why.", body = String,
            content_type = "text/plain"),
        (status = 404, description = "The user has no client with this id: `client not found`.", body = String,
            content_type = "text/plain"),
        (status = 500, description = "The provider does not report the name of the user: \
            `the identity provider does not tell the name of the user`. \
            Or the server has a defect: `an internal error occurred`.", body = String,
            content_type = "text/plain"),
        (status = 503, description = "The identity provider does not answer: \
            `the identity provider is unavailable, try again later`. \
            Or the database does not: `the database is unavailable, try again later`.", body = String,
            content_type = "text/plain"),
    )
)]
async fn callback(
    State(state): State<AppState>,
    oidc: Oidc,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let binding = bound(&headers).ok_or_else(unknown)?;
    let login_state = parameter(&uri, "state").ok_or_else(unknown)?;
    let login = begun::end(&state, LoginOrigin::Browser { binding: &binding }, &login_state).await?;
    let login = login.ok_or_else(unknown)?;
    if let Some(error) = parameter(&uri, "error") {
        let text = format!("the identity provider reports: {}", printable(&error));
        return Err(Failure::new(StatusCode::UNAUTHORIZED, text));
    }
    let code =
        parameter(&uri, "code").ok_or_else(|| Failure::new(StatusCode::BAD_REQUEST, "missing code"))?;
    let exchange =
        Exchange { code: &code, verifier: &login.verifier, nonce: &login.nonce, redirect_uri: None };
    let identity = oidc.provider.identify(exchange).await?;
    let user = account::user(&state, &oidc, &identity).await?;
    match login.purpose {
        LoginPurpose::Session(name) => {
            let (_, cookie) = session::start(&state, user.id, name).await?;
            // A proxy may have cut a prefix off the path, so the way back is relative.
            let headers = [(LOCATION, HeaderValue::from_static("../../")), (SET_COOKIE, cookie)];
            Ok((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
        }
        LoginPurpose::Elevation(id, seconds) => {
            client::elevate(&state, user.id, ClientId(id), seconds).await?;
            Ok(elevated_page())
        }
        LoginPurpose::App { .. } => Err(unknown()),
    }
}

/// Begins a login, and sends the browser to the provider with it.
async fn send(
    state: &AppState,
    oidc: &Oidc,
    headers: &HeaderMap,
    purpose: LoginPurpose,
) -> Result<Response, Failure> {
    // A browser may log in in several tabs.
    let binding = bound(headers).unwrap_or_else(|| random_text(16));
    let cookie = cookie(&binding, &state.settings);
    let login = begun::begin(state, LoginOrigin::Browser { binding: &binding }, purpose).await?;
    let url = oidc.provider.authorize_url(Authorization {
        state: &login.state,
        nonce: &login.nonce,
        pkce: Pkce::Verifier(&login.verifier),
        redirect_uri: None,
    });
    let location = HeaderValue::try_from(url.await?).map_err(|_| ApiError::Internal)?;
    Ok((StatusCode::FOUND, [(LOCATION, location), (SET_COOKIE, cookie)]).into_response())
}

/// Makes the cookie that binds a login to a browser. It must come along when the provider sends the browser back.
fn cookie(binding: &str, settings: &ApiSettings) -> HeaderValue {
    let cookie = Cookie::build((COOKIE_NAME, binding)).same_site(SameSite::Lax);
    cookie::give(cookie, LIFETIME.as_secs(), settings)
}

/// Returns what the browser's cookie holds, if it is of the form that [`send`] gives.
fn bound(headers: &HeaderMap) -> Option<String> {
    let is_ours = |value: &str| value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut values = cookie::sent(headers, COOKIE_NAME).map(|cookie| cookie.value().to_owned());
    values.find(|value| is_ours(value))
}

/// Nobody began this login, or another browser did, or it was ended, or that was too long ago.
fn unknown() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "failed to get state: unknown or expired state")
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    query::first(uri.query().unwrap_or_default(), name).map(std::borrow::Cow::into_owned)
}

/// Reads the name of the client that a login makes. The error is the text for the browser.
fn client_name(uri: &Uri) -> Result<String, String> {
    let name = parameter(uri, "name").filter(|name| !name.is_empty()).ok_or("Field 'name' is required")?;
    let characters = name.chars().count();
    if characters > MAX_NAME_CHARACTERS {
        return Err(format!(
            "Field 'name' must be at most {MAX_NAME_CHARACTERS} characters long, not {characters}"
        ));
    }
    Ok(name)
}

/// Reads a number that must be there and not be 0.
fn number<N: std::str::FromStr + Default + PartialEq>(uri: &Uri, name: &str) -> Result<N, ApiError> {
    let Some(text) = parameter(uri, name) else {
        return Err(ApiError::BadRequest(format!("Field '{name}' is required")));
    };
    let number = text.parse().ok().filter(|number| *number != N::default());
    number.ok_or_else(|| ApiError::BadRequest(format!("Field '{name}' is not valid")))
}

/// Shortens what comes from elsewhere, and leaves out what is no printable ASCII.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(200).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    #[test]
    fn a_cookie_binds_a_browser() {
        let settings = ApiSettings::default();
        let binding = random_text(16);
        let set = cookie(&binding, &settings);
        assert!(set.to_str().unwrap().ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"));
        let mut headers = HeaderMap::new();
        for (sent, expected) in [
            (format!("a=b; {COOKIE_NAME}={binding}"), Some(binding.clone())),
            (format!("{COOKIE_NAME}={binding}x"), None),
            (format!("{COOKIE_NAME}={}", "x".repeat(32)), None),
            (String::new(), None),
        ] {
            headers.insert(COOKIE, HeaderValue::try_from(sent).unwrap());
            assert_eq!(bound(&headers), expected);
        }
    }

    #[test]
    fn numbers_must_be_there_and_not_be_0() {
        let uri = Uri::from_static("/?id=7&seconds=-5&zero=0&text=x");
        assert_eq!(number::<u64>(&uri, "id").unwrap(), 7);
        assert_eq!(number::<i64>(&uri, "seconds").unwrap(), -5);
        assert_eq!(number::<i64>(&uri, "none").unwrap_err().to_string(), "Field 'none' is required");
        for name in ["zero", "text"] {
            assert_eq!(
                number::<i64>(&uri, name).unwrap_err().to_string(),
                format!("Field '{name}' is not valid")
            );
        }
    }

    #[test]
    fn the_name_of_a_session_has_the_limit_of_all_names() {
        let named = |name: &str| client_name(&format!("/?name={name}").parse().unwrap());
        assert_eq!(named(&"n".repeat(255)), Ok("n".repeat(255)));
        let refused = named(&"n".repeat(256)).unwrap_err();
        assert_eq!(refused, "Field 'name' must be at most 255 characters long, not 256");
        assert_eq!(named("").unwrap_err(), "Field 'name' is required");
    }

    #[test]
    fn what_the_provider_says_is_shown_without_surprises() {
        assert_eq!(printable("access_denied\r\n<é>"), "access_denied<>");
        assert_eq!(printable(&"x".repeat(1000)).len(), 200);
    }
}
