//! A segment of the index: the words of a user's messages within a range of ids, and which of the messages have each.
//!
//! Its words are sorted, and lie in rows of some kilobytes. A row is a list of words, each with the ids of the messages
//! that have it. The directory of a segment names the first word of each row. So a word is found by the directory and
//! one row, and all words with the same beginning by rows that follow on one another.
//!
//! Beside the words of texts there are others, for what a search may ask for too: the application, the priority, and the
//! day. They begin with a byte that no text's word begins with.

mod builder;
mod bytes;
mod ids;
mod merging;
mod posting;

pub(crate) use builder::SegmentBuilder;
pub(crate) use bytes::Broken;
pub(crate) use ids::Ids;
pub(crate) use merging::{Extent, to_merge};
pub(crate) use posting::Posting;

use chrono::Datelike as _;

use self::bytes::Reader;
use super::MessageSearch;
use crate::model::{ApplicationId, Timestamp};

/// Up to so many messages are read by a search without an index. As many are indexed at once, or more.
pub(crate) const FEWEST_MESSAGES: usize = 128;

/// Most rows of a segment: ids of rows are that far apart.
pub(crate) const MOST_ROWS: u64 = 1 << 16;

/// What the other words begin with.
const APPLICATION: u8 = 1;
const PRIORITY: u8 = 2;
const DAY: u8 = 3;

/// A segment that is to be stored.
#[derive(Debug)]
pub(crate) struct Segment {
    /// How many messages it is of.
    pub(crate) messages: u64,
    /// How many bytes it has as a [`SegmentBuilder`] counts them, which says when it is full. Its rows have fewer, as words
    /// share what they begin with there.
    pub(crate) bytes: u64,
    pub(crate) directory: Vec<u8>,
    pub(crate) rows: Vec<Vec<u8>>,
}

/// The words from one on and before another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordRange {
    first: Vec<u8>,
    end: Vec<u8>,
}

impl WordRange {
    fn one(word: Vec<u8>) -> Self {
        let mut end = word.clone();
        end.push(0);
        Self { first: word, end }
    }

    /// Returns a range for each thing that is searched for: a message that has all has a word of each. Not so for the
    /// days at both ends.
    pub(crate) fn all(search: &MessageSearch) -> Vec<Vec<Self>> {
        let mut all: Vec<_> = search
            .words
            .iter()
            .map(|word| {
                let first = word.text.clone().into_bytes();
                if !word.is_prefix {
                    return vec![Self::one(first)];
                }
                let mut end = first.clone();
                // UTF-8 has no byte 255.
                if let Some(last) = end.last_mut() {
                    *last += 1;
                }
                vec![Self { first, end }]
            })
            .collect();
        if !search.applications.is_empty() {
            all.push(search.applications.iter().map(|id| Self::one(of_application(*id))).collect());
        }
        if let Some(least) = search.min_priority {
            all.push(vec![Self { first: of_number(PRIORITY, least), end: vec![PRIORITY + 1] }]);
        }
        if search.from.is_some() || search.to.is_some() {
            let first = search.from.map_or(vec![DAY], |from| of_number(DAY, day(from)));
            let end = search.to.map_or(vec![DAY + 1], |to| of_number(DAY, day(to).saturating_add(1)));
            all.push(vec![Self { first, end }]);
        }
        all
    }

    /// Adds what a row has for each word of this range: the messages that have it.
    pub(crate) fn find<'r>(&self, row: &'r [u8], found: &mut Vec<Posting<'r>>) -> Result<(), Broken> {
        let mut reader = Reader(row);
        let mut word = Vec::new();
        while !reader.is_at_end() {
            reader.word(&mut word)?;
            let length = reader.length()?;
            let posting = Posting::new(reader.take(length)?);
            if word >= self.end {
                break;
            }
            if word >= self.first {
                found.push(posting);
            }
        }
        Ok(())
    }
}

/// The first word of each row of a segment.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// All of them, one after the other.
    words: Vec<u8>,
    ends: Vec<usize>,
}

impl Directory {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let (mut reader, mut word, mut directory) = (Reader(bytes), Vec::new(), Self::default());
        while !reader.is_at_end() {
            reader.word(&mut word)?;
            directory.words.extend_from_slice(&word);
            directory.ends.push(directory.words.len());
        }
        Ok(directory)
    }

    /// Returns the numbers of the rows that may have words of a range.
    pub(crate) fn rows(&self, range: &WordRange) -> std::ops::Range<usize> {
        let first = self.count(|word| word <= &range.first[..]).saturating_sub(1);
        let end = self.count(|word| word < &range.end[..]);
        first..end.max(first)
    }

    /// Counts the first words for which something holds; it does not hold for those after them.
    fn count(&self, holds: impl Fn(&[u8]) -> bool) -> usize {
        let mut unknown = 0..self.ends.len();
        while !unknown.is_empty() {
            let middle = unknown.start.midpoint(unknown.end);
            let begin = middle.checked_sub(1).map_or(0, |before| self.ends[before]);
            if holds(&self.words[begin..self.ends[middle]]) {
                unknown.start = middle + 1;
            } else {
                unknown.end = middle;
            }
        }
        unknown.start
    }
}

