//! From what was stored to the push services: who is to be notified, and trying again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::losses::{BETWEEN_WARNINGS, Losses, Problem};
use super::notice::Notice;
use super::services::{Outcome, PushServices};
use super::subscribers::Subscribers;
use crate::causes::with_sources;
use crate::model::UserId;
use crate::store::{ApplicationStates, ClientSubscription, PushSubscription, PushSubscriptions};

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

pub(super) struct Delivery {
    pub(super) subscriptions: Arc<dyn PushSubscriptions>,
    states: Arc<dyn ApplicationStates>,
    pub(super) services: PushServices,
    pub(super) subscribers: Subscribers,
    pub(super) losses: Losses,
    slots: Arc<Semaphore>,
    requests: Semaphore,
}

/// What a user may have under way.
struct UserLimits {
    slots: Arc<Semaphore>,
    requests: Semaphore,
}

/// How many messages a user has not read, counted by whichever delivery needs it first; `None` if that has failed.
type Unread = OnceCell<Option<u64>>;

impl Delivery {
    pub(super) fn new(
        subscriptions: Arc<dyn PushSubscriptions>,
        states: Arc<dyn ApplicationStates>,
        services: PushServices,
        subscribers: Subscribers,
    ) -> Self {
        Self {
            subscriptions,
            states,
            services,
            subscribers,
            losses: Losses::default(),
            slots: Arc::new(Semaphore::new(MOST_DELIVERIES)),
            requests: Semaphore::new(REQUESTS),
        }
    }

    /// A message of a user is not pushed to a client.
    fn lose(&self, problem: Problem, user: UserId, subscription: &PushSubscription, reason: &str) {
        // Of an endpoint, the host alone is logged.
        let url = self.services.policy().check(&subscription.endpoint).ok();
        self.losses.add(problem, user, url.as_ref().and_then(|url| url.host_str()), reason);
    }
}

/// Notifies of what comes, until nothing comes any more.
pub(super) async fn run(delivery: Arc<Delivery>, mut notices: mpsc::Receiver<Notice>) {
    let mut deliveries = JoinSet::new();
    let mut limits: HashMap<UserId, Arc<UserLimits>> = HashMap::new();
    let mut batch = Vec::new();
    let mut reports = interval(BETWEEN_WARNINGS);
    reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
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
            _ = reports.tick() => delivery.losses.report(),
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
    let found = match delivery.subscriptions.push_subscriptions(&users).await {
        Ok(found) => found,
        Err(error) => {
            let reason = format!("failed to look up the subscriptions: {}", with_sources(&error));
            for notice in notices.drain(..) {
                delivery.losses.add(Problem::Database, notice.user_id, None, &reason);
            }
            return;
        }
    };
    let looked_up_at = Instant::now();
    let has_none = |user: &UserId| !found.iter().any(|client| client.user_id == *user);
    delivery.subscribers.forget(users.iter().copied().filter(has_none), state);
    let mut unread: HashMap<UserId, Arc<Unread>> = HashMap::new();
    for notice in notices.drain(..) {
        let unread = unread.entry(notice.user_id).or_default();
        let notice = Arc::new(notice);
        let clients = found.iter().filter(|client| {
            client.user_id == notice.user_id && notice.priority >= client.subscription.min_priority
        });
        for client in clients {
            let of_user = limits.entry(notice.user_id).or_insert_with(|| Arc::new(UserLimits::new()));
            let Some(slots) = take_slots(delivery, of_user) else {
                delivery.lose(
                    Problem::TooMany,
                    notice.user_id,
                    &client.subscription,
                    "too many wait for push services",
                );
                continue;
            };
            let delivery = Arc::clone(delivery);
            let of_user = Arc::clone(of_user);
            let (notice, unread, client) = (Arc::clone(&notice), Arc::clone(unread), client.clone());
            deliveries.spawn(async move {
                let _slots = slots;
                deliver(&delivery, &of_user, client, looked_up_at, &notice, &unread).await;
            });
        }
    }
}

/// Counts what a user has not read; `None` if that is not known now.
async fn count_unread(states: &dyn ApplicationStates, user: UserId) -> Option<u64> {
    match states.application_states(user).await {
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
    unread: &Unread,
) {
    let ClientSubscription { client_id, user_id, mut subscription } = client;
    let mut looked_up_at = looked_up_at;
    let mut waits = WAITS.into_iter();
    loop {
        let of_user = limits.requests.acquire().await;
        // While it has a place of the user alone: nobody else waits for a user with many applications.
        let unread = unread.get_or_init(|| count_unread(&*delivery.states, user_id)).await;
        let requests = (of_user, delivery.requests.acquire().await);
        if looked_up_at.elapsed() > STAYS_TRUE {
            match delivery.subscriptions.push_subscription(client_id).await {
                Ok(Some(current)) => subscription = current,
                // It has ended meanwhile.
                Ok(None) => return,
                Err(error) => {
                    let reason = format!("failed to look up its subscription: {}", with_sources(&error));
                    delivery.lose(Problem::Database, user_id, &subscription, &reason);
                    return;
                }
            }
            looked_up_at = Instant::now();
        }
        let outcome = delivery.services.send(&subscription, notice, &notice.payload(*unread)).await;
        drop(requests);
        let (reason, asked_for) = match outcome {
            Outcome::Taken => return,
            Outcome::Gone => {
                let endpoint = Some(subscription.endpoint.as_str());
                let deleted = delivery.subscriptions.delete_push_subscription(client_id, endpoint).await;
                if let Err(error) = deleted {
                    tracing::debug!(%error, "failed to delete a push subscription that is gone");
                }
                return;
            }
            Outcome::Refused(reason) => {
                delivery.lose(Problem::Refused, user_id, &subscription, &reason);
                return;
            }
            Outcome::Later(reason, asked_for) => (reason, asked_for),
        };
        let Some(wait) = waits.next() else {
            let reason = format!("the push service does not take it: {reason}");
            delivery.lose(Problem::NotTaken, user_id, &subscription, &reason);
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

#[cfg(test)]
mod tests;
