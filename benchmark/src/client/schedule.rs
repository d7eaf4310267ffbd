//! When requests are due: the one load model of all that this program sends.

use std::time::Duration;

/// What keeps rounding from losing a whole request or user.
const ROUNDING: f64 = 1e-6;

/// When the requests of a load are due, counted from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Schedule {
    /// A number of requests with the same time between them, whatever answers take; with none, all are due at once.
    Spaced { requests: u64, spacing: Duration },
    /// Requests per second, whatever answers take.
    Arrivals(Vec<Stage>),
    /// Users, each of which asks again once it has its answer.
    Users(Vec<Stage>),
    /// Each connection asks again once it has its answer, until there were so many requests or the time is over.
    BackToBack { requests: u64, over: Duration },
}

/// A rate or a number of users that changes evenly over a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stage {
    pub(crate) over: Duration,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// What one of several drivers sends: of each `of` requests or users the one with the number `place`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) place: u64,
    pub(crate) of: u64,
}

impl Share {
    /// All of it.
    pub(crate) const WHOLE: Self = Self { place: 0, of: 1 };

    /// Returns how many of the first `all` are in this share.
    pub(crate) fn count(self, all: u64) -> u64 {
        all.saturating_sub(self.place).div_ceil(self.of)
    }

    /// Returns the number that the `own`th of this share has among all.
    fn number(self, own: u64) -> u64 {
        own.saturating_mul(self.of).saturating_add(self.place)
    }
}

impl Stage {
    /// Says at which level it is, or between which.
    pub(crate) fn level(&self, unit: &str) -> String {
        if (self.from - self.to).abs() < f64::EPSILON {
            format!("{} {unit}", self.to)
        } else {
            format!("{} to {} {unit}", self.from, self.to)
        }
    }

    fn all_arrivals(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.over.as_secs_f64()
    }

    /// When a request is due that has `before` requests before it.
    fn due(&self, before: f64) -> f64 {
        if before <= 0.0 {
            return 0.0;
        }
        let growth = (self.to - self.from) / self.over.as_secs_f64();
        // A falling rate reaches its last request where the root is zero.
        let root = (self.from * self.from + 2.0 * growth * before).max(0.0).sqrt();
        (2.0 * before / (self.from + root)).min(self.over.as_secs_f64())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "numbers of requests are positive and far below 2^52"
)]
impl Schedule {
    /// Returns requests that go out as soon as a connection is idle.
    pub(crate) fn back_to_back(requests: u32) -> Self {
        Self::BackToBack { requests: u64::from(requests), over: Duration::MAX }
    }

    /// Returns how many requests a share has; none where that depends on the answers.
    pub(crate) fn requests(&self, share: Share) -> Option<u64> {
        self.all_requests().map(|all| share.count(all))
    }

    fn all_requests(&self) -> Option<u64> {
        match self {
            Self::Spaced { requests, .. } => Some(*requests),
            Self::Arrivals(stages) => {
                Some((stages.iter().map(Stage::all_arrivals).sum::<f64>() + ROUNDING) as u64)
            }
            Self::Users(_) | Self::BackToBack { .. } => None,
        }
    }

    /// Returns how long it takes, if that does not depend on the answers.
    pub(crate) fn duration(&self) -> Option<Duration> {
        match self {
            Self::Spaced { requests, spacing } => (!spacing.is_zero())
                .then(|| spacing.saturating_mul(u32::try_from(*requests).unwrap_or(u32::MAX))),
            Self::Arrivals(stages) | Self::Users(stages) => Some(stages.iter().map(|stage| stage.over).sum()),
            Self::BackToBack { .. } => None,
        }
    }

    /// Returns its stages; none if it has no times.
    pub(crate) fn stages(&self) -> &[Stage] {
        match self {
            Self::Arrivals(stages) | Self::Users(stages) => stages,
            Self::Spaced { .. } | Self::BackToBack { .. } => &[],
        }
    }

    /// Returns when the next request of a share is due, which may be in the past. `begun` of them have begun,
    /// `under_way` of these have no answer yet. None if there is no next one, or none before one of these has its
    /// answer.
    pub(crate) fn next(
        &self,
        share: Share,
        begun: u64,
        under_way: u64,
        elapsed: Duration,
    ) -> Option<Duration> {
        match self {
            Self::Spaced { .. } | Self::Arrivals(_) => self.due(share.number(begun)),
            Self::Users(stages) => next_turn(stages, share.number(under_way), elapsed),
            Self::BackToBack { requests, over } => (begun < *requests && elapsed < *over).then_some(elapsed),
        }
    }

    /// Returns how many requests of a share are due before a time.
    pub(crate) fn due_before(&self, share: Share, time: Duration) -> u64 {
        let (mut low, mut high) = (0, self.requests(share).unwrap_or(0));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.due(share.number(middle)) {
                Some(due) if due < time => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// Returns when a request is due, the first of which has number 0. None after the last.
    fn due(&self, number: u64) -> Option<Duration> {
        if number >= self.all_requests()? {
            return None;
        }
        match self {
            Self::Spaced { spacing, .. } => {
                let seconds = spacing.as_secs_f64() * number as f64;
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 4))
            }
            Self::Arrivals(stages) => {
                let (mut before, mut begin) = (number as f64, 0.0);
                for stage in stages {
                    let all = stage.all_arrivals();
                    if before < all - ROUNDING {
                        return Some(Duration::from_secs_f64(begin + stage.due(before)));
                    }
                    before = (before - all).max(0.0);
                    begin += stage.over.as_secs_f64();
                }
                None
            }
            Self::Users(_) | Self::BackToBack { .. } => None,
        }
    }

