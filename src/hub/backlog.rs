//! Where a stream reads what its user's ring no longer holds.

use std::{error::Error, future::Future, pin::Pin};

use super::{Format, Frame, MessageId, UserId};

/// What a read of the backlog brought.
#[derive(Clone, Debug, Default)]
pub struct BacklogPage {
    /// The user's messages after the id asked for, oldest first, none left out.
    pub frames: Vec<Frame>,
    /// No message of the user came after these when they were read.
    pub complete: bool,
}

/// Why a read of the backlog failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the backlog")]
pub struct BacklogError(#[source] pub Box<dyn Error + Send + Sync>);

/// What [`Backlog::read`] returns.
pub type BacklogFuture<'a> = Pin<Box<dyn Future<Output = Result<BacklogPage, BacklogError>> + Send + 'a>>;

/// The stored messages, asked for by streams that are behind and by clients that return.
///
/// A message must be readable here before it is given to [`Hub::notify`](super::Hub::notify). A hub without a backlog
/// closes a stream as a slow consumer once the ring no longer holds what it needs.
///
/// ```
/// use shardcast::hub::{Backlog, BacklogFuture, BacklogPage, Format, Frame, MessageId, UserId};
///
/// /// What a user has been sent, oldest first.
/// struct Fixed(Vec<(UserId, Frame)>);
///
/// impl Backlog for Fixed {
///     fn read(
///         &self,
///         user: UserId,
///         after: MessageId,
///         _: Format,
///         limit: usize,
///         max_bytes: usize,
///     ) -> BacklogFuture<'_> {
///         let mut left = self.0.iter().filter(move |(owner, frame)| *owner == user && frame.id > after);
///         let (mut frames, mut bytes) = (Vec::new(), 0);
///         while frames.len() < limit && bytes < max_bytes
///             && let Some((_, frame)) = left.next()
///         {
///             bytes += frame.size();
///             frames.push(frame.clone());
///         }
///         let complete = left.next().is_none();
///         Box::pin(async move { Ok(BacklogPage { frames, complete }) })
///     }
/// }
/// ```
pub trait Backlog: Send + Sync + 'static {
    /// Reads the messages of `user` with ids above `after`, oldest first: at most `limit`, and no more once they
    /// come to `max_bytes`, but at least one where there is one. Every frame must have `format`; a page where one
    /// lacks it closes the stream.
    fn read(
        &self,
        user: UserId,
        after: MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_>;
}
