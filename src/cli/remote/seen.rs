//! Which messages have come already.

use std::collections::BTreeSet;

/// How many ids are kept. A list of stored messages is read in pages of half as many.
const KEPT: usize = 200;

/// The ids of the messages that came last.
///
/// The highest id alone is not enough: where Gotify's database is not SQLite, a message with a lower id may be stored
/// after one with a higher id.
pub(super) struct Seen {
    /// Messages up to this id have come, or are not wanted.
    floor: u64,
    /// Ids above the floor that have come.
    recent: BTreeSet<u64>,
}

impl Seen {
    /// Nothing has come yet, and messages up to this id are not wanted.
    pub(super) fn up_to(floor: u64) -> Self {
        Self { floor, recent: BTreeSet::new() }
    }

    /// Returns the highest id that has come.
    pub(super) fn newest(&self) -> u64 {
        self.recent.last().copied().unwrap_or(self.floor).max(self.floor)
    }

    /// Returns an id up to which nothing is missing.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Answers whether a stored message has not come yet.
    pub(super) fn lacks(&self, id: u64) -> bool {
        id > self.floor && !self.recent.contains(&id)
    }

    /// Notes a message, and answers whether it is new. A message with an id that is not above the floor is new too: it
    /// comes from a stream, which has no reason to send an old one.
    pub(super) fn add(&mut self, id: u64) -> bool {
        let is_new = self.recent.insert(id);
        if self.recent.len() > KEPT
            && let Some(oldest) = self.recent.pop_first()
        {
            self.floor = self.floor.max(oldest);
        }
        is_new
    }

    /// Notes the newest id that the server has. If that is lower than what has come, messages were deleted, or an older
    /// backup of the database was restored, and ids may be given again.
    pub(super) fn note_newest(&mut self, id: u64) {
        if id < self.newest() {
            *self = Self::up_to(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_was_stored_late_is_missing_until_it_comes() {
        let mut seen = Seen::up_to(9);
        assert!(seen.add(11));
        assert!(seen.lacks(10) && !seen.lacks(9) && !seen.lacks(11));
        assert!(seen.add(10) && !seen.add(10));
        assert_eq!((seen.newest(), seen.lacks(10)), (11, false));
    }

    #[test]
    fn what_is_forgotten_counts_as_seen() {
        let mut seen = Seen::up_to(0);
        for id in 1..=1000 {
            assert!(seen.lacks(id));
            seen.add(id);
        }
        assert_eq!((seen.recent.len(), seen.floor(), seen.newest()), (KEPT, 800, 1000));
        assert!((1..=1000).all(|id| !seen.lacks(id)));
    }

    #[test]
    fn after_an_older_backup_was_restored_ids_that_come_again_are_new() {
        let mut seen = Seen::up_to(0);
        seen.add(12);
        seen.note_newest(12);
        assert!(!seen.add(12));
        seen.note_newest(10);
        assert_eq!(seen.newest(), 10);
        assert!(seen.add(12));
    }
}
