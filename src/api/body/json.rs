//! JSON bodies, read as Go's decoder reads them.
//!
//! Only the first value counts, keys match in any case, unknown ones are skipped, `null` changes nothing. A
//! value of the wrong type is reported once the whole value has been read: broken JSON is the worse error.

mod repair;
mod seed;

use serde::de::DeserializeSeed;

use super::Form;
use repair::repaired;
use seed::FormSeed;

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
        assert!(sample(r#"{"urgent": true}"#).urgent);
        assert!(!sample(r#"{"urgent": true, "urgent": false}"#).urgent);
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
        assert_eq!(
            error(r#"{"urgent": "true"}"#),
            "json: cannot unmarshal string into Go struct field Sample.urgent of type bool"
        );
        assert_eq!(
            error(r#"{"urgent": 1}"#),
            "json: cannot unmarshal number into Go struct field Sample.urgent of type bool"
        );
        assert_eq!(error("[]"), "json: cannot unmarshal array into Go value of type model.Sample");
    }

    #[test]
    fn unsigned_numbers_and_flags_are_read() {
        assert_eq!(sample(r#"{"seconds": 18446744073709551615}"#).seconds, Some(u64::MAX));
        assert!(sample(r#"{"urgent": true}"#).urgent);
        assert_eq!(
            error(r#"{"urgent": 1}"#),
            "json: cannot unmarshal number into Go struct field Sample.urgent of type bool"
        );
        for (value, found) in [("-1", "number -1"), ("1.5", "number 1.5"), ("\"1\"", "string")] {
            assert_eq!(
                error(&format!(r#"{{"seconds": {value}}}"#)),
                format!("json: cannot unmarshal {found} into Go struct field Sample.seconds of type uint")
            );
        }
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
