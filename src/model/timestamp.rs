//! Points in time, as Go writes them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Timelike};
use serde::Serializer;

/// A point in time, with the zone it is shown in.
pub type Timestamp = DateTime<FixedOffset>;

/// How a time is laid out as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `2006-01-02T15:04:05.999999999-07:00`, or `Z` for UTC: RFC 3339, as on the wire.
    Wire,
    /// `2006-01-02 15:04:05.999999999-07:00`, as in the database.
    #[cfg_attr(not(any(feature = "sqlite", test)), expect(dead_code, reason = "there is no database"))]
    Database,
}

/// Writes a time with up to nanoseconds, without the zeros at the end of a fraction. By hand, since every message
/// is written twice on its way, and chrono's formatting takes many times as long.
pub(crate) fn to_text(time: &Timestamp, layout: Layout) -> String {
    // Computed once: each accessor of `DateTime` would compute it anew. At the ends of the calendar there may be none.
    let utc = time.naive_utc();
    let local = utc.checked_add_offset(*time.offset()).unwrap_or(utc);
    let separator = if layout == Layout::Wire { b'T' } else { b' ' };
    let mut text = Vec::with_capacity("2006-01-02T15:04:05.999999999-07:00".len());
    text.extend_from_slice(&digits::<4>(local.year().unsigned_abs()));
    for (mark, part) in [
        (b'-', local.month()),
        (b'-', local.day()),
        (separator, local.hour()),
        (b':', local.minute()),
        (b':', local.second()),
    ] {
        text.push(mark);
        text.extend_from_slice(&digits::<2>(part));
    }
    // A leap second shows as more than a second's nanoseconds, which no reader takes.
    let nanoseconds = local.nanosecond().min(999_999_999);
    if nanoseconds != 0 {
        text.push(b'.');
        text.extend_from_slice(&digits::<9>(nanoseconds));
        while text.last() == Some(&b'0') {
            text.pop();
        }
    }
    let offset = time.offset().local_minus_utc();
    if offset == 0 && layout == Layout::Wire {
        text.push(b'Z');
    } else {
        text.push(if offset < 0 { b'-' } else { b'+' });
        text.extend_from_slice(&digits::<2>(offset.unsigned_abs() / 3600));
        text.push(b':');
        text.extend_from_slice(&digits::<2>(offset.unsigned_abs() / 60 % 60));
    }
    String::from_utf8(text).expect("digits and marks are ASCII")
}

/// Returns the last digits of a number.
fn digits<const COUNT: usize>(mut number: u32) -> [u8; COUNT] {
    let mut digits = [b'0'; COUNT];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).expect("a remainder of ten fits into a byte");
        number /= 10;
    }
    digits
}

/// What Go shows for a time that was never set: the first moment of year 1.
pub(crate) fn zero_time() -> Timestamp {
    NaiveDate::from_ymd_opt(1, 1, 1)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .expect("year 1 is within the calendar")
        .and_utc()
        .fixed_offset()
}

/// Serializes as on the wire.
pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(time, Layout::Wire))
}

/// Serializes as on the wire, or as null.
#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
pub(super) fn serialize_option<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (rfc3339, wire, database) in [
            (
                "2018-02-27T19:36:10.5045044+01:00",
                "2018-02-27T19:36:10.5045044+01:00",
                "2018-02-27 19:36:10.5045044+01:00",
            ),
            ("2018-02-27T19:36:10.500+00:00", "2018-02-27T19:36:10.5Z", "2018-02-27 19:36:10.5+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01 00:00:00+00:00"),
            (
                "2026-12-31T23:59:59.000000001-03:30",
                "2026-12-31T23:59:59.000000001-03:30",
                "2026-12-31 23:59:59.000000001-03:30",
            ),
        ] {
            let time = DateTime::parse_from_rfc3339(rfc3339).unwrap();
            assert_eq!(to_text(&time, Layout::Wire), wire);
            assert_eq!(to_text(&time, Layout::Database), database);
        }
    }

    #[test]
    fn a_leap_second_is_written_as_the_end_of_its_second() {
        let time = DateTime::parse_from_rfc3339("2016-12-31T23:59:60.5Z").unwrap();
        assert_eq!(to_text(&time, Layout::Wire), "2016-12-31T23:59:59.999999999Z");
    }
}
