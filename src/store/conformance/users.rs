//! What every database does with users.

use super::{new_user, user};
use crate::model::UserId;
use crate::store::{Database, StoreError};

pub(crate) async fn a_user_is_found_by_id_and_by_name(database: &dyn Database) {
    database.ping().await.unwrap();
    assert_eq!(database.user_count().await.unwrap(), 0);
    let mut admin = new_user("alice");
    admin.admin = true;
    let alice = database.create_user(admin).await.unwrap();
    let bob = user(database, "bob").await;
    assert!(alice.admin && !bob.admin);
    assert_eq!(database.user_count().await.unwrap(), 2);
    for found in [database.user(alice.id).await.unwrap(), database.user_by_name("alice").await.unwrap()] {
        let found = found.unwrap();
        assert_eq!(found.user, alice);
        assert_eq!(found.password_hash.as_deref(), Some("hash of alice"));
    }
    assert!(database.user_by_name("carol").await.unwrap().is_none());
}

pub(crate) async fn a_taken_name_is_a_conflict(database: &dyn Database) {
    user(database, "alice").await;
    let error = database.create_user(new_user("alice")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "user name" }), "{error:?}");
    assert_eq!(database.user_count().await.unwrap(), 1);
}

pub(crate) async fn names_differ_in_case(database: &dyn Database) {
    let lower = user(database, "alice").await;
    let upper = user(database, "Alice").await;
    assert_ne!(lower.id, upper.id);
    assert_eq!(database.user_by_name("Alice").await.unwrap().unwrap().user, upper);
}

pub(crate) async fn a_password_is_changed(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    assert!(database.set_password_hash(alice.id, "new").await.unwrap());
    assert_eq!(database.user(alice.id).await.unwrap().unwrap().password_hash.as_deref(), Some("new"));
    assert_eq!(database.user(bob.id).await.unwrap().unwrap().password_hash.as_deref(), Some("hash of bob"));
    assert!(!database.set_password_hash(UserId(99), "new").await.unwrap());
}

pub(crate) async fn an_id_beyond_any_row_finds_nothing(database: &dyn Database) {
    user(database, "alice").await;
    for id in [0, 99, u64::MAX] {
        assert!(database.user(UserId(id)).await.unwrap().is_none());
    }
}
