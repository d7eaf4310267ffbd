//! Where a stream reads what its user's ring no longer holds.

use std::{error::Error, future::Future, pin::Pin, time::Duration};

use super::{EndReason, Format, Frame, MessageId, UserId};

/// What a read of the backlog brought.
#[derive(Clone, Debug, Default)]
pub struct BacklogPage {
    /// The user's messages after the id asked for, oldest first, none left out.
    pub frames: Vec<Frame>,
    /// Where the first message is larger than what was asked for, and therefore not among the frames: how many bytes it
    /// takes to read it.
    pub needed_bytes: usize,
    /// No message of the user came after these when they were read.
    pub complete: bool,
}

/// Why a read of the backlog failed.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the backlog")]
pub struct BacklogError(#[source] pub Box<dyn Error + Send + Sync>);

/// Why a stream got nothing from the backlog.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The backlog said so.
    #[error(transparent)]
    Failed(#[from] BacklogError),
    /// It did not answer in time.
    #[error("failed to read the backlog within {0:?}")]
    TimedOut(Duration),
    /// It gave something else than it was asked for.
    #[error("failed to find the format {0:?} in a message of the backlog")]
    Format(Format),
    /// It panicked.
    #[error("failed to read the backlog, which panicked")]
    Panicked,
}

impl LoadError {
    /// What the stream that needed it is closed with.
    pub(super) fn end_reason(&self) -> EndReason {
        match self {
            Self::Failed(_) | Self::TimedOut(_) => EndReason::BacklogUnavailable,
            Self::Format(_) | Self::Panicked => EndReason::Internal,
        }
    }
}

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
///         Box::pin(async move { Ok(BacklogPage { frames, complete, ..BacklogPage::default() }) })
///     }
/// }
/// ```
pub trait Backlog: Send + Sync + 'static {
    /// Reads the messages of `user` with ids above `after`, oldest first: at most `limit`, and no more once they
    /// come to `max_bytes`. Where the first one alone is larger, a backlog that bounds its memory returns none, and says
    /// in [`BacklogPage::needed_bytes`] how many it takes: it is asked again with that many once there is room for
    /// them. One that need not may return it. Every frame must have `format`; a page where one
    /// lacks it closes the stream.
    ///
    /// A stream waits for the answer as long as [`HubConfig::backlog_timeout`](super::HubConfig::backlog_timeout);
    /// meanwhile it sends pings and replies, and the time does not count against its peer. After that, or after an
    /// error, it is closed with [`EndReason::BacklogUnavailable`].
    fn read(
        &self,
        user: UserId,
        after: MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_>;
}
