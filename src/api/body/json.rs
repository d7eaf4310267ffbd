//! JSON bodies, with the leniencies of Gotify's decoder that senders may rely on.
//!
//! Only the first value counts, keys match in any case, unknown ones are skipped, `null` changes nothing, and what is no
//! Unicode is replaced.

mod field;
mod repair;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use self::field::FieldSeed;
use self::repair::repaired;
use super::Form;
use super::number::shortened;

/// How many values there may be in all, objects and arrays included. As a tree, a value takes many times its text.
const MAX_VALUES: usize = 20_000;

/// Decodes the first JSON value of a body. The error is the text for the client.
pub(super) fn decode<F: Form>(body: &[u8]) -> Result<F, String> {
    if body.trim_ascii().is_empty() {
        return Err("the body is empty, a JSON object is expected".to_owned());
    }
    check_values(body)?;
    let repaired = match decode_strictly(body) {
        Ok(form) => return Ok(form),
        Err(error) => repaired(body).filter(|_| error.is_syntax()),
    };
    let body = repaired.as_deref().unwrap_or(body);
    decode_tracking(body).map_err(|error| text::<F>(&error))
}

fn decode_strictly<F: Form>(body: &[u8]) -> Result<F, serde_json::Error> {
    let mut form = F::default();
    FormSeed(&mut form).deserialize(&mut serde_json::Deserializer::from_slice(body))?;
    Ok(form)
}

/// As [`decode_strictly`], but knows where in the body it is, which costs a copy of every key.
fn decode_tracking<F: Form>(body: &[u8]) -> Result<F, serde_path_to_error::Error<serde_json::Error>> {
    let mut form = F::default();
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    match FormSeed(&mut form).deserialize(tracked) {
        Ok(()) => Ok(form),
        Err(error) => Err(serde_path_to_error::Error::new(track.path(), error)),
    }
}

/// Says which field is wrong, what it is, and what it should be.
fn text<F: Form>(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let (path, cause) = (error.path().to_string(), error.inner());
    let place = format!("at line {} column {}", cause.line(), cause.column());
    match cause.classify() {
        Category::Eof => format!("invalid JSON: it ends too early, {place}"),
        Category::Data if path == "." => format!("invalid JSON: {}", shortened(&cause.to_string())),
        Category::Data => {
            let field = F::FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(&path));
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
struct FormSeed<'f, F>(&'f mut F);

impl<'de, F: Form> DeserializeSeed<'de> for FormSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Form> Visitor<'de> for FormSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(index) = entries.next_key_seed(KeySeed::<F>(PhantomData))? {
            match index {
                Some(index) => entries.next_value_seed(FieldSeed(self.0.target(index)))?,
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Finds the field that a key means, without copying the key.
struct KeySeed<F>(PhantomData<F>);

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

#[cfg(test)]
mod tests;
