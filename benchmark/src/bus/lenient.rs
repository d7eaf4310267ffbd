//! Numbers and texts as others write them: the specification has strings, most programs write numbers.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// Reads a number, or a string that holds one.
pub(super) fn number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    let value = Value::deserialize(deserializer)?;
    let text = match &value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(de::Error::custom(format!("expected a number, found `{value}`"))),
    };
    text.parse().map_err(|error| de::Error::custom(format!("expected a number, found `{text}`: {error}")))
}

/// Reads a number, a string that holds one, or nothing: a missing, empty or null value is `None`.
pub(super) fn optional_number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => number(value).map(Some).map_err(de::Error::custom),
    }
}

/// Reads a string, or a number as a string.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        value => Err(de::Error::custom(format!("expected a string, found `{value}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "number")]
        count: u64,
        #[serde(default, deserialize_with = "optional_number")]
        rate: Option<f64>,
        #[serde(deserialize_with = "text")]
        name: String,
    }

    #[test]
    fn numbers_may_be_numbers_and_strings() {
        for json in [r#"{"count":7,"rate":2.5,"name":"1"}"#, r#"{"count":" 7","rate":"2.5","name":1}"#] {
            let sample: Sample = serde_json::from_str(json).unwrap();
            assert_eq!((sample.count, sample.rate, sample.name.as_str()), (7, Some(2.5), "1"));
        }
    }

    #[test]
    fn an_empty_optional_number_is_none() {
        for rate in ["null", "\"\""] {
            let json = format!(r#"{{"count":7,"rate":{rate},"name":"x"}}"#);
            assert_eq!(serde_json::from_str::<Sample>(&json).unwrap().rate, None);
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        let error = serde_json::from_str::<Sample>(r#"{"count":"many","name":"x"}"#).unwrap_err();
        assert!(error.to_string().contains("expected a number, found `many`"), "{error}");
    }
}
