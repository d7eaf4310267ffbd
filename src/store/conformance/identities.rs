//! What every database does with users of an identity provider.

use super::{at, user};
use crate::model::UserId;
use crate::store::{Database, NewLinkedUser, StoreError};

fn linked(name: &str, oidc_id: &str) -> NewLinkedUser {
    NewLinkedUser { name: name.to_owned(), oidc_id: oidc_id.to_owned(), created_at: at(0) }
}

pub(crate) async fn a_user_of_a_provider_has_no_password(database: &dyn Database) {
    let ann = database.create_linked_user(linked("ann", "https://id#1")).await.unwrap();
    assert!(!ann.admin);
    assert_eq!(database.user_by_oidc_id("https://id#1").await.unwrap().as_ref(), Some(&ann));
    let found = database.user_by_name("ann").await.unwrap().unwrap();
    assert_eq!((found.user, found.password_hash), (ann, None));
    assert!(database.user_by_oidc_id("https://id#2").await.unwrap().is_none());
    assert!(database.user_by_oidc_id("").await.unwrap().is_none());
}

pub(crate) async fn a_taken_name_or_identity_is_a_conflict(database: &dyn Database) {
    user(database, "ann").await;
    let error = database.create_linked_user(linked("ann", "https://id#1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "user name" }), "{error:?}");
    database.create_linked_user(linked("bob", "https://id#1")).await.unwrap();
    let error = database.create_linked_user(linked("carol", "https://id#1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "OIDC id" }), "{error:?}");
}

pub(crate) async fn a_user_is_linked_once(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    assert!(database.link_user(ann.id, "https://id#1").await.unwrap());
    assert_eq!(database.user_by_oidc_id("https://id#1").await.unwrap().as_ref(), Some(&ann));
    let hash = database.user(ann.id).await.unwrap().unwrap().password_hash;
    assert_eq!(hash.as_deref(), Some("hash of ann"), "the password stays");
    assert!(!database.link_user(ann.id, "https://id#2").await.unwrap(), "it is linked already");
    assert!(!database.link_user(UserId(99), "https://id#3").await.unwrap());
    let error = database.link_user(bob.id, "https://id#1").await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "OIDC id" }), "{error:?}");
}
