//! Web Push: messages reach a browser without a stream, even while its page is closed.
//!
//! A browser gives the page an endpoint at its push service, and the page gives it to the server
//! (`PUT /shardcast/push`). Of each message of the user, the server encrypts the beginning (RFC 8291) and sends it to
//! the endpoint (RFC 8030), signed with a key of its own (RFC 8292).
//!
//! # Task model
//!
//! `Push::announce` puts a notice of each message whose user has subscriptions into a queue, and never waits. One task
//! takes notices from the queue, looks up the subscriptions, and starts a task for each delivery, which it owns. A
//! delivery tries again for a few minutes. With several nodes, the one that has stored a message sends it; another task
//! looks every few seconds who has subscribed on other nodes.
//!
//! # Bounds
//!
//! | what | limit | at the limit |
//! |---|---|---|
//! | subscriptions of a user's clients | 100 ([`MAX_PUSH_SUBSCRIPTIONS`](crate::store::MAX_PUSH_SUBSCRIPTIONS)), with at most 2048 characters of endpoint | A further one is refused. |
//! | subscriptions that are looked up at once | those of 16 users | The others wait in the queue. |
//! | notices in the queue | 1024, each with at most 200 characters of title, 1000 of text and 1000 bytes of URL | It is dropped. |
//! | deliveries | 1024, of which 128 of one user | It is dropped. |
//! | requests at a time | 32, of which 4 of one user; each takes 10 s at most, beside the database's time | They wait. |
//! | connections | one for each request, which ends with it | |
//!
//! The first loss of a kind is logged; others are counted, and their number is logged once per minute. What still waits when
//! the server stops is not logged. The message itself is stored and on its way to streams by then.

mod address;
mod delivery;
mod encryption;
mod endpoint;
mod losses;
mod notice;
mod services;
mod subscribers;
mod vapid;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::SystemRandom;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::model::UserId;
use crate::store::{Commit, Database, PushSubscription, StoreError};
use crate::task;
use delivery::Delivery;
use encryption::Recipient;
use endpoint::EndpointPolicy;
use losses::Problem;
use notice::Notice;
use services::PushServices;
use subscribers::Subscribers;
use vapid::Vapid;

pub use vapid::PushKeyError;

/// Notices that wait.
const QUEUE: usize = 1024;

/// How often a node looks who has subscribed on other nodes.
const REFRESH: Duration = Duration::from_secs(5);

/// The size of the secret that a subscription has (RFC 8291, section 3.2).
const AUTH_BYTES: usize = 16;

/// How messages are pushed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PushConfig {
    /// Whom push services may write to about this server: a `mailto:` or `https:` URL. Default none; Apple's push service
    /// then takes nothing.
    pub subject: Option<String>,
    /// Hosts that are sent to wherever they are, also by plain HTTP. Default none: HTTPS at public addresses alone.
    pub allowed_hosts: Vec<String>,
}

with_methods!(PushConfig {
    with_subject(subject: impl Into<Option<String>>),
    with_allowed_hosts(allowed_hosts: impl Into<Vec<String>>),
});

/// Why messages can't be pushed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenPushError {
    /// The database can't be used.
    #[error("failed to look for push subscriptions in the database")]
    Database(#[from] StoreError),
    /// The key in the database can't be used.
    #[error("failed to read the push key in the table `shardcast_push_keys`")]
    Key(#[from] PushKeyError),
    /// There is no way to ask push services.
    #[error("failed to prepare requests to push services")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A node's part in pushing messages. Clones share it; its tasks end with the last one, and what they have not sent by
/// then is not sent.
#[derive(Clone)]
pub(crate) struct Push(Arc<Inner>);

struct Inner {
    delivery: Arc<Delivery>,
    notices: mpsc::Sender<Notice>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl Push {
    /// Begins to push what is announced.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) async fn start(
        database: Arc<dyn Database>,
        config: PushConfig,
    ) -> Result<Self, OpenPushError> {
        let key = database.push_key(&Vapid::make_up_key()?).await?;
        let vapid = Vapid::new(&key, config.subject)?;
        let services = PushServices::new(EndpointPolicy::new(&config.allowed_hosts), vapid);
        let services = services.map_err(|error| OpenPushError::Client(error.into()))?;
        let subscribers = Subscribers::new(database.users_with_push().await?);
        let is_shared = database.can_be_shared();
        let states: Arc<dyn Database> = Arc::clone(&database);
        let delivery = Arc::new(Delivery::new(database, states, services, subscribers));
        let (notices, waiting) = mpsc::channel(QUEUE);
        let mut tasks = vec![task::spawn(delivery::run(Arc::clone(&delivery), waiting))];
        if is_shared {
            tasks.push(task::spawn(refresh(Arc::clone(&delivery))));
        }
        let tasks = tasks.into_iter().map(AbortOnDropHandle::new).collect();
        Ok(Self(Arc::new(Inner { delivery, notices, _tasks: tasks })))
    }

    /// Notifies those of the users who have subscriptions of what was stored. Never waits.
    pub(crate) fn announce(&self, commit: &Commit) {
        let Inner { delivery, notices, .. } = &*self.0;
        if !delivery.subscribers.is_used() {
            return;
        }
        for of_user in commit.users().filter(|of_user| delivery.subscribers.contains(of_user.user_id)) {
            for stored in of_user.messages {
                if let Ok(place) = notices.try_reserve() {
                    place.send(Notice::of(of_user.user_id, &stored.message));
                } else {
                    let reason = "too many wait to be pushed";
                    delivery.losses.add(Problem::TooMany, of_user.user_id, None, reason);
                }
            }
        }
    }

    /// Returns the public key in base64url, which browsers subscribe with.
    pub(crate) fn public_key(&self) -> &str {
        self.0.delivery.services.vapid().public_key()
    }

    /// Looks whether something can be sent to a subscription; the error names the field that is wrong, and says why.
    pub(crate) fn check(&self, subscription: &PushSubscription) -> Result<(), String> {
        let PushSubscription { endpoint, p256dh, auth, .. } = subscription;
        let checked = self.0.delivery.services.policy().check(endpoint);
        checked.map_err(|error| format!("Field 'endpoint' {error}"))?;
        if auth.len() != AUTH_BYTES {
            return Err(format!("Field 'keys.auth' must have {AUTH_BYTES} bytes, not {}", auth.len()));
        }
        let tried = Recipient { p256dh, auth }.encrypt(b"", &SystemRandom::new());
        tried.map(drop).map_err(|_| {
            "Field 'keys.p256dh' must be a public key of the curve P-256, uncompressed, in base64url"
                .to_owned()
        })
    }

    /// Takes note that a client of this user has subscribed.
    pub(crate) fn subscribed(&self, user: UserId) {
        self.0.delivery.subscribers.add(user);
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push").field("public_key", &self.public_key()).finish_non_exhaustive()
    }
}

/// Looks who has subscribed on other nodes, for ever.
async fn refresh(delivery: Arc<Delivery>) {
    let mut ticks = interval(REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first one is at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let state = delivery.subscribers.state();
        match delivery.subscriptions.users_with_push().await {
            Ok(users) => delivery.subscribers.replace(users, state),
            Err(error) => tracing::debug!(%error, "failed to look who has push subscriptions"),
        }
    }
}
