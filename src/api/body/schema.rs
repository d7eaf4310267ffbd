//! The schemas of request bodies, made from the fields that they are decoded into.

use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};

use super::super::path::unsigned;
use super::fields::AnyForm;
use super::{Field, FieldTarget, Form};

/// Returns the schema of a form that is sent as JSON: `null` is as good as nothing, also in place of a whole form that
/// requires nothing, and unknown names are skipped.
pub(in crate::api) fn schema<F: Form>() -> RefOr<Schema> {
    schema_of(&mut F::default())
}

fn schema_of(form: &mut dyn AnyForm) -> RefOr<Schema> {
    let fields = form.fields();
    let requires_any = fields.iter().any(|field| field.required);
    let kind = if requires_any {
        SchemaType::new(Type::Object)
    } else {
        SchemaType::from_iter([Type::Object, Type::Null])
    };
    let mut object = ObjectBuilder::new().schema_type(kind);
    for (index, field) in fields.iter().enumerate() {
        object = object.property(field.name, value(field, &form.field_target(index)));
        if field.required {
            object = object.required(field.name);
        }
    }
    RefOr::T(Schema::Object(object.build()))
}

fn value(field: &Field, target: &FieldTarget<'_>) -> Object {
    let value = ObjectBuilder::new();
    let (value, kind) = match target {
        // The zero value is as good as none.
        FieldTarget::Text(_) => {
            let value = value.min_length(field.required.then_some(1)).max_length(field.max_characters);
            (value.pattern(field.pattern), Type::String)
        }
        FieldTarget::Integer(_) => {
            (value.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))), Type::Integer)
        }
        FieldTarget::Unsigned(_) => {
            let unsigned = if field.required { unsigned().minimum(Some(1)) } else { unsigned() };
            (if field.maximum.is_some() { unsigned.maximum(field.maximum) } else { unsigned }, Type::Integer)
        }
        FieldTarget::Flag(_) | FieldTarget::Choice(_) => (value, Type::Boolean),
        FieldTarget::Extras(_) | FieldTarget::Object(_) => {
            let value = value.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true)));
            (
                field
                    .texts
                    .iter()
                    .fold(value, |value, text| value.property(*text, any_text()).required(*text)),
                Type::Object,
            )
        }
    };
    let example = match (field.example, &kind) {
        ("", _) => None,
        (text, Type::String) => Some(text.into()),
        (json, _) => serde_json::from_str(json).ok(),
    };
    let kind = if field.required { SchemaType::new(kind) } else { SchemaType::from_iter([kind, Type::Null]) };
    let description = Some(field.description).filter(|text| !text.is_empty());
    value
        .schema_type(kind)
        .description(description)
        .examples(example.into_iter().collect::<Vec<Value>>())
        .build()
}

fn any_text() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

/// Lets the annotations of handlers name forms: `request_body = ApplicationParams`.
macro_rules! documented {
    ($($form:ty),+ $(,)?) => {$(
        impl utoipa::PartialSchema for $form {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::api::body::schema::<Self>()
            }
        }

        impl utoipa::ToSchema for $form {
            fn name() -> std::borrow::Cow<'static, str> {
                <Self as $crate::api::body::Form>::NAME.into()
            }
        }
    )+};
}

pub(in crate::api) use documented;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fields::tests::Sample;
    use super::*;

    #[test]
    fn a_field_is_described_with_an_example() {
        let shown =
            |field: Field, target: FieldTarget<'_>| serde_json::to_value(value(&field, &target)).unwrap();
        let priority = Field::optional("priority").described("How urgent.").example("5");
        assert_eq!(
            shown(priority, FieldTarget::Integer(&mut None)),
            json!({
                "type": ["integer", "null"], "format": "int64", "description": "How urgent.", "examples": [5],
            })
        );
        let name = Field::required("name").example("5");
        let expected = json!({"type": "string", "minLength": 1, "examples": ["5"]});
        assert_eq!(shown(name, FieldTarget::Text(&mut String::new())), expected);
        let keys = Field::required("keys").with_texts(&["auth"]);
        let expected = json!({
            "type": "object", "additionalProperties": true, "required": ["auth"],
            "properties": {"auth": {"type": "string"}},
        });
        assert_eq!(shown(keys, FieldTarget::Object(&mut None)), expected);
    }

    #[test]
    fn a_schema_says_what_the_decoder_takes() {
        let schema = serde_json::to_value(schema::<Sample>()).unwrap();
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "required": ["name", "maxCount"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 1_000_000},
                    "maxCount": {"type": "integer", "format": "int64"},
                    "extras": {"type": ["object", "null"], "additionalProperties": true},
                    "seconds": {"type": ["integer", "null"], "format": "uint64", "minimum": 0, "maximum": u64::MAX - 1},
                    "urgent": {"type": ["boolean", "null"]},
                    "secret": {"type": ["string", "null"]},
                },
            })
        );
    }
}
