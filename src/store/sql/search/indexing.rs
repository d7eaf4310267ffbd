//! Making the index, a segment at a time.

use super::{StoredSegment, delete_segment, row_id, segments};
use crate::model::{Message, MessageId, UserId};
use crate::store::search::segment::{Extent, FEWEST_MESSAGES, Segment, SegmentBuilder, to_merge};
use crate::store::sql::{Dialect, Session, messages, query, users};

/// How many messages are read at a time, and how many bytes of them.
const PART_MESSAGES: usize = 256;
const PART_BYTES: usize = 256 * 1024;

/// Counts a user's messages above an id and up to another one.
pub(crate) const COUNT_BETWEEN: &str = "SELECT count(*) FROM applications a JOIN messages m \
    ON m.application_id = a.id AND m.id > ? AND m.id <= ? WHERE a.user_id = ?";

/// A change of a user's index.
#[derive(Debug)]
pub(crate) enum Change {
    /// Messages are indexed that come after all segments.
    Append { after: u64 },
    /// A segment takes the place of some that follow on one another, or of the first of them. They are the oldest first.
    Replace(Vec<StoredSegment>),
}

/// Returns what is to be done for a user's index, if anything is.
pub(crate) async fn change_of<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<Option<Change>, sqlx::Error> {
    let segments = segments(session, user).await?;
    let after = segments.last().map_or(0, |segment| segment.last);
    if messages::count_after(session, user, MessageId(after), FEWEST_MESSAGES).await? >= FEWEST_MESSAGES {
        return Ok(Some(Change::Append { after }));
    }
    // Those who delete old messages leave the oldest segment without any.
    if let Some(oldest) = segments.first() {
        let first = messages::after(session, user, MessageId(0), 1, 0).await?;
        if first.left_out.first().is_none_or(|message| message.id.0 > oldest.last) {
            return Ok(Some(Change::Replace(vec![*oldest])));
        }
    }
    let extents: Vec<_> = segments.iter().map(|segment| segment.extent).collect();
    Ok(to_merge(&extents).map(|range| Change::Replace(segments[range].to_vec())))
}

/// Returns the last message of the segment that has the message that follows on `after`, and what is to be done if most
/// of the segment's messages are deleted.
pub(crate) async fn renewal_of<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    after: MessageId,
) -> Result<Option<(MessageId, Option<Change>)>, sqlx::Error> {
    let segments = segments(session, user).await?;
    let Some(segment) = segments.into_iter().find(|segment| segment.last > after.0) else {
        return Ok(None);
    };
    let count = query(COUNT_BETWEEN).id(segment.after).id(segment.last).id(user.0);
    let left = session.one(count).await?.unsigned(0)?;
    let change = (2 * left < segment.extent.messages).then(|| Change::Replace(vec![segment]));
    Ok(Some((MessageId(segment.last), change)))
}

/// A change under way: the segment that is made, and how far its messages were read.
#[derive(Debug)]
pub(crate) struct Indexing {
    change: Change,
    /// How many of the replaced segments were read.
    read: usize,
    after: u64,
    last: u64,
    builder: SegmentBuilder,
}

impl Indexing {
    pub(crate) fn begin(change: Change) -> Self {
        let after = match &change {
            Change::Append { after } => *after,
            Change::Replace(segments) => segments.first().map_or(0, |segment| segment.after),
        };
        Self { change, read: 0, after, last: after, builder: SegmentBuilder::above(after) }
    }

    /// Takes the message that follows. False if it belongs to no part of the segment.
    fn take(&mut self, message: &Message) -> bool {
        let is_taken = match &self.change {
            Change::Append { .. } => !self.builder.is_full(),
            Change::Replace(segments) => {
                let is_of = |segment: &&StoredSegment| message.id.0 <= segment.last;
                while segments.get(self.read).is_some_and(|segment| !is_of(&segment)) {
                    self.read += 1;
                    // It ends where one of the others does.
                    if self.builder.is_full() {
                        return false;
                    }
                }
                self.read < segments.len()
            }
        };
        if is_taken {
            self.builder.add(message);
            self.last = message.id.0;
        }
        is_taken
    }

    /// There are no more messages.
    fn end(&mut self) {
        if let Change::Replace(segments) = &self.change {
            self.read = segments.len();
        }
    }

    /// Makes the segment. That takes a processor for a while.
    pub(crate) fn finish(self) -> Indexed {
        let Self { change, read, after, last, builder } = self;
        let segment = (builder.messages() > 0).then(|| builder.finish());
        Indexed { change, read, after, last, segment }
    }
}

