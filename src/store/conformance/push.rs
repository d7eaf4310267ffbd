//! What every database does with push subscriptions.

use futures_util::future::join_all;

use super::{at, client, new_client, user};
use crate::model::{ClientId, User};
use crate::store::SubscribeOutcome::{NoSuchClient, Saved, TooMany};
use crate::store::{
    ClientSubscription, Database, MAX_PUSH_SUBSCRIPTIONS, NewClient, PushSubscription, SubscribeOutcome,
};

fn subscription(endpoint: &str) -> PushSubscription {
    PushSubscription {
        endpoint: format!("https://push.example/{endpoint}"),
        p256dh: vec![4, 0, 255],
        auth: vec![0; 16],
        min_priority: -3,
    }
}

async fn endpoint(database: &dyn Database, client: ClientId) -> Option<String> {
    database.push_subscription(client).await.unwrap().map(|subscription| subscription.endpoint)
}

async fn save(database: &dyn Database, client: ClientId, new: &PushSubscription) -> SubscribeOutcome {
    database.save_push_subscription(client, new).await.unwrap()
}

/// Makes clients of a user.
async fn clients(database: &dyn Database, user: &User, count: u64) -> Vec<ClientId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(client(database, user, &format!("C{}-{number}", user.id)).await.id);
    }
    ids
}

pub(crate) async fn a_client_has_one_subscription(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await.id;
    assert_eq!(database.push_subscription(phone).await.unwrap(), None);
    assert_eq!(save(database, phone, &subscription("first")).await, Saved);
    assert_eq!(database.push_subscription(phone).await.unwrap(), Some(subscription("first")));
    let second = PushSubscription { min_priority: i64::MAX, ..subscription("second") };
    assert_eq!(save(database, phone, &second).await, Saved);
    assert_eq!(database.push_subscription(phone).await.unwrap(), Some(second));
    assert_eq!(save(database, ClientId(99), &subscription("third")).await, NoSuchClient);
    assert_eq!(database.push_subscriptions(&[alice.id]).await.unwrap().len(), 1);
}

pub(crate) async fn an_endpoint_belongs_to_the_client_that_named_it_last(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let first = client(database, &alice, "C1").await.id;
    let second = client(database, &bob, "C2").await.id;
    let third = client(database, &bob, "C3").await.id;
    database.save_push_subscription(first, &subscription("same")).await.unwrap();
    // It differs in case.
    database.save_push_subscription(third, &subscription("Same")).await.unwrap();
    database.save_push_subscription(second, &subscription("same")).await.unwrap();
    assert_eq!(endpoint(database, first).await, None);
    assert_eq!(endpoint(database, second).await, Some(subscription("same").endpoint));
    assert_eq!(endpoint(database, third).await, Some(subscription("Same").endpoint));
}

pub(crate) async fn of_clients_that_name_an_endpoint_at_once_one_has_it(database: &dyn Database) {
    database.push_key(b"key").await.unwrap();
    let mut browsers = Vec::new();
    for name in ["alice", "bob", "carol"] {
        browsers.extend(clients(database, &user(database, name).await, 2).await);
    }
    for round in 0..10 {
        let same = subscription(&format!("same-{round}"));
        let saved = join_all(browsers.iter().map(|client| save(database, *client, &same))).await;
        assert_eq!(saved, [Saved; 6], "{round}");
        let found = join_all(browsers.iter().map(|client| endpoint(database, *client))).await;
        assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), [same.endpoint], "{round}");
    }
}

