//! Numbers and flags as Go reads them in forms and queries.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

use crate::model::Compatibility;

/// Parses a number: nothing is 0. `function` is the one that Go's text names, and the error that text.
pub(in crate::api) fn integer<N>(
    value: &str,
    function: &str,
    compatibility: Compatibility,
) -> Result<N, String>
where
    N: FromStr<Err = ParseIntError> + From<u8>,
{
    let value = bare(value, compatibility);
    if value.is_empty() {
        return Ok(N::from(0));
    }
    // Unlike Rust, Go takes no plus sign for an unsigned number.
    let signed_unsigned = function == "ParseUint" && value.starts_with('+');
    let why = match value.parse() {
        Ok(number) if !signed_unsigned => return Ok(number),
        Err(error) if matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => {
            "value out of range"
        }
        _ => "invalid syntax",
    };
    Err(format!("strconv.{function}: parsing {value:?}: {why}"))
}

/// Parses a flag: nothing is false. The error is Go's text.
pub(super) fn boolean(value: &str, compatibility: Compatibility) -> Result<bool, String> {
    match bare(value, compatibility) {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        value => Err(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
    }
}

/// Gotify 3 takes spaces off at both ends, Gotify 2 does not.
fn bare(value: &str, compatibility: Compatibility) -> &str {
    match compatibility {
        Compatibility::V3 => value.trim(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::Compatibility::{V2, V3};
    use super::*;

    fn signed(value: &str) -> Result<i64, String> {
        integer(value, "ParseInt", V2)
    }

    fn unsigned(value: &str) -> Result<u64, String> {
        integer(value, "ParseUint", V2)
    }

    #[test]
    fn numbers_are_gos() {
        for (value, expected) in [("", 0), ("+5", 5), ("-5", -5), ("007", 7)] {
            assert_eq!(signed(value), Ok(expected), "{value}");
        }
        for value in ["x", "5x", "5.0", " 5"] {
            let expected = format!("strconv.ParseInt: parsing \"{value}\": invalid syntax");
            assert_eq!(signed(value), Err(expected));
        }
        assert_eq!(
            signed("9999999999999999999999"),
            Err(r#"strconv.ParseInt: parsing "9999999999999999999999": value out of range"#.to_owned())
        );
    }

    #[test]
    fn unsigned_numbers_are_gos() {
        assert_eq!(unsigned("7"), Ok(7));
        assert_eq!(unsigned(""), Ok(0));
        for value in ["+5", "-1"] {
            let expected = format!("strconv.ParseUint: parsing \"{value}\": invalid syntax");
            assert_eq!(unsigned(value), Err(expected));
        }
    }

    #[test]
    fn flags_are_gos() {
        for (value, expected) in [("1", true), ("True", true), ("t", true), ("", false), ("F", false)] {
            assert_eq!(boolean(value, V2), Ok(expected), "{value}");
        }
        for value in ["yes", "tRUE", "2", " 1"] {
            let expected = format!("strconv.ParseBool: parsing \"{value}\": invalid syntax");
            assert_eq!(boolean(value, V2), Err(expected));
        }
    }

    #[test]
    fn gotify_3_takes_spaces_off() {
        assert_eq!(integer::<i64>(" +5\t", "ParseInt", V3), Ok(5));
        assert_eq!(integer::<u64>(" ", "ParseUint", V3), Ok(0));
        assert_eq!(boolean(" true\r\n", V3), Ok(true));
        assert_eq!(
            integer::<i64>(" 5 5 ", "ParseInt", V3),
            Err(r#"strconv.ParseInt: parsing "5 5": invalid syntax"#.to_owned())
        );
    }
}
