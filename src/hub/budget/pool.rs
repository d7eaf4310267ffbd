//! A number of bytes, and those who wait for some of them.

use std::{
    future::{Future, pending, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::timeout,
};

/// For so long, what needs little may overtake what needs much.
const OVERTAKING: Duration = Duration::from_secs(10);

/// One part in so many is kept for what needs little.
const KEPT: u32 = 8;

/// Bytes that may be taken and are given back. What needs much can take the common part alone, so that what needs little
/// never waits only for that to be given back.
#[derive(Debug)]
pub(super) struct Pool {
    common: Semaphore,
    common_total: u32,
    kept: Semaphore,
    kept_total: u32,
    /// Wakes the one who waits for much.
    given_back: Notify,
    /// One at a time waits for much.
    waits_for_much: Semaphore,
}

/// Bytes that were taken out of a pool, by the part that they belong to. Whoever has it gives it back.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Portion {
    common: u32,
    kept: u32,
}

impl Pool {
    pub(super) fn new(total: u32) -> Self {
        let kept_total = total / KEPT;
        let common_total = total - kept_total;
        Self {
            common: Semaphore::new(common_total as usize),
            common_total,
            kept: Semaphore::new(kept_total as usize),
            kept_total,
            given_back: Notify::new(),
            waits_for_much: Semaphore::new(1),
        }
    }

    /// Takes so many bytes once they are free; more than there are in the common part count as all of it. Those who
    /// wait for it are served in their order. With `may_use_kept`, whatever comes free first is taken of the two parts.
    pub(super) async fn take(&self, bytes: u32, may_use_kept: bool) -> Portion {
        let mut common = pin!(permits(&self.common, bytes.min(self.common_total)));
        let mut kept = pin!(async {
            if may_use_kept && bytes <= self.kept_total {
                permits(&self.kept, bytes).await
            } else {
                pending().await
            }
        });
        poll_fn(|cx| {
            if let Poll::Ready(permit) = common.as_mut().poll(cx) {
                return Poll::Ready(Portion { common: forget(permit), kept: 0 });
            }
            kept.as_mut().poll(cx).map(|permit| Portion { common: 0, kept: forget(permit) })
        })
        .await
    }

    /// Takes more bytes than most need, of the common part. For [`OVERTAKING`], [`Self::take`] does not wait behind this;
    /// then all who wait for the common part are served in their order, so that this comes to an end too.
    pub(super) async fn take_much(&self, bytes: u32) -> Portion {
        let _turn = permits(&self.waits_for_much, 1).await;
        match timeout(OVERTAKING, self.take_when_free(bytes.min(self.common_total))).await {
            Ok(portion) => portion,
            Err(_) => self.take(bytes, false).await,
        }
    }

    /// Waits until so many bytes of the common part are free which nobody else waits for.
    async fn take_when_free(&self, bytes: u32) -> Portion {
        loop {
            if let Ok(permit) = self.common.try_acquire_many(bytes) {
                return Portion { common: forget(permit), kept: 0 };
            }
            // What was given back since the attempt is remembered.
            self.given_back.notified().await;
        }
    }

    /// Gives back what is left of a portion.
    pub(super) fn give_back(&self, portion: &mut Portion) {
        let Portion { common, kept } = std::mem::take(portion);
        self.common.add_permits(common as usize);
        self.kept.add_permits(kept as usize);
        self.given_back.notify_one();
    }

    /// Answers whether so little is free that nothing should be kept for convenience: always so while somebody waits.
    pub(super) fn is_scarce(&self) -> bool {
        // Who waits in the common part's order is given all that is free.
        self.common.available_permits() < self.common_total as usize / 4
            || self.waits_for_much.available_permits() == 0
    }

    /// How many bytes are kept for what needs little.
    pub(super) fn kept_total(&self) -> usize {
        self.kept_total as usize
    }

    /// Counts the bytes that are taken.
    pub(super) fn taken(&self) -> usize {
        let free = self.common.available_permits() + self.kept.available_permits();
        (self.common_total as usize + self.kept_total as usize).saturating_sub(free)
    }
}

impl Portion {
    /// Takes up to so many bytes out of this portion.
    pub(super) fn split(&mut self, bytes: usize) -> Self {
        let mut rest = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut split = |from: &mut u32| {
            let taken = rest.min(*from);
            *from -= taken;
            rest -= taken;
            taken
        };
        Self { common: split(&mut self.common), kept: split(&mut self.kept) }
    }
}

async fn permits(semaphore: &Semaphore, count: u32) -> SemaphorePermit<'_> {
    semaphore.acquire_many(count).await.expect("the semaphore is never closed")
}

/// Leaves the bytes taken, and counts them.
fn forget(permit: SemaphorePermit<'_>) -> u32 {
    let count = permit.num_permits();
    permit.forget();
    u32::try_from(count).expect("no more is asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_portion_is_given_back_in_parts() {
        let pool = Pool::new(80);
        let mut portion = pool.take(50, true).await;
        let mut part = portion.split(30);
        assert_eq!(pool.taken(), 50);
        pool.give_back(&mut portion);
        assert_eq!(pool.taken(), 30);
        pool.give_back(&mut part);
        assert_eq!(pool.taken(), 0);
    }

    #[tokio::test]
    async fn more_than_there_is_counts_as_all_that_is_not_kept() {
        let pool = Pool::new(80);
        let mut all = pool.take_much(1000).await;
        assert_eq!((pool.taken(), pool.is_scarce()), (70, true));
        let mut little = pool.take(10, true).await;
        assert_eq!(pool.taken(), 80);
        pool.give_back(&mut all);
        pool.give_back(&mut little);
        assert_eq!((pool.taken(), pool.is_scarce()), (0, false));
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_waits_the_pool_is_scarce() {
        let pool = Pool::new(80);
        let mut some = pool.take(40, false).await;
        assert!(!pool.is_scarce());
        for much in [false, true] {
            let waits = async { if much { pool.take_much(60).await } else { pool.take(60, true).await } };
            let (waited, is_scarce) = tokio::join!(timeout(SECOND, waits), async { pool.is_scarce() });
            assert_eq!((waited.is_err(), is_scarce), (true, true));
            assert_eq!(pool.taken(), 40, "who gives up takes nothing");
        }
        pool.give_back(&mut some);
        assert!(!pool.is_scarce());
    }

    #[tokio::test(start_paused = true)]
    async fn what_needs_little_overtakes_what_needs_much_and_then_has_what_is_kept() {
        let pool = Pool::new(80);
        let mut some = pool.take(40, false).await;
        let little = async {
            tokio::task::yield_now().await;
            for _ in 0..3 {
                let mut little = pool.take(20, true).await;
                pool.give_back(&mut little);
            }
            tokio::time::sleep(OVERTAKING + SECOND).await;
            // What needs much is served next now. What needs little is served all the same.
            assert!(timeout(SECOND, pool.take(20, true)).await.is_err(), "it overtakes for ever");
            for _ in 0..3 {
                let mut little = timeout(SECOND, pool.take(10, true)).await.expect("this much is kept");
                assert!(timeout(SECOND, pool.take(10, true)).await.is_err(), "so much is not");
                pool.give_back(&mut little);
            }
            assert!(timeout(SECOND, pool.take(10, false)).await.is_err(), "it is not kept for all");
            pool.give_back(&mut some);
        };
        let (mut much, ()) = tokio::join!(pool.take_much(60), little);
        assert_eq!(pool.taken(), 60);
        pool.give_back(&mut much);
        assert!(!pool.is_scarce());
    }
}
