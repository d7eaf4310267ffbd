//! How far the log was read.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{LoggedRevocation, RevocationId};

/// How many entries are remembered, about 100 bytes each. Beyond that the oldest are taken for complete: an entry below
/// them that becomes visible later is passed over, and found by the check of all streams.
const REMEMBERED: usize = 65_536;

/// An entry that was read.
#[derive(Clone, Copy, Debug)]
struct ReadEntry {
    at: Instant,
    written_at: u64,
}

/// Which entries were read, where entries may become visible in another order than that of their ids.
///
/// An entry that is visible shows that all with lower ids have got these. Their transactions end within `longest`, so
/// what is read after that time has all that there will ever be below it. Until then, entries are read again.
#[derive(Debug)]
pub(super) struct Position {
    longest: Duration,
    /// All entries below this one were read. This one was read too, and is read again: if it is not there, entries
    /// above it may be gone as well. 0 is the beginning.
    complete: RevocationId,
    /// Where the next page begins: above `complete` while the pages of one round are read.
    next: RevocationId,
    /// When the entries from `complete` on were read, and written.
    read: BTreeMap<RevocationId, ReadEntry>,
}

impl Position {
    /// The beginning of a log whose transactions take no longer than this.
    pub(super) fn new(longest: Duration) -> Self {
        let start = RevocationId::default();
        Self { longest, complete: start, next: start, read: BTreeMap::new() }
    }

