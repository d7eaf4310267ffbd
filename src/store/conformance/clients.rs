//! What every database does with clients.

use super::{at, client, new_client, user};
use crate::model::{Client, ClientId};
use crate::store::{Database, StoreError};

pub(crate) async fn a_client_is_found_by_id_and_by_token(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    client(database, &alice, "Claptop").await;
    let expected = Client {
        id: phone.id,
        token: "Cphone".to_owned(),
        name: "Cphone".to_owned(),
        created_at: Some(at(0)),
        last_used: None,
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

pub(crate) async fn a_client_is_renamed(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let renamed = database.rename_client(phone.id, "old phone").await.unwrap().unwrap();
    assert_eq!(renamed, Client { name: "old phone".to_owned(), ..phone });
    assert_eq!(database.clients(alice.id).await.unwrap(), [renamed]);
    assert!(database.rename_client(ClientId(99), "nobody").await.unwrap().is_none());
}

pub(crate) async fn a_client_is_deleted_once(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let phone = client(database, &alice, "Cphone").await;
    let laptop = client(database, &alice, "Claptop").await;
    assert!(database.delete_client(phone.id).await.unwrap());
    assert!(!database.delete_client(phone.id).await.unwrap());
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
