//! JSON bodies, read as Go's decoder reads them.
//!
//! Only the first value counts, keys match in any case, unknown ones are skipped, `null` changes nothing. A
//! value of the wrong type is reported once the whole value has been read: broken JSON is the worse error.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Form, Slot};
use crate::model::Extras;

/// Decodes the first JSON value of a body. The error is the text for the client.
pub(super) fn decode<F: Form>(body: &[u8]) -> Result<F, String> {
    match decode_strictly(body) {
        Err(error) if error.is_syntax() => match repaired(body) {
            Some(repaired) => decode_strictly(&repaired).map_err(|error| text(&error, body))?,
            None => Err(text(&error, body)),
        },
        outcome => outcome.map_err(|error| text(&error, body))?,
    }
}

/// The outer error is about the JSON, the inner one about the types of the values.
fn decode_strictly<F: Form>(body: &[u8]) -> Result<Result<F, String>, serde_json::Error> {
    let mut form = F::default();
    let mut mismatch = None;
    let mut json = serde_json::Deserializer::from_slice(body);
    FormSeed { form: &mut form, mismatch: &mut mismatch }.deserialize(&mut json)?;
    Ok(match mismatch {
        Some(mismatch) => Err(mismatch),
        None => Ok(form),
    })
}

fn text(error: &serde_json::Error, body: &[u8]) -> String {
    if !error.is_eof() {
        format!("invalid JSON: {error}")
    } else if body.trim_ascii().is_empty() {
        "EOF".to_owned()
    } else {
        "unexpected EOF".to_owned()
    }
}

/// Replaces what is no Unicode by U+FFFD: bytes that are not UTF-8 and escapes of lone surrogates. `None` if
/// there is nothing to replace.
fn repaired(body: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(body);
    let text = text.as_bytes();
    let mut repaired = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = match surrogate(rest) {
            Some(0xD800..0xDC00) if matches!(surrogate(&rest[6..]), Some(0xDC00..)) => 12,
            Some(_) => {
                repaired.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            // What follows a backslash is no backslash of its own.
            None if rest[0] == b'\\' => rest.len().min(2),
            None => 1,
        };
        repaired.extend_from_slice(&rest[..length]);
        at += length;
    }
    (repaired != body).then_some(repaired)
}

/// Returns the surrogate that is escaped at the beginning of a text.
fn surrogate(text: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(text.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u16::from_str_radix(digits, 16).ok().filter(|code| (0xD800..0xE000).contains(code))
}

/// Fills in a form from an object.
struct FormSeed<'f, F> {
    form: &'f mut F,
    mismatch: &'f mut Option<String>,
}

impl<F: Form> FormSeed<'_, F> {
    fn mismatch(self, found: &str) {
        self.mismatch.get_or_insert_with(|| {
            format!("json: cannot unmarshal {found} into Go value of type model.{}", F::NAME)
        });
    }
}

/// Fills in one field.
struct FieldSeed<'f> {
    slot: Slot<'f>,
    form: &'static str,
    field: &'static str,
    mismatch: &'f mut Option<String>,
}

impl FieldSeed<'_> {
    fn mismatch(self, found: &str) {
        let expected = match self.slot {
            Slot::Text(_) => "string",
            Slot::Integer(_) => "int",
            Slot::Extras(_) => "map[string]interface {}",
        };
        let (form, field) = (self.form, self.field);
        self.mismatch.get_or_insert_with(|| {
            format!("json: cannot unmarshal {found} into Go struct field {form}.{field} of type {expected}")
        });
    }

    /// Of numbers, Gotify's text shows the digits where another number would have done.
    fn number_mismatch(self, number: impl fmt::Debug) {
        if matches!(self.slot, Slot::Integer(_)) {
            self.mismatch(&format!("number {number:?}"));
        } else {
            self.mismatch("number");
        }
    }
}

/// The visitor methods for values that can only be of the wrong type.
macro_rules! mismatches {
    ($($method:ident($value:ty) = $found:literal;)*) => {
        $(fn $method<E>(self, _: $value) -> Result<(), E> {
            self.mismatch($found);
            Ok(())
        })*
    };
}

impl<'de, F: Form> DeserializeSeed<'de> for FormSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Form> Visitor<'de> for FormSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    mismatches! {
        visit_bool(bool) = "bool";
        visit_i64(i64) = "number";
        visit_u64(u64) = "number";
        visit_f64(f64) = "number";
        visit_str(&str) = "string";
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.mismatch("array");
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(index) = entries.next_key_seed(KeySeed::<F>::default())? {
            let Some(index) = index else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            entries.next_value_seed(FieldSeed {
                slot: self.form.slot(index),
                form: F::NAME,
                field: F::FIELDS[index].name,
                mismatch: self.mismatch,
            })?;
        }
        Ok(())
    }
}

/// Finds the field that a key means, without copying the key.
struct KeySeed<F>(std::marker::PhantomData<F>);

