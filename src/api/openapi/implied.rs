//! What follows from how handlers are called, and is left out of their annotations.
//!
//! The gate answers 401, an id in the path or a body may be wrong, a body too large, the database away; every body
//! is taken in three forms. What a handler says itself is not touched.

use axum::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

use super::super::error::ErrorObject;

const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data";
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", MULTIPART];

/// The words that a form has for true and false; none is false too.
const BOOLEANS: [&str; 13] =
    ["true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False", ""];

/// What names of a multipart body's fields are made of.
const PRINTABLE: &str = "^[^\\x00-\\x1f\\x7f]*$";

/// Completes all operations.
pub(super) fn add(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components
        .schemas
        .insert(ErrorObject::name().into_owned(), <ErrorObject as utoipa::PartialSchema>::schema());
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            take_forms(body, components);
            body.required =
                Some(if may_be_missing(body, components) { Required::False } else { Required::True });
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
fn take_forms(body: &mut RequestBody, components: &mut Components) {
    let Some(RefOr::T(json)) = body.content.get(JSON) else { return name_parts(body, components) };
    let Some(name) = json.schema.as_ref().and_then(component) else { return };
    let Some(RefOr::T(Schema::Object(form))) = components.schemas.get(name) else { return };
    let mut form = form.clone();
    forbid_null(&mut form);
    form.properties.retain(|_, property| {
        let RefOr::T(Schema::Object(property)) = property else { return false };
        forbid_null(property);
        if matches!(&property.schema_type, SchemaType::Type(Type::Boolean)) {
            property.schema_type = SchemaType::Type(Type::String);
            property.enum_values = Some(BOOLEANS.map(Value::from).to_vec());
        }
        !matches!(&property.schema_type, SchemaType::Type(Type::Object))
    });
    for media_type in FORMS {
        let mut form = form.clone();
        if media_type == MULTIPART {
            form.property_names = Some(Box::new(part_name()));
        }
        let content = Content::new(Some(Schema::Object(form)));
        body.content.entry(media_type.to_owned()).or_insert(RefOr::T(content));
    }
}

/// Takes `null` out of what a value may be.
fn forbid_null(value: &mut Object) {
    if let SchemaType::Array(kinds) = &mut value.schema_type {
        kinds.retain(|kind| *kind != Type::Null);
        if let [kind] = &kinds[..] {
            value.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

/// Whether nothing in a body is required.
fn may_be_missing(body: &RequestBody, components: &Components) -> bool {
    let Some(RefOr::T(json)) = body.content.get(JSON) else { return false };
    let found = json.schema.as_ref().and_then(component).and_then(|name| components.schemas.get(name));
    matches!(found, Some(RefOr::T(Schema::Object(form))) if form.required.is_empty())
}

/// Bounds the names of a body that is taken as multipart alone.
fn name_parts(body: &RequestBody, components: &mut Components) {
    let Some(RefOr::T(multipart)) = body.content.get(MULTIPART) else { return };
    let Some(name) = multipart.schema.as_ref().and_then(component) else { return };
    if let Some(RefOr::T(Schema::Object(form))) = components.schemas.get_mut(name) {
        form.property_names = Some(Box::new(part_name()));
    }
}

/// The name of a multipart body's field: it stands in a header.
fn part_name() -> Schema {
    Schema::Object(ObjectBuilder::new().schema_type(Type::String).pattern(Some(PRINTABLE)).build())
}

/// Returns the name of the component that is referred to.
fn component(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => reference.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}

fn add_errors(operation: &mut Operation) {
    // Without a word about it, an operation is for clients; for everybody, what it requires is nothing.
    let nothing = SecurityRequirement::default();
    let is_public = operation.security.as_ref().is_some_and(|any| any.contains(&nothing));
    let asks_who = operation.security.as_ref().is_none_or(|any| any.iter().any(|one| *one != nothing));
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|all| all.iter().any(may_be_wrong));
    let works = !is_public || has_body;
    for (implied, status, description) in [
        (has_body || has_parameters, "400", "A parameter or the body is wrong."),
        (!is_public, "401", "Nobody in particular is asking, or nobody who may."),
        (asks_who, "429", "Too many logins have failed, from this address or by this name."),
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
