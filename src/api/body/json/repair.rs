//! What is no Unicode in a JSON text, replaced as Go's decoder replaces it.

/// Replaces what is no Unicode by U+FFFD: bytes that are not UTF-8 and escapes of lone surrogates. `None` if
/// there is nothing to replace.
pub(super) fn repaired(body: &[u8]) -> Option<Vec<u8>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8]) -> Option<String> {
        repaired(body).map(|repaired| String::from_utf8(repaired).unwrap())
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        assert_eq!(text(br#""\ud800x""#).as_deref(), Some(r#""\ufffdx""#));
        assert_eq!(text(br#""\uDC00\ud800\u0041""#).as_deref(), Some(r#""\ufffd\ufffd\u0041""#));
        assert_eq!(text(br#""\ud800\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ud83d\ude00""#));
    }

    #[test]
    fn pairs_and_escaped_backslashes_are_left_alone() {
        assert_eq!(text(br#""\ud83d\ude00""#), None);
        assert_eq!(text(br#""\\ud800""#), None);
        assert_eq!(text(br#""\ud8"#), None);
        assert_eq!(text(br#""\"#), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(text(b"\"a\xff\"").as_deref(), Some("\"a\u{fffd}\""));
    }
}
