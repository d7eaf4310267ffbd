//! Which messages a stream asks for.

use std::borrow::Cow;

use super::{ApplicationId, Format, Frame};

/// Which messages a stream asks for, by what frames say of themselves ([`Frame::with_subject`]). The default asks for
/// all.
///
/// A stream with a filter has the same cursor and the same bounds as any other: what it does not ask for is passed
/// over, and does not make it slow.
///
/// ```
/// use shardcast::hub::{ApplicationId, Filter, Frame, MessageId};
///
/// let filter = Filter::default().with_applications([ApplicationId(3)]).with_min_priority(5);
/// let frame = |application, priority| {
///     Frame::text(MessageId(1), b"hello").with_subject(ApplicationId(application), priority)
/// };
/// assert!(filter.asks_for(&frame(3, 5)));
/// assert!(!filter.asks_for(&frame(3, 4)));
/// assert!(!filter.asks_for(&frame(4, 9)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// Only messages of these applications; `None` for those of all.
    pub applications: Option<Vec<ApplicationId>>,
    /// Only messages with at least this priority; `None` for all.
    pub min_priority: Option<i64>,
}

impl Filter {
    /// Asks for messages of these applications alone.
    #[must_use]
    pub fn with_applications(mut self, applications: impl IntoIterator<Item = ApplicationId>) -> Self {
        self.applications = Some(applications.into_iter().collect());
        self
    }

    /// Asks for messages with at least this priority alone.
    #[must_use]
    pub fn with_min_priority(mut self, priority: i64) -> Self {
        self.min_priority = Some(priority);
        self
    }

    /// Answers whether a stream with this filter gets a message.
    pub fn asks_for(&self, frame: &Frame) -> bool {
        self.applications.as_ref().is_none_or(|asked| asked.contains(&frame.application))
            && self.min_priority.is_none_or(|asked| frame.priority >= asked)
    }
}

/// The frames as a stream gets them: those that it does not ask for keep their places and have no bytes.
pub(super) fn select<'f>(filter: Option<&Filter>, frames: &'f [Frame]) -> Cow<'f, [Frame]> {
    let Some(filter) = filter else { return Cow::Borrowed(frames) };
    let one = |frame: &Frame| if filter.asks_for(frame) { frame.clone() } else { Frame::unencoded(frame.id) };
    Cow::Owned(frames.iter().map(one).collect())
}

/// Counts the messages among frames that were selected.
pub(super) fn count(filter: Option<&Filter>, selected: &[Frame], format: Format) -> usize {
    match filter {
        None => selected.len(),
        Some(_) => selected.iter().filter(|frame| frame.bytes(format).is_some()).count(),
    }
}
