//! The application or the client that a token belongs to.

use std::sync::atomic::{AtomicI64, Ordering};

use super::cache::Renewable;
use super::last_used::LastUsed;
use crate::model::{Application, ApplicationId, Client, ClientId, Timestamp, UserId};
use crate::store::Owned;

/// The application that a token belongs to, as far as a message needs it.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its owner, who receives its messages.
    pub user_id: UserId,
    /// The title of messages that carry none.
    pub name: String,
    /// The priority of messages that carry none.
    pub default_priority: i64,
    pub(super) last_used: LastUsed,
}

impl TokenApplication {
    /// One of the database.
    pub(crate) fn of_row(owned: Owned<Application>) -> Self {
        Self {
            id: owned.row.id,
            user_id: owned.user_id,
            name: owned.row.name,
            default_priority: owned.row.default_priority,
            last_used: LastUsed::new(owned.row.last_used),
        }
    }

    /// An application of the database, whose messages have priority 0 unless they say otherwise.
    pub fn new(id: ApplicationId, user_id: UserId, name: impl Into<String>) -> Self {
        Self { id, user_id, name: name.into(), default_priority: 0, last_used: LastUsed::new(None) }
    }
}

/// The client that a token belongs to.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenClient {
    /// Its id; `None` for one that is not in the database.
    pub id: Option<ClientId>,
    /// Its owner.
    pub user_id: UserId,
    /// Until when it may do what is dangerous.
    pub elevated_until: Option<Timestamp>,
    /// Whether its streams begin with what it has not acknowledged; `None` leaves it to the configuration.
    pub replay: Option<bool>,
    pub(super) last_used: LastUsed,
    pub(super) expiry: Expiry,
    /// When its cookie was last sent, since the client is known.
    cookie_sent: LastUsed,
}

impl TokenClient {
    /// One that is not in the database, never expires, and may do whatever this user may.
    pub fn of_user(user_id: UserId) -> Self {
        Self {
            id: None,
            user_id,
            elevated_until: Some(chrono::DateTime::<chrono::Utc>::MAX_UTC.into()),
            replay: None,
            last_used: LastUsed::new(None),
            expiry: Expiry::of(0, None),
            cookie_sent: LastUsed::new(None),
        }
    }

    /// One of the database.
    pub(super) fn of_row(user_id: UserId, client: &Client) -> Self {
        Self {
            id: Some(client.id),
            user_id,
            elevated_until: client.elevated_until,
            replay: client.replay,
            last_used: LastUsed::new(client.last_used),
            expiry: Expiry::of(client.expires_after_inactivity_seconds, client.expires_at),
            cookie_sent: LastUsed::new(None),
        }
    }

    /// Answers whether it may do what is dangerous.
    pub fn is_elevated(&self, now: Timestamp) -> bool {
        self.elevated_until.is_some_and(|until| now < until)
    }

    /// Answers whether its cookie, with which it was just used, is to be sent again, so that the browser keeps it; of
    /// those who ask at the same time, one gets a yes.
    pub(crate) fn claim_cookie(&self, now: Timestamp) -> bool {
        self.cookie_sent.claim(now.timestamp(), LastUsed::PRECISION_SECONDS).is_some()
    }
}

impl Renewable for TokenApplication {
    fn renew(&mut self, previous: &Self) {
        self.last_used.renew(&previous.last_used);
    }
}

impl Renewable for TokenClient {
    fn renew(&mut self, previous: &Self) {
        self.last_used.renew(&previous.last_used);
        self.cookie_sent.renew(&previous.cookie_sent);
        self.expiry.renew(&previous.expiry);
    }
}

/// When a client expires, as far as the database knows, or soon will.
#[derive(Debug)]
pub(super) struct Expiry {
    after_seconds: i64,
    at_unix_millis: AtomicI64,
}

impl Expiry {
    const NEVER: i64 = i64::MAX;

    fn of(after_seconds: u64, at: Option<Timestamp>) -> Self {
        let at = at.map_or(Self::NEVER, |at| at.timestamp_millis());
        Self {
            after_seconds: i64::try_from(after_seconds).unwrap_or(i64::MAX),
            at_unix_millis: AtomicI64::new(at),
        }
    }

    pub(super) fn has_come(&self, now_unix_millis: i64) -> bool {
        self.at_unix_millis.load(Ordering::Relaxed) <= now_unix_millis
    }

    /// The client was used, and the use is on its way to the database.
    pub(super) fn put_off(&self, now_unix_millis: i64) {
        if self.after_seconds > 0 {
            let at = now_unix_millis.saturating_add(self.after_seconds.saturating_mul(1000));
            self.at_unix_millis.store(at, Ordering::Relaxed);
        }
    }

    /// Takes over a use that the row may not know of yet.
    fn renew(&self, previous: &Self) {
        if self.after_seconds == previous.after_seconds {
            self.at_unix_millis.fetch_max(previous.at_unix_millis.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Uses are noted when the last one noted is longer ago than this: what is soon forgotten is noted oftener.
    pub(super) fn precision_seconds(&self) -> i64 {
        match self.after_seconds {
            0 => LastUsed::PRECISION_SECONDS,
            after => LastUsed::PRECISION_SECONDS.min(after / 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_puts_expiry_off() {
        let at = |millis| chrono::DateTime::from_timestamp_millis(millis).unwrap().into();
        let expiry = Expiry::of(60, Some(at(60_000)));
        assert!(!expiry.has_come(59_999));
        assert!(expiry.has_come(60_000));
        expiry.put_off(59_000);
        assert!(!expiry.has_come(118_999));
        assert!(expiry.has_come(119_000));
        let never = Expiry::of(0, None);
        never.put_off(0);
        assert!(!never.has_come(i64::MAX - 1));
    }

    #[test]
    fn what_expires_soon_is_noted_oftener() {
        assert_eq!(Expiry::of(0, None).precision_seconds(), 300);
        assert_eq!(Expiry::of(604_800, None).precision_seconds(), 300);
        assert_eq!(Expiry::of(60, None).precision_seconds(), 15);
    }

    #[test]
    fn one_that_is_not_in_the_database_is_always_elevated() {
        assert!(TokenClient::of_user(UserId(1)).is_elevated(chrono::Local::now().fixed_offset()));
    }

    #[test]
    fn a_cookie_is_sent_again_on_its_first_use_and_every_five_minutes() {
        let client = TokenClient::of_user(UserId(1));
        let at = |seconds: i64| chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap().into();
        let sent: Vec<bool> =
            [0, 1, 300, 301, 302].into_iter().map(|second| client.claim_cookie(at(second))).collect();
        assert_eq!(sent, [true, false, false, true, false]);
    }
}
