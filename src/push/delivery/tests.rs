//! Deliveries to a push service on this machine, from a database that fails as the test says.

use std::future::pending;
use std::io;

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderName, StatusCode, Uri};
use parking_lot::Mutex;
use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
use ring::rand::SystemRandom;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::instrument::WithSubscriber as _;

use super::*;
use crate::model::{ApplicationId, ApplicationState, ClientId, Message, MessageId};
use crate::push::endpoint::EndpointPolicy;
use crate::push::vapid::Vapid;
use crate::store::{KeepMessages, StoreError, SubscribeOutcome};

/// Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

const BOB: UserId = UserId(2);

/// As many as there are requests at a time.
fn others() -> impl Iterator<Item = UserId> {
    (3..3 + REQUESTS as u64).map(UserId)
}

/// Subscriptions, which may not be found again.
struct Fake {
    clients: Vec<ClientSubscription>,
    are_found_again: bool,
}

fn failed() -> StoreError {
    StoreError::Failed { operation: "read", source: "the disk is gone".into() }
}

#[async_trait]
impl PushSubscriptions for Fake {
    async fn push_key(&self, _: &[u8]) -> Result<Vec<u8>, StoreError> {
        Err(failed())
    }

    async fn users_with_push(&self) -> Result<Vec<UserId>, StoreError> {
        Ok(self.clients.iter().map(|client| client.user_id).collect())
    }

    async fn push_subscriptions(&self, users: &[UserId]) -> Result<Vec<ClientSubscription>, StoreError> {
        Ok(self.clients.iter().filter(|client| users.contains(&client.user_id)).cloned().collect())
    }

    async fn push_subscription(&self, id: ClientId) -> Result<Option<PushSubscription>, StoreError> {
        let found = self.clients.iter().find(|client| client.client_id == id);
        if self.are_found_again { Ok(found.map(|client| client.subscription.clone())) } else { Err(failed()) }
    }

    async fn save_push_subscription(
        &self,
        _: ClientId,
        _: &PushSubscription,
    ) -> Result<SubscribeOutcome, StoreError> {
        Err(failed())
    }

    async fn delete_push_subscription(&self, _: ClientId, _: Option<&str>) -> Result<bool, StoreError> {
        Err(failed())
    }
}

/// All messages but Bob's are counted for ever.
#[async_trait]
impl ApplicationStates for Fake {
    async fn application_states(&self, user: UserId) -> Result<Vec<ApplicationState>, StoreError> {
        if user == BOB { Err(failed()) } else { pending().await }
    }

    async fn application_state(&self, _: ApplicationId) -> Result<Option<ApplicationState>, StoreError> {
        Err(failed())
    }

    async fn mark_read(
        &self,
        _: UserId,
        _: Option<ApplicationId>,
        _: MessageId,
    ) -> Result<Option<MessageId>, StoreError> {
        Err(failed())
    }

    async fn keep_messages(&self, _: ApplicationId, _: KeepMessages) -> Result<(), StoreError> {
        Err(failed())
    }
}

/// A push service that always gives the same answer, and deliveries to it for one client of each user.
struct World {
    delivery: Arc<Delivery>,
    asked: mpsc::Receiver<String>,
    clients: Vec<ClientSubscription>,
    _service: AbortOnDropHandle<()>,
}

impl World {
    async fn new(status: StatusCode, are_found_again: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = mpsc::channel(100);
        let router = Router::new().fallback(move |uri: Uri| {
            let sender = sender.clone();
            async move {
                sender.send(uri.path().to_owned()).await.unwrap();
                (status, [(HeaderName::from_static("retry-after"), "0")])
            }
        });
        let service = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let clients: Vec<_> = others()
            .chain([BOB])
            .map(|user_id| {
                let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
                let subscription = PushSubscription {
                    endpoint: format!("http://{address}/{user_id}"),
                    p256dh: key.compute_public_key().unwrap().as_ref().to_vec(),
                    auth: vec![7; 16],
                    min_priority: 0,
                };
                ClientSubscription { client_id: ClientId(user_id.0), user_id, subscription }
            })
            .collect();
        let database = Arc::new(Fake { clients: clients.clone(), are_found_again });
        let vapid = Vapid::new(&Vapid::make_up_key().unwrap(), None).unwrap();
        let policy = EndpointPolicy::new(&["127.0.0.1".to_owned()]);
        let services = PushServices::new(policy, vapid).unwrap();
        let subscribers = Subscribers::new(others().chain([BOB]).collect());
        let subscriptions = Arc::<Fake>::clone(&database);
        let delivery = Arc::new(Delivery::new(subscriptions, database, services, subscribers));
        Self { delivery, asked, clients, _service: AbortOnDropHandle::new(service) }
    }

    /// Delivers to Bob what was looked up a while ago, and returns what is logged of it.
    async fn log(&self, ago: Duration) -> String {
        let log = Log::default();
        let written = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || written.clone()).finish();
        let limits = UserLimits::new();
        let looked_up_at = Instant::now().checked_sub(ago).unwrap();
        let client = self.clients.last().expect("Bob has one").clone();
        let (notice, unread) = (notice(BOB), Unread::new());
        deliver(&self.delivery, &limits, client, looked_up_at, &notice, &unread)
            .with_subscriber(subscriber)
            .await;
        String::from_utf8(log.0.lock().clone()).unwrap()
    }
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn notice(user: UserId) -> Notice {
    Notice::of(user, &Message::any(1))
}

#[tokio::test]
async fn users_whose_messages_take_long_to_count_hold_up_nobody_else() {
    let mut world = World::new(StatusCode::CREATED, true).await;
    let (notices, waiting) = mpsc::channel(10);
    let _running = AbortOnDropHandle::new(tokio::spawn(run(Arc::clone(&world.delivery), waiting)));
    for user in others().chain([BOB]) {
        notices.send(notice(user)).await.unwrap();
    }
    let asked = timeout(PATIENCE, world.asked.recv()).await.expect("Bob's message is pushed");
    assert_eq!(asked.as_deref(), Some("/2"));
}

#[tokio::test]
async fn what_a_push_service_does_not_take_is_logged_with_the_reason() {
    let mut world = World::new(StatusCode::SERVICE_UNAVAILABLE, true).await;
    let log = world.log(Duration::ZERO).await;
    assert!(log.contains("the push service does not take it: the push service answers 503"), "{log}");
    assert!(log.contains("127.0.0.1") && !log.contains("/2"), "{log}");
    let attempts = std::iter::from_fn(|| world.asked.try_recv().ok()).count();
    assert_eq!(attempts, 1 + WAITS.len());
}

#[tokio::test]
async fn what_the_database_keeps_from_being_pushed_is_logged() {
    let world = World::new(StatusCode::CREATED, false).await;
    let log = world.log(STAYS_TRUE * 2).await;
    assert!(log.contains("failed to look up its subscription: failed to read: the disk is gone"), "{log}");
}

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
