//! Publishing what is due, and timing the answers.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use crate::client::{
    Nanos,
    message::Template,
    opener::nanos,
    reactor::Reactor,
    schedule::{Schedule, Share},
    sender::Ack,
    tally,
};

/// One run's publishes.
#[derive(Debug)]
pub(crate) struct Publisher {
    template: Template,
    schedule: Schedule,
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
    pub(crate) fn new(template: Template, schedule: Schedule, started: Nanos) -> Self {
        Self {
            template,
            schedule,
            started,
            next: 0,
            acknowledged: 0,
            latency: tally::histogram(),
            refused: BTreeMap::new(),
            last_ack: started,
        }
    }

    /// Takes the answers that came and publishes what is due; calls `on_ack` for each answer.
    ///
    /// # Errors
    /// When a publish had no answer.
    pub(crate) fn pump(&mut self, reactor: &mut Reactor, mut on_ack: impl FnMut(Ack)) -> Result<()> {
        let mut acks = std::mem::take(&mut reactor.acks);
        for ack in acks.drain(..) {
            let status = ack.outcome.clone().context("a publish failed")?;
            self.latency.saturating_record(ack.at.saturating_sub(ack.due));
            self.last_ack = ack.at;
            self.acknowledged += 1;
            if status != 200 {
                *self.refused.entry(status).or_default() += 1;
            }
            on_ack(ack);
        }
        reactor.acks = acks;
        loop {
            let now = reactor.clock.now();
            let due = match self.next_due(now) {
                Some(due) if due <= now && reactor.has_idle_sender() => due,
                _ => return Ok(()),
            };
            reactor.publish(&self.template, self.next, due);
            self.next += 1;
        }
    }

    /// Returns when the next message is due, or `None` when there is none.
    pub(crate) fn next_due(&self, now: Nanos) -> Option<Nanos> {
        let elapsed = Duration::from_nanos(now.saturating_sub(self.started));
        let due = self.schedule.next(Share::WHOLE, u64::from(self.next), 0, elapsed)?;
        Some(self.started + nanos(due))
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

    fn publisher(schedule: Schedule) -> Publisher {
        Publisher::new(Template::new("", b"", RunId::nth(0), 0, b""), schedule, 100)
    }

    #[test]
    fn an_open_loop_is_due_at_fixed_moments_however_late_it_is() {
        let spacing = Duration::from_nanos(50);
        let mut publisher = publisher(Schedule::Spaced { requests: 3, spacing });
        assert_eq!(publisher.next_due(100_000), Some(100));
        publisher.next = 2;
        assert_eq!(publisher.next_due(100_000), Some(200));
        publisher.next = 3;
        assert_eq!(publisher.next_due(100_000), None);
    }

    #[test]
    fn a_refused_message_is_not_expected_anywhere() {
        let mut publisher = publisher(Schedule::back_to_back(5));
        publisher.next = 5;
        publisher.refused = BTreeMap::from([(500, 1), (503, 2)]);
        assert_eq!(publisher.accepted(), 2);
    }

    #[test]
    fn a_closed_loop_is_due_now_until_its_time_is_over() {
        let over = Duration::from_nanos(50);
        let publisher = publisher(Schedule::BackToBack { requests: u64::MAX, over });
        assert_eq!(publisher.next_due(149), Some(149));
        assert_eq!(publisher.next_due(150), None);
        assert!(publisher.is_done(150));
        assert!(!publisher.is_done(149));
    }
}
