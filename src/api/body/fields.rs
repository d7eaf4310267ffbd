//! What a request body is decoded into.

use crate::model::Extras;

/// A set of named fields that a request fills in. Decoding begins with the default, and leaves what the
/// request does not name.
pub(in crate::api) trait Form: Default + Send {
    /// What Gotify's texts call it.
    const NAME: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field];

    /// Returns where the value of `FIELDS[index]` goes.
    fn target(&mut self, index: usize) -> FieldTarget<'_>;
}

/// A [`Form`] of any type. The code that fills in forms takes this, so that it is compiled once and not per form.
pub(super) trait AnyForm: Send {
    /// See [`Form::FIELDS`].
    fn fields(&self) -> &'static [Field];

    /// See [`Form::target`].
    fn field_target(&mut self, index: usize) -> FieldTarget<'_>;

    /// Makes all fields as they are by default.
    fn reset(&mut self);
}

impl<F: Form> AnyForm for F {
    fn fields(&self) -> &'static [Field] {
        F::FIELDS
    }

    fn field_target(&mut self, index: usize) -> FieldTarget<'_> {
        self.target(index)
    }

    fn reset(&mut self) {
        *self = F::default();
    }
}

/// A field's name, and whether it must be there.
pub(in crate::api) struct Field {
    pub(in crate::api) name: &'static str,
    pub(in crate::api) required: bool,
    /// What the API's document says about it; may be empty.
    pub(in crate::api) description: &'static str,
    /// A value that shows how it is used; may be empty.
    pub(in crate::api) example: &'static str,
    /// The greatest that a number may be.
    pub(in crate::api) maximum: Option<u64>,
    /// How many characters a text may have.
    pub(in crate::api) max_characters: Option<usize>,
    /// What a text must match, for those who read the API's document; the handler looks at it.
    pub(in crate::api) pattern: Option<&'static str>,
    /// The texts that an object must have.
    pub(in crate::api) texts: &'static [&'static str],
    /// Whether errors must not repeat its value.
    pub(in crate::api) is_secret: bool,
}

/// How many characters the name of an application or a client may have.
pub(crate) const MAX_NAME_CHARACTERS: usize = 255;

/// How many characters the name of a user may have: what the column of Gotify's schema holds in PostgreSQL, MariaDB and
/// MySQL. It is the same with SQLite, whose columns have no limit, so that every database can be copied to any other.
pub(crate) const MAX_USER_NAME_CHARACTERS: usize = 180;

/// How many characters the description of an application may have: a `text` of MariaDB or MySQL holds 65 535 bytes, and
/// a character takes up to four.
pub(crate) const MAX_DESCRIPTION_CHARACTERS: usize = 16_383;

impl Field {
    pub(in crate::api) const fn required(name: &'static str) -> Self {
        Self { required: true, ..Self::optional(name) }
    }

    pub(in crate::api) const fn optional(name: &'static str) -> Self {
        Self {
            name,
            required: false,
            description: "",
            example: "",
            maximum: None,
            max_characters: None,
            pattern: None,
            texts: &[],
            is_secret: false,
        }
    }

    /// Says what it is for, to those who read the API's document.
    pub(in crate::api) const fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Shows a value to those who read the API's document: a text as it is, anything else as JSON.
    pub(in crate::api) const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// Bounds a number that has no sign.
    pub(in crate::api) const fn at_most(self, maximum: u64) -> Self {
        Self { maximum: Some(maximum), ..self }
    }

    /// Bounds a text.
    pub(in crate::api) const fn max_characters(self, characters: usize) -> Self {
        Self { max_characters: Some(characters), ..self }
    }

    /// Says what a text must match, to those who read the API's document; the handler looks at it.
    pub(in crate::api) const fn matching(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    /// Says which texts an object must have, to those who read the API's document; the handler looks for them.
    pub(in crate::api) const fn with_texts(self, texts: &'static [&'static str]) -> Self {
        Self { texts, ..self }
    }

    /// Keeps its value out of errors.
    pub(in crate::api) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }
}

