//! What every database does with users.

use futures_util::future::join_all;

use super::{application, client, new_application, new_client, new_message, new_user, user};
use crate::model::{User, UserId};
use crate::store::{Database, DeletedUser, MessagePage, NewUser, StoreError, UpdateUser, UserChange};

const ALL: MessagePage = MessagePage { before: None, limit: 100 };

pub(crate) async fn a_user_is_found_by_id_and_by_name(database: &dyn Database) {
    database.check().await.unwrap();
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

pub(crate) async fn a_hash_is_replaced_only_while_it_is_the_old_one(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    assert!(database.replace_password_hash(alice.id, "hash of alice", "new").await.unwrap());
    assert!(!database.replace_password_hash(alice.id, "hash of alice", "newer").await.unwrap());
    assert!(!database.replace_password_hash(UserId(99), "hash of alice", "newer").await.unwrap());
    let hash = async |id| database.user(id).await.unwrap().unwrap().password_hash;
    assert_eq!(hash(alice.id).await.as_deref(), Some("new"));
    assert_eq!(hash(bob.id).await.as_deref(), Some("hash of bob"));
}

pub(crate) async fn the_highest_cost_is_that_of_bcrypt_hashes(database: &dyn Database) {
    assert_eq!(database.highest_password_cost().await.unwrap(), None);
    for (name, hash) in
        [("a", "$2a$04$x"), ("b", "$2b$11$x"), ("c", "$2b$10$x"), ("d", "$1b$31$x"), ("e", "")]
    {
        let hashed = NewUser { password_hash: hash.to_owned(), ..new_user(name) };
        database.create_user(hashed).await.unwrap();
    }
    assert_eq!(database.highest_password_cost().await.unwrap(), Some(11));
}

pub(crate) async fn an_id_beyond_any_row_finds_nothing(database: &dyn Database) {
    user(database, "alice").await;
    for id in [0, 99, u64::MAX] {
        assert!(database.user(UserId(id)).await.unwrap().is_none());
    }
}

pub(crate) async fn users_are_listed_by_id(database: &dyn Database) {
    assert_eq!(database.users().await.unwrap(), []);
    let (bob, alice) = (user(database, "bob").await, admin(database, "alice").await);
    assert_eq!(database.users().await.unwrap(), [bob, alice]);
}

pub(crate) async fn a_user_is_updated(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let renamed = User { name: "Alice".to_owned(), admin: true, ..alice.clone() };
    let updated = database.update_user(alice.id, change("Alice", true, None)).await.unwrap();
    assert_eq!(updated, UserChange::Made(renamed.clone()));
    let kept = database.user(alice.id).await.unwrap().unwrap();
    assert_eq!((kept.user, kept.password_hash.as_deref()), (renamed, Some("hash of alice")));

    database.update_user(alice.id, change("Alice", true, Some("new"))).await.unwrap();
    assert_eq!(database.user(alice.id).await.unwrap().unwrap().password_hash.as_deref(), Some("new"));
    assert_eq!(database.user(bob.id).await.unwrap().unwrap().user, bob);
    let nobody = database.update_user(UserId(99), change("x", true, None)).await.unwrap();
    assert_eq!(nobody, UserChange::NoSuchUser);
}

pub(crate) async fn an_update_to_a_taken_name_is_a_conflict(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let error = database.update_user(bob.id, change("alice", true, None)).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "user name" }), "{error:?}");
    assert_eq!(database.users().await.unwrap(), [alice, bob], "nothing changed");
}

pub(crate) async fn the_last_admin_stays_one(database: &dyn Database) {
    let (alice, bob) = (admin(database, "alice").await, user(database, "bob").await);
    assert_eq!(database.delete_user(alice.id).await.unwrap(), UserChange::LastAdmin);
    let demotion = database.update_user(alice.id, change("alice", false, None)).await.unwrap();
    assert_eq!(demotion, UserChange::LastAdmin);
    assert_eq!(database.users().await.unwrap(), [alice.clone(), bob.clone()], "nothing changed");

    database.update_user(bob.id, change("bob", true, None)).await.unwrap();
    let demotion = database.update_user(alice.id, change("alice", false, None)).await.unwrap();
    assert!(matches!(demotion, UserChange::Made(_)), "there is another one: {demotion:?}");
    assert_eq!(database.delete_user(bob.id).await.unwrap(), UserChange::LastAdmin);
    assert!(matches!(database.delete_user(alice.id).await.unwrap(), UserChange::Made(_)));
}

