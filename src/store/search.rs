//! Searching messages: what is searched for, and the index that finds it.
//!
//! The index is ours on every database. Their own full-text indexes return what they find in the order of relevance or in
//! none, so that the newest messages with a common word are known only when all of them were read.
//!
//! A user's messages are indexed in [segments](segment), each of which has a range of ids. The newest messages are in
//! none yet, and a search reads them as a list does. [`Indexer`] makes the segments, see
//! [`Search::index_messages`](crate::store::Search::index_messages).

use crate::model::{ApplicationId, Message, Timestamp};

mod indexer;
mod pace;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub(super) mod segment;
mod words;

pub(crate) use indexer::Counts;
pub(super) use indexer::Indexer;
pub use pace::IndexPace;

/// Most words of one search.
pub const MOST_SEARCH_WORDS: usize = 32;

/// What is searched for. A message must have all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageSearch {
    /// Words that must be in its title or its text.
    pub words: Vec<SearchWord>,
    /// The applications that may have sent it; any if there are none here.
    pub applications: Vec<ApplicationId>,
    /// The least priority that it may have.
    pub min_priority: Option<i64>,
    /// It must not be older than this.
    pub from: Option<Timestamp>,
    /// It must be older than this.
    pub to: Option<Timestamp>,
}

/// A word that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWord {
    /// In the form in which words are compared.
    text: String,
    is_prefix: bool,
}

impl SearchWord {
    /// Returns the words of a text, each once. One that is followed by `*` also stands for all words that begin with it.
    pub fn all(text: &str) -> Vec<Self> {
        let mut all = Vec::new();
        words::for_each_word(text, |word, follows| {
            let word = Self { text: word.to_owned(), is_prefix: follows == Some('*') };
            if !all.contains(&word) {
                all.push(word);
            }
        });
        all
    }

    fn is(&self, word: &str) -> bool {
        if self.is_prefix { word.starts_with(&self.text) } else { word == self.text }
    }
}

#[cfg_attr(
    not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "there is no database")
)]
impl MessageSearch {
    /// Answers whether a message has all that is searched for.
    pub(super) fn finds(&self, message: &Message) -> bool {
        let is_of = |applications: &[ApplicationId]| {
            applications.is_empty() || applications.contains(&message.application_id)
        };
        is_of(&self.applications)
            && self.min_priority.is_none_or(|least| message.priority >= least)
            && self.spans(message.date)
            && self.has_words(message)
    }

    /// Answers whether it asks for a span of time.
    pub(super) fn has_span(&self) -> bool {
        self.from.is_some() || self.to.is_some()
    }

    /// Answers whether a time is in its span.
    pub(super) fn spans(&self, date: Timestamp) -> bool {
        self.from.is_none_or(|from| date >= from) && self.to.is_none_or(|to| date < to)
    }

    fn has_words(&self, message: &Message) -> bool {
        let mut missing: Vec<_> = self.words.iter().collect();
        for text in [&message.title, &message.message] {
            if !missing.is_empty() {
                words::for_each_word(text, |word, _| missing.retain(|missing| !missing.is(word)));
            }
        }
        missing.is_empty()
    }
}

/// Why a search found nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The database failed, or can't be used now.
    #[error(transparent)]
    Store(#[from] super::StoreError),
    /// Many messages are not in the index yet, and those that were looked at are not enough for an answer.
    #[error("the search index is still being made, try again in a moment")]
    NotIndexed,
    /// It took too long, or too many others were searching.
    #[error("the search took too long, try again or search for less")]
    TooSlow,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageId;

    fn message(title: &str, text: &str) -> Message {
        Message {
            id: MessageId(1),
            application_id: ApplicationId(3),
            message: text.to_owned(),
            title: title.to_owned(),
            priority: 5,
            extras: None,
            date: chrono::DateTime::UNIX_EPOCH.fixed_offset(),
        }
    }

    fn of_words(text: &str) -> MessageSearch {
        MessageSearch { words: SearchWord::all(text), ..MessageSearch::default() }
    }

    #[test]
    fn all_words_must_be_in_title_or_text() {
        let message = message("Backup of NAS", "Disk full: 99 %");
        for (text, finds) in [
            ("", true),
            ("disk", true),
            ("FULL backup", true),
            ("dis*", true),
            ("dis", false),
            ("disk empty", false),
            ("isk*", false),
            ("-disk | \"full\"", true),
        ] {
            assert_eq!(of_words(text).finds(&message), finds, "{text}");
        }
    }

    #[test]
    fn each_word_is_searched_for_once() {
        assert_eq!(SearchWord::all("Disk disk DISK disk*").len(), 2);
    }

    #[test]
    fn every_filter_must_hold() {
        let message = message("t", "m");
        let none = MessageSearch::default();
        let from = |seconds| message.date + chrono::TimeDelta::seconds(seconds);
        for (search, finds) in [
            (none.clone(), true),
            (MessageSearch { applications: vec![ApplicationId(1), ApplicationId(3)], ..none.clone() }, true),
            (MessageSearch { applications: vec![ApplicationId(1)], ..none.clone() }, false),
            (MessageSearch { min_priority: Some(5), ..none.clone() }, true),
            (MessageSearch { min_priority: Some(6), ..none.clone() }, false),
            (MessageSearch { from: Some(from(0)), ..none.clone() }, true),
            (MessageSearch { from: Some(from(1)), ..none.clone() }, false),
            (MessageSearch { to: Some(from(1)), ..none.clone() }, true),
            (MessageSearch { to: Some(from(0)), ..none }, false),
        ] {
            assert_eq!(search.finds(&message), finds, "{search:?}");
        }
    }
}
