//! The memory that answers may take, in all.
//!
//! A part of an answer is made within a reservation and then kept until its client has taken it. A client that takes
//! nothing for a while loses its part to whoever waits for memory, and its part is made again when it goes on. So
//! clients that never read cost a bounded amount of memory, and nobody waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long a part must have been left alone to be given up.
const IDLE: Duration = Duration::from_secs(1);

/// After how long a part may be given up though its client takes some of it.
const LONG: Duration = Duration::from_secs(3);

/// How often those who wait look for parts to give up. Memory that is freed wakes them at once.
const RECHECK: Duration = Duration::from_millis(100);

/// There was no memory in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the memory for answers is in use")]
pub(in crate::api) struct NoMemory;

/// The memory for answers. Clones share it.
///
/// A quarter is for usual parts alone, so that short lists do not wait for large messages.
#[derive(Clone, Debug)]
pub(in crate::api) struct AnswerMemory {
    usual: Pool,
    large: Pool,
    /// What counts as usual.
    usual_bytes: usize,
}

impl AnswerMemory {
    pub(in crate::api) fn new(max_bytes: usize) -> Self {
        let usual = max_bytes / 4;
        Self { usual: Pool::new(usual), large: Pool::new(max_bytes - usual), usual_bytes: usual / 4 }
    }

    /// Reserves so many bytes, or all that there are if that is less. Requests of a kind are served in the order in
    /// which they came.
    pub(in crate::api) async fn reserve(
        &self,
        bytes: usize,
        patience: Duration,
    ) -> Result<Reservation, NoMemory> {
        let pool = if bytes <= self.usual_bytes { &self.usual } else { &self.large };
        pool.reserve(bytes, patience).await
    }
}

/// A part of the memory.
#[derive(Clone, Debug)]
struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_bytes: usize,
    ledger: Mutex<Ledger>,
    /// Held by the one that is served next, so that large reservations are not overtaken by small ones for ever.
    turn: tokio::sync::Mutex<()>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Reserved and kept, in bytes.
    used: usize,
    parts: BTreeMap<u64, Part>,
    next_key: u64,
}

#[derive(Debug)]
struct Part {
    content: Bytes,
    made_at: Instant,
    taken_at: Instant,
}

impl Pool {
    fn new(max_bytes: usize) -> Self {
        let turn = tokio::sync::Mutex::default();
        Self(Arc::new(Shared { max_bytes, ledger: Mutex::default(), turn, freed: Notify::new() }))
    }

    async fn reserve(&self, bytes: usize, patience: Duration) -> Result<Reservation, NoMemory> {
        let bytes = bytes.min(self.0.max_bytes);
        if let Ok(_turn) = self.0.turn.try_lock()
            && let Some(reservation) = self.try_reserve(bytes)
        {
            return Ok(reservation);
        }
        let reserved = timeout(patience, async {
            let _turn = self.0.turn.lock().await;
            loop {
                let freed = self.0.freed.notified();
                if let Some(reservation) = self.try_reserve(bytes) {
                    return reservation;
                }
                // Either way it is tried again.
                let _ = timeout(RECHECK, freed).await;
            }
        });
        reserved.await.map_err(|_| NoMemory)
    }

    fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut ledger = self.0.ledger.lock();
        if ledger.used + bytes > self.0.max_bytes {
            ledger.give_up_idle(self.0.max_bytes - bytes);
        }
        if ledger.used + bytes > self.0.max_bytes {
            return None;
        }
        ledger.used += bytes;
        Some(Reservation { pool: self.clone(), bytes })
    }

    fn free(&self, bytes: usize) {
        self.0.ledger.lock().used -= bytes;
        self.0.freed.notify_waiters();
    }
}

impl Ledger {
    /// Gives up parts of clients that take nothing or little, the longest left alone first, until no more than this is used.
    fn give_up_idle(&mut self, target_bytes: usize) {
        let mut idle: Vec<_> = self
            .parts
            .iter()
            .filter(|(_, part)| part.taken_at.elapsed() >= IDLE || part.made_at.elapsed() >= LONG)
            .map(|(key, part)| (part.taken_at, *key))
            .collect();
        idle.sort_unstable();
        for (_, key) in idle {
            if self.used <= target_bytes {
                break;
            }
            self.used -= self.parts.remove(&key).map_or(0, |part| part.content.len());
        }
    }
}