fn of_application(id: ApplicationId) -> Vec<u8> {
    let mut word = vec![APPLICATION];
    word.extend(id.0.to_be_bytes());
    word
}

/// Writes a number so that smaller ones come first.
fn of_number(kind: u8, number: i64) -> Vec<u8> {
    let mut word = vec![kind];
    word.extend((number.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    word
}

/// Returns the number of a day in UTC.
fn day(time: Timestamp) -> i64 {
    i64::from(time.naive_utc().date().num_days_from_ce())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Message, MessageId};
    use crate::store::SearchWord;

    fn message(id: u64, text: &str) -> Message {
        Message {
            id: MessageId(id),
            application_id: ApplicationId(id % 3),
            message: text.to_owned(),
            title: format!("title{}", id % 7),
            priority: i64::try_from(id % 5).unwrap() - 2,
            extras: None,
            date: chrono::DateTime::from_timestamp(i64::try_from(id).unwrap() * 3600, 0)
                .unwrap()
                .fixed_offset(),
        }
    }

    /// Searches a segment as the database does.
    fn found(segment: &Segment, after: u64, search: &MessageSearch) -> BTreeSet<u64> {
        let directory = Directory::read(&segment.directory).unwrap();
        let mut found: Option<BTreeSet<u64>> = None;
        for ranges in WordRange::all(search) {
            let mut postings = Vec::new();
            for range in ranges {
                for row in directory.rows(&range) {
                    range.find(&segment.rows[row], &mut postings).unwrap();
                }
            }
            let ids: BTreeSet<_> = Ids::of_any(&postings).unwrap().above(after).into_iter().collect();
            found = Some(found.map_or(ids.clone(), |found| &found & &ids));
        }
        found.unwrap()
    }

    #[test]
    fn a_segment_of_many_rows_finds_what_a_look_at_each_message_finds() {
        let mut builder = SegmentBuilder::above(1000);
        let messages: Vec<_> = (1001..4000)
            .step_by(3)
            .map(|id| {
                message(
                    id,
                    &format!(
                        "number{id} common x{}y{} {}",
                        id % 11,
                        id * 7919 % 1013,
                        format!("long{id}").repeat(3)
                    ),
                )
            })
            .collect();
        for message in &messages {
            builder.add(message);
        }
        let segment = builder.finish();
        assert_eq!(segment.messages, messages.len() as u64);
        assert!(segment.rows.len() > 2, "{} rows", segment.rows.len());
        let none = MessageSearch::default();
        let words = |text| MessageSearch { words: SearchWord::all(text), ..none.clone() };
        for search in [
            words("common"),
            words("number1001"),
            words("NUMBER3998 title1"),
            words("number10*"),
            words("n*"),
            words("zzz"),
            words("a"),
            words("0*"),
            words("x1* title3"),
            MessageSearch { applications: vec![ApplicationId(0), ApplicationId(2)], ..words("x3*") },
            MessageSearch { min_priority: Some(-1), ..words("common") },
            MessageSearch { min_priority: Some(2), ..none.clone() },
        ] {
            let expected = messages.iter().filter(|message| search.finds(message)).map(|m| m.id.0).collect();
            assert_eq!(found(&segment, 1000, &search), expected, "{search:?}");
        }
    }

    #[test]
    fn of_a_span_of_time_whole_days_are_found() {
        let mut builder = SegmentBuilder::above(0);
        (1..200).for_each(|id| builder.add(&message(id, "m")));
        let segment = builder.finish();
        let at = |hours| Some(message(hours, "").date);
        let search = MessageSearch { from: at(30), to: at(60), ..MessageSearch::default() };
        assert_eq!(found(&segment, 0, &search), (24..72).collect());
        let search = MessageSearch { from: at(30), ..MessageSearch::default() };
        assert_eq!(found(&segment, 0, &search), (24..200).collect());
        let search = MessageSearch { to: at(30), ..MessageSearch::default() };
        assert_eq!(found(&segment, 0, &search), (1..48).collect());
    }

    #[test]
    fn a_row_that_is_broken_is_an_error() {
        let mut builder = SegmentBuilder::above(0);
        builder.add(&message(1, "word"));
        let segment = builder.finish();
        let row = &segment.rows[0];
        let range =
            &WordRange::all(&MessageSearch { words: SearchWord::all("word"), ..MessageSearch::default() })[0]
                [0];
        for length in 1..row.len() {
            // A row that is cut between two words is a shorter one.
            let _ = range.find(&row[..length], &mut Vec::new());
        }
        assert!(range.find(&row[..row.len() - 1], &mut Vec::new()).is_err());
        assert!(range.find(&[0xff; 40], &mut Vec::new()).is_err());
    }
}
