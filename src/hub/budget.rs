//! The bytes that a hub may hold of what it has read from its backlog.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of bytes, shared by all that a hub reads from its backlog. Bytes that belong to a budget give their share
/// back when the last handle of them goes, be it in a chunk, in a write or half-written in a stream.
#[derive(Debug)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    total: u32,
}

/// Bytes that were taken out of a budget.
#[derive(Debug)]
pub(super) struct Reservation(OwnedSemaphorePermit);

/// Bytes, and their share of the budget.
struct Held {
    bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Budget {
    pub(super) fn new(total: usize) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Reserves so many bytes once they are free; more than there are at all counts as all. Those who wait are served
    /// in their order.
    pub(super) async fn reserve(&self, bytes: usize) -> Reservation {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        let reserved = Arc::clone(&self.free).acquire_many_owned(bytes).await;
        Reservation(reserved.expect("the semaphore is never closed"))
    }

    /// Answers whether so little is free that nothing should be kept for convenience: always so while somebody waits,
    /// who is given all that is free.
    pub(super) fn is_scarce(&self) -> bool {
        self.free.available_permits() < self.total as usize / 4
    }
}

impl Reservation {
    /// Makes bytes that hold their share of the reservation for as long as they live; what is beyond the reservation
    /// is not counted.
    pub(super) fn hold(&mut self, bytes: Bytes) -> Bytes {
        let share = self.0.split(bytes.len().min(self.0.num_permits()));
        Bytes::from_owner(Held { bytes, _share: share })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn bytes_give_their_share_back_with_their_last_handle() {
        let budget = Budget::new(100);
        let mut reservation = budget.reserve(80).await;
        let first = reservation.hold(Bytes::from_static(&[b'x'; 30]));
        let part = first.slice(20..);
        drop(reservation);
        assert_eq!(budget.free.available_permits(), 70);
        drop(first);
        assert_eq!((budget.free.available_permits(), &part[..]), (70, &[b'x'; 10][..]));
        drop(part);
        assert_eq!(budget.free.available_permits(), 100);
    }

    #[tokio::test]
    async fn more_than_there_is_counts_as_all() {
        let budget = Budget::new(100);
        let mut all = budget.reserve(1000).await;
        assert_eq!((budget.free.available_permits(), budget.is_scarce()), (0, true));
        let larger = all.hold(Bytes::from_static(&[b'x'; 200]));
        drop(all);
        assert_eq!(budget.free.available_permits(), 0);
        drop(larger);
        assert_eq!(budget.free.available_permits(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_waits_the_budget_is_scarce() {
        let budget = Budget::new(100);
        let some = budget.reserve(40).await;
        assert!(!budget.is_scarce());
        let waits = tokio::time::timeout(Duration::from_secs(1), budget.reserve(80));
        let (waited, is_scarce) = tokio::join!(waits, async { budget.is_scarce() });
        assert_eq!((waited.is_err(), is_scarce), (true, true));
        drop(some);
        assert!(!budget.is_scarce());
    }
}
