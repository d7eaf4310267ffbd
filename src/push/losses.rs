//! What is not pushed, as the log says it: of each problem the first message at once, and then once a minute how many others.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::model::UserId;

/// A problem is logged no more often.
pub(super) const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// Why a message is not pushed to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    TooMany,
    Database,
    Refused,
    NotTaken,
}

/// Messages that were not pushed, by their problem.
#[derive(Debug, Default)]
pub(super) struct Losses([Mutex<Count>; Problem::ALL.len()]);

#[derive(Debug, Default)]
struct Count {
    logged_at: Option<Instant>,
    /// How many there were since then.
    more: u64,
}

impl Problem {
    const ALL: [Self; 4] = [Self::TooMany, Self::Database, Self::Refused, Self::NotTaken];

    const fn text(self) -> &'static str {
        match self {
            Self::TooMany => "too many wait",
            Self::Database => "the database has failed",
            Self::Refused => "push services refuse them",
            Self::NotTaken => "push services are busy or not reached",
        }
    }
}

impl Losses {
    /// A message of a user is not pushed to a client.
    pub(super) fn add(&self, problem: Problem, user: UserId, host: Option<&str>, reason: &str) {
        if self.is_logged(problem, Instant::now()) {
            tracing::warn!(
                user.id = %user, push_service = host,
                "a message was not pushed to a client: {reason}; others within a minute are counted"
            );
        } else {
            tracing::debug!(
                user.id = %user, push_service = host,
                "a message was not pushed to a client: {reason}"
            );
        }
    }

    /// Logs how many others there were. To be called each [`BETWEEN_WARNINGS`].
    pub(super) fn report(&self) {
        for problem in Problem::ALL {
            let messages = self.take_others(problem, Instant::now());
            if messages > 0 {
                let problem = problem.text();
                tracing::warn!(messages, "more messages were not pushed to clients: {problem}");
            }
        }
    }

    /// Answers whether a loss is the first one of its kind lately. Otherwise it is counted.
    fn is_logged(&self, problem: Problem, now: Instant) -> bool {
        let mut count = self.0[problem as usize].lock();
        let is_due = count.logged_at.is_none_or(|at| now.saturating_duration_since(at) >= BETWEEN_WARNINGS);
        if is_due && count.more == 0 {
            count.logged_at = Some(now);
        } else {
            count.more += 1;
        }
        is_due && count.more == 0
    }

    fn take_others(&self, problem: Problem, now: Instant) -> u64 {
        let mut count = self.0[problem as usize].lock();
        if count.more > 0 {
            count.logged_at = Some(now);
        }
        std::mem::take(&mut count.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_logged_once_and_its_others_are_counted() {
        let losses = Losses::default();
        let start = Instant::now();
        let is_logged = |problem, seconds| losses.is_logged(problem, start + Duration::from_secs(seconds));
        let others = |problem, seconds| losses.take_others(problem, start + Duration::from_secs(seconds));
        assert!(is_logged(Problem::Refused, 0));
        assert!(!is_logged(Problem::Refused, 1));
        assert!(is_logged(Problem::TooMany, 2), "another problem does not hide it");
        assert!(!is_logged(Problem::Refused, 59));
        assert!(!is_logged(Problem::Refused, 61), "it is counted with those before");
        assert_eq!((others(Problem::Refused, 62), others(Problem::TooMany, 62)), (3, 0));
        assert!(!is_logged(Problem::Refused, 63), "the count was logged just now");
        assert_eq!((others(Problem::Refused, 122), others(Problem::Refused, 182)), (1, 0));
        assert!(is_logged(Problem::Refused, 183));
    }
}
