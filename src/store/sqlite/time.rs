//! Times as text, in the forms that Go's SQLite drivers write and read.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};

use crate::model::{Layout, Timestamp};

/// Writes a time as Go's driver does.
pub(super) fn to_text(time: Timestamp) -> String {
    crate::model::to_text(&time, Layout::Database)
}

/// Reads a time in any of the forms that Gotify's databases hold; without a zone it is UTC.
pub(super) fn from_text(text: &str) -> Option<Timestamp> {
    from_usual_form(text).or_else(|| from_other_form(text))
}

/// Reads the form that [`to_text`] writes, `2006-01-02 15:04:05.999999999-07:00`. By hand, since nearly every time in
/// a database has this form, and chrono's patterns take many times as long.
fn from_usual_form(text: &str) -> Option<Timestamp> {
    let (clock, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let (fraction, offset) = rest.split_last_chunk::<6>()?;
    if !matches!([4, 7, 10, 13, 16].map(|at| clock[at]), [b'-', b'-', b' ' | b'T', b':', b':']) {
        return None;
    }
    let year = number(&clock[..4])?.try_into().ok()?;
    let [month, day, hour, minute, second] = [5, 8, 11, 14, 17].map(|at| number(&clock[at..at + 2]));
    let nanosecond = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() <= 9 => {
            number(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let &[sign, hour_tens, hours, b':', minute_tens, minutes] = offset else { return None };
    let (hours, minutes) = (number(&[hour_tens, hours])?, number(&[minute_tens, minutes])?);
    let east = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    let zone = match sign {
        b'+' => FixedOffset::east_opt(east)?,
        b'-' => FixedOffset::west_opt(east)?,
        _ => return None,
    };
    let local =
        NaiveDate::from_ymd_opt(year, month?, day?)?.and_hms_nano_opt(hour?, minute?, second?, nanosecond)?;
    (minutes < 60).then(|| local.and_local_timezone(zone).single())?
}

/// Reads a number that is nothing but digits, at most nine.
fn number(digits: &[u8]) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0')))
}

fn from_other_form(text: &str) -> Option<Timestamp> {
    // Go's own notation carries the zone's name and perhaps a clock reading: `... +0100 CET m=+0.1`.
    let mut words = text.split(' ');
    let (date, clock, offset) = (words.next()?, words.next(), words.next());
    let joined = match (clock, offset) {
        (None, _) => date.to_owned(),
        (Some(clock), None) => format!("{date} {clock}"),
        (Some(clock), Some(offset)) => format!("{date} {clock}{offset}"),
    };
    let zoned = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];
    if let Some(time) = zoned.iter().find_map(|form| DateTime::parse_from_str(&joined, form).ok()) {
        return Some(time);
    }
    let plain = joined.strip_suffix('Z').unwrap_or(&joined);
    let local = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(plain, form).ok())
        .or_else(|| NaiveDate::parse_from_str(plain, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
        .or_else(|| epoch(plain))?;
    Some(local.and_utc().into())
}

/// The form in which SQLite compares times: Unix seconds, with a fraction.
pub(super) fn to_unix(time: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any year fit into 53 bits")]
    let milliseconds = time.timestamp_millis() as f64;
    milliseconds / 1000.0
}

/// Reads what [`to_unix`] writes; `None` for a time beyond the calendar.
pub(super) fn from_unix(seconds: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest number"
    )]
    let milliseconds = (seconds * 1000.0).round() as i64;
    DateTime::from_timestamp_millis(milliseconds).map(Into::into)
}

/// Reads a count of seconds since 1970, or of milliseconds where it is too large for that.
fn epoch(text: &str) -> Option<NaiveDateTime> {
    let count: i64 = text.parse().ok()?;
    let time = if count.unsigned_abs() > 1_000_000_000_000 {
        DateTime::from_timestamp_millis(count)
    } else {
        DateTime::from_timestamp(count, 0)
    };
    time.map(|time| time.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(rfc3339: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(rfc3339).unwrap()
    }

    #[test]
    fn a_time_is_written_as_go_writes_it() {
        for (written, expected) in [
            ("2026-11-23T19:26:10.123456789+01:00", "2026-11-23 19:26:10.123456789+01:00"),
            ("2026-11-23T19:26:10.120-07:30", "2026-11-23 19:26:10.12-07:30"),
            ("2026-11-23T19:26:10Z", "2026-11-23 19:26:10+00:00"),
            ("2026-11-23T19:26:20.000000001Z", "2026-11-23 19:26:20.000000001+00:00"),
        ] {
            assert_eq!(to_text(time(written)), expected);
        }
    }

    #[test]
    fn what_is_written_reads_back_with_its_zone() {
        for original in ["2026-11-23T19:26:10.123456789+01:00", "1999-12-31T23:59:59-11:30"] {
            let read = from_text(&to_text(time(original))).unwrap();
            assert_eq!((read, read.offset()), (time(original), time(original).offset()));
            assert_eq!(from_usual_form(&to_text(read)), Some(read), "by the short way");
        }
    }

    #[test]
    fn every_form_that_go_writes_is_read() {
        for (text, expected) in [
            ("2020-01-02 03:04:05.6+02:00", "2020-01-02T03:04:05.6+02:00"),
            ("2020-01-02T03:04:05.6+02:00", "2020-01-02T03:04:05.6+02:00"),
            ("2020-01-02T03:04:05Z", "2020-01-02T03:04:05Z"),
            ("2020-01-02 03:04:05.678", "2020-01-02T03:04:05.678Z"),
            ("2020-01-02 03:04:05", "2020-01-02T03:04:05Z"),
            ("2020-01-02T03:04", "2020-01-02T03:04:00Z"),
            ("2020-01-02", "2020-01-02T00:00:00Z"),
            ("2020-01-02 03:04:05.6 +0200 CEST m=+0.012", "2020-01-02T03:04:05.6+02:00"),
            ("2020-01-02 03:04:05 +0000 UTC", "2020-01-02T03:04:05Z"),
            ("1577934245", "2020-01-02T03:04:05Z"),
            ("1577934245678", "2020-01-02T03:04:05.678Z"),
        ] {
            assert_eq!(from_text(text), Some(time(expected)), "{text}");
        }
    }

    proptest::proptest! {
        /// From nothing but digits and marks, so that many are times and many nearly are.
        #[test]
        fn the_usual_form_is_read_as_chrono_reads_it(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?[-+][0-2][0-9]:[0-6][0-9]"
        ) {
            if let Some(read) = from_usual_form(&text) {
                let with_zone = |time: Timestamp| (time, *time.offset());
                proptest::prop_assert_eq!(Some(with_zone(read)), from_other_form(&text).map(with_zone));
            }
        }
    }

    #[test]
    fn text_that_is_no_time_is_none() {
        for text in ["", " ", "soon", "2020-13-01", "2020-01-02 25:00:00"] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    #[test]
    fn the_zero_time_is_that_of_go() {
        assert_eq!(to_text(crate::model::zero_time()), "0001-01-01 00:00:00+00:00");
    }
}
