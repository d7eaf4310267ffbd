//! How much applications and users may send, and have stored.
//!
//! Everything is counted by this node alone. What is kept is bounded: the applications and users that have sent least
//! are forgotten first, which allows them a full minute's messages again, and has their stored bytes counted anew.

mod counted_bytes;
mod rate;
mod stored_bytes;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use self::counted_bytes::{Addition, CountedBytes};
use self::rate::Rate;
use super::ApiError;
use crate::auth::whole_seconds;
use crate::model::{ApplicationId, UserId};
use crate::store::{Database, NewMessage, StoreError};

/// Applications and users that are remembered, about 300 bytes each.
const REMEMBERED: usize = 16_384;

/// How much applications and users may send, and have stored. By default there is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SenderLimits {
    /// The most messages per minute that an application may send; 0 for any number. All of them may come at once.
    pub messages_per_application: u32,
    /// The most messages per minute that all applications of a user may send; 0 for any number.
    pub messages_per_user: u32,
    /// The most bytes that the stored messages of an application may have, in their texts, titles and extras; 0 for any
    /// number.
    pub stored_bytes_per_application: u64,
    /// The most bytes that the stored messages of all applications of a user may have; 0 for any number.
    pub stored_bytes_per_user: u64,
}

with_methods!(SenderLimits {
    with_messages_per_application(messages_per_application: u32),
    with_messages_per_user(messages_per_user: u32),
    with_stored_bytes_per_application(stored_bytes_per_application: u64),
    with_stored_bytes_per_user(stored_bytes_per_user: u64),
});

/// Holds senders to their limits.
pub(crate) struct SenderLimiter {
    limits: SenderLimits,
    used: Cache<Sender, Arc<Used>>,
}

/// Whose messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Application(ApplicationId),
    User(UserId),
}

/// What a sender has used.
#[derive(Debug, Default)]
struct Used {
    rate: Mutex<Rate>,
    stored: CountedBytes,
}

impl SenderLimiter {
    /// `None` if nothing is limited.
    pub(crate) fn new(limits: &SenderLimits) -> Option<Self> {
        let is_limited = *limits != SenderLimits::default();
        is_limited.then(|| Self { limits: limits.clone(), used: Cache::new(REMEMBERED) })
    }

    /// Counts a message that is about to be stored and returns it, or returns why it must not be stored. A message that
    /// then is not stored counts too, until its sender's bytes are counted in the database again. Waits until the
    /// deadline at most.
    pub(crate) async fn admit(
        &self,
        database: &dyn Database,
        message: NewMessage,
        deadline: Instant,
    ) -> Result<NewMessage, ApiError> {
        let application = Sender::Application(message.application_id);
        let senders = [application, Sender::User(message.user_id)].map(|sender| (sender, self.used(sender)));
        let bytes = size(&message);
        self.check_size(&senders, bytes)?;
        self.take_rates(&senders)?;
        for (sender, used) in &senders {
            if let Some(limit) = self.stored_bytes(*sender) {
                let addition = Addition { bytes, limit, of: sender.kind(), deadline };
                let added = used.stored.add(addition, || sender.count(database)).await;
                // A message that is refused for its bytes does not count as one of the minute's.
                added.inspect_err(|_| self.give_back_rates(&senders))?;
            }
        }
        Ok(message)
    }

    fn used(&self, sender: Sender) -> Arc<Used> {
        match self.used.get_or_insert_with(&sender, || Ok::<_, Infallible>(Arc::default())) {
            Ok(used) => used,
            Err(never) => match never {},
        }
    }

    /// Counts a message of all these senders, or of none.
    fn take_rates(&self, senders: &[(Sender, Arc<Used>)]) -> Result<(), ApiError> {
        let now = Instant::now();
        for (place, (sender, used)) in senders.iter().enumerate() {
            let Some(limit) = self.messages(*sender) else { continue };
            let Err(wait) = used.rate.lock().take(limit, now) else { continue };
            self.give_back_rates(&senders[..place]);
            let (of, retry_after_seconds) = (sender.kind(), whole_seconds(wait));
            return Err(ApiError::TooManyMessages { of, limit, retry_after_seconds });
        }
        Ok(())
    }

    /// Gives back what was counted of all these senders.
    fn give_back_rates(&self, senders: &[(Sender, Arc<Used>)]) {
        for (sender, used) in senders {
            if let Some(limit) = self.messages(*sender) {
                used.rate.lock().give_back(limit);
            }
        }
    }

    /// Refuses a message for which there is no room even if all others are deleted.
    fn check_size(&self, senders: &[(Sender, Arc<Used>)], bytes: u64) -> Result<(), ApiError> {
        for (sender, _) in senders {
            if let Some(limit_bytes) = self.stored_bytes(*sender).filter(|limit| bytes > *limit) {
                return Err(ApiError::MessageTooLarge { of: sender.kind(), bytes, limit_bytes });
            }
        }
        Ok(())
    }

    fn messages(&self, sender: Sender) -> Option<u32> {
        let limit = match sender {
            Sender::Application(_) => self.limits.messages_per_application,
            Sender::User(_) => self.limits.messages_per_user,
        };
        (limit > 0).then_some(limit)
    }

    fn stored_bytes(&self, sender: Sender) -> Option<u64> {
        let limit = match sender {
            Sender::Application(_) => self.limits.stored_bytes_per_application,
            Sender::User(_) => self.limits.stored_bytes_per_user,
        };
        (limit > 0).then_some(limit)
    }
}

impl Sender {
    /// What an error says of it.
    fn kind(self) -> &'static str {
        match self {
            Self::Application(_) => "application",
            Self::User(_) => "user",
        }
    }

    async fn count(self, database: &dyn Database) -> Result<u64, StoreError> {
        match self {
            Self::Application(id) => database.application_message_bytes(id).await,
            Self::User(id) => database.message_bytes(id).await,
        }
    }
}

/// The bytes that a message has in the database.
fn size(message: &NewMessage) -> u64 {
    let extras = message.extras.as_ref().and_then(|extras| serde_json::to_vec(extras).ok());
    (message.message.len() + message.title.len() + extras.map_or(0, |extras| extras.len())) as u64
}

impl fmt::Debug for SenderLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderLimiter").field("limits", &self.limits).finish_non_exhaustive()
    }
}
