//! An OpenID Connect provider, found by discovery.
//!
//! A provider that is down holds up nothing: it is looked for again and again in one task, owned by [`OpenId`], and
//! once more when somebody wants to log in.

mod claims;
mod discovery;
mod http;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType};
use openidconnect::{
    AccessToken, AuthorizationCode, ClientId, ClientSecret, CsrfToken, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::task::AbortOnDropHandle;

use super::{Authorization, Exchange, Identity, IdentityError, IdentityProvider, Pkce};
use claims::{UserInfo, username};
use discovery::{Discovery, Metadata};
use http::{HttpError, ProviderClient};

/// Which provider, and as whom this server talks to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenIdConfig {
    /// The provider's URL, as it calls itself.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// The password that goes with it; empty if the provider wants none.
    pub client_secret: SecretString,
    /// Where the provider sends browsers back to: the server's own URL with `/auth/oidc/callback`.
    pub redirect_url: String,
    /// The claim that holds the name of the user. Default `preferred_username`.
    pub username_claim: String,
    /// What to ask the provider for. Default `openid`, `profile` and `email`.
    pub scopes: Vec<String>,
}

with_methods!(OpenIdConfig {
    with_issuer(issuer: impl Into<String>),
    with_client_id(client_id: impl Into<String>),
    with_client_secret(client_secret: impl Into<SecretString>),
    with_redirect_url(redirect_url: impl Into<String>),
    with_username_claim(username_claim: impl Into<String>),
    with_scopes(scopes: impl Into<Vec<String>>),
});

impl Default for OpenIdConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: SecretString::default(),
            redirect_url: String::new(),
            username_claim: "preferred_username".to_owned(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        }
    }
}

/// Why a provider can't be used, whatever it answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenIdError {
    /// The issuer is no URL.
    #[error("failed to read the issuer `{0}`: it must be a URL without a fragment")]
    Issuer(String),
    /// The redirect URL is none.
    #[error("failed to read the redirect URL `{0}`: it must be an absolute URL")]
    RedirectUrl(String),
    /// There is no way to ask it.
    #[error("failed to prepare requests to the identity provider")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A provider that is talked to over HTTP. Dropping it ends the search for it.
pub struct OpenId {
    config: OpenIdConfig,
    redirect_url: RedirectUrl,
    http: ProviderClient,
    discovery: Arc<Discovery>,
    _search: AbortOnDropHandle<()>,
}

impl OpenId {
    /// Begins to look for the provider, without waiting for it.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(config: OpenIdConfig) -> Result<Self, OpenIdError> {
        let invalid_issuer = || OpenIdError::Issuer(config.issuer.clone());
        let issuer = openidconnect::IssuerUrl::new(config.issuer.clone()).map_err(|_| invalid_issuer())?;
        // What is stored for a user is `issuer#subject`.
        if issuer.url().fragment().is_some() {
            return Err(invalid_issuer());
        }
        let redirect_url = RedirectUrl::new(config.redirect_url.clone())
            .map_err(|_| OpenIdError::RedirectUrl(config.redirect_url.clone()))?;
        let http = ProviderClient::new().map_err(|error| OpenIdError::Client(error.into()))?;
        let discovery = Arc::new(Discovery::new(issuer, http.clone()));
        let search = AbortOnDropHandle::new(tokio::spawn(discovery::search(Arc::clone(&discovery))));
        Ok(Self { config, redirect_url, http, discovery, _search: search })
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, IdentityError> {
        self.discovery.metadata().await.map_err(|error| IdentityError::Unavailable(error.into()))
    }

    /// Returns where to send somebody back to.
    fn redirect_url(&self, asked: Option<&str>) -> Result<Cow<'_, RedirectUrl>, IdentityError> {
        match asked {
            None => Ok(Cow::Borrowed(&self.redirect_url)),
            Some(asked) => RedirectUrl::new(asked.to_owned())
                .map(Cow::Owned)
                .map_err(|_| IdentityError::Invalid("Field 'redirect_uri' must be an absolute URL")),
        }
    }

    /// Returns what the provider tells about somebody besides who they are, if it has an endpoint for that.
    async fn user_info(
        &self,
        metadata: &Metadata,
        access_token: &AccessToken,
        subject: openidconnect::SubjectIdentifier,
    ) -> Result<Option<UserInfo>, IdentityError> {
        let client = client!(self, metadata);
        let Ok(request) = client.user_info(access_token.clone(), Some(subject)) else { return Ok(None) };
        match request.request_async(&self.http).await {
            Ok(info) => Ok(Some(info)),
            Err(error @ openidconnect::UserInfoError::ClaimsVerification(_)) => {
                Err(IdentityError::Refused(error.into()))
            }
            Err(error) => Err(IdentityError::Unavailable(error.into())),
        }
    }
}

