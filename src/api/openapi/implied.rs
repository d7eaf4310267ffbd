//! What follows from how handlers are called, and is left out of their annotations.
//!
//! The gate answers 401, an id in the path or a body may be wrong, a body too large, the database away; every body
//! is taken in three forms. What a handler says itself is not touched.

use axum::http::StatusCode;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

use super::super::error::ErrorObject;

const JSON: &str = "application/json";
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

/// Completes all operations.
pub(super) fn add(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components
        .schemas
        .insert(ErrorObject::name().into_owned(), <ErrorObject as utoipa::PartialSchema>::schema());
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.required = Some(Required::True);
            take_forms(body, components);
        }
        add_errors(operation);
        name_statuses(operation);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, head, .. } = item;
    [get, put, post, delete, head].into_iter().flatten()
}

/// Offers what is sent as JSON as a form too: without `null`, and without what only JSON can express.
fn take_forms(body: &mut RequestBody, components: &Components) {
    let Some(RefOr::T(json)) = body.content.get(JSON) else { return };
    let Some(RefOr::Ref(reference)) = &json.schema else { return };
    let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
    let Some(RefOr::T(Schema::Object(form))) = components.schemas.get(name) else { return };
    let mut form = form.clone();
    form.properties.retain(|_, property| {
        let RefOr::T(Schema::Object(property)) = property else { return false };
        if let SchemaType::Array(kinds) = &mut property.schema_type {
            kinds.retain(|kind| *kind != Type::Null);
            if let [kind] = &kinds[..] {
                property.schema_type = SchemaType::Type(kind.clone());
            }
        }
        !matches!(&property.schema_type, SchemaType::Type(Type::Object))
    });
    for media_type in FORMS {
        let content = Content::new(Some(Schema::Object(form.clone())));
        body.content.entry(media_type.to_owned()).or_insert(RefOr::T(content));
    }
}

fn add_errors(operation: &mut Operation) {
    // Without a word about it, an operation is for clients; for everybody, what it requires is nothing.
    let is_public =
        operation.security.as_ref().is_some_and(|any| any.contains(&SecurityRequirement::default()));
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|all| all.iter().any(may_be_wrong));
    let works = !is_public || has_body;
    for (implied, status, description) in [
        (has_body || has_parameters, "400", "A parameter or the body is wrong."),
        (!is_public, "401", "Nobody in particular is asking, or nobody who may."),
        (!is_public, "429", "Too many logins have failed, from this address or by this name."),
        (has_body, "413", "The body is larger than the server takes."),
        (works, "500", "A defect, or a broken database."),
        (works, "503", "The database can't do it now, or the server is stopping: try again later."),
    ] {
        if implied {
            operation.responses.responses.entry(status.to_owned()).or_insert_with(|| error(description));
        }
    }
}

fn may_be_wrong(parameter: &RefOr<Parameter>) -> bool {
    match parameter {
        RefOr::T(parameter) => matches!(parameter.parameter_in, ParameterIn::Path | ParameterIn::Query),
        RefOr::Ref(_) => true,
    }
}

fn error(description: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name(ErrorObject::name())));
    RefOr::T(ResponseBuilder::new().description(description).content(JSON, content).build())
}

/// Describes an answer by its status where nothing else is said.
fn name_statuses(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            let phrase = status.and_then(|status| status.canonical_reason());
            phrase.unwrap_or_default().clone_into(&mut response.description);
        }
    }
}
