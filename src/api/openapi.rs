//! `/swagger`: the API's OpenAPI document, made of what the handlers say about themselves, and `/docs`, which shows it.
//!
//! An annotation states the handler's own answers: its success, and the errors that only it gives. The rest follows
//! from how handlers are called, and is added by [`implied`] and [`errors`].

pub(super) mod errors;
mod implied;
mod page;
mod security;

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{InfoBuilder, License, OpenApi, Server, Tag, tag::TagBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::compression::compressed;
use super::external_base::ExternalBase;
use super::json::APPLICATION_JSON;
use super::listing::PIECE_BYTES;
use super::routing::get_only;
use super::{ApiError, AppState, encode_json, query};

/// What the groups of endpoints are about, in the order in which they are shown.
const TAGS: [(&str, &str); 8] = [
    ("message", "Sending, listing, searching and deleting messages, and the stream."),
    ("application", "What may send messages."),
    ("client", "What may receive messages, and manage its user's things."),
    ("user", "Who applications, clients and messages belong to."),
    ("oidc", "Logging in through an identity provider."),
    ("plugin", "Gotify's extensions, of which there are none."),
    ("shardcast", "What Gotify does not have, for the web page and others."),
    ("info", "About this server."),
];

/// A host, or a URL without a name, a password or a query.
const BASE: &str = r"^((https?://)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?)?$";

const DESCRIPTION: &str = "Messages in, messages out, as Gotify does it. \
    An application's token may send; a client's token, or a name and password, may do the rest. \
    Bodies are taken as JSON, as a form and as multipart alike; a form's fields may also stand in the query. \
    Every error is answered with the same object. \
    Unknown paths and methods are a 404, a server with too many connections answers 503 in plain text.";

pub(super) fn router(published: Specification) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(compressed(get_only(routes!(swagger))))
        .routes(compressed(get_only(routes!(page::docs))))
        .with_state(published)
}

/// The document, once all routes are known: those that give it out are among them.
#[derive(Clone, Default)]
pub(super) struct Specification(Arc<OnceLock<Bytes>>);

impl Specification {
    /// Completes the document that the routes make, and gives it out from now on.
    pub(super) fn publish(&self, routes: OpenApi) {
        // By utoipa's own encoder, since one of ours for all its types is much to compile.
        let encoded = || completed(routes).to_json().expect("the document is plain structs with string keys");
        self.0.get_or_init(|| encoded().into());
    }
}

fn completed(mut document: OpenApi) -> OpenApi {
    let license = License::new(env!("CARGO_PKG_LICENSE"));
    document.info = InfoBuilder::new()
        .title("Shardcast")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    let tag = |(name, description)| TagBuilder::new().name(name).description(Some(description)).build();
    document.tags = Some(TAGS.map(tag).into_iter().collect::<Vec<Tag>>());
    security::describe(&mut document);
    implied::add(&mut document);
    document
}

/// Gives out this document.
#[utoipa::path(
    get, path = "/swagger", operation_id = "getSpecification", tag = "info",
    security(()),
    params(BaseUrl),
    responses(
        (status = 200, description = "An OpenAPI 3.1 document.", body = Object),
    )
)]
async fn swagger(State(Specification(document)): State<Specification>, base: BaseUrl) -> Response {
    let document = document.get().cloned().unwrap_or_default();
    // The document is one object, encoded once; its last field is added to each answer.
    let fields = document.slice(..document.len().saturating_sub(1));
    let servers = encode_json(&[Server::new(base.0)]);
    let last = [br#","servers":"#, &servers[..], b"}"].concat();
    let length = fields.len() + last.len();
    // The HTTP server copies what it gets, and a client that never reads leaves it there.
    let pieces = (0..fields.len()).step_by(PIECE_BYTES);
    let pieces = pieces.map(move |at| fields.slice(at..fields.len().min(at + PIECE_BYTES)));
    let pieces = pieces.chain([last.into()]).map(Ok::<Bytes, Infallible>);
    let headers = [(CONTENT_TYPE, APPLICATION_JSON), (CONTENT_LENGTH, length.into())];
    (headers, Body::from_stream(futures_util::stream::iter(pieces))).into_response()
}

/// The URL that the API is reached at; relative to the document's own unless the query says otherwise.
struct BaseUrl(String);

impl<S: Send + Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let base = parts.uri.query().and_then(|query| query::first(query, "base"));
        match base.filter(|base| !base.is_empty()) {
            None => Ok(Self(".".to_owned())),
            Some(base) => server_url(&base, parts).map(Self).ok_or_else(|| {
                ApiError::BadRequest("Field 'base' must be a host or an http or https URL".to_owned())
            }),
        }
    }
}

impl IntoParams for BaseUrl {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(BASE));
        let base = ParameterBuilder::new().name("base").parameter_in(ParameterIn::Query).schema(Some(text));
        let description =
            "The host that the server is reached at, or a URL: it becomes the document's server.";
        vec![base.description(Some(description)).build()]
    }
}

fn server_url(base: &str, parts: &Parts) -> Option<String> {
    let is_plain = regex_lite::Regex::new(BASE).is_ok_and(|pattern| pattern.is_match(base));
    let scheme = || ExternalBase::of(&parts.headers, &parts.extensions).scheme;
    let url = if base.contains("://") { base.to_owned() } else { format!("{}://{base}", scheme()) };
    is_plain.then_some(url)
}