/// Memory that is set aside for a part of an answer. It is free again when this is dropped.
#[derive(Debug)]
pub(in crate::api) struct Reservation {
    pool: Pool,
    bytes: usize,
}

impl Reservation {
    /// Exchanges what was reserved for what is kept.
    pub(in crate::api) fn keep(self, content: Bytes) -> KeptPart {
        let pool = self.pool.clone();
        let key = {
            let mut ledger = pool.0.ledger.lock();
            ledger.used += content.len();
            let key = ledger.next_key;
            ledger.next_key += 1;
            let now = Instant::now();
            ledger.parts.insert(key, Part { content, made_at: now, taken_at: now });
            key
        };
        KeptPart { pool, key }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.pool.free(self.bytes);
    }
}

/// A part that is kept for its client until this is dropped, or it is given up.
#[derive(Debug)]
pub(in crate::api) struct KeptPart {
    pool: Pool,
    key: u64,
}

impl KeptPart {
    /// Returns up to so many bytes of the part, from an offset on; `None` if it was given up.
    pub(in crate::api) fn take(&self, offset: usize, max_bytes: usize) -> Option<Bytes> {
        let mut ledger = self.pool.0.ledger.lock();
        let part = ledger.parts.get_mut(&self.key)?;
        part.taken_at = Instant::now();
        let end = part.content.len().min(offset.saturating_add(max_bytes));
        Some(part.content.slice(offset.min(end)..end))
    }
}

impl Drop for KeptPart {
    fn drop(&mut self) {
        let part = self.pool.0.ledger.lock().parts.remove(&self.key);
        if let Some(part) = part {
            self.pool.free(part.content.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn part(memory: &Pool, bytes: usize) -> KeptPart {
        let reserved = memory.reserve(bytes, PATIENCE).now_or_never();
        reserved.expect("there is memory").unwrap().keep(vec![b'x'; bytes].into())
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_memory_waits_for_it_and_is_refused_at_last() {
        let memory = Pool::new(100);
        let reserved = memory.reserve(60, PATIENCE).await.unwrap();
        assert_eq!(memory.reserve(60, PATIENCE).await.unwrap_err(), NoMemory);
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.reserve(1000, PATIENCE).await.map(|reserved| reserved.bytes) }
        });
        tokio::task::yield_now().await;
        drop(reserved);
        assert_eq!(waiting.await.unwrap(), Ok(100), "more than there is counts as all");
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_reservation_is_not_overtaken() {
        let memory = Pool::new(100);
        let reserved = memory.reserve(60, PATIENCE).await.unwrap();
        let mut large = Box::pin(memory.reserve(100, PATIENCE));
        assert!((&mut large).now_or_never().is_none());
        assert!(memory.reserve(10, PATIENCE).now_or_never().is_none());
        drop(reserved);
        assert_eq!(large.await.unwrap().bytes, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_nobody_takes_is_given_up_for_who_waits() {
        let memory = Pool::new(100);
        let (stalled, taken) = (part(&memory, 50), part(&memory, 50));
        assert_eq!(stalled.take(0, 10).unwrap().len(), 10);
        let begun = Instant::now();
        let other = tokio::spawn({
            let memory = memory.clone();
            async move { memory.reserve(50, PATIENCE).await.map(drop) }
        });
        while !other.is_finished() {
            assert_eq!(taken.take(45, 10).unwrap(), "xxxxx");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        other.await.unwrap().unwrap();
        assert!(begun.elapsed() < PATIENCE);
        assert_eq!(stalled.take(10, 10), None);
        assert!(taken.take(50, 10).unwrap().is_empty(), "its end");
    }

    #[tokio::test]
    async fn what_is_dropped_is_free_again() {
        let memory = Pool::new(100);
        drop(memory.reserve(100, PATIENCE).await.unwrap());
        let reserved = memory.reserve(100, PATIENCE).await.unwrap();
        let kept = reserved.keep(vec![b'x'; 30].into());
        assert_eq!(memory.0.ledger.lock().used, 30, "what is not needed is free");
        drop(kept);
        assert_eq!(memory.0.ledger.lock().used, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn usual_parts_do_not_wait_for_large_ones() {
        let memory = AnswerMemory::new(160);
        let _all = memory.reserve(1000, PATIENCE).await.unwrap();
        let mut next = Box::pin(memory.reserve(1000, PATIENCE));
        assert!((&mut next).now_or_never().is_none());
        for _ in 0..10 {
            assert!(memory.reserve(10, PATIENCE).now_or_never().is_some());
        }
    }
}
