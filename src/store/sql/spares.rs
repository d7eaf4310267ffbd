//! Connections that nobody uses, and the places of all that may be open at once.
//!
//! This is no pool of sqlx's. That one asks each connection that comes back whether it still works: for SQLite a turn of
//! the connection's thread and a task, for a server a round trip. It has no limit of time for that, so that the place of a
//! connection whose network has gone silent is lost (sqlx-core 0.9.0, `pool/connection.rs`, `return_to_pool`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, interval, timeout_at};

use crate::task;

/// How often to look for connections that nobody has used for long.
pub(crate) const CHECK: Duration = Duration::from_mins(1);

/// Connections that nobody uses.
#[derive(Debug)]
pub(crate) struct Spares<C> {
    /// One for each connection that may be open.
    places: Arc<Semaphore>,
    most: u32,
    /// The last one used is at the end.
    unused: Mutex<Vec<Spare<C>>>,
    is_closed: AtomicBool,
}

/// A connection that nobody uses, and since when.
#[derive(Debug)]
pub(crate) struct Spare<C> {
    pub(crate) connection: C,
    pub(crate) since: Instant,
}

impl<C: Send + 'static> Spares<C> {
    /// `close` closes what nobody has used for `longest`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn new<F>(most: u32, longest: Duration, close: impl Fn(C) -> F + Send + 'static) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(most as usize));
        let spares =
            Arc::new(Self { places, most, unused: Mutex::default(), is_closed: AtomicBool::new(false) });
        task::spawn(close_unused(Arc::downgrade(&spares), longest, close));
        spares
    }

    /// Waits for the place of a connection, in the order of the calls.
    pub(crate) async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolClosed);
        }
        let places = Arc::clone(&self.places);
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout_at(deadline, places.acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?,
        };
        // Whoever waited was perhaps overtaken by the end.
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolClosed);
        }
        Ok(place)
    }

    /// Returns the connection that was used last. Whoever has it needs a place.
    pub(crate) fn take(&self) -> Option<Spare<C>> {
        self.unused.lock().pop()
    }

    /// Returns all connections that nobody uses.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn take_all(&self) -> Vec<Spare<C>> {
        std::mem::take(&mut *self.unused.lock())
    }

    /// Takes a connection back.
    pub(crate) fn give_back(&self, connection: C, place: OwnedSemaphorePermit) {
        self.unused.lock().push(Spare { connection, since: Instant::now() });
        // Only now, so that who gets it finds the connection.
        drop(place);
    }

    /// Waits until nobody has a connection, and returns all places; nobody gets one any more. Until then they are not to be
    /// dropped. A dropped future may be made again.
    pub(crate) async fn end(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.is_closed.store(true, Ordering::Relaxed);
        self.places.acquire_many(self.most).await.ok()
    }

    fn take_unused(&self, longest: Duration) -> Option<C> {
        let mut spares = self.unused.lock();
        let is_unused = spares.first()?.since.elapsed() >= longest;
        is_unused.then(|| spares.remove(0).connection)
    }
}

#[cfg(test)]
impl<C> Spares<C> {
    /// How many connections nobody uses, and how many places are free.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.unused.lock().len(), self.places.available_permits())
    }

    /// Waits until nobody has a connection.
    pub(crate) async fn all_places(&self) {
        drop(self.places.acquire_many(self.most).await);
    }
}

/// Closes what nobody used for a while, until the connections are gone.
async fn close_unused<C: Send + 'static, F: Future<Output = ()> + Send>(
    spares: Weak<Spares<C>>,
    longest: Duration,
    close: impl Fn(C) -> F + Send,
) {
    let mut checks = interval(CHECK);
    loop {
        checks.tick().await;
        let Some(spares) = spares.upgrade() else { return };
        // With a place, so that [`Spares::end`] waits for it.
        while let Ok(place) = Arc::clone(&spares.places).try_acquire_owned() {
            let Some(unused) = spares.take_unused(longest) else { break };
            close(unused).await;
            drop(place);
        }
    }
}
