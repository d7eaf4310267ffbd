//! Numbers and flags in forms and queries.

use std::fmt::Display;
use std::str::FromStr;

/// A whole number and its range.
pub(in crate::api) trait WholeNumber: FromStr + From<u8> + Display {
    /// The least and the greatest.
    const RANGE: (Self, Self);
    /// Whether it may have a sign.
    const IS_SIGNED: bool;
}

impl WholeNumber for i64 {
    const RANGE: (Self, Self) = (Self::MIN, Self::MAX);
    const IS_SIGNED: bool = true;
}

impl WholeNumber for u64 {
    const RANGE: (Self, Self) = (Self::MIN, Self::MAX);
    const IS_SIGNED: bool = false;
}

/// Parses the number of a field; nothing is 0, as in Gotify. Spaces around it do not matter. The error is the text for
/// the client.
pub(in crate::api) fn whole_number<N: WholeNumber>(field: &str, value: &str) -> Result<N, String> {
    whole_number_of(N::RANGE, field, value)
}

/// As [`whole_number`], where the error is to name a smaller range. The caller refuses what is a number outside of it.
pub(in crate::api) fn whole_number_of<N: WholeNumber>(
    (least, greatest): (N, N),
    field: &str,
    value: &str,
) -> Result<N, String> {
    let value = value.trim();
    if value.is_empty() {
        return Ok(N::from(0));
    }
    // Rust takes a plus sign for any number.
    let number = value.parse().ok().filter(|_| N::IS_SIGNED || !value.starts_with('+'));
    number.ok_or_else(|| {
        let value = shortened(value);
        format!("Field '{field}' must be a whole number from {least} to {greatest}, not {value:?}")
    })
}

/// Parses a flag, in the words that Gotify takes; nothing is false. The error is the text for the client.
pub(super) fn flag(field: &str, value: &str) -> Result<bool, String> {
    match value.trim() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        value => Err(format!("Field '{field}' must be true or false, not {:?}", shortened(value))),
    }
}

/// Shortens what is shown to whoever sent it.
pub(in crate::api) fn shortened(text: &str) -> String {
    const MOST_CHARACTERS: usize = 200;
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_in_range() {
        for (value, expected) in [("", 0), ("+5", 5), ("-5", -5), ("007", 7), (" 5\t", 5)] {
            assert_eq!(whole_number::<i64>("n", value), Ok(expected), "{value}");
        }
        for value in ["x", "5x", "5.0", "5 5", "9223372036854775808"] {
            let text = "must be a whole number from -9223372036854775808 to 9223372036854775807, not";
            assert_eq!(whole_number::<i64>("n", value), Err(format!("Field 'n' {text} {value:?}")));
        }
        assert_eq!(whole_number("n", "18446744073709551615"), Ok(u64::MAX));
        for value in ["-1", "+1"] {
            let text = "Field 'n' must be a whole number from 0 to 18446744073709551615, not";
            assert_eq!(whole_number::<u64>("n", value), Err(format!("{text} {value:?}")));
        }
    }

    #[test]
    fn flags_are_those_of_gotify() {
        for (value, expected) in [("1", true), ("True", true), (" t", true), ("", false), ("F", false)] {
            assert_eq!(flag("f", value), Ok(expected), "{value}");
        }
        for value in ["yes", "tRUE", "2"] {
            assert_eq!(flag("f", value), Err(format!("Field 'f' must be true or false, not {value:?}")));
        }
    }

    #[test]
    fn a_long_value_is_shortened() {
        let error = whole_number::<i64>("n", &"é".repeat(1_000_000)).unwrap_err();
        assert!(error.len() < 1000 && error.ends_with("…\""), "{error}");
    }
}
