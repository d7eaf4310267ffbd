//! What is taken, and what is said about the rest.

use serde_json::json;

use super::super::fields::tests::Sample;
use super::*;

fn sample(body: &str) -> Sample {
    decoded(body.as_bytes()).unwrap_or_else(|error| panic!("{error} in {body}"))
}

fn error(body: &str) -> String {
    decoded(body.as_bytes()).unwrap_err()
}

fn decoded(body: &[u8]) -> Result<Sample, String> {
    let mut form = Sample::default();
    decode(body, &mut form).map(|()| form)
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
    assert!(!sample(r#"{"urgent": true, "urgent": false}"#).urgent);
}

#[test]
fn numbers_and_flags_are_read() {
    assert_eq!(sample(r#"{"seconds": 18446744073709551615}"#).seconds, Some(u64::MAX));
    assert_eq!(sample(r#"{"maxCount": -0}"#).count, Some(0));
    assert_eq!(sample(r#"{"maxCount": -9223372036854775808}"#).count, Some(i64::MIN));
    assert!(sample(r#"{"urgent": true}"#).urgent);
}

#[test]
fn a_wrong_value_is_named_with_its_field_and_what_would_be_right() {
    for (body, expected) in [
        (r#"{"name": 5}"#, "Field 'name': invalid type: integer `5`, expected a text at line 1 column 10"),
        (r#"{"NAME": []}"#, "Field 'NAME': invalid type: sequence, expected a text at line 1 column 9"),
        (
            r#"{"maxCount": "5"}"#,
            "Field 'maxCount': invalid type: string \"5\", expected a whole number at line 1 column 16",
        ),
        (
            r#"{"maxCount": 5.5}"#,
            "Field 'maxCount': invalid type: floating point `5.5`, expected a whole number at line 1 column 16",
        ),
        (
            r#"{"maxCount": 99999999999999999999}"#,
            "Field 'maxCount': invalid value: a very large number, expected a whole number from -9223372036854775808 to \
             9223372036854775807 at line 1 column 34",
        ),
        (
            r#"{"seconds": -1e300}"#,
            "Field 'seconds': invalid value: a very small number, expected a whole number from 0 to \
             18446744073709551614 at line 1 column 19",
        ),
        (
            r#"{"seconds": -1}"#,
            "Field 'seconds': invalid value: -1, expected a whole number from 0 to 18446744073709551614 at line 1 \
             column 15",
        ),
        (
            r#"{"urgent": 1}"#,
            "Field 'urgent': invalid type: integer `1`, expected true or false at line 1 column 12",
        ),
        (
            r#"{"extras": "x"}"#,
            "Field 'extras': invalid type: string \"x\", expected a map at line 1 column 14",
        ),
        ("[]", "invalid JSON: invalid type: sequence, expected an object at line 1 column 2"),
        ("{", "invalid JSON: it ends too early, at line 1 column 1"),
        (r#"{"name": x}"#, "invalid JSON: expected value at line 1 column 10"),
        ("", "the body is empty, a JSON object is expected"),
        (" \n", "the body is empty, a JSON object is expected"),
    ] {
        assert_eq!(error(body), expected, "{body}");
    }
    let long = error(&format!(r#"{{"maxCount": "{}"}}"#, "x".repeat(1_000_000)));
    assert!(long.len() < 1000, "{long}");
}

#[test]
fn a_secret_is_not_repeated() {
    let error = error(r#"{"secret": 4711}"#);
    assert_eq!(error, "Field 'secret' must be a text, at line 1 column 15");
}

#[test]
fn what_is_no_unicode_is_replaced() {
    assert_eq!(sample(r#"{"name": "a\ud800b\\ud800"}"#).name, "a\u{fffd}b\\ud800");
    assert_eq!(sample(r#"{"name": "\udc00\ud83d\ude00\ud800\u0041"}"#).name, "\u{fffd}😀\u{fffd}A");
    assert_eq!(decoded(b"{\"name\": \"a\xff\"}").unwrap().name, "a\u{fffd}");
    assert_eq!(sample(r#"{"extras": {"k": "\ud800"}}"#).extras.unwrap()["k"], "\u{fffd}");
}

#[test]
fn depth_and_the_number_of_values_are_bounded() {
    let deep = format!(r#"{{"extras": {{"k": {}"#, "[".repeat(10_000));
    assert!(error(&deep).contains("recursion limit"), "{}", error(&deep));
    let list = |values: usize| format!(r#"{{"extras": {{"k": [{}0]}}}}"#, "0,".repeat(values - 3));
    assert!(sample(&list(20_000)).extras.is_some());
    assert_eq!(error(&list(20_001)), "the JSON has 20001 values, at most 20000 are allowed");
    let text = format!(r#"{{"name": "{}"}}"#, r#",[{\""#.repeat(100_000));
    assert_eq!(sample(&text).name.len(), 400_000, "what is in a text does not count");
    let many = check_values(list(20_001).as_bytes()).unwrap_err();
    assert!(many.starts_with("the JSON has"), "{many}");
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(body: Vec<u8>) {
        let _ = decoded(&body);
        let mut object = b"{\"name\":\"\\ud8".to_vec();
        object.extend_from_slice(&body);
        let _ = decoded(&object);
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    assert_eq!(sample("\u{feff}{\"name\": \"a\"}").name, "a");
}
