//! A search: first the newest messages, which are not indexed yet, then segment after segment, until a page is full.

use std::collections::HashMap;

use tokio::time::Instant;

use super::candidates::{IndexedSegment, Lookup};
use super::{DIRECTORIES, ROWS};
use crate::model::{Message, MessageId, UserId};
use crate::store::search::segment::{Broken, WordRange};
use crate::store::sql::{Dialect, Session, Value, messages, query};
use crate::store::{MessagePage, MessageSearch, Slice};

/// Most messages that are looked at one by one. With so many that are not indexed, a search may have no answer.
const MOST_LOOKED_AT: usize = 4096;

/// How many of them are read at a time, and how many bytes of them.
const PART_MESSAGES: usize = 256;
const PART_BYTES: usize = 512 * 1024;

/// How many segments are read at once, at first and later: the newest one is often enough.
const FIRST_SEGMENTS: usize = 1;
const MOST_SEGMENTS: usize = 32;

/// How many rows are read at once, or those of one segment.
const MOST_ROWS_READ: usize = 128;

/// Of how many of the messages that were found the dates are asked for at once, at first and at most, when those before
/// are not within the span of time, or are deleted.
const FIRST_ASKED_FOR: usize = 128;
const MOST_ASKED_FOR: usize = 4096;

/// How often a search begins anew because segments were replaced. That happens once in hundreds of messages.
const ATTEMPTS: usize = 5;

/// What came of a search.
#[derive(Debug)]
pub(crate) enum Outcome {
    Found(Slice<Message, MessageId>),
    NotIndexed,
    TooSlow,
}

/// Searches a user's messages.
pub(crate) async fn search<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    search: &MessageSearch,
    page: MessagePage,
    max_bytes: usize,
    deadline: Instant,
) -> Result<Outcome, sqlx::Error> {
    let lookup = WordRange::all(search);
    if lookup.is_empty() {
        return Ok(Outcome::Found(messages::of_user(session, user, page, max_bytes).await?));
    }
    for _ in 0..ATTEMPTS {
        let run = Run {
            user,
            search,
            before: page.before.map_or(u64::MAX, |id| id.0),
            limit: page.limit,
            max_bytes,
            deadline,
            waiting: Vec::new(),
            found: Slice { rows: Vec::new(), left_out: Vec::new() },
        };
        if let Some(outcome) = run.finish(session, &lookup).await? {
            return Ok(outcome);
        }
    }
    Ok(Outcome::TooSlow)
}

/// A search under way.
struct Run<'s> {
    user: UserId,
    search: &'s MessageSearch,
    before: u64,
    limit: usize,
    max_bytes: usize,
    deadline: Instant,
    /// Messages that were found and are not read yet, the newest first.
    waiting: Vec<MessageId>,
    found: Slice<Message, MessageId>,
}

