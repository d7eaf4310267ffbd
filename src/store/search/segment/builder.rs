//! Making a segment.

use std::collections::HashMap;

use super::bytes::{write_number, write_word};
use super::posting::smallest;
use super::{DAY, MOST_ROWS, PRIORITY, Segment, day, of_application, of_number};
use crate::model::Message;
use crate::store::search::words::for_each_word;

/// A row that has so many bytes takes no further word.
const ROW_BYTES: usize = 8000;

/// A segment that has so many messages takes no more.
const MOST_MESSAGES: u64 = 65_536;

/// A segment that has so many bytes, before words share what they begin with, takes no more messages: it is stored in
/// one transaction.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// What the entry of a word takes, beside the word and the ids.
const WORD_BYTES: usize = 6;

/// A segment while messages are added to it.
#[derive(Debug)]
pub(crate) struct SegmentBuilder {
    after: u64,
    words: HashMap<Vec<u8>, Posting>,
    messages: u64,
    bytes: usize,
}

/// The messages that have a word.
#[derive(Debug)]
struct Posting {
    last: u64,
    /// How far each is from the one before it.
    deltas: Vec<u8>,
}

impl SegmentBuilder {
    /// A segment of ids above this one.
    pub(crate) fn above(after: u64) -> Self {
        Self { after, words: HashMap::new(), messages: 0, bytes: 0 }
    }

    /// How many messages were added.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether it should take no more.
    pub(crate) fn is_full(&self) -> bool {
        self.messages >= MOST_MESSAGES || self.bytes >= MOST_BYTES
    }

    /// Adds a message. The ids must ascend.
    pub(crate) fn add(&mut self, message: &Message) {
        let id = message.id.0;
        for text in [&message.title, &message.message] {
            for_each_word(text, |word, _| self.note(word.as_bytes(), id));
        }
        self.note(&of_application(message.application_id), id);
        self.note(&of_number(PRIORITY, message.priority), id);
        self.note(&of_number(DAY, day(message.date)), id);
        self.messages += 1;
    }

    fn note(&mut self, word: &[u8], id: u64) {
        if let Some(posting) = self.words.get_mut(word) {
            if posting.last < id {
                let before = posting.deltas.len();
                write_number(&mut posting.deltas, id - posting.last);
                posting.last = id;
                self.bytes += posting.deltas.len() - before;
            }
            return;
        }
        let mut deltas = Vec::with_capacity(4);
        write_number(&mut deltas, id.saturating_sub(self.after));
        self.bytes += WORD_BYTES + word.len() + deltas.len();
        self.words.insert(word.to_owned(), Posting { last: id, deltas });
    }

    /// Returns the segment.
    pub(crate) fn finish(self) -> Segment {
        let stored = |posting: Posting| smallest(posting.deltas, posting.last.saturating_sub(self.after));
        let mut words: Vec<_> =
            self.words.into_iter().map(|(word, posting)| (word, stored(posting))).collect();
        words.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let (mut directory, mut rows, mut row) = (Vec::new(), Vec::new(), Vec::new());
        let (mut before, mut first_before): (&[u8], &[u8]) = (&[], &[]);
        // No message has so many words that this is ever more.
        let row_bytes = ROW_BYTES.max(2 * self.bytes / usize::try_from(MOST_ROWS).unwrap_or(usize::MAX));
        for (word, posting) in &words {
            if row.len() >= row_bytes {
                rows.push(std::mem::take(&mut row));
            }
            if row.is_empty() {
                write_word(&mut directory, first_before, word);
                (before, first_before) = (&[], word);
            }
            write_word(&mut row, before, word);
            before = word;
            write_number(&mut row, posting.len() as u64);
            row.extend_from_slice(posting);
        }
        if !row.is_empty() {
            rows.push(row);
        }
        Segment { messages: self.messages, bytes: self.bytes as u64, directory, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_full_by_its_messages_or_by_its_bytes() {
        let mut message = Message::any(0);
        let mut builder = SegmentBuilder::above(0);
        while !builder.is_full() {
            message.id.0 += 1;
            builder.add(&message);
        }
        assert_eq!(builder.messages(), MOST_MESSAGES);
        assert!(builder.finish().bytes < 400_000, "common words take a byte for each message");

        let mut builder = SegmentBuilder::above(0);
        while !builder.is_full() {
            message.id.0 += 1;
            let words: Vec<_> = (0..1000).map(|word| format!("{}x{word}", message.id.0)).collect();
            message.message = words.join(" ");
            builder.add(&message);
        }
        let segment = builder.finish();
        let most = 2 * MOST_BYTES as u64;
        assert!(segment.messages < 1000 && segment.bytes < most, "{} bytes", segment.bytes);
        assert!(segment.rows.iter().all(|row| row.len() < 2 * ROW_BYTES));
        let stored: usize = segment.rows.iter().map(Vec::len).sum();
        assert!(stored as u64 <= segment.bytes, "{stored} bytes are stored of {}", segment.bytes);
    }
}