    /// Returns the largest number of users at a time.
    pub(crate) fn users(&self) -> Option<u32> {
        let Self::Users(stages) = self else { return None };
        let most = stages.iter().map(|stage| stage.from.max(stage.to)).fold(0.0, f64::max);
        Some(most as u32)
    }
}

/// Returns when a user, the first of which has number 0, may ask next; none when its time is over.
#[expect(clippy::cast_precision_loss, reason = "users are few")]
fn next_turn(stages: &[Stage], user: u64, elapsed: Duration) -> Option<Duration> {
    let (wanted, elapsed, mut begin) = (user as f64 + 1.0 - ROUNDING, elapsed.as_secs_f64(), 0.0);
    for stage in stages {
        let over = stage.over.as_secs_f64();
        let from = (elapsed - begin).max(0.0);
        if from < over {
            let level = |seconds: f64| stage.from + (stage.to - stage.from) * seconds / over;
            if level(from) >= wanted {
                return Some(Duration::from_secs_f64(begin + from));
            }
            let reached = (wanted - stage.from) / (stage.to - stage.from) * over;
            if stage.to > stage.from && reached < over {
                return Some(Duration::from_secs_f64(begin + reached));
            }
        }
        begin += over;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(seconds: u64, from: f64, to: f64) -> Stage {
        Stage { over: Duration::from_secs(seconds), from, to }
    }

    #[test]
    fn a_ramp_has_as_many_requests_as_its_area_and_they_come_closer_together() {
        let schedule = Schedule::Arrivals(vec![stage(10, 0.0, 100.0), stage(10, 100.0, 100.0)]);
        assert_eq!(schedule.requests(Share::WHOLE), Some(1500));
        let due = |number| schedule.due(number).unwrap().as_secs_f64();
        assert!(due(0).abs() < 1e-6);
        assert!((due(125) - 5.0).abs() < 1e-6, "a quarter of the requests in half of the time: {}", due(125));
        assert!((due(500) - 10.0).abs() < 1e-6);
        assert!((due(1499) - 19.99).abs() < 1e-6);
        assert_eq!(schedule.due(1500), None);
    }

    #[test]
    fn what_is_due_before_a_time_agrees_with_when_each_is_due() {
        for schedule in [
            Schedule::Spaced { requests: 300, spacing: Duration::from_millis(7) },
            Schedule::Arrivals(vec![stage(3, 90.0, 0.0), stage(2, 10.0, 50.0)]),
        ] {
            for number in 0..schedule.requests(Share::WHOLE).unwrap() {
                let due = schedule.due(number).unwrap();
                assert_eq!(schedule.due_before(Share::WHOLE, due + Duration::from_nanos(1)), number + 1);
            }
            assert_eq!(schedule.due_before(Share::WHOLE, Duration::ZERO), 0);
        }
        let at_once = Schedule::Spaced { requests: 9, spacing: Duration::ZERO };
        assert_eq!(at_once.due_before(Share::WHOLE, Duration::from_nanos(1)), 9);
    }

    #[test]
    fn the_shares_of_several_drivers_are_together_what_one_would_send() {
        let schedule = Schedule::Arrivals(vec![stage(2, 0.0, 50.0), stage(1, 3.0, 3.0)]);
        let all: Vec<_> = (0..53).map(|number| schedule.due(number).unwrap()).collect();
        let mut together = Vec::new();
        for place in 0..3 {
            let share = Share { place, of: 3 };
            for own in 0..schedule.requests(share).unwrap() {
                together.push(schedule.next(share, own, 0, Duration::ZERO).unwrap());
            }
        }
        together.sort_unstable();
        assert_eq!(together, all);
    }

    #[test]
    fn a_share_of_any_size_can_be_counted() {
        let share = Share { place: u64::MAX - 1, of: u64::MAX };
        assert_eq!((share.count(0), share.count(1000), share.count(u64::MAX)), (0, 0, 1));
        assert_eq!((Share { place: 2, of: 3 }.count(8), Share { place: 1, of: 3 }.count(8)), (2, 3));
    }

    #[test]
    fn users_come_and_leave_as_the_stages_say() {
        let schedule = Schedule::Users(vec![stage(10, 0.0, 10.0), stage(10, 10.0, 0.0)]);
        let turn = |share, under_way, after| {
            schedule.next(share, 0, under_way, Duration::from_secs(after)).map(|at| at.as_secs())
        };
        assert_eq!(schedule.users(), Some(10));
        assert_eq!(turn(Share::WHOLE, 0, 0), Some(0), "the first comes after a second");
        assert_eq!(turn(Share::WHOLE, 4, 0), Some(4));
        assert_eq!(turn(Share::WHOLE, 4, 7), Some(7), "who is there asks at once");
        assert_eq!(turn(Share::WHOLE, 4, 16), None, "the fifth has left");
        assert_eq!(turn(Share { place: 1, of: 2 }, 1, 0), Some(3), "the second of two has every second user");
    }

    #[test]
    fn back_to_back_ends_with_its_requests_or_its_time() {
        let schedule = Schedule::BackToBack { requests: 5, over: Duration::from_secs(2) };
        let next = |begun, seconds| schedule.next(Share::WHOLE, begun, 1, Duration::from_secs(seconds));
        assert_eq!(next(4, 1), Some(Duration::from_secs(1)));
        assert_eq!((next(5, 1), next(4, 2)), (None, None));
    }
}
