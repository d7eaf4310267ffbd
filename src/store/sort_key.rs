//! Sort keys: text that orders a user's applications, with room for a new key between any two.
//!
//! A key is an integer of varying length, then perhaps a fraction, in base 62. The first letter tells how many
//! digits the integer has: `a` one, `b` two, up to `z`; `Z` one, `Y` two, down to `A`, for what lies below
//! zero. So keys compare as bytes: `Zz` < `a0` < `a1` < `az` < `b00`. Only what appends a key is needed here;
//! clients make the keys in between themselves.

/// The digits, ascending as bytes.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key of a user's first application.
const FIRST: &str = "a0";

/// A key that no next one can be made from, since it isn't of the form above. Users may choose such keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid sort key `{0}`")]
pub(crate) struct InvalidSortKey(String);

/// Returns a key above `last`, the highest that a user has; the first one where there is none.
pub(crate) fn after(last: Option<&str>) -> Result<String, InvalidSortKey> {
    let Some(last) = last.filter(|key| !key.is_empty()) else {
        return Ok(FIRST.to_owned());
    };
    let integer = integer_part(last).ok_or_else(|| InvalidSortKey(last.to_owned()))?;
    Ok(increment(integer).unwrap_or_else(|| {
        // No integer is above this one, yet every longer key that begins with it is.
        format!("{last}V")
    }))
}

/// Returns the first letter with the digits that it promises.
fn integer_part(key: &str) -> Option<&str> {
    let digits = match key.bytes().next()? {
        head @ b'a'..=b'z' => usize::from(head - b'a') + 1,
        head @ b'A'..=b'Z' => usize::from(b'Z' - head) + 1,
        _ => return None,
    };
    let integer = key.get(..=digits)?;
    key.bytes().all(|digit| DIGITS.contains(&digit)).then_some(integer)
}

/// Adds one; `None` above the highest integer. `integer` is one that [`integer_part`] returned.
fn increment(integer: &str) -> Option<String> {
    let (head, digits) = integer.split_at(1);
    let head = head.bytes().next()?;
    let mut digits = digits.as_bytes().to_vec();
    for digit in digits.iter_mut().rev() {
        match DIGITS.iter().position(|candidate| candidate == digit).and_then(|at| DIGITS.get(at + 1)) {
            Some(&above) => {
                *digit = above;
                return Some(text(head, &digits));
            }
            None => *digit = DIGITS[0],
        }
    }
    // All digits rolled over: on to the next length.
    match head {
        b'z' => None,
        b'Z' => Some(FIRST.to_owned()),
        b'a'..=b'z' => {
            digits.push(DIGITS[0]);
            Some(text(head + 1, &digits))
        }
        _ => {
            digits.pop();
            Some(text(head + 1, &digits))
        }
    }
}

fn text(head: u8, digits: &[u8]) -> String {
    std::iter::once(head).chain(digits.iter().copied()).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_is_a0() {
        assert_eq!(after(None).unwrap(), "a0");
        assert_eq!(after(Some("")).unwrap(), "a0");
    }

    #[test]
    fn keys_count_up_through_the_lengths() {
        for (last, next) in [
            ("a0", "a1"),
            ("a9", "aA"),
            ("aZ", "aa"),
            ("az", "b00"),
            ("b0z", "b10"),
            ("bzz", "c000"),
            ("Zy", "Zz"),
            ("Zz", "a0"),
            ("Yzz", "Z0"),
            ("a1V", "a2"),
        ] {
            assert_eq!(after(Some(last)).unwrap(), next, "after {last}");
        }
    }

    #[test]
    fn ten_thousand_keys_in_a_row_ascend_as_bytes() {
        let mut last = after(None).unwrap();
        for _ in 0..10_000 {
            let next = after(Some(&last)).unwrap();
            assert!(next.as_bytes() > last.as_bytes(), "{next} after {last}");
            last = next;
        }
    }

    #[test]
    fn above_the_highest_integer_the_key_grows() {
        let highest = format!("z{}", "z".repeat(26));
        assert_eq!(after(Some(&highest)).unwrap(), format!("{highest}V"));
    }

    #[test]
    fn a_key_of_another_form_has_no_next_one() {
        for key in ["ü", "!!", "b0", "a", "a0ü", "9"] {
            assert_eq!(after(Some(key)), Err(InvalidSortKey(key.to_owned())));
        }
    }
}
