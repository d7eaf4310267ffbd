//! Sort keys: text that orders a user's applications, with room for a new key between any two.
//!
//! A key is an integer of varying length, then perhaps a fraction, in base 62. The first letter tells how many
//! digits the integer has: `a` one, `b` two, up to `z`; `Z` one, `Y` two, down to `A`, for what lies below
//! zero. So keys compare as bytes: `Zz` < `a0` < `a1` < `az` < `b00`. Only what appends a key is needed here;
//! clients make the keys in between themselves.
//!
//! A user may choose a key of any other form, as `ü`. After that one Gotify makes no key any more.

/// The digits, ascending as bytes.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key of a user's first application.
const FIRST: &str = "a0";

/// Returns a key above `last`, the highest that a user has; the first one where there is none.
pub(crate) fn after(last: Option<&str>) -> String {
    let Some(last) = last.filter(|key| !key.is_empty()) else {
        return FIRST.to_owned();
    };
    integer_part(last).and_then(increment).unwrap_or_else(|| extended(last))
}

/// Returns a key above the highest integer, or above a key of another form: with a last digit one higher where
/// there is one, else longer by a digit.
fn extended(last: &str) -> String {
    let above = last.bytes().last().and_then(digit_above);
    match above.and_then(|above| Some((last.get(..last.len() - 1)?, above))) {
        Some((rest, above)) => format!("{rest}{}", char::from(above)),
        None => format!("{last}V"),
    }
}

fn digit_above(digit: u8) -> Option<u8> {
    let at = DIGITS.iter().position(|&candidate| candidate == digit)?;
    DIGITS.get(at + 1).copied()
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
        match digit_above(*digit) {
            Some(above) => {
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
        assert_eq!(after(None), "a0");
        assert_eq!(after(Some("")), "a0");
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
            assert_eq!(after(Some(last)), next, "after {last}");
        }
    }

    #[test]
    fn ten_thousand_keys_in_a_row_ascend_as_bytes() {
        let mut last = after(None);
        for _ in 0..10_000 {
            let next = after(Some(&last));
            assert!(next.as_bytes() > last.as_bytes(), "{next} after {last}");
            last = next;
        }
    }

    #[test]
    fn above_the_highest_integer_the_key_grows() {
        let highest = format!("z{}", "z".repeat(26));
        assert_eq!(after(Some(&highest)), format!("{highest}V"));
        assert_eq!(after(Some(&format!("{highest}V"))), format!("{highest}W"));
    }

    #[test]
    fn a_key_of_another_form_is_followed_by_one_above_it() {
        for (key, next) in [
            ("ü", "üV"),
            ("üV", "üW"),
            ("üz", "üzV"),
            ("!!", "!!V"),
            ("b0", "b1"),
            ("a0ü", "a0üV"),
            ("9", "A"),
        ] {
            assert_eq!(after(Some(key)), next);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_next_key_is_above_any_other(last: String) {
            let next = after(Some(&last));
            proptest::prop_assert!(next.as_bytes() > last.as_bytes(), "{:?} after {:?}", next, last);
        }
    }
}
