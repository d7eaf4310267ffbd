//! JSON bodies, with the leniencies of Gotify's decoder that senders may rely on.
//!
//! Only the first value counts, keys match in any case, unknown ones are skipped, `null` changes nothing, and what is no
//! Unicode is replaced.

mod field;
mod repair;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use self::field::FieldSeed;
use self::repair::repaired;
use super::number::shortened;
use super::{AnyForm, Field};

/// How many values there may be in all, objects and arrays included. As a tree, a value takes many times its text.
const MAX_VALUES: usize = 20_000;

/// Fills in a form that is as by default from the first JSON value of a body. The error is the text for the client.
pub(super) fn decode(body: &[u8], form: &mut dyn AnyForm) -> Result<(), String> {
    // RFC 8259, section 8.1, lets a parser ignore a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err("the body is empty, a JSON object is expected".to_owned());
    }
    check_values(body)?;
    let repaired = match FormSeed(form).deserialize(&mut serde_json::Deserializer::from_slice(body)) {
        Ok(()) => return Ok(()),
        Err(error) => repaired(body).filter(|_| error.is_syntax()),
    };
    // Decoded once more, to know where in the body the error is.
    form.reset();
    let fields = form.fields();
    decode_tracking(repaired.as_deref().unwrap_or(body), form).map_err(|error| text(fields, &error))
}

/// Knows where in the body it is, which costs a copy of every key.
fn decode_tracking(
    body: &[u8],
    form: &mut dyn AnyForm,
) -> Result<(), serde_path_to_error::Error<serde_json::Error>> {
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let filled = FormSeed(form).deserialize(tracked);
    filled.map_err(|error| serde_path_to_error::Error::new(track.path(), error))
}

/// Says which field is wrong, what it is, and what it should be.
fn text(fields: &[Field], error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (path, cause) = (error.path().to_string(), error.inner());
    let place = format!("at line {} column {}", cause.line(), cause.column());
    match cause.classify() {
        Category::Eof => format!("invalid JSON: it ends too early, {place}"),
        Category::Data if path == "." => format!("invalid JSON: {}", shortened(&cause.to_string())),
        Category::Data => {
            let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(&path));
            match field {
                Some(field) if field.is_secret => format!("Field '{}' must be a text, {place}", field.name),
                _ => format!("Field '{}': {}", shortened(&path), shortened(&cause.to_string())),
            }
        }
        Category::Syntax | Category::Io => format!("invalid JSON: {}", shortened(&cause.to_string())),
    }
}

/// Refuses a text with very many values, before it is made into a tree.
pub(in crate::api) fn check_values(json: &[u8]) -> Result<(), String> {
    // A value takes two bytes at least, its comma included.
    if json.len() / 2 <= MAX_VALUES {
        return Ok(());
    }
    let (mut values, mut in_text, mut is_escaped) = (0_usize, false, false);
    for &byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    if values <= MAX_VALUES {
        return Ok(());
    }
    Err(format!("the JSON has {values} values, at most {MAX_VALUES} are allowed"))
}

/// Fills in a form from an object.
struct FormSeed<'f>(&'f mut dyn AnyForm);

impl<'de> DeserializeSeed<'de> for FormSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FormSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let fields = self.0.fields();
        while let Some(index) = entries.next_key_seed(KeySeed(fields))? {
            match index {
                Some(index) => {
                    let (target, maximum) = (self.0.field_target(index), fields[index].maximum);
                    entries.next_value_seed(FieldSeed { target, maximum })?;
                }
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Finds the field that a key means, without copying the key.
struct KeySeed(&'static [Field]);

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|field| field.name.eq_ignore_ascii_case(key)))
    }
}

#[cfg(test)]
mod tests;
