//! The time zone in which a database holds its dates.
//!
//! A `datetime` has no zone: Gotify writes the wall clock of the connection's `loc`, and reads it as such.

use std::str::FromStr;

use chrono::{FixedOffset, Local, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::Timestamp;

/// What `loc` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Zone {
    #[default]
    Utc,
    /// That of this machine.
    Local,
    Named(Tz),
}

impl FromStr for Zone {
    type Err = ();

    /// The names are Go's: `UTC`, `Local`, or one of the tz database.
    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "" | "UTC" => Ok(Self::Utc),
            "Local" => Ok(Self::Local),
            name => name.parse().map(Self::Named).map_err(|_| ()),
        }
    }
}

impl Zone {
    /// Returns the wall clock at a time.
    pub(super) fn wall_clock(self, time: Timestamp) -> NaiveDateTime {
        self.shown(time).naive_local()
    }

    /// Returns a time as the zone shows it.
    pub(super) fn shown(self, time: Timestamp) -> Timestamp {
        match self {
            Self::Utc => time.with_timezone(&Utc).fixed_offset(),
            Self::Local => time.with_timezone(&Local).fixed_offset(),
            Self::Named(zone) => {
                let shown = time.with_timezone(&zone);
                shown.with_timezone(&chrono::Offset::fix(shown.offset()))
            }
        }
    }

    /// Returns the time at which the wall clock shows this. An hour that clocks show twice is taken for the first
    /// time, and one that they leave out for an hour of UTC.
    pub(super) fn time(self, wall_clock: NaiveDateTime) -> Timestamp {
        fn at<Z: TimeZone>(zone: &Z, wall_clock: NaiveDateTime) -> Option<FixedOffset> {
            match zone.offset_from_local_datetime(&wall_clock) {
                LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
                    Some(chrono::Offset::fix(&offset))
                }
                LocalResult::None => None,
            }
        }
        let offset = match self {
            Self::Utc => None,
            Self::Local => at(&Local, wall_clock),
            Self::Named(zone) => at(&zone, wall_clock),
        };
        let offset = offset.unwrap_or_else(|| chrono::Offset::fix(&Utc));
        offset
            .from_local_datetime(&wall_clock)
            .earliest()
            .unwrap_or_else(|| wall_clock.and_utc().fixed_offset())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn time(rfc3339: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(rfc3339).unwrap()
    }

    #[test]
    fn a_wall_clock_is_that_of_its_zone() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        for (at, zone, expected) in [
            ("2026-07-01T12:00:00Z", Zone::Utc, "2026-07-01 12:00:00"),
            ("2026-07-01T12:00:00Z", berlin, "2026-07-01 14:00:00"),
            ("2026-12-01T12:00:00Z", berlin, "2026-12-01 13:00:00"),
        ] {
            let wall_clock = zone.wall_clock(time(at));
            assert_eq!(wall_clock.to_string(), expected);
            assert_eq!(zone.time(wall_clock), time(at));
        }
    }

    #[test]
    fn an_hour_that_is_shown_twice_is_the_first_one() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let twice = "2026-10-25T02:30:00".parse().unwrap();
        assert_eq!(berlin.time(twice), time("2026-10-25T02:30:00+02:00"));
        let never = "2026-03-29T02:30:00".parse().unwrap();
        assert_eq!(berlin.time(never), time("2026-03-29T02:30:00Z"));
    }

    #[test]
    fn a_zone_that_nobody_knows_is_refused() {
        assert!("Europe/Atlantis".parse::<Zone>().is_err());
    }
}
