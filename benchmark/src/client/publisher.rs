//! Deciding when which message is published, and timing the answers.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

use crate::client::{Nanos, message::Template, opener::nanos, reactor::Reactor, sender::Ack, tally};

/// When the next message is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As soon as a sender is idle (closed loop).
    BackToBack,
    /// At fixed moments, whether or not the server keeps up (open loop).
    Every(Duration),
}

/// How much is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Messages(u32),
    Time(Duration),
}

/// One run's publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    template: Template,
    pace: Pace,
    limit: Limit,
    started: Nanos,
    next: u32,
    acknowledged: u32,
    /// From the moment a publish was due to its answer.
    pub(crate) latency: Histogram<u64>,
    /// Answers other than 200, by status.
    pub(crate) refused: BTreeMap<u16, u32>,
    pub(crate) last_ack: Nanos,
}

impl Publisher {
    /// Starts publishing at `started`.
    pub(crate) fn new(template: Template, pace: Pace, limit: Limit, started: Nanos) -> Self {
        Self {
            template,
            pace,
            limit,
            started,
            next: 0,
            acknowledged: 0,
            latency: tally::histogram(),
            refused: BTreeMap::new(),
            last_ack: started,
        }
    }

    /// Takes the answers that came and publishes what is due; calls `on_ack` for each answer.
    pub(crate) fn pump(&mut self, reactor: &mut Reactor, mut on_ack: impl FnMut(Ack)) {
        let mut acks = std::mem::take(&mut reactor.acks);
        for ack in acks.drain(..) {
            self.latency.saturating_record(ack.at.saturating_sub(ack.due));
            self.last_ack = ack.at;
            self.acknowledged += 1;
            if ack.status != 200 {
                *self.refused.entry(ack.status).or_default() += 1;
            }
            on_ack(ack);
        }
        reactor.acks = acks;
        loop {
            let now = reactor.clock.now();
            let due = match self.next_due(now) {
                Some(due) if due <= now && reactor.has_idle_sender() => due,
                _ => return,
            };
            reactor.publish(&self.template, self.next, due);
            self.next += 1;
        }
    }

    /// Returns when the next message is due, or `None` when there is none.
    pub(crate) fn next_due(&self, now: Nanos) -> Option<Nanos> {
        let due = match self.pace {
            Pace::BackToBack => now,
            Pace::Every(gap) => self.started + nanos(gap) * u64::from(self.next),
        };
        let within = match self.limit {
            Limit::Messages(count) => self.next < count,
            Limit::Time(length) => due < self.started + nanos(length),
        };
        within.then_some(due)
    }

    /// Returns whether all is published and answered.
    pub(crate) fn is_done(&self, now: Nanos) -> bool {
        self.next_due(now).is_none() && self.acknowledged == self.next
    }

    pub(crate) fn published(&self) -> u32 {
        self.next
    }

    /// Returns how many messages were published and not refused: those that every stream must get.
    pub(crate) fn accepted(&self) -> u32 {
        self.next - self.refused.values().sum::<u32>()
    }

    pub(crate) fn acknowledged(&self) -> u32 {
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::message::RunId;

    fn publisher(pace: Pace, limit: Limit) -> Publisher {
        Publisher::new(Template::new("", b"", RunId::nth(0), 0, b""), pace, limit, 100)
    }

    #[test]
    fn an_open_loop_is_due_at_fixed_moments_however_late_it_is() {
        let mut publisher = publisher(Pace::Every(Duration::from_nanos(50)), Limit::Messages(3));
        assert_eq!(publisher.next_due(100_000), Some(100));
        publisher.next = 2;
        assert_eq!(publisher.next_due(100_000), Some(200));
        publisher.next = 3;
        assert_eq!(publisher.next_due(100_000), None);
    }

    #[test]
    fn a_refused_message_is_not_expected_anywhere() {
        let mut publisher = publisher(Pace::BackToBack, Limit::Messages(5));
        publisher.next = 5;
        publisher.refused = BTreeMap::from([(500, 1), (503, 2)]);
        assert_eq!(publisher.accepted(), 2);
    }

    #[test]
    fn a_closed_loop_is_due_now_until_its_time_is_over() {
        let publisher = publisher(Pace::BackToBack, Limit::Time(Duration::from_nanos(50)));
        assert_eq!(publisher.next_due(149), Some(149));
        assert_eq!(publisher.next_due(150), None);
        assert!(publisher.is_done(150));
        assert!(!publisher.is_done(149));
    }
}
