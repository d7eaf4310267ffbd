//! What follows from how handlers are called, and is left out of their annotations.
//!
//! Every body is accepted in three forms. [`errors`] adds the errors that many endpoints share. A status without a
//! description gets its standard phrase.

use axum::http::{Method, StatusCode};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Components, Content, OpenApi, RefOr, Required};

use super::super::error::ErrorObject;
use super::errors;

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
    for (method, operation) in document.paths.paths.values_mut().flat_map(operations) {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            take_forms(body, components);
            body.required =
                Some(if may_be_missing(body, components) { Required::False } else { Required::True });
        }
        errors::add(&method, operation);
        name_statuses(operation);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, head, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::HEAD, head),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Offers what is sent as JSON as a form too: without `null`, and without what only JSON can express.
fn take_forms(body: &mut RequestBody, components: &mut Components) {
    let Some(RefOr::T(json)) = body.content.get(JSON) else { return name_parts(body, components) };
    let Some(name) = json.schema.as_ref().and_then(component) else { return };
    let Some(RefOr::T(Schema::Object(form))) = components.schemas.get(name) else { return };
    let mut form = form.clone();
    forbid_null(&mut form);
    form.properties.retain(|name, property| {
        let RefOr::T(Schema::Object(property)) = property else { return false };
        forbid_null(property);
        if matches!(&property.schema_type, SchemaType::Type(Type::Boolean)) {
            property.schema_type = SchemaType::Type(Type::String);
            property.enum_values = Some(BOOLEANS.map(Value::from).to_vec());
        }
        let is_object = matches!(&property.schema_type, SchemaType::Type(Type::Object));
        if is_object && form.required.contains(name) {
            *property = json_text(property);
            return true;
        }
        !is_object
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

/// Returns how an object stands in a form.
fn json_text(object: &Object) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(object.description.clone())
        .content_media_type(JSON)
        .build()
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