    /// Goes back to the beginning.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.longest);
    }

    /// Returns the first entry of the next page.
    pub(super) fn next(&self) -> RevocationId {
        self.next
    }

    /// The next page is the first one of a new round.
    pub(super) fn rewind(&mut self) {
        self.next = self.complete;
    }

    /// Takes the entries from [`next`](Self::next) on, which were asked for and read at these times. Returns those that
    /// were not read before, or `None` if entries may have been lost.
    pub(super) fn advance(
        &mut self,
        entries: Vec<LoggedRevocation>,
        asked_at: Instant,
        read_at: Instant,
    ) -> Option<Vec<LoggedRevocation>> {
        let is_there = entries.first().is_some_and(|first| first.id == self.next);
        if self.next > RevocationId::default() && !is_there {
            return None;
        }
        // Ids were given a second time: an older state of the database was back in between.
        let is_other = |entry: &LoggedRevocation| {
            self.read.get(&entry.id).is_some_and(|read| read.written_at != entry.written_at)
        };
        if entries.iter().any(is_other) {
            return None;
        }
        self.next = entries.last().map_or(self.next, |last| last.id);
        let known = &mut self.read;
        let is_new = |entry: &LoggedRevocation| {
            let is_new = !known.contains_key(&entry.id);
            known.entry(entry.id).or_insert(ReadEntry { at: read_at, written_at: entry.written_at });
            is_new
        };
        let new = entries.into_iter().filter(is_new).collect();
        let is_complete =
            |at: Instant| asked_at.saturating_duration_since(at) >= self.longest && asked_at >= at;
        let complete = self.read.iter().rev().find(|(_, read)| is_complete(read.at)).map(|(&id, _)| id);
        let excess = self.read.len().saturating_sub(REMEMBERED);
        let crowded = self.read.keys().nth(excess).copied().filter(|_| excess > 0);
        if let Some(complete) = complete.max(crowded) {
            self.complete = complete;
            self.read = self.read.split_off(&complete);
        }
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn entry(id: RevocationId, written_at: u64) -> LoggedRevocation {
        LoggedRevocation { id, written_at, revocation: None }
    }

    /// A reader of a log, and seconds since it began.
    struct Reader {
        position: Position,
        start: Instant,
    }

    impl Reader {
        fn new(longest: Duration) -> Self {
            Self { position: Position::new(longest), start: Instant::now() }
        }

        /// Reads a log that has these entries after so many seconds. Returns what is new.
        fn read(&mut self, seconds: u64, log: &[u64]) -> Option<Vec<u64>> {
            self.position.rewind();
            let asked_at = self.start + Duration::from_secs(seconds);
            let visible = log.iter().map(|&id| RevocationId(id)).filter(|&id| id >= self.position.next());
            let entries = visible.map(|id| entry(id, 0)).collect();
            let new = self.position.advance(entries, asked_at, asked_at + Duration::from_millis(1))?;
            Some(new.iter().map(|entry| entry.id.0).collect())
        }
    }

    #[test]
    fn every_entry_is_returned_once() {
        for longest in [Duration::ZERO, LONGEST] {
            let mut reader = Reader::new(longest);
            assert_eq!(reader.read(0, &[]), Some(vec![]));
            assert_eq!(reader.read(2, &[3, 4]), Some(vec![3, 4]));
            assert_eq!(reader.read(4, &[3, 4, 9]), Some(vec![9]));
            assert_eq!(reader.read(60, &[3, 4, 9]), Some(vec![]));
            assert_eq!(reader.read(62, &[9, 10]), Some(vec![10]));
        }
    }

    #[test]
    fn an_entry_that_becomes_visible_after_later_ones_is_returned() {
        let mut reader = Reader::new(LONGEST);
        assert_eq!(reader.read(0, &[5, 7]), Some(vec![5, 7]));
        assert_eq!(reader.read(20, &[5, 7, 8]), Some(vec![8]));
        assert_eq!(reader.read(29, &[4, 5, 6, 7, 8]), Some(vec![4, 6]));
        assert_eq!(reader.position.complete, RevocationId(0), "nothing is complete yet");
        assert_eq!(reader.read(31, &[4, 5, 6, 7, 8]), Some(vec![]));
        assert_eq!(reader.position.complete, RevocationId(7));
    }

    #[test]
    fn a_reader_that_was_away_while_entries_were_deleted_notices() {
        let mut reader = Reader::new(LONGEST);
        reader.read(0, &[5, 7]);
        reader.read(40, &[5, 7]);
        assert_eq!(reader.read(9000, &[7, 8]), Some(vec![8]), "the last one that was read is there");
        assert_eq!(reader.read(9040, &[7, 8]), Some(vec![]));
        assert_eq!(reader.read(20000, &[9, 10]), None);
        assert_eq!(reader.read(20002, &[]), None, "an older database is back");
        reader.position.restart();
        assert_eq!(reader.read(20004, &[9, 10]), Some(vec![9, 10]));
    }

    #[test]
    fn a_reader_that_was_away_while_an_older_database_came_back_notices_ids_that_were_given_again() {
        for longest in [Duration::ZERO, LONGEST] {
            let mut reader = Reader::new(longest);
            reader.read(0, &[5, 6, 7]);
            reader.read(40, &[5, 6, 7]);
            reader.read(41, &[7, 8, 9]);
            reader.position.rewind();
            let now = reader.start + Duration::from_mins(1);
            // The older state ended with 6.
            let others = [(7, 1), (8, 2), (9, 3), (10, 4)].map(|(id, at)| entry(RevocationId(id), at));
            let from = reader.position.next();
            let others: Vec<_> = others.into_iter().filter(|entry| entry.id >= from).collect();
            assert_eq!(reader.position.advance(others.clone(), now, now), None);
            reader.position.restart();
            assert_eq!(reader.position.advance(others.clone(), now, now), Some(others));
        }
    }

    #[test]
    fn pages_follow_on_one_another() {
        let mut position = Position::new(LONGEST);
        let now = Instant::now();
        let page = |ids: [u64; 2]| ids.map(|id| entry(RevocationId(id), 0));
        assert_eq!(position.advance(page([1, 2]).to_vec(), now, now).unwrap().len(), 2);
        assert_eq!(position.next(), RevocationId(2));
        assert_eq!(position.advance(page([2, 3]).to_vec(), now, now).unwrap().len(), 1);
        position.rewind();
        assert_eq!(position.next(), RevocationId(0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut position = Position::new(LONGEST);
        let now = Instant::now();
        for first in (1..=200_000).step_by(1000) {
            let ids = (first..first + 1000).map(RevocationId);
            let entries = ids.map(|id| entry(id, 0));
            position.next = RevocationId::default();
            position.advance(entries.collect(), now, now).unwrap();
        }
        assert_eq!(position.read.len(), REMEMBERED);
    }
}
