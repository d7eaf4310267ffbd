//! How many wrong passwords may be tried.
//!
//! Failures are counted for each address and for each name. An address that has used up its failures is refused
//! before anything is hashed; they come back evenly over the window, so that it is slowed down, not shut out for
//! good. A name that has used up its failures, from however many addresses, is refused too, but not for an address
//! that has logged in by it within a day: whoever guesses at a name does not lock its owner out.
//!
//! What is kept is bounded: the addresses, names and logins that were seen longest ago are forgotten first.

mod bucket;
mod buckets;

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Notify;
use tokio::time::Instant;

use bucket::{Allowance, Refusal};
use buckets::{Buckets, SharedBucket};

/// Addresses of which failures are remembered, and names; about 150 bytes each.
const REMEMBERED: usize = 16_384;

/// How long a login shows that an address is its user's.
const FAMILIAR: Duration = Duration::from_hours(24);

/// How many wrong names and passwords are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginLimits {
    /// The most failures from one address, or one IPv6 network of 64 bits, within the window. Default 10; 0 turns
    /// this limit off.
    pub failures_per_address: u32,
    /// The most failures for one name within the window, wherever they come from. Default 30; 0 turns this limit
    /// off.
    pub failures_per_name: u32,
    /// How long it takes until all of them may be made again; they come back one by one. Default a minute.
    pub window: Duration,
}

with_methods!(LoginLimits {
    with_failures_per_address(failures_per_address: u32),
    with_failures_per_name(failures_per_name: u32),
    with_window(window: Duration),
});

impl Default for LoginLimits {
    fn default() -> Self {
        Self { failures_per_address: 10, failures_per_name: 30, window: Duration::from_mins(1) }
    }
}

/// Counts failures.
pub(super) struct LoginLimiter {
    addresses: Option<Buckets<IpAddr>>,
    names: Option<Buckets<NameHash>>,
    /// Until when an address may go on where its name has used up its failures.
    familiar: Cache<(NameHash, IpAddr), Instant>,
    /// Of names: they may be as long as a header.
    hasher: RandomState,
    /// An attempt has ended.
    ended: Notify,
}

/// A name, by a hash that nobody outside can make collide.
type NameHash = u64;

/// An attempt that may be made now. Dropped before it is known how it ended, it counts as a failure: whoever hangs
/// up has made the server hash all the same.
#[must_use]
pub(super) struct Attempt<'l> {
    limiter: &'l LoginLimiter,
    /// Where it counts: those of its address and its name, as far as they have limits.
    taken: [Option<SharedBucket>; 2],
    login: Option<(NameHash, IpAddr)>,
}

impl LoginLimiter {
    pub(super) fn new(limits: &LoginLimits) -> Self {
        let allowance = |failures| Allowance::new(failures, limits.window);
        Self {
            addresses: allowance(limits.failures_per_address).map(|each| Buckets::new(REMEMBERED, each)),
            names: allowance(limits.failures_per_name).map(|each| Buckets::new(REMEMBERED, each)),
            familiar: Cache::new(REMEMBERED),
            hasher: RandomState::new(),
            ended: Notify::new(),
        }
    }

    /// Returns the attempt to log in by this name, from this address if one is known; or how long it takes until
    /// one may be made.
    ///
    /// Waits for others that have not ended yet where it depends on their outcome: many at once with the right
    /// password are all let through. Cancel safe.
    pub(super) async fn attempt(&self, from: Option<IpAddr>, name: &str) -> Result<Attempt<'_>, Duration> {
        let from = from.map(network);
        let name = self.hasher.hash_one(name);
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            // From here on no end is missed.
            ended.as_mut().enable();
            match self.try_attempt(from, name) {
                Ok(attempt) => return Ok(attempt),
                Err(Refusal::UsedUp { retry_after }) => return Err(retry_after),
                Err(Refusal::Undecided) => ended.await,
            }
        }
    }

    fn try_attempt(&self, from: Option<IpAddr>, name: NameHash) -> Result<Attempt<'_>, Refusal> {
        let now = Instant::now();
        let login = from.map(|from| (name, from));
        let familiar = login.is_some_and(|login| self.familiar.get(&login).is_some_and(|until| now < until));
        let of_address = self.addresses.as_ref().zip(from).map(|(addresses, from)| addresses.get(from));
        let of_name = self.names.as_ref().map(|names| names.get(name)).filter(|_| !familiar);

        // Both or none: one that was taken and given back would look to others like one that may fail. The address's
        // is locked first, always.
        let mut locked: [Option<_>; 2] =
            [&of_address, &of_name].map(|shared| shared.as_ref().map(|it| (it.bucket.lock(), it.allowance)));
        let mut outcome = Ok(());
        for (bucket, allowance) in locked.iter().flatten() {
            match bucket.check(allowance, now) {
                Err(Refusal::Undecided) if outcome.is_ok() => outcome = Err(Refusal::Undecided),
                Err(refusal @ Refusal::UsedUp { .. }) => outcome = Err(refusal),
                _ => {}
            }
        }
        outcome?;
        for (bucket, _) in locked.iter_mut().flatten() {
            bucket.begin();
        }
        drop(locked);
        Ok(Attempt { limiter: self, taken: [of_address, of_name], login })
    }
}

impl Attempt<'_> {
    /// It was the right password.
    pub(super) fn succeeded(mut self) {
        if let Some(login) = self.login {
            self.limiter.familiar.insert(login, Instant::now() + FAMILIAR);
        }
        self.end(false);
    }

    /// Nobody knows whether it was, through no fault of whoever tried.
    pub(super) fn void(mut self) {
        self.end(false);
    }

    fn end(&mut self, failed: bool) {
        let now = Instant::now();
        for bucket in self.taken.iter_mut().filter_map(Option::take) {
            bucket.end(failed, now);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.end(true);
        self.limiter.ended.notify_waiters();
    }
}

/// Returns what counts as one address: a customer has 64 bits of IPv6 to choose from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests;
