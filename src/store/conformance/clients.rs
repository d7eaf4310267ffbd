//! What every database does with clients.

use super::{application, at, client, new_client, user};
use crate::model::{Client, ClientId, MessageId, User};
use crate::store::{Database, NewClient, Owned, StoreError, UpdateClient};

pub(crate) async fn a_client_is_found_by_id_and_by_token(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    client(database, &alice, "Claptop").await;
    let expected = Client {
        id: phone.id,
        token: "Cphone".to_owned(),
        name: "Cphone".to_owned(),
        created_at: at(0),
        last_used: None,
        elevated_until: None,
        expires_after_inactivity_seconds: 0,
        expires_at: None,
        replay: None,
    };
    assert_eq!(phone, expected);
    for found in [database.client(phone.id).await.unwrap(), database.client_by_token("Cphone").await.unwrap()]
    {
        let found = found.unwrap();
        assert_eq!((found.user_id, found.row), (alice.id, expected.clone()));
    }
    assert!(database.client(ClientId(99)).await.unwrap().is_none());
    assert!(database.client_by_token("cphone").await.unwrap().is_none());
}

pub(crate) async fn a_taken_token_is_a_conflict(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    client(database, &alice, "Cphone").await;
    let error = database.create_client(new_client(bob.id, "Cphone")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "token" }), "{error:?}");
}

pub(crate) async fn clients_are_listed_by_id(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let first = client(database, &alice, "Cz").await;
    client(database, &bob, "Cb").await;
    let second = client(database, &alice, "Ca").await;
    assert_eq!(database.clients(alice.id).await.unwrap(), [first, second]);
}

fn change(name: &str, expires_after_inactivity_seconds: Option<u64>) -> UpdateClient {
    UpdateClient { name: name.to_owned(), expires_after_inactivity_seconds, replay: None }
}

pub(crate) async fn what_a_client_has_acknowledged_only_grows(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let new = NewClient { replay: Some(true), ..new_client(alice.id, "Cphone") };
    let phone = database.create_client(new).await.unwrap();
    let other = client(database, &alice, "Claptop").await;
    assert_eq!((phone.replay, other.replay), (Some(true), None));
    assert_eq!(database.acknowledged(phone.id).await.unwrap(), None);
    // One that is not there does not matter.
    let both = [(other.id, MessageId(3)), (ClientId(99), MessageId(4)), (phone.id, MessageId(7))];
    database.acknowledge(&both).await.unwrap();
    database.acknowledge(&[(phone.id, MessageId(6))]).await.unwrap();
    assert_eq!(database.acknowledged(phone.id).await.unwrap(), Some(MessageId(7)));
    assert_eq!(database.acknowledged(other.id).await.unwrap(), Some(MessageId(3)));
    assert_eq!(database.acknowledged(ClientId(99)).await.unwrap(), None);

    let replay = |replay| UpdateClient { replay, ..change("phone", None) };
    let renamed = database.update_client(phone.id, replay(None), at(0)).await.unwrap().unwrap();
    assert_eq!(renamed.replay, Some(true));
    assert_eq!(database.acknowledged(phone.id).await.unwrap(), Some(MessageId(7)));
    let off = database.update_client(phone.id, replay(Some(false)), at(0)).await.unwrap().unwrap();
    assert_eq!(off.replay, Some(false));
    database.acknowledge(&[(phone.id, MessageId(9))]).await.unwrap();
    database.update_client(phone.id, replay(Some(true)), at(0)).await.unwrap();
    assert_eq!(database.acknowledged(phone.id).await.unwrap(), None, "switched on again, it begins anew");
}

pub(crate) async fn a_client_is_changed(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let renamed = database.update_client(phone.id, change("old phone", None), at(0)).await.unwrap().unwrap();
    assert_eq!(renamed, Client { name: "old phone".to_owned(), ..phone.clone() });
    assert_eq!(database.clients(alice.id).await.unwrap(), [renamed]);
    assert!(database.update_client(ClientId(99), change("nobody", None), at(0)).await.unwrap().is_none());

    // Counted from when it was made, then from its last use; a change of the name alone leaves it.
    let expires_at = async |name: &str, after| {
        let changed = database.update_client(phone.id, change(name, after), at(0)).await.unwrap().unwrap();
        assert_eq!(database.client(phone.id).await.unwrap().unwrap().row, changed);
        changed.expires_at
    };
    assert_eq!(expires_at("a", Some(60)).await, Some(at(60)));
    database.touch_clients(&[phone.id], at(30)).await.unwrap();
    assert_eq!(expires_at("b", None).await, Some(at(90)));
    assert_eq!(expires_at("b", Some(20)).await, Some(at(50)));
    assert_eq!(expires_at("b", Some(0)).await, None);
    assert_eq!(expires_at("b", Some(u64::MAX / 2)).await, None, "beyond the calendar");
}

pub(crate) async fn a_client_is_elevated(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let elevated = database.elevate_client(phone.id, at(900), at(0)).await.unwrap().unwrap();
    assert_eq!(elevated, Client { elevated_until: Some(at(900)), ..phone.clone() });
    assert_eq!(database.client(phone.id).await.unwrap().unwrap().row, elevated);
    assert_eq!(database.elevate_client(ClientId(99), at(900), at(0)).await.unwrap(), None);
    let new = NewClient { elevated_until: Some(at(5)), ..new_client(alice.id, "Csession") };
    let session = database.create_client(new).await.unwrap();
    assert_eq!(session.elevated_until, Some(at(5)));
    assert_eq!(database.client(session.id).await.unwrap().unwrap().row, session);
}