/// Of two at the same time, whichever comes second must see what the first has done.
pub(crate) async fn of_two_admins_that_go_at_once_one_is_left(database: &dyn Database) {
    let mut left = admin(database, "first").await;
    for round in 0..20 {
        let other = admin(database, &format!("admin {round}")).await;
        let (deleted, degraded) = tokio::join!(
            database.delete_user(left.id),
            database.update_user(other.id, change(&other.name, false, None)),
        );
        left = match (deleted.unwrap(), degraded.unwrap()) {
            (UserChange::Made(_), UserChange::LastAdmin) => other,
            (UserChange::LastAdmin, UserChange::Made(_)) => left,
            outcomes => panic!("round {round}: {outcomes:?}"),
        };
    }
    let admins = database.users().await.unwrap().into_iter().filter(|user| user.admin).count();
    assert_eq!(admins, 1);
}

pub(crate) async fn deleting_a_user_deletes_what_it_owns(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    for (owner, name) in [(&alice, "alice"), (&bob, "bob")] {
        for number in 1..=2 {
            let made = application(database, owner, &format!("A{name}{number}")).await;
            client(database, owner, &format!("C{name}{number}")).await;
            database.insert_messages(&[new_message(owner.id, made.id, name)]).await.unwrap();
        }
    }
    let gone = database.applications(alice.id).await.unwrap();
    database.set_application_image(gone[1].id, "cat.png").await.unwrap();
    let UserChange::Made(deleted) = database.delete_user(alice.id).await.unwrap() else {
        panic!("she is no administrator");
    };
    let expected = DeletedUser {
        application_tokens: vec!["Aalice1".to_owned(), "Aalice2".to_owned()],
        client_tokens: vec!["Calice1".to_owned(), "Calice2".to_owned()],
        image_files: vec!["cat.png".to_owned()],
    };
    assert_eq!(deleted, expected);
    assert_eq!(database.delete_user(alice.id).await.unwrap(), UserChange::NoSuchUser);

    assert!(database.user_by_name("alice").await.unwrap().is_none());
    assert!(database.client_by_token("Calice1").await.unwrap().is_none());
    assert!(database.application_by_token("Aalice2").await.unwrap().is_none());
    for application in gone {
        assert_eq!(database.application_messages(application.id, ALL).await.unwrap(), []);
    }
    assert_eq!(database.applications(bob.id).await.unwrap().len(), 2);
    assert_eq!(database.clients(bob.id).await.unwrap().len(), 2);
    assert_eq!(database.messages(bob.id, ALL).await.unwrap().len(), 2);
    let again = user(database, "alice").await;
    assert!(again.id > bob.id, "an id is not given again");
}

/// A request that was admitted before must not leave a token behind that outlives its user.
pub(crate) async fn nothing_is_made_for_a_user_that_is_gone(database: &dyn Database) {
    let alice = user(database, "alice").await;
    database.delete_user(alice.id).await.unwrap();
    let error = database.create_client(new_client(alice.id, "C1")).await.unwrap_err();
    assert!(matches!(error, StoreError::NoSuchUser), "{error:?}");
    let error = database.create_application(new_application(alice.id, "A1")).await.unwrap_err();
    assert!(matches!(error, StoreError::NoSuchUser), "{error:?}");
    assert!(database.client_by_token("C1").await.unwrap().is_none());
    assert!(database.application_by_token("A1").await.unwrap().is_none());
}

async fn admin(database: &dyn Database, name: &str) -> User {
    let mut new = new_user(name);
    new.admin = true;
    database.create_user(new).await.unwrap()
}

fn change(name: &str, admin: bool, password_hash: Option<&str>) -> UpdateUser {
    UpdateUser { name: name.to_owned(), admin, password_hash: password_hash.map(str::to_owned) }
}

pub(crate) async fn a_list_of_users_ends_where_its_bytes_do(database: &dyn Database) {
    for name in ["alice".to_owned(), "b".repeat(150), "carol".to_owned()] {
        user(database, &name).await;
    }
    let all = database.users().await.unwrap();
    let list = database.list_users(50 * 280).await.unwrap();
    assert_eq!(list.rows, all[..1]);
    let rest: Vec<_> = list.left_out.iter().map(|row| row.id).collect();
    assert_eq!(database.users_by_id(&rest).await.unwrap(), all[1..]);
}

pub(crate) async fn of_first_users_made_at_once_one_is_there(database: &dyn Database) {
    let names = ["ann", "bob", "carol", "dave", "erin"];
    let made = join_all(names.map(|name| database.create_first_user(new_user(name)))).await;
    let made: Vec<_> = made.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(database.users().await.unwrap(), made);
    assert_eq!(database.create_first_user(new_user("late")).await.unwrap(), None);
}