impl<F> Default for KeySeed<F> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<'de, F: Form> DeserializeSeed<'de> for KeySeed<F> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: Form> Visitor<'_> for KeySeed<F> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(F::FIELDS.iter().position(|field| field.name.eq_ignore_ascii_case(key)))
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    mismatches! { visit_bool(bool) = "bool"; }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        if let Slot::Integer(slot) = self.slot {
            *slot = Some(number);
        } else {
            self.number_mismatch(number);
        }
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        if let Ok(number) = i64::try_from(number) {
            self.visit_i64(number)
        } else {
            self.number_mismatch(number);
            Ok(())
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.number_mismatch(number);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Slot::Text(slot) = self.slot {
            text.clone_into(slot);
        } else {
            self.mismatch("string");
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.mismatch("array");
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Slot::Extras(slot) = self.slot {
            let mut extras = Extras::new();
            while let Some((key, value)) = entries.next_entry()? {
                extras.insert(key, value);
            }
            *slot = Some(extras);
        } else {
            self.mismatch("object");
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fields::tests::Sample;
    use super::*;

    fn sample(body: &str) -> Sample {
        decode(body.as_bytes()).unwrap()
    }

    fn error(body: &str) -> String {
        decode::<Sample>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn keys_match_in_any_case_and_unknown_ones_are_skipped() {
        let read = sample(r#"{"NAME": "a", "maxcount": -5, "date": {"x": [1, null]}, "Extras": {"k": [1]}}"#);
        assert_eq!(read.name, "a");
        assert_eq!(read.count, Some(-5));
        assert_eq!(serde_json::Value::from(read.extras.unwrap()), json!({"k": [1]}));
    }

    #[test]
    fn only_the_first_value_is_read() {
        assert_eq!(sample(r#"{"name": "a"} {"name": "b"} nonsense"#).name, "a");
    }

    #[test]
    fn null_leaves_the_default_and_the_last_of_a_key_counts() {
        assert_eq!(sample("null"), Sample::default());
        assert_eq!(sample(r#"{"name": null, "maxCount": null, "extras": null}"#), Sample::default());
        assert_eq!(sample(r#"{"name": "a", "Name": "b"}"#).name, "b");
    }

    #[test]
    fn a_wrong_type_is_named_as_gotify_names_it() {
        let number = |found: &str| {
            format!("json: cannot unmarshal {found} into Go struct field Sample.maxCount of type int")
        };
        for (value, found) in [
            ("\"5\"", "string"),
            ("5.5", "number 5.5"),
            ("5.0", "number 5.0"),
            ("9223372036854775808", "number 9223372036854775808"),
            ("true", "bool"),
            ("[1, [2]]", "array"),
            (r#"{"a": {}}"#, "object"),
        ] {
            assert_eq!(error(&format!(r#"{{"maxCount": {value}}}"#)), number(found));
        }
        assert_eq!(
            error(r#"{"name": 5}"#),
            "json: cannot unmarshal number into Go struct field Sample.name of type string"
        );
        assert_eq!(
            error(r#"{"extras": "x"}"#),
            "json: cannot unmarshal string into Go struct field Sample.extras of type map[string]interface {}"
        );
        assert_eq!(error("[]"), "json: cannot unmarshal array into Go value of type model.Sample");
    }

    #[test]
    fn the_first_wrong_type_is_reported_unless_the_json_is_broken() {
        assert!(error(r#"{"name": [1], "maxCount": "x"}"#).contains("Sample.name"));
        assert_eq!(error(r#"{"name": [1], "maxCount": "#), "unexpected EOF");
        assert!(error(r#"{"name": [1], "maxCount": x}"#).starts_with("invalid JSON: "));
    }

    #[test]
    fn an_empty_body_is_an_unexpected_end() {
        assert_eq!(error(""), "EOF");
        assert_eq!(error(" \n"), "EOF");
        assert_eq!(error("{"), "unexpected EOF");
    }

    #[test]
    fn what_is_no_unicode_is_replaced() {
        assert_eq!(sample(r#"{"name": "a\ud800b\\ud800"}"#).name, "a\u{fffd}b\\ud800");
        assert_eq!(sample(r#"{"name": "\udc00\ud83d\ude00\ud800\u0041"}"#).name, "\u{fffd}😀\u{fffd}A");
        assert_eq!(decode::<Sample>(b"{\"name\": \"a\xff\"}").unwrap().name, "a\u{fffd}");
        assert_eq!(sample(r#"{"extras": {"k": "\ud800"}}"#).extras.unwrap()["k"], "\u{fffd}");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!(r#"{{"extras": {{"k": {}"#, "[".repeat(100_000));
        assert!(error(&deep).contains("recursion limit"), "{}", error(&deep));
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(body: Vec<u8>) {
            let _ = decode::<Sample>(&body);
            let mut object = b"{\"name\":\"\\ud8".to_vec();
            object.extend_from_slice(&body);
            let _ = decode::<Sample>(&object);
        }
    }
}