/// Makes the client of a provider. Its type says which endpoints are known, too long to be written down.
macro_rules! client {
    ($openid:expr, $metadata:expr) => {{
        let openid: &OpenId = $openid;
        let secret = openid.config.client_secret.expose_secret();
        let secret = (!secret.is_empty()).then(|| ClientSecret::new(secret.to_owned()));
        let metadata: &Metadata = $metadata;
        CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(openid.config.client_id.clone()),
            secret,
        )
    }};
}
use client;

#[async_trait]
impl IdentityProvider for OpenId {
    async fn authorize_url(&self, request: Authorization<'_>) -> Result<String, IdentityError> {
        let redirect_url = self.redirect_url(request.redirect_uri)?;
        let metadata = self.metadata().await?;
        let client = client!(self, &metadata);
        let (state, nonce) = (request.state.to_owned(), request.nonce.to_owned());
        // The library asks for `openid` by itself.
        let scopes = self.config.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let authorization = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes)
            .set_redirect_uri(redirect_url);
        let authorization = match request.pkce {
            Pkce::Verifier(verifier) => {
                let verifier = PkceCodeVerifier::new(verifier.to_owned());
                authorization.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            }
            Pkce::Challenge(challenge) => authorization
                .add_extra_param("code_challenge", challenge.to_owned())
                .add_extra_param("code_challenge_method", "S256"),
        };
        Ok(authorization.url().0.into())
    }

    async fn identify(&self, exchange: Exchange<'_>) -> Result<Identity, IdentityError> {
        let refused = |error: &'static str| IdentityError::Refused(error.into());
        let redirect_url = self.redirect_url(exchange.redirect_uri)?;
        let metadata = self.metadata().await?;
        let client = client!(self, &metadata);
        let request = client
            .exchange_code(AuthorizationCode::new(exchange.code.to_owned()))
            .map_err(|_| refused("the provider has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(exchange.verifier.to_owned()))
            .set_redirect_uri(redirect_url);
        let tokens = request.request_async(&self.http).await.map_err(token_error)?;
        let id_token = tokens.id_token().ok_or_else(|| refused("the provider sent no id token"))?;

        let nonce = Nonce::new(exchange.nonce.to_owned());
        let verified = id_token.claims(&client.id_token_verifier(), &nonce);
        let refreshed;
        let claims = match verified {
            // The provider may have changed its keys since they were fetched.
            Err(error) if discovery::is_of_unknown_key(&error) => {
                let metadata = self.discovery.refresh().await;
                refreshed =
                    client!(self, &*metadata.map_err(|error| IdentityError::Unavailable(error.into()))?);
                id_token.claims(&refreshed.id_token_verifier(), &nonce)
            }
            verified => verified,
        };
        let claims = claims.map_err(|error| IdentityError::Refused(error.into()))?;

        let info = self.user_info(&metadata, tokens.access_token(), claims.subject().clone()).await?;
        let claim = &self.config.username_claim;
        Ok(Identity {
            issuer: claims.issuer().to_string(),
            subject: claims.subject().to_string(),
            username: info.and_then(|info| username(&info, claim)).or_else(|| username(claims, claim)),
        })
    }
}

/// A provider that answers with an error does not take the code; all else is no answer.
fn token_error(
    error: RequestTokenError<HttpError, openidconnect::StandardErrorResponse<CoreErrorResponseType>>,
) -> IdentityError {
    match error {
        RequestTokenError::ServerResponse(_) => IdentityError::Refused(error.into()),
        error => IdentityError::Unavailable(error.into()),
    }
}

impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenId").field("config", &self.config).finish_non_exhaustive()
    }
}
