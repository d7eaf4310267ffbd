//! A user's recent frames, and how far behind a stream may be.

use std::collections::VecDeque;

use super::{Format, Frame, HubConfig, MessageId};

/// The newest frames of a user, for those of its streams that are a little behind. Bounded in messages and bytes:
/// the oldest go first, and a stream that needs those reads them from the backlog.
#[derive(Debug, Default)]
pub(super) struct Ring {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The id of the newest frame that was dropped: the ring holds all that came after it.
    base: MessageId,
}

impl Ring {
    /// A ring that is empty and complete after `base`.
    pub(super) fn after(base: MessageId) -> Self {
        Self { base, ..Self::default() }
    }

    pub(super) fn push(&mut self, frames: &[Frame], config: &HubConfig, behind: usize) {
        let max_bytes = config.ring_bytes_per_stream.saturating_mul(behind).min(HubConfig::RING_BYTES_MAX);
        for frame in frames {
            self.bytes += frame.size();
            self.frames.push_back(frame.clone());
            while self.frames.len() > config.ring_messages || self.bytes > max_bytes {
                let Some(oldest) = self.frames.pop_front() else { break };
                self.bytes -= oldest.size();
                self.base = oldest.id;
            }
        }
    }

    /// Forgets everything up to and with `newest`, which the ring was not given.
    pub(super) fn skip_to(&mut self, newest: MessageId) {
        *self = Self::after(newest);
    }

    /// The frames after `cursor`, at most `limit`; `None` if the ring no longer holds them all, or not in this format.
    pub(super) fn read(&self, cursor: MessageId, format: Format, limit: usize) -> Option<Vec<Frame>> {
        if cursor < self.base {
            return None;
        }
        let from = self.frames.partition_point(|frame| frame.id <= cursor);
        let frames = self.frames.iter().skip(from).take(limit);
        frames.map(|frame| frame.bytes(format).map(|_| frame.clone())).collect()
    }
}

/// Tells which streams are more than so many messages behind, without counting messages stream by stream: a mark
/// is set every 1/64 of the limit, and a stream whose cursor is not past the newest mark that is old enough is
/// too far behind. Never too early; at most 1/64 of the limit too late.
#[derive(Debug, Default)]
pub(super) struct LagMarks {
    /// Where a mark stands, and the user's count of messages there.
    marks: VecDeque<(MessageId, u64)>,
    count: u64,
}

impl LagMarks {
    /// Notes `messages` more after `before`, and returns the id that a cursor must be past.
    pub(super) fn advance(
        &mut self,
        before: MessageId,
        messages: usize,
        max_lag: usize,
    ) -> Option<MessageId> {
        let limit = max_lag as u64;
        if self.marks.back().is_none_or(|&(_, count)| self.count - count >= (limit / 64).max(1)) {
            self.marks.push_back((before, self.count));
        }
        self.count += messages as u64;
        // Of the marks that are old enough only the newest counts.
        while self.marks.get(1).is_some_and(|&(_, count)| self.count - count > limit) {
            self.marks.pop_front();
        }
        self.marks.front().filter(|&&(_, count)| self.count - count > limit).map(|&(id, _)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(ids: impl IntoIterator<Item = u64>) -> Vec<Frame> {
        ids.into_iter().map(|id| Frame::new(MessageId(id), vec![b'x'; 100])).collect()
    }

    fn ids(frames: Option<Vec<Frame>>) -> Option<Vec<u64>> {
        frames.map(|frames| frames.iter().map(|frame| frame.id.0).collect())
    }

    #[test]
    fn a_ring_is_bounded_in_messages_and_says_when_it_no_longer_holds_all() {
        let config = HubConfig { ring_messages: 3, ..HubConfig::default() };
        let mut ring = Ring::after(MessageId(10));
        assert_eq!(ids(ring.read(MessageId(10), Format::Text, 9)), Some(vec![]));
        ring.push(&frames([12, 15, 18, 20]), &config, 1);
        assert_eq!(ids(ring.read(MessageId(11), Format::Text, 9)), None);
        assert_eq!(ids(ring.read(MessageId(12), Format::Text, 9)), Some(vec![15, 18, 20]));
        assert_eq!(ids(ring.read(MessageId(16), Format::Text, 1)), Some(vec![18]));
        assert_eq!(ids(ring.read(MessageId(20), Format::Text, 9)), Some(vec![]));
    }

    #[test]
    fn a_ring_is_bounded_in_bytes_by_the_streams_behind() {
        let config = HubConfig { ring_bytes_per_stream: 150, ring_messages: 100, ..HubConfig::default() };
        let mut ring = Ring::after(MessageId(0));
        ring.push(&frames(1..=9), &config, 1);
        assert_eq!(ids(ring.read(MessageId(8), Format::Text, 9)), Some(vec![9]));
        assert_eq!(ids(ring.read(MessageId(7), Format::Text, 9)), None);
        ring.push(&frames(10..=12), &config, 2);
        assert_eq!(ids(ring.read(MessageId(9), Format::Text, 9)), Some(vec![10, 11, 12]));
    }

    #[test]
    fn a_frame_larger_than_the_ring_is_left_to_the_backlog() {
        let config = HubConfig { ring_bytes_per_stream: 10, ..HubConfig::default() };
        let mut ring = Ring::after(MessageId(0));
        ring.push(&frames([1]), &config, 1);
        assert_eq!(ids(ring.read(MessageId(0), Format::Text, 9)), None);
        assert_eq!(ids(ring.read(MessageId(1), Format::Text, 9)), Some(vec![]));
    }

    #[test]
    fn lag_is_noticed_soon_after_the_limit_and_never_before() {
        for max_lag in [1, 10, 640, 10_000] {
            let mut marks = LagMarks::default();
            let cursor = MessageId(0);
            let closed_at = (1..=2 * max_lag as u64)
                .find(|&id| marks.advance(MessageId(id - 1), 1, max_lag).is_some_and(|floor| cursor <= floor))
                .expect("a stream that stays behind is noticed");
            assert!(closed_at > max_lag as u64, "limit {max_lag}: noticed after {closed_at}");
            assert!(
                closed_at <= max_lag as u64 + max_lag as u64 / 64 + 2,
                "limit {max_lag}: after {closed_at}"
            );
            assert!(marks.marks.len() < 70);
        }
    }

    #[test]
    fn a_frame_that_lacks_the_format_is_left_to_the_backlog() {
        let mut ring = Ring::after(MessageId(0));
        let both = Frame::new(MessageId(1), "text").with(Format::Binary, "binary");
        ring.push(&[both, Frame::new(MessageId(2), "text")], &HubConfig::default(), 1);
        assert_eq!(ids(ring.read(MessageId(0), Format::Text, 9)), Some(vec![1, 2]));
        assert_eq!(ids(ring.read(MessageId(0), Format::Binary, 1)), Some(vec![1]));
        assert_eq!(ids(ring.read(MessageId(0), Format::Binary, 9)), None);
    }
}