/// A change that is to be stored.
#[derive(Debug)]
pub(crate) struct Indexed {
    change: Change,
    /// How many of the replaced segments were read.
    read: usize,
    after: u64,
    last: u64,
    /// Nothing if there are no messages.
    segment: Option<Segment>,
}

impl Indexed {
    /// Whether it puts a segment in the place of one that is the same. Whoever goes on while there is something to do would
    /// not come to an end.
    fn changes_nothing(&self) -> bool {
        let (Change::Replace(segments), Some(segment)) = (&self.change, &self.segment) else { return false };
        let extent = Extent { messages: segment.messages, bytes: segment.bytes };
        self.read == 1 && segments.first().is_some_and(|replaced| replaced.extent == extent)
    }
}

/// Reads some more messages into the segment; false if it has all.
pub(crate) async fn read_part<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    indexing: &mut Indexing,
) -> Result<bool, sqlx::Error> {
    let part = messages::after(session, user, MessageId(indexing.last), PART_MESSAGES, PART_BYTES).await?;
    for message in &part.rows {
        if !indexing.take(message) {
            return Ok(false);
        }
    }
    // Each of them may be as large as a message can be.
    for large in &part.left_out {
        for message in messages::by_ids(session, &[large.id]).await? {
            if !indexing.take(&message) {
                return Ok(false);
            }
        }
    }
    if part.rows.len() + part.left_out.len() < PART_MESSAGES {
        indexing.end();
        return Ok(false);
    }
    Ok(true)
}

/// Stores the segment, unless the index was changed meanwhile, or the user is gone. False if it changes nothing.
pub(crate) async fn store<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    indexed: Indexed,
) -> Result<bool, sqlx::Error> {
    if indexed.changes_nothing() {
        return Ok(false);
    }
    let Indexed { change, read, after, last, segment } = indexed;
    session.begin().await?;
    // Whoever has locked the user is the only one who changes its index.
    if users::lock(session, user).await? {
        let there = segments(session, user).await?;
        let (replaced, last) = match &change {
            Change::Append { after } => {
                let is_as_before = there.last().map_or(0, |segment| segment.last) == *after;
                (is_as_before.then_some(&[][..]), last)
            }
            Change::Replace(segments) => {
                let replaced = &segments[..read];
                let is_there = |old: &StoredSegment| there.iter().any(|segment| segment.id == old.id);
                let last = replaced.last().map_or(after, |segment| segment.last);
                (replaced.iter().all(is_there).then_some(replaced), last)
            }
        };
        if let Some(replaced) = replaced {
            for segment in replaced {
                delete_segment(session, segment.id).await?;
            }
            if let Some(segment) = segment {
                insert(session, user, (after, last), segment).await?;
            }
        }
    }
    session.commit().await?;
    Ok(true)
}

async fn insert<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    (after, last): (u64, u64),
    segment: Segment,
) -> Result<(), sqlx::Error> {
    let insertion = query(
        "INSERT INTO shardcast_search_segments (user_id, after_id, last_id, messages, bytes, directory) \
         VALUES (?, ?, ?, ?, ?, ?)",
    );
    let insertion = insertion.id(user.0).id(after).id(last).id(segment.messages).id(segment.bytes);
    let id = session.insert(insertion.bind(segment.directory.as_slice())).await?;
    for (number, row) in segment.rows.iter().enumerate() {
        let insertion = query("INSERT INTO shardcast_search_words (id, words) VALUES (?, ?)");
        session.run(insertion.id(row_id(id, number)).bind(row.as_slice())).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_that_would_stay_the_same_is_not_made_anew() {
        let of_two = |extent, read| {
            let segment = |id, after, last| StoredSegment { id, after, last, extent };
            let mut indexing = Indexing::begin(Change::Replace(vec![segment(1, 0, 5), segment(2, 5, 9)]));
            assert!(indexing.take(&Message::any(3)) && indexing.take(&Message::any(4)));
            indexing.read = read;
            indexing.finish()
        };
        let made = of_two(Extent { messages: 0, bytes: 0 }, 1);
        let segment = made.segment.as_ref().unwrap();
        let same = Extent { messages: segment.messages, bytes: segment.bytes };
        assert_eq!(same.messages, 2);
        assert!(!made.changes_nothing(), "it had another size");
        assert!(of_two(same, 1).changes_nothing());
        assert!(!of_two(same, 2).changes_nothing(), "it is in the place of two");
    }
}