pub(crate) async fn a_client_is_deleted_once(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let laptop = client(database, &alice, "Claptop").await;
    database.touch_clients(&[phone.id], at(9)).await.unwrap();
    let deleted = database.delete_client(phone.id).await.unwrap();
    assert_eq!(deleted, Some(Client { last_used: Some(at(9)), ..phone.clone() }), "as it was at that moment");
    assert_eq!(database.delete_client(phone.id).await.unwrap(), None);
    assert!(database.client_by_token("Cphone").await.unwrap().is_none());
    assert_eq!(database.clients(alice.id).await.unwrap(), [laptop]);
}

pub(crate) async fn clients_are_touched(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let laptop = client(database, &alice, "Claptop").await;
    // More than any database binds one by one.
    let mut ids: Vec<_> = (1000..41_000).map(ClientId).collect();
    ids.push(phone.id);
    database.touch_clients(&ids, at(60)).await.unwrap();
    database.touch_clients(&[], at(90)).await.unwrap();
    assert_eq!(database.client(phone.id).await.unwrap().unwrap().row.last_used, Some(at(60)));
    assert_eq!(database.client(laptop.id).await.unwrap().unwrap().row.last_used, None);
}

async fn expiring(database: &dyn Database, user: &User, token: &str, after_seconds: u64) -> Client {
    let new = NewClient { expires_after_inactivity_seconds: after_seconds, ..new_client(user.id, token) };
    database.create_client(new).await.unwrap()
}

pub(crate) async fn a_use_puts_expiry_off(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let never = client(database, &alice, "Cnever").await;
    let phone = expiring(database, &alice, "Cphone", 60).await;
    let laptop = expiring(database, &alice, "Claptop", 100).await;
    assert_eq!((phone.expires_at, laptop.expires_at), (Some(at(60)), Some(at(100))));

    database.touch_clients(&[never.id, phone.id, laptop.id], at(59)).await.unwrap();
    let expiries = async || {
        let clients = database.clients(alice.id).await.unwrap();
        clients.iter().map(|client| client.expires_at).collect::<Vec<_>>()
    };
    assert_eq!(expiries().await, [None, Some(at(119)), Some(at(159))]);

    // One that has expired is not brought back.
    let tokens = ["Cphone".into(), "Cgone".into(), "Claptop".into(), "claptop".into()];
    let unknown = database.touch_client_tokens(&tokens, at(119)).await.unwrap();
    assert_eq!(unknown, ["Cgone", "claptop"], "no client has these");
    assert_eq!(expiries().await, [None, Some(at(119)), Some(at(219))]);
    let phone = database.client(phone.id).await.unwrap().unwrap().row;
    assert_eq!(phone.last_used, Some(at(59)));
}

pub(crate) async fn a_client_that_has_expired_is_not_changed(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = expiring(database, &alice, "Cphone", 60).await;
    assert_eq!(database.update_client(phone.id, change("x", Some(0)), at(60)).await.unwrap(), None);
    assert_eq!(database.elevate_client(phone.id, at(900), at(60)).await.unwrap(), None);
    assert_eq!(database.client(phone.id).await.unwrap().unwrap().row, phone);
    assert!(database.elevate_client(phone.id, at(900), at(59)).await.unwrap().is_some());
    assert!(database.update_client(phone.id, change("x", Some(0)), at(59)).await.unwrap().is_some());
}

pub(crate) async fn expired_clients_are_deleted(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    assert_eq!(database.next_client_expiry().await.unwrap(), None);
    client(database, &alice, "Cnever").await;
    assert_eq!(database.next_client_expiry().await.unwrap(), None);
    expiring(database, &alice, "Cphone", 60).await;
    expiring(database, &bob, "Ctablet", 30).await;
    let laptop = expiring(database, &bob, "Claptop", 61).await;
    let next = database.next_client_expiry().await.unwrap().unwrap();
    assert_eq!(next.timestamp_millis(), at(30).timestamp_millis());

    assert_eq!(database.delete_expired_clients(at(29)).await.unwrap(), []);
    let mut deleted = database.delete_expired_clients(at(60)).await.unwrap();
    deleted.sort_by_key(|token| token.user_id);
    let token = |user: &User, token: &str| Owned { user_id: user.id, row: token.to_owned() };
    assert_eq!(deleted, [token(&alice, "Cphone"), token(&bob, "Ctablet")]);
    assert_eq!(database.clients(bob.id).await.unwrap(), [laptop]);
    assert!(database.client_by_token("Cphone").await.unwrap().is_none());
    assert!(database.client_by_token("Cnever").await.unwrap().is_some());
}

pub(crate) async fn a_list_of_clients_ends_where_its_bytes_do(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for (token, name) in [("C1", 10), ("C2", 10_000), ("C3", 10)] {
        let new = NewClient { name: "n".repeat(name), ..new_client(alice.id, token) };
        database.create_client(new).await.unwrap();
    }
    let all = database.clients(alice.id).await.unwrap();
    let list = database.list_clients(alice.id, 50 * 1000).await.unwrap();
    assert_eq!(list.rows, all[..1]);
    let rest: Vec<_> = list.left_out.iter().map(|row| row.id).collect();
    assert_eq!(database.clients_by_id(&rest).await.unwrap(), all[1..]);
}

pub(crate) async fn a_token_is_found_by_its_beginning(database: &impl Database) {
    let bob = user(database, "bob").await;
    client(database, &bob, "Cabc").await;
    assert!(!database.any_token_begins_with("gtfy").await.unwrap());
    application(database, &bob, "gtfya.abc").await;
    assert!(database.any_token_begins_with("gtfy").await.unwrap());
    assert!(database.any_token_begins_with("Cab").await.unwrap());
}