impl Run<'_> {
    /// Returns nothing if the index was changed meanwhile.
    async fn finish<D: Dialect>(
        mut self,
        session: &mut Session<'_, D>,
        lookup: &[Vec<WordRange>],
    ) -> Result<Option<Outcome>, sqlx::Error> {
        let segments = indexed(session, self.user).await?;
        let indexed_to = segments.first().map_or(0, |segment| segment.last);
        if self.before > indexed_to.saturating_add(1)
            && let Some(outcome) = self.look_at_newest(session, indexed_to).await?
        {
            return Ok(Some(outcome));
        }
        let before = self.before;
        let mut segments = &segments[segments.partition_point(|segment| segment.after >= before)..];
        let mut at_once = FIRST_SEGMENTS;
        // Which of the things is rare is only known from the first segment.
        let mut steps = vec![(0..lookup.len()).collect::<Vec<usize>>()];
        let mut sizes = vec![0; lookup.len()];
        while self.missing() > self.waiting.len() && !segments.is_empty() {
            if self.is_late() {
                return Ok(Some(Outcome::TooSlow));
            }
            let (mut some, mut rows) = (Vec::new(), 0);
            while let Some((segment, older)) = segments.split_first()
                && some.len() < at_once
            {
                let lookup = Lookup::new(segment, lookup).map_err(broken)?;
                rows += steps.iter().map(|things| lookup.rows_of(things).len()).sum::<usize>();
                if rows > MOST_ROWS_READ && !some.is_empty() {
                    break;
                }
                some.push(lookup);
                segments = older;
            }
            at_once = (4 * at_once).min(MOST_SEGMENTS);
            for things in &steps {
                let ids = some.iter().flat_map(|lookup| lookup.rows_of(things)).collect();
                let Some(rows) = read_rows(session, ids).await? else { return Ok(None) };
                for lookup in &mut some {
                    lookup.narrow(things, &rows, &mut sizes).map_err(broken)?;
                }
            }
            for lookup in some {
                let ids = lookup.into_candidates().into_iter().rev().filter(|id| *id < before);
                self.waiting.extend(ids.map(MessageId));
            }
            // The rarest by itself, so that segments without it are left out when the others are read.
            steps = one_by_one(&sizes);
            if self.waiting.len() >= self.missing() && !self.read_waiting(session).await? {
                return Ok(Some(Outcome::TooSlow));
            }
        }
        let is_read = self.read_waiting(session).await?;
        Ok(Some(if is_read { Outcome::Found(self.found) } else { Outcome::TooSlow }))
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// How many messages the page lacks.
    fn missing(&self) -> usize {
        self.limit.saturating_sub(self.found.rows.len() + self.found.left_out.len())
    }

    /// Looks at the messages that are not indexed, as far as the page needs them. Returns why the search ends if there are too
    /// many.
    async fn look_at_newest<D: Dialect>(
        &mut self,
        session: &mut Session<'_, D>,
        indexed_to: u64,
    ) -> Result<Option<Outcome>, sqlx::Error> {
        // Mostly they are few, and a page that begins at the newest would have more that are indexed.
        let few =
            messages::after(session, self.user, MessageId(indexed_to), PART_MESSAGES, PART_BYTES).await?;
        if few.left_out.is_empty() && few.rows.len() < PART_MESSAGES {
            let before = MessageId(self.before);
            self.take_found(few.rows.iter().rev().filter(|message| message.id < before));
            return Ok(None);
        }
        self.look_at_many(session, indexed_to).await
    }

    /// The same, page by page from the newest on. More may be stored meanwhile, so it goes on from each page to the older
    /// messages.
    async fn look_at_many<D: Dialect>(
        &mut self,
        session: &mut Session<'_, D>,
        indexed_to: u64,
    ) -> Result<Option<Outcome>, sqlx::Error> {
        let after = MessageId(indexed_to);
        let (mut before, mut left) = (self.before, MOST_LOOKED_AT);
        while self.waiting.len() < self.limit {
            if left == 0 {
                return Ok(Some(Outcome::NotIndexed));
            }
            if self.is_late() {
                return Ok(Some(Outcome::TooSlow));
            }
            let page = MessagePage { before: Some(MessageId(before)), limit: left.min(PART_MESSAGES) };
            let part = messages::of_user(session, self.user, page, PART_BYTES).await?;
            let count = part.rows.len() + part.left_out.len();
            left -= count.min(left);
            let large: Vec<_> = part.left_out.iter().map(|row| row.id).collect();
            let read = part.rows.last().map(|message| message.id.0);
            before = large.last().map(|id| id.0).or(read).unwrap_or(0);
            let is_newer = |message: &Message| message.id > after;
            self.take_found(part.rows.iter().filter(|message| is_newer(message)));
            for id in large.into_iter().filter(|id| *id > after) {
                let message = messages::by_ids(session, &[id]).await?;
                self.take_found(message.iter());
                if self.is_late() {
                    return Ok(Some(Outcome::TooSlow));
                }
            }
            if count < page.limit || before <= indexed_to {
                break;
            }
        }
        Ok(None)
    }

    fn take_found<'m>(&mut self, messages: impl Iterator<Item = &'m Message>) {
        self.waiting.extend(messages.filter(|message| self.search.finds(message)).map(|message| message.id));
    }

    /// Reads messages that were found, without those that were deleted since they were indexed. False if it took too long.
    async fn read_waiting<D: Dialect>(&mut self, session: &mut Session<'_, D>) -> Result<bool, sqlx::Error> {
        let has_span = self.search.has_span();
        let mut asked_for = if has_span { FIRST_ASKED_FOR } else { 0 };
        while !self.waiting.is_empty() && self.missing() > 0 {
            if self.is_late() {
                return Ok(false);
            }
            let missing = self.missing();
            let count = missing.max(asked_for).min(self.waiting.len());
            let mut ids: Vec<_> = self.waiting.drain(..count).map(|id| id.0).collect();
            if has_span || count > missing {
                // Of those that are indexed all of a day were found, and some may be deleted.
                let dates = messages::dates::of_ids(session, self.user, ids).await?;
                let mut right =
                    dates.into_iter().filter(|(_, date)| self.search.spans(*date)).map(|(id, _)| id);
                ids = right.by_ref().take(missing).map(|id| id.0).collect();
                let more: Vec<_> = right.collect();
                self.waiting.splice(..0, more);
            }
            asked_for = (2 * asked_for).clamp(FIRST_ASKED_FOR, MOST_ASKED_FOR);
            if ids.is_empty() {
                continue;
            }
            let is_first = self.found.rows.is_empty() && self.found.left_out.is_empty();
            // What comes after the first part is named, and read when the client takes it.
            let max_bytes = if is_first { self.max_bytes } else { 0 };
            let more = messages::of_ids(session, self.user, ids, max_bytes).await?;
            self.found.rows.extend(more.rows);
            self.found.left_out.extend(more.left_out);
        }
        Ok(true)
    }
}

fn broken(error: Broken) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// Returns a user's segments, the newest first.
async fn indexed<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<Vec<IndexedSegment>, sqlx::Error> {
    let mut segments = Vec::new();
    for row in session.all(query(DIRECTORIES).id(user.0)).await? {
        let directory = row.bytes(3)?.unwrap_or_default().to_vec();
        let (id, after, last) = (row.unsigned(0)?, row.unsigned(1)?, row.unsigned(2)?);
        segments.push(IndexedSegment { id, after, last, directory });
    }
    Ok(segments)
}

/// Returns the things by the bytes of their lists, the fewest first, each alone.
fn one_by_one(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut things: Vec<usize> = (0..sizes.len()).collect();
    things.sort_by_key(|thing| sizes[*thing]);
    things.into_iter().map(|thing| vec![thing]).collect()
}

/// Reads rows; nothing if one is not there any more.
async fn read_rows<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: Vec<u64>,
) -> Result<Option<HashMap<u64, Vec<u8>>>, sqlx::Error> {
    let count = ids.len();
    if count == 0 {
        return Ok(Some(HashMap::new()));
    }
    let mut rows = HashMap::with_capacity(count);
    for row in session.all(query(ROWS).bind(Value::Ids(ids))).await? {
        rows.insert(row.unsigned(0)?, row.bytes(1)?.unwrap_or_default().to_vec());
    }
    Ok((rows.len() == count).then_some(rows))
}
