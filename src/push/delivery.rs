//! From what was stored to the push services: who is to be notified, and trying again.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::notice::Notice;
use super::services::{Outcome, PushServices};
use super::subscribers::Subscribers;
use crate::model::UserId;
use crate::store::{ClientSubscription, Database, PushSubscription};

/// Deliveries that are under way or wait for another attempt. Further ones are dropped.
const MOST_DELIVERIES: usize = 1024;
/// As many of one user, so that nobody takes all.
const MOST_DELIVERIES_OF_USER: usize = 128;

/// Requests at a time, and of one user: a push service that never answers must not hold up everybody else.
const REQUESTS: usize = 32;
const REQUESTS_OF_USER: usize = 4;

/// Notices whose subscriptions are looked up together.
const LOOKED_UP_AT_ONCE: usize = 16;

/// A subscription that was looked up so long ago is looked up again before something is sent to it.
const STAYS_TRUE: Duration = Duration::from_secs(1);

/// How long to wait before each further attempt, where the push service does not say.
const WAITS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(2)];

/// The longest wait that a push service may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// A warning about deliveries comes no more often.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

pub(super) struct Delivery {
    pub(super) database: Arc<dyn Database>,
    pub(super) services: PushServices,
    pub(super) subscribers: Subscribers,
    slots: Arc<Semaphore>,
    requests: Semaphore,
    warned_at: Mutex<Option<Instant>>,
}

/// What a user may have under way.
struct UserLimits {
    slots: Arc<Semaphore>,
    requests: Semaphore,
}

impl Delivery {
    pub(super) fn new(database: Arc<dyn Database>, services: PushServices, subscribers: Subscribers) -> Self {
        Self {
            database,
            services,
            subscribers,
            slots: Arc::new(Semaphore::new(MOST_DELIVERIES)),
            requests: Semaphore::new(REQUESTS),
            warned_at: Mutex::default(),
        }
    }

    /// Logs a warning, unless there was one just now.
    pub(super) fn warn(&self, user: UserId, host: Option<&str>, problem: &str) {
        let now = Instant::now();
        let mut warned_at = self.warned_at.lock();
        if warned_at.is_none_or(|at| now.saturating_duration_since(at) >= BETWEEN_WARNINGS) {
            *warned_at = Some(now);
            drop(warned_at);
            tracing::warn!(
                user.id = %user, push_service = host,
                "a message was not pushed to a client: {problem}; further ones within a minute are not logged"
            );
        }
    }
}

/// Notifies of what comes, until nothing comes any more.
pub(super) async fn run(delivery: Arc<Delivery>, mut notices: mpsc::Receiver<Notice>) {
    let mut deliveries = JoinSet::new();
    let mut limits: HashMap<UserId, Arc<UserLimits>> = HashMap::new();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            received = notices.recv_many(&mut batch, LOOKED_UP_AT_ONCE) => {
                if received == 0 {
                    return;
                }
                begin(&delivery, &mut batch, &mut limits, &mut deliveries).await;
            }
            // One that panicked has lost its own message, and nothing else.
            Some(_) = deliveries.join_next() => {
                if deliveries.is_empty() {
                    limits.clear();
                }
            }
        }
    }
}

/// Looks up whom notices are for, and begins to deliver them.
async fn begin(
    delivery: &Arc<Delivery>,
    notices: &mut Vec<Notice>,
    limits: &mut HashMap<UserId, Arc<UserLimits>>,
    deliveries: &mut JoinSet<()>,
) {
    let users: HashSet<UserId> = notices.iter().map(|notice| notice.user_id).collect();
    let users: Vec<UserId> = users.into_iter().collect();
    let state = delivery.subscribers.state();
    let found = match delivery.database.push_subscriptions(&users).await {
        Ok(found) => found,
        Err(error) => {
            delivery.warn(users[0], None, &format!("failed to look up the subscriptions: {error}"));
            notices.clear();
            return;
        }
    };
    let looked_up_at = Instant::now();
    let has_none = |user: &UserId| !found.iter().any(|client| client.user_id == *user);
    delivery.subscribers.forget(users.iter().copied().filter(has_none), state);
    let mut unread = HashMap::new();
    for notice in notices.drain(..) {
        let clients = found.iter().filter(|client| {
            client.user_id == notice.user_id && notice.priority >= client.subscription.min_priority
        });
        let clients: Vec<_> = clients.collect();
        if clients.is_empty() {
            continue;
        }
        let unread = match unread.entry(notice.user_id) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(entry) => *entry.insert(count_unread(&*delivery.database, notice.user_id).await),
        };
        let payload: Arc<[u8]> = notice.payload(unread).into();
        let notice = Arc::new(notice);
        for client in clients {
            let of_user = limits.entry(notice.user_id).or_insert_with(|| Arc::new(UserLimits::new()));
            let Some(slots) = take_slots(delivery, of_user) else {
                delivery.warn(notice.user_id, None, "too many wait for push services");
                continue;
            };
            let delivery = Arc::clone(delivery);
            let of_user = Arc::clone(of_user);
            let (notice, payload, client) = (Arc::clone(&notice), Arc::clone(&payload), client.clone());
            deliveries.spawn(async move {
                let _slots = slots;
                deliver(&delivery, &of_user, client, looked_up_at, &notice, &payload).await;
            });
        }
    }
}

