//! What may go wrong at each endpoint: the status, its cause, and the text of the error.
//!
//! A cause that follows from how a handler is called is added here: from its parameters, its body and its
//! credentials. A cause that only one handler has stands in its annotation, and comes first.

use axum::http::Method;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use super::super::ApiError;
use super::super::error::ErrorObject;
use crate::auth::Overloaded;

const JSON: &str = "application/json";

/// The client must be elevated: what annotations say of a 403.
pub(in crate::api) const NOT_ELEVATED: &str =
    "The client that asks is not elevated: `session not elevated, use basic auth or call /client:elevate`.";

/// An administrator must ask: what annotations say of a 403.
pub(in crate::api) const NO_ADMIN: &str =
    "The user who asks is not an administrator: `you are not allowed to access this api`.";

/// No such application: what annotations say of a 404.
pub(in crate::api) const NO_APPLICATION: &str =
    "The user who asks has no application with this id: `app with id {id} doesn't exists`.";

/// No such client: what annotations say of a 404.
pub(in crate::api) const NO_CLIENT: &str =
    "The user who asks has no client with this id: `client with id {id} doesn't exists`.";

/// No such user: what annotations say of a 404.
pub(in crate::api) const NO_USER: &str = "There is no user with this id: `user does not exist`.";

/// No plugins: what annotations say of a 404.
pub(in crate::api) const NO_PLUGIN: &str = "This server has no plugins: `unknown plugin`.";

/// Lists have a limit on memory: what annotations say of a 503.
pub(in crate::api) const NO_LIST_MEMORY: &str =
    "Too many large lists are being sent: `too many large lists are being sent, try again in 1 s`.";

/// Adds what follows from how an operation is called.
pub(super) fn add(method: &Method, operation: &mut Operation) {
    for (status, causes) in implied(method, operation) {
        if causes.is_empty() {
            continue;
        }
        let causes = causes.join("\n\n");
        let responses = &mut operation.responses.responses;
        match responses.get_mut(status) {
            None => {
                responses.insert(status.to_owned(), RefOr::T(error(&causes)));
            }
            // A login with a name and password has its own texts for those that are wrong.
            Some(RefOr::T(stated)) if status != "401" && is_error_object(stated) => {
                stated.description = format!("{}\n\n{causes}", stated.description);
            }
            Some(_) => {}
        }
    }
}

/// Returns what may go wrong, by status.
fn implied(method: &Method, operation: &Operation) -> [(&'static str, Vec<String>); 8] {
    // An operation that says nothing about credentials is for clients; one that is open to everybody requires nothing.
    let nothing = SecurityRequirement::default();
    let is_public = operation.security.as_ref().is_some_and(|any| any.contains(&nothing));
    let takes_credentials =
        operation.security.as_ref().is_none_or(|any| any.iter().any(|one| *one != nothing));
    let has_body = operation.request_body.is_some();
    let works = !is_public || has_body;
    let changes = *method != Method::GET && *method != Method::HEAD;
    let when = |holds: bool, cause: String| holds.then_some(cause).into_iter();
    let quoted = |cause: &str, error: ApiError| format!("{cause}: `{error}`.");

    let invalid = wrong_parameters(operation)
        .chain(when(
            has_body,
            "The body is malformed, or a field is missing, has a wrong type or exceeds its limit: the text names the \
             field and what would be right, as in `Field 'name' is required`."
                .to_owned(),
        ))
        .collect();
    let unauthorized = when(
        !is_public,
        quoted(
            "The credentials are missing, unknown or expired, or are of a kind that this endpoint does not take",
            ApiError::Unauthorized,
        ) + "\n\nA token that begins with `gtfy` is malformed: the text begins with `cannot parse token:`.",
    );
    let forbidden = when(
        !is_public && changes && operation.security.is_none(),
        "A page of another site sent the request with the session's cookie: the text begins with \
         `cross-origin request detected`."
            .to_owned(),
    );
    let too_slow = when(has_body, quoted("The body did not arrive in time", ApiError::BodyTimeout));
    let too_large = when(
        has_body,
        "The body is larger than the server allows: `request body must be at most {limit} bytes long`."
            .to_owned(),
    );
    let limited = when(
        takes_credentials,
        "Too many logins with this name, or from this address, have failed: \
         `too many failed logins, try again in {n} s`. `Retry-After` has the same number."
            .to_owned(),
    );
    let failed = when(
        works,
        quoted("The server has a defect, or its database is broken; the log says more", ApiError::Internal),
    );
    let unavailable = when(works, quoted("The database does not answer", ApiError::Unavailable))
        .chain(when(works, quoted("The server is about to end, and takes no streams", ApiError::Stopping)))
        .chain(when(takes_credentials, quoted("Too many passwords wait to be checked", Overloaded.into())))
        .chain(when(
            has_body,
            quoted("Too many large bodies arrive at the same time", ApiError::NoBodyMemory),
        ));
    [
        ("400", invalid),
        ("401", unauthorized.collect()),
        ("403", forbidden.collect()),
        ("408", too_slow.collect()),
        ("413", too_large.collect()),
        ("429", limited.collect()),
        ("500", failed.collect()),
        ("503", unavailable.collect()),
    ]
}

/// Returns what may be wrong with the parameters, one cause for the id in the path and one for the query.
fn wrong_parameters(operation: &Operation) -> impl Iterator<Item = String> {
    let all = operation.parameters.iter().flatten();
    let (mut in_path, mut in_query) = (None, Vec::new());
    for parameter in all {
        let RefOr::T(Parameter { name, parameter_in, .. }) = parameter else { continue };
        match parameter_in {
            ParameterIn::Path => in_path = Some(name),
            ParameterIn::Query => in_query.push(format!("`{name}`")),
            _ => {}
        }
    }
    let in_path = in_path.map(|name| format!("`{name}` in the path is not a whole number: `invalid id`."));
    // Where the annotation has a 400 of its own, that one is about the query.
    let is_stated = operation.responses.responses.contains_key("400");
    let in_query = (!in_query.is_empty() && !is_stated).then(|| {
        let names = in_query.join(" or ");
        format!("{names} in the query is wrong: the text names the parameter and what would be right.")
    });
    in_path.into_iter().chain(in_query)
}

fn is_error_object(response: &Response) -> bool {
    response.content.len() == 1 && response.content.contains_key(JSON)
}

fn error(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(ErrorObject::name())));
    ResponseBuilder::new().description(description).content(JSON, content).build()
}
