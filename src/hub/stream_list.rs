//! A user's streams, in segments that a pass can take hold of at the price of one handle each.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::connection::Connection;

/// Streams in a segment, all segments but the last being full.
pub(super) const SEGMENT: usize = 256;

/// So many streams of one user, shared with the passes that go over them.
pub(super) type Segment = Arc<Vec<Arc<Connection>>>;

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
pub(super) struct StreamList {
    segments: Vec<Segment>,
}

impl StreamList {
    pub(super) fn len(&self) -> usize {
        match self.segments.last() {
            Some(last) => (self.segments.len() - 1) * SEGMENT + last.len(),
            None => 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Handles of all segments as they are now.
    pub(super) fn segments(&self) -> Vec<Segment> {
        self.segments.clone()
    }

    pub(super) fn push(&mut self, connection: Arc<Connection>) {
        connection.place.set(self.len());
        match self.segments.last_mut() {
            Some(last) if last.len() < SEGMENT => Arc::make_mut(last).push(connection),
            _ => {
                // Most users have one stream: room for four of each would be most of what a user costs.
                if self.segments.is_empty() {
                    self.segments.reserve_exact(1);
                }
                self.segments.push(Arc::new(vec![connection]));
            }
        }
    }

    /// Takes a stream out: the last one takes its place.
    pub(super) fn remove(&mut self, connection: &Connection) {
        let place = connection.place.get();
        let Some(last_segment) = self.segments.last_mut() else { return };
        let Some(last) = Arc::make_mut(last_segment).pop() else { return };
        if last_segment.is_empty() {
            self.segments.pop();
        }
        if last.id != connection.id {
            last.place.set(place);
            Arc::make_mut(&mut self.segments[place / SEGMENT])[place % SEGMENT] = last;
        }
    }
}
