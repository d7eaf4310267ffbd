//! What every database does with push subscriptions.

use futures_util::future::join_all;

use super::{at, client, new_client, user};
use crate::model::ClientId;
use crate::store::{ClientSubscription, Database, NewClient, PushSubscription};

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

pub(crate) async fn a_client_has_one_subscription(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await.id;
    assert_eq!(database.push_subscription(phone).await.unwrap(), None);
    assert!(database.save_push_subscription(phone, &subscription("first")).await.unwrap());
    assert_eq!(database.push_subscription(phone).await.unwrap(), Some(subscription("first")));
    let second = PushSubscription { min_priority: i64::MAX, ..subscription("second") };
    assert!(database.save_push_subscription(phone, &second).await.unwrap());
    assert_eq!(database.push_subscription(phone).await.unwrap(), Some(second));
    assert!(!database.save_push_subscription(ClientId(99), &subscription("third")).await.unwrap());
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