/// Where a field's value goes, by its type.
pub(in crate::api) enum FieldTarget<'f> {
    Text(&'f mut String),
    Integer(&'f mut Option<i64>),
    Unsigned(&'f mut Option<u64>),
    Flag(&'f mut bool),
    /// A flag that may be left out.
    Choice(&'f mut Option<bool>),
    /// Can only be sent as JSON, as in Gotify.
    Extras(&'f mut Option<Extras>),
    /// An object. In a form it is a text, which is JSON.
    Object(&'f mut Option<Extras>),
}

/// Checks that no required field has the zero value, no number is too great and no text too long, or says which are.
pub(super) fn check(form: &mut dyn AnyForm) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (index, field) in form.fields().iter().enumerate() {
        if let (FieldTarget::Unsigned(Some(number)), Some(maximum)) =
            (form.field_target(index), field.maximum)
            && *number > maximum
        {
            wrong.push(format!("Field '{}' must be less or equal to {maximum}", field.name));
        }
        if let (FieldTarget::Text(text), Some(most)) = (form.field_target(index), field.max_characters) {
            let characters = text.chars().count();
            if characters > most {
                wrong.push(format!(
                    "Field '{}' must be at most {most} characters long, not {characters}",
                    field.name
                ));
            }
        }
        let zero = match form.field_target(index) {
            FieldTarget::Text(text) => text.is_empty(),
            FieldTarget::Integer(number) => number.unwrap_or_default() == 0,
            FieldTarget::Unsigned(number) => number.unwrap_or_default() == 0,
            FieldTarget::Flag(flag) => !*flag,
            FieldTarget::Choice(choice) => choice.is_none(),
            FieldTarget::Extras(object) | FieldTarget::Object(object) => object.is_none(),
        };
        if field.required && zero {
            // A number without a sign that must be there is not 0.
            let is_zero = matches!(form.field_target(index), FieldTarget::Unsigned(Some(_)));
            let fault = if is_zero { "must be at least 1" } else { "is required" };
            wrong.push(format!("Field '{}' {fault}", field.name));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A form with a field of each type.
    #[derive(Debug, Default, PartialEq)]
    pub(in crate::api::body) struct Sample {
        pub(in crate::api::body) name: String,
        pub(in crate::api::body) count: Option<i64>,
        pub(in crate::api::body) extras: Option<Extras>,
        pub(in crate::api::body) seconds: Option<u64>,
        pub(in crate::api::body) urgent: bool,
        pub(in crate::api::body) secret: String,
    }

    impl Form for Sample {
        const NAME: &'static str = "Sample";
        const FIELDS: &'static [Field] = &[
            Field::required("name").max_characters(1_000_000),
            Field::required("maxCount"),
            Field::optional("extras"),
            Field::optional("seconds").at_most(u64::MAX - 1),
            Field::optional("urgent"),
            Field::optional("secret").secret(),
        ];

        fn target(&mut self, index: usize) -> FieldTarget<'_> {
            match index {
                0 => FieldTarget::Text(&mut self.name),
                1 => FieldTarget::Integer(&mut self.count),
                2 => FieldTarget::Extras(&mut self.extras),
                3 => FieldTarget::Unsigned(&mut self.seconds),
                4 => FieldTarget::Flag(&mut self.urgent),
                _ => FieldTarget::Text(&mut self.secret),
            }
        }
    }

    #[derive(Default)]
    struct ReadMark(Option<u64>);

    impl Form for ReadMark {
        const NAME: &'static str = "ReadMark";
        const FIELDS: &'static [Field] = &[Field::required("upTo")];

        fn target(&mut self, _index: usize) -> FieldTarget<'_> {
            FieldTarget::Unsigned(&mut self.0)
        }
    }

    #[test]
    fn a_number_that_is_too_small_is_not_called_missing() {
        let refused = |number| check(&mut ReadMark(number)).err();
        assert_eq!(refused(None).as_deref(), Some("Field 'upTo' is required"));
        assert_eq!(refused(Some(0)).as_deref(), Some("Field 'upTo' must be at least 1"));
        assert_eq!(refused(Some(1)), None);
    }

    #[test]
    fn every_missing_field_is_named() {
        let error = check(&mut Sample { count: Some(0), ..Sample::default() });
        assert_eq!(error, Err("Field 'name' is required; Field 'maxCount' is required".to_owned()));
        let mut complete = Sample { name: " ".to_owned(), count: Some(-1), ..Sample::default() };
        assert_eq!(check(&mut complete), Ok(()));
        complete.seconds = Some(u64::MAX);
        let error = Err("Field 'seconds' must be less or equal to 18446744073709551614".to_owned());
        assert_eq!(check(&mut complete), error);
        complete.seconds = None;
        complete.name = "é".repeat(1_000_000);
        assert_eq!(check(&mut complete), Ok(()));
        complete.name.push('é');
        let error = Err("Field 'name' must be at most 1000000 characters long, not 1000001".to_owned());
        assert_eq!(check(&mut complete), error);
    }
}
