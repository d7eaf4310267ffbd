//! The log of what was revoked.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{application, at, client, new_client, user};
use crate::model::{ApplicationId, ClientId, User, UserId};
use crate::store::{
    Database, KeepMessages, NewClient, Revocation, RevocationId, UpdateApplication, UpdateClient, UpdateUser,
    UserChange,
};

/// Reads the whole log.
async fn log(database: &dyn Database) -> Vec<Revocation> {
    let entries = database.revocations_from(RevocationId(0), 1000).await.unwrap();
    assert!(entries.is_sorted_by(|one, next| one.id < next.id));
    entries.into_iter().map(|entry| entry.revocation.unwrap()).collect()
}

fn renamed(user: &User, name: &str, admin: bool) -> UpdateUser {
    UpdateUser { name: format!("{name} {}", user.name), admin, password_hash: None }
}

fn renamed_application(name: &str) -> UpdateApplication {
    UpdateApplication {
        name: name.to_owned(),
        description: String::new(),
        default_priority: 0,
        sort_key: None,
    }
}

fn renamed_client(name: &str) -> UpdateClient {
    UpdateClient { name: name.to_owned(), expires_after_inactivity_seconds: None, replay: None }
}

pub(crate) async fn each_change_that_revokes_something_is_in_the_log(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let user_id = alice.id;
    let token = str::to_owned;
    let mut expected = Vec::new();

    let phone = client(database, &alice, "C1").await;
    database.update_client(phone.id, renamed_client("phone"), at(0)).await.unwrap().unwrap();
    database.elevate_client(phone.id, at(60), at(0)).await.unwrap().unwrap();
    expected.extend([(); 2].map(|()| Revocation::ClientChanged { token: token("C1") }));
    database.delete_client(phone.id).await.unwrap().unwrap();
    expected.push(Revocation::ClientDeleted { user_id, token: token("C1") });
    let expiring = NewClient { expires_after_inactivity_seconds: 60, ..new_client(user_id, "C2") };
    database.create_client(expiring).await.unwrap();
    assert_eq!(database.delete_expired_clients(at(61)).await.unwrap().len(), 1);
    expected.push(Revocation::ClientExpired { user_id, token: token("C2") });

    let backup = application(database, &alice, "A1").await;
    database.update_application(backup.id, renamed_application("backup")).await.unwrap().unwrap();
    expected.push(Revocation::ApplicationChanged { token: token("A1") });
    database.keep_messages(backup.id, KeepMessages { days: 30, newest: 0 }).await.unwrap();
    expected.push(Revocation::RetentionChanged { application_id: backup.id });
    database.replace_application_token(backup.id, "A2").await.unwrap().unwrap();
    expected.push(Revocation::ApplicationToken { token: token("A1") });
    database.delete_application(backup.id).await.unwrap().unwrap();
    expected.push(Revocation::ApplicationToken { token: token("A2") });

    database.set_password_hash(user_id, "another").await.unwrap();
    let updated = database.update_user(user_id, renamed(&alice, "new", true)).await.unwrap();
    assert!(matches!(updated, UserChange::Made(_)));
    expected.extend([(); 2].map(|()| Revocation::UserChanged { user_id }));

    let bob = user(database, "bob").await;
    application(database, &bob, "B1").await;
    client(database, &bob, "C3").await;
    assert!(matches!(database.delete_user(bob.id).await.unwrap(), UserChange::Made(_)));
    expected.push(Revocation::UserDeleted {
        user_id: bob.id,
        client_tokens: vec![token("C3")],
        application_tokens: vec![token("B1")],
    });
    assert_eq!(log(database).await, expected);
}

pub(crate) async fn what_was_not_changed_is_not_in_the_log(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let admin = database.update_user(alice.id, renamed(&alice, "head", true)).await.unwrap();
    assert!(matches!(admin, UserChange::Made(_)));
    let expiring = NewClient { expires_after_inactivity_seconds: 60, ..new_client(alice.id, "C1") };
    let expiring = database.create_client(expiring).await.unwrap();
    application(database, &alice, "A1").await;
    let taken = application(database, &alice, "A2").await;
    let before = log(database).await;
    assert_eq!(before.len(), 1);

    database.delete_client(ClientId(99)).await.unwrap();
    database.update_client(expiring.id, renamed_client("late"), at(61)).await.unwrap();
    database.elevate_client(expiring.id, at(99), at(61)).await.unwrap();
    database.delete_expired_clients(at(1)).await.unwrap();
    database.delete_application(ApplicationId(99)).await.unwrap();
    database.replace_application_token(ApplicationId(99), "A3").await.unwrap();
    database.replace_application_token(taken.id, "A1").await.unwrap_err();
    database.keep_messages(ApplicationId(99), KeepMessages { days: 30, newest: 0 }).await.unwrap();
    database.set_password_hash(UserId(99), "hash").await.unwrap();
    database.delete_user(UserId(99)).await.unwrap();
    assert!(matches!(database.delete_user(alice.id).await.unwrap(), UserChange::LastAdmin));
    // Who renews a hash has not changed the password.
    database.replace_password_hash(alice.id, "hash of alice", "renewed").await.unwrap();
    assert_eq!(log(database).await, before);
}

pub(crate) async fn the_log_is_read_in_parts(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for number in 0..5 {
        let made = client(database, &alice, &format!("C{number}")).await;
        database.delete_client(made.id).await.unwrap();
    }
    let all = database.revocations_from(RevocationId(0), 1000).await.unwrap();
    assert_eq!(database.revocations_from(all[1].id, 3).await.unwrap(), all[1..4]);
    assert_eq!(database.revocations_from(RevocationId(all[4].id.0 + 1), 3).await.unwrap(), []);
}

pub(crate) async fn of_old_entries_the_newest_stays(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for hash in ["a", "b", "c"] {
        database.set_password_hash(alice.id, hash).await.unwrap();
    }
    let all = database.revocations_from(RevocationId(0), 1000).await.unwrap();
    assert_eq!(all.len(), 3);
    database.delete_revocations_older_than(Duration::from_hours(1)).await.unwrap();
    assert_eq!(database.revocations_from(RevocationId(0), 1000).await.unwrap(), all);
    // The clock of the database is another one, which can't be paused.
    let only_the_newest = async {
        loop {
            database.delete_revocations_older_than(Duration::ZERO).await.unwrap();
            let left = database.revocations_from(RevocationId(0), 1000).await.unwrap();
            if left.len() == 1 {
                break left;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(timeout(Duration::from_secs(10), only_the_newest).await.unwrap(), all[2..]);
}
