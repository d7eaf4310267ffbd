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
/// is written twice on its way, and chrono's formatting takes ten times as long.
pub(crate) fn to_text(time: &Timestamp, layout: Layout) -> String {
    let mut text = String::with_capacity("2006-01-02T15:04:05.999999999-07:00".len());
    digits(&mut text, time.year().unsigned_abs(), 4);
    for (mark, part) in [('-', time.month()), ('-', time.day())] {
        text.push(mark);
        digits(&mut text, part, 2);
    }
    let separator = if layout == Layout::Wire { 'T' } else { ' ' };
    for (mark, part) in [(separator, time.hour()), (':', time.minute()), (':', time.second())] {
        text.push(mark);
        digits(&mut text, part, 2);
    }
    // A leap second shows as more than a second's nanoseconds, which no reader takes.
    let nanoseconds = time.nanosecond().min(999_999_999);
    if nanoseconds != 0 {
        text.push('.');
        digits(&mut text, nanoseconds, 9);
        text.truncate(text.trim_end_matches('0').len());
    }
    let offset = time.offset().local_minus_utc();
    if offset == 0 && layout == Layout::Wire {
        text.push('Z');
    } else {
        text.push(if offset < 0 { '-' } else { '+' });
        digits(&mut text, offset.unsigned_abs() / 3600, 2);
        text.push(':');
        digits(&mut text, offset.unsigned_abs() / 60 % 60, 2);
    }
    text
}

fn digits(text: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        text.push(char::from_digit(digit, 10).expect("a remainder of ten is a digit"));
    }
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
pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
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