pub(crate) async fn a_user_has_so_many_subscriptions_and_no_more(database: &dyn Database) {
    database.push_key(b"key").await.unwrap();
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let of_alice = clients(database, &alice, MAX_PUSH_SUBSCRIPTIONS + 1).await;
    let of_bob = clients(database, &bob, 1).await[0];
    let named = |number: usize| subscription(&number.to_string());
    let (last, others) = of_alice.split_last().unwrap();
    let (next, others) = others.split_last().unwrap();
    for (number, client) in others.iter().enumerate() {
        assert_eq!(save(database, *client, &named(number)).await, Saved, "{number}");
    }
    // At once, when there is room for one.
    let (a, b) = (subscription("a"), subscription("b"));
    let mut outcomes = [(*next, &a), (*last, &b)];
    let saved = join_all(outcomes.map(|(client, new)| save(database, client, new))).await;
    if saved[0] == TooMany {
        outcomes.reverse();
    }
    assert!(saved == [Saved, TooMany] || saved == [TooMany, Saved], "{saved:?}");
    let [(with, _), (without, refused)] = outcomes;
    assert_eq!(endpoint(database, without).await, None);
    assert_eq!(save(database, with, &subscription("c")).await, Saved, "it replaces its own");
    // One that had another user's endpoint has not lost it to one that is refused.
    assert_eq!(save(database, of_bob, refused).await, Saved);
    assert_eq!(save(database, without, refused).await, TooMany);
    assert_eq!(endpoint(database, of_bob).await.as_ref(), Some(&refused.endpoint));
    assert_eq!(
        save(database, without, &named(0)).await,
        Saved,
        "it takes one from a client of the same user"
    );
    assert_eq!(endpoint(database, others[0]).await, None);
    let found = database.push_subscriptions(&[alice.id]).await.unwrap();
    assert_eq!(found.len() as u64, MAX_PUSH_SUBSCRIPTIONS);
}

pub(crate) async fn subscriptions_are_found_by_their_users(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let carol = user(database, "carol").await;
    assert_eq!(database.users_with_push().await.unwrap(), []);
    let of_bob = client(database, &bob, "C1").await.id;
    let of_alice = [client(database, &alice, "C2").await.id, client(database, &alice, "C3").await.id];
    client(database, &carol, "C4").await;
    for (number, client) in [of_bob, of_alice[1], of_alice[0]].into_iter().enumerate() {
        database.save_push_subscription(client, &subscription(&number.to_string())).await.unwrap();
    }
    assert_eq!(database.users_with_push().await.unwrap(), [alice.id, bob.id]);
    let found = |client_id, user_id, number: &str| ClientSubscription {
        client_id,
        user_id,
        subscription: subscription(number),
    };
    let both = [found(of_alice[0], alice.id, "2"), found(of_alice[1], alice.id, "1")];
    assert_eq!(database.push_subscriptions(&[alice.id, carol.id]).await.unwrap(), both);
    assert_eq!(database.push_subscriptions(&[alice.id, bob.id]).await.unwrap().len(), 3);
    assert_eq!(database.push_subscriptions(&[]).await.unwrap(), []);
}

pub(crate) async fn a_subscription_goes_with_its_client_and_its_user(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let deleted = client(database, &alice, "C1").await.id;
    let expiring = NewClient { expires_after_inactivity_seconds: 60, ..new_client(alice.id, "C2") };
    let expired = database.create_client(expiring).await.unwrap().id;
    let of_bob = client(database, &bob, "C3").await.id;
    let kept = client(database, &alice, "C4").await.id;
    for (client, name) in [(deleted, "1"), (expired, "2"), (of_bob, "3"), (kept, "4")] {
        database.save_push_subscription(client, &subscription(name)).await.unwrap();
    }
    database.delete_client(deleted).await.unwrap();
    database.delete_expired_clients(at(61)).await.unwrap();
    database.delete_user(bob.id).await.unwrap();
    for gone in [deleted, expired, of_bob] {
        assert!(!database.delete_push_subscription(gone, None).await.unwrap(), "the row of {gone} is gone");
    }
    assert_eq!(endpoint(database, kept).await, Some(subscription("4").endpoint));
    assert_eq!(database.users_with_push().await.unwrap(), [alice.id]);
}

pub(crate) async fn only_the_endpoint_that_was_named_is_deleted(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await.id;
    database.save_push_subscription(phone, &subscription("new")).await.unwrap();
    let old = subscription("old").endpoint;
    assert!(!database.delete_push_subscription(phone, Some(&old)).await.unwrap());
    let new = subscription("new").endpoint;
    assert_eq!(endpoint(database, phone).await, Some(new.clone()));
    assert!(database.delete_push_subscription(phone, Some(&new)).await.unwrap());
    assert_eq!(endpoint(database, phone).await, None);
}

pub(crate) async fn all_who_ask_get_the_same_push_key(database: &dyn Database) {
    let keys = join_all((0..4).map(|number| async move { database.push_key(&[number; 64]).await.unwrap() }));
    let keys = keys.await;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(keys[0], [keys[0][0]; 64], "it is one of those that were made up");
    assert_eq!(database.push_key(&[9; 64]).await.unwrap(), keys[0]);
}
