//! A user's streams, in segments that a pass can take hold of at the price of one handle each.

use std::{
    ops::Deref,
    slice,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::connection::Connection;

/// Streams in a segment, all segments but the last being full.
pub(super) const SEGMENT: usize = 256;

/// So many streams of one user, shared with the passes that go over them.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    One(Arc<Connection>),
    Many(Arc<Vec<Arc<Connection>>>),
}

impl Deref for Segment {
    type Target = [Arc<Connection>];

    fn deref(&self) -> &[Arc<Connection>] {
        match self {
            Self::One(connection) => slice::from_ref(connection),
            Self::Many(connections) => connections,
        }
    }
}

/// Where a stream stands in its user's list. Changed only under the user's lock.
#[derive(Debug, Default)]
pub(super) struct ListIndex(AtomicU32);

impl ListIndex {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed) as usize
    }

    fn set(&self, place: usize) {
        self.0.store(u32::try_from(place).expect("a user has fewer than 2^32 streams"), Ordering::Relaxed);
    }
}

/// All streams of a user. Joining and leaving touch at most two segments, which are copied only if a pass holds
/// them at that moment.
#[derive(Debug, Default)]
pub(super) enum StreamList {
    #[default]
    Empty,
    One(Arc<Connection>),
    #[expect(clippy::box_collection, reason = "most users have one stream: they must not pay for a vector")]
    Many(Box<Vec<Arc<Vec<Arc<Connection>>>>>),
}

impl StreamList {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(_) => 1,
            Self::Many(segments) => {
                segments.last().map_or(0, |last| (segments.len() - 1) * SEGMENT + last.len())
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Handles of all segments as they are now.
    pub(super) fn segments(&self) -> Vec<Segment> {
        match self {
            Self::Empty => Vec::new(),
            Self::One(connection) => vec![Segment::One(Arc::clone(connection))],
            Self::Many(segments) => segments.iter().map(|it| Segment::Many(Arc::clone(it))).collect(),
        }
    }

    pub(super) fn push(&mut self, connection: Arc<Connection>) {
        connection.place.set(self.len());
        match self {
            Self::Empty => *self = Self::One(connection),
            Self::One(first) => {
                let segment = Arc::new(vec![Arc::clone(first), connection]);
                *self = Self::Many(Box::new(vec![segment]));
            }
            Self::Many(segments) => match segments.last_mut() {
                Some(last) if last.len() < SEGMENT => Arc::make_mut(last).push(connection),
                _ => segments.push(Arc::new(vec![connection])),
            },
        }
    }

    /// Takes a stream out: the last one takes its place.
    pub(super) fn remove(&mut self, connection: &Connection) {
        let Self::Many(segments) = self else {
            *self = Self::Empty;
            return;
        };
        let place = connection.place.get();
        let Some(last_segment) = segments.last_mut() else { return };
        let Some(last) = Arc::make_mut(last_segment).pop() else { return };
        if last_segment.is_empty() {
            segments.pop();
        }
        if last.id != connection.id {
            last.place.set(place);
            Arc::make_mut(&mut segments[place / SEGMENT])[place % SEGMENT] = last;
        }
        if segments.is_empty() {
            *self = Self::Empty;
        }
    }
}
