//! Logins of apps: `/auth/oidc/external/authorize` and `/auth/oidc/external/token`.
//!
//! The app makes the proof key, opens the provider's page in a browser, catches the way back itself, and asks this
//! server to exchange the code.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::body::{
    ANONYMOUS_BYTES, Field, FieldTarget, Form, LazyBody, MAX_NAME_CHARACTERS, documented,
};
use super::super::error::ErrorObject;
use super::super::{ApiError, AppState, Json, session};
use super::begun::{LoginOrigin, LoginPurpose, MAX_TEXT_BYTES};
use super::{Oidc, account, begun};
use crate::auth::{Authorization, Exchange, Pkce};
use crate::model::User;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(authorize)).routes(routes!(token))
}

#[derive(Default)]
struct AuthorizeRequest {
    code_challenge: String,
    redirect_uri: String,
    name: String,
}

impl Form for AuthorizeRequest {
    const NAME: &'static str = "OIDCExternalAuthorizeRequest";
    const FIELDS: &'static [Field] = &[
        Field::required("code_challenge")
            .described("The challenge of the app's proof key, by the method S256."),
        Field::required("redirect_uri").described("Where the provider sends the user back to."),
        Field::required("name")
            .described("What the app's client will be called.")
            .example("phone")
            .max_characters(MAX_NAME_CHARACTERS),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.code_challenge),
            1 => FieldTarget::Text(&mut self.redirect_uri),
            _ => FieldTarget::Text(&mut self.name),
        }
    }
}

#[derive(Default)]
struct TokenRequest {
    code: String,
    state: String,
    code_verifier: String,
}

impl Form for TokenRequest {
    const NAME: &'static str = "OIDCExternalTokenRequest";
    const FIELDS: &'static [Field] = &[
        Field::required("code").described("What the provider gave out for the login."),
        Field::required("state").described("What `authorize` answered."),
        Field::required("code_verifier").described("The app's proof key.").secret(),
    ];

    fn target(&mut self, index: usize) -> FieldTarget<'_> {
        match index {
            0 => FieldTarget::Text(&mut self.code),
            1 => FieldTarget::Text(&mut self.state),
            _ => FieldTarget::Text(&mut self.code_verifier),
        }
    }
}

documented!(AuthorizeRequest, TokenRequest);

/// Where an app's user logs in.
#[derive(Serialize, ToSchema)]
#[schema(as = OIDCExternalAuthorizeResponse)]
struct Authorize {
    /// The page to be opened in a browser.
    authorize_url: String,
    /// What the user comes back with, and `token` asks for.
    state: String,
}

/// A client of whoever logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = OIDCExternalTokenResponse)]
struct Token {
    /// The client's token.
    token: String,
    /// Who logged in.
    user: User,
}

/// Tells an app where its user logs in.
#[utoipa::path(
    post, path = "/auth/oidc/external/authorize", operation_id = "externalAuthorize", tag = "oidc",
    security(()),
    request_body = AuthorizeRequest,
    responses(
        (status = 200, body = Authorize),
        (status = 503, body = ErrorObject, description = "The identity provider does not answer: \
            `the identity provider is unavailable, try again later`."),
    )
)]
async fn authorize(
    State(state): State<AppState>,
    oidc: Oidc,
    mut body: LazyBody,
) -> Result<Json<Authorize>, ApiError> {
    body.limit(ANONYMOUS_BYTES);
    let form: AuthorizeRequest = body.read().await?;
    for (field, text) in
        [("code_challenge", &form.code_challenge), ("redirect_uri", &form.redirect_uri), ("name", &form.name)]
    {
        if text.len() > MAX_TEXT_BYTES {
            let text = format!("Field '{field}' must be at most {MAX_TEXT_BYTES} bytes long");
            return Err(ApiError::BadRequest(text));
        }
    }
    let purpose = LoginPurpose::App { name: form.name, redirect_uri: form.redirect_uri.clone() };
    let login = begun::begin(&state, LoginOrigin::App, purpose).await?;
    let url = oidc.provider.authorize_url(Authorization {
        state: &login.state,
        nonce: &login.nonce,
        pkce: Pkce::Challenge(&form.code_challenge),
        redirect_uri: Some(&form.redirect_uri),
    });
    Ok(Json(Authorize { authorize_url: url.await?, state: login.state }))
}

/// Exchanges what an app's user came back with for the token of a new client.
#[utoipa::path(
    post, path = "/auth/oidc/external/token", operation_id = "externalToken", tag = "oidc",
    security(()),
    request_body = TokenRequest,
    responses(
        (status = 200, body = Token),
        (status = 400, body = ErrorObject, description = "The login was not begun, or too long ago, or is ended: \
            `unknown or expired state`. \
            Or the user would be new, and the provider's name of the user has more than 180 characters."),
        (status = 401, description = "The provider refuses the code: `token exchange failed`.", body = ErrorObject),
        (status = 403, description = "The user of the provider may not be a user here: the text says why.", body = ErrorObject),
        (status = 503, body = ErrorObject, description = "The identity provider does not answer: \
            `the identity provider is unavailable, try again later`."),
    )
)]
async fn token(
    State(state): State<AppState>,
    oidc: Oidc,
    mut body: LazyBody,
) -> Result<Json<Token>, ApiError> {
    body.limit(ANONYMOUS_BYTES);
    let form: TokenRequest = body.read().await?;
    let unknown = || ApiError::BadRequest("unknown or expired state".to_owned());
    let login = begun::end(&state, LoginOrigin::App, &form.state).await?.ok_or_else(unknown)?;
    let LoginPurpose::App { name, redirect_uri } = login.purpose else { return Err(unknown()) };
    let identity = oidc.provider.identify(Exchange {
        code: &form.code,
        verifier: &form.code_verifier,
        nonce: &login.nonce,
        redirect_uri: Some(&redirect_uri),
    });
    let user = account::user(&state, &oidc, &identity.await?).await?;
    let (client, _) = session::start(&state, user.id, name).await?;
    Ok(Json(Token { token: client.token, user }))
}