/// Counts what a user has not read; `None` if that is not known now.
async fn count_unread(database: &dyn Database, user: UserId) -> Option<u64> {
    match database.application_states(user).await {
        Ok(states) => Some(states.iter().map(|state| state.unread).sum()),
        Err(error) => {
            tracing::debug!(%error, "failed to count unread messages for a push");
            None
        }
    }
}

/// Takes the place of a delivery, if there is one.
fn take_slots(delivery: &Delivery, of_user: &UserLimits) -> Option<[OwnedSemaphorePermit; 2]> {
    let take = |slots: &Arc<Semaphore>| Arc::clone(slots).try_acquire_owned().ok();
    Some([take(&of_user.slots)?, take(&delivery.slots)?])
}

impl UserLimits {
    fn new() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(MOST_DELIVERIES_OF_USER)),
            requests: Semaphore::new(REQUESTS_OF_USER),
        }
    }
}

/// Sends a notice to a client, and tries again as long as there is hope.
async fn deliver(
    delivery: &Delivery,
    limits: &UserLimits,
    client: ClientSubscription,
    looked_up_at: Instant,
    notice: &Notice,
    payload: &[u8],
) {
    let ClientSubscription { client_id, user_id, mut subscription } = client;
    let mut looked_up_at = looked_up_at;
    let mut waits = WAITS.into_iter();
    loop {
        let requests = (limits.requests.acquire().await, delivery.requests.acquire().await);
        if looked_up_at.elapsed() > STAYS_TRUE {
            // The client may have been deleted meanwhile.
            match delivery.database.push_subscription(client_id).await {
                Ok(Some(current)) => subscription = current,
                Ok(None) | Err(_) => return,
            }
            looked_up_at = Instant::now();
        }
        let outcome = delivery.services.send(&subscription, notice, payload).await;
        drop(requests);
        let asked_for = match outcome {
            Outcome::Taken => return,
            Outcome::Gone => {
                let endpoint = Some(subscription.endpoint.as_str());
                if let Err(error) = delivery.database.delete_push_subscription(client_id, endpoint).await {
                    tracing::debug!(%error, "failed to delete a push subscription that is gone");
                }
                return;
            }
            Outcome::Refused(reason) => {
                delivery.warn(user_id, host(delivery, &subscription).as_deref(), &reason);
                return;
            }
            Outcome::Later(asked_for) => asked_for,
        };
        let Some(wait) = waits.next() else {
            delivery.warn(
                user_id,
                host(delivery, &subscription).as_deref(),
                "the push service does not take it",
            );
            return;
        };
        let wait = spread(wait, asked_for, rand::random());
        sleep(wait).await;
    }
}

/// Returns how long to wait: as the push service asks, or as usual, and up to a quarter longer, so that not all deliveries
/// are tried at the same moment.
fn spread(usual: Duration, asked_for: Option<Duration>, random: f64) -> Duration {
    asked_for.unwrap_or(usual).min(LONGEST_WAIT).mul_f64(1.0 + random / 4.0)
}

/// Returns the host of a push service, which is all of an endpoint that is logged.
fn host(delivery: &Delivery, subscription: &PushSubscription) -> Option<String> {
    let url = delivery.services.policy().check(&subscription.endpoint).ok()?;
    url.host_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_service_says_how_long_to_wait_but_not_for_ever() {
        let seconds = |asked_for: Option<u64>, random| {
            spread(WAITS[0], asked_for.map(Duration::from_secs), random).as_secs_f64()
        };
        for (asked_for, random, expected) in [
            (None, 0.0, 5.0),
            (None, 1.0, 6.25),
            (Some(8), 0.5, 9.0),
            (Some(0), 1.0, 0.0),
            (Some(86_400), 0.0, 300.0),
        ] {
            assert!((seconds(asked_for, random) - expected).abs() < 1e-6, "{asked_for:?} {random}");
        }
    }
}
