//! Form-encoded pairs, as in URL queries and bodies.

use std::borrow::Cow;

/// A pair that can't be decoded; the text is Go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PairError {
    #[error("invalid URL escape {0:?}")]
    Escape(String),
    #[error("invalid semicolon separator in query")]
    Semicolon,
}

/// Iterates over the pairs of a query or a form, decoded.
pub(super) fn pairs(encoded: &[u8]) -> impl Iterator<Item = Result<(Cow<'_, str>, Cow<'_, str>), PairError>> {
    encoded.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        if pair.contains(&b';') {
            return Err(PairError::Semicolon);
        }
        let (name, value) = match pair.iter().position(|&byte| byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        Ok((decode(name)?, decode(value)?))
    })
}

/// Returns the first value of that name, past pairs that can't be decoded.
pub(super) fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    pairs(query.as_bytes()).flatten().find(|(found, _)| found == name).map(|(_, value)| value)
}

/// Resolves the escapes of one value; `None` if it can't be decoded.
pub(super) fn decoded(encoded: &str) -> Option<Cow<'_, str>> {
    decode(encoded.as_bytes()).ok()
}

/// Resolves `+` and `%`; borrows where there are none. What is not UTF-8 becomes U+FFFD.
fn decode(encoded: &[u8]) -> Result<Cow<'_, str>, PairError> {
    if !encoded.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Ok(String::from_utf8_lossy(encoded));
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let Some(escaped) = escaped_byte(after) else {
                    let shown = &encoded[encoded.len() - after.len() - 1..];
                    let shown = &shown[..shown.len().min(3)];
                    return Err(PairError::Escape(String::from_utf8_lossy(shown).into_owned()));
                };
                rest = &after[2..];
                escaped
            }
            other => other,
        });
    }
    Ok(Cow::Owned(String::from_utf8_lossy(&decoded).into_owned()))
}

/// Returns the byte that two hexadecimal digits at the beginning stand for.
pub(super) fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(query: &str) -> Vec<Result<(String, String), PairError>> {
        pairs(query.as_bytes())
            .map(|pair| pair.map(|(name, value)| (name.into_owned(), value.into_owned())))
            .collect()
    }

    #[test]
    fn pairs_are_decoded() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(
            all("a=1&&b+c=%C3%A9+x&empty=&bare&d=1=2"),
            [pair("a", "1"), pair("b c", "é x"), pair("empty", ""), pair("bare", ""), pair("d", "1=2")]
        );
    }

    #[test]
    fn bad_escapes_and_semicolons_are_errors_of_their_pair_only() {
        assert_eq!(
            all("a=%zzz&b=1;c&d=%2&e=5"),
            [
                Err(PairError::Escape("%zz".to_owned())),
                Err(PairError::Semicolon),
                Err(PairError::Escape("%2".to_owned())),
                Ok(("e".to_owned(), "5".to_owned()))
            ]
        );
        assert_eq!(PairError::Escape("%zz".to_owned()).to_string(), r#"invalid URL escape "%zz""#);
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(all("a=%FFx"), [Ok(("a".to_owned(), "\u{fffd}x".to_owned()))]);
    }

    #[test]
    fn the_first_value_of_a_name_counts() {
        assert_eq!(first("x=%&token=a&token=b", "token").as_deref(), Some("a"));
        assert_eq!(first("Token=a", "token"), None);
    }
}
