//! Numbers on the command line, refused in words that say what would be right.

use std::num::NonZero;

/// Reads an id, or how many of something: a whole number above 0.
pub(super) fn above_zero(text: &str) -> Result<u64, String> {
    counted(text).map(NonZero::get)
}

/// As [`above_zero`].
pub(super) fn counted(text: &str) -> Result<NonZero<u64>, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 1 to {}", u64::MAX))
}

/// Reads an id, or 0 for what is before all of them.
pub(super) fn id_or_zero(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}", u64::MAX))
}

/// Reads a priority.
pub(super) fn priority(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from {} to {}", i64::MIN, i64::MAX))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::arguments::Arguments;

    #[test]
    fn a_number_that_is_none_is_refused_with_what_would_be_right() {
        let above = "it must be a whole number from 1 to 18446744073709551615";
        for (arguments, said) in [
            (&["application", "token", "x"][..], above),
            (&["application", "token", "0"], above),
            (&["client", "delete", "99999999999999999999"], above),
            (&["application", "add", "ci", "--priority", "high"], "from -9223372036854775808 to"),
            (&["tail", "--limit", "0"], above),
            (&["tail", "--application", "ci"], above),
            (&["tail", "--since", "x"], "it must be a whole number from 0 to 18446744073709551615"),
            (&["send", "--application", "0", "hi"], above),
            (&["send", "--priority", "5.5", "hi"], "from -9223372036854775808 to"),
        ] {
            let refused = Arguments::try_parse_from([&["shardcast"][..], arguments].concat()).unwrap_err();
            assert!(refused.to_string().contains(said), "{arguments:?}: {refused}");
        }
        assert!(Arguments::try_parse_from(["shardcast", "client", "delete", "1"]).is_ok());
    }
}
