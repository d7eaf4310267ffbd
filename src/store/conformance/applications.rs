//! What every database does with applications.

use futures_util::future::join_all;

use super::{application, at, new_application, new_message, user};
use crate::model::{Application, ApplicationId, UserId};
use crate::store::{Database, MessagePage, NewApplication, StoreError, UpdateApplication};

const ALL: MessagePage = MessagePage { before: None, limit: 100 };

pub(crate) async fn an_application_is_found_by_id_and_by_token(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "Abackup").await;
    application(database, &alice, "Aother").await;
    let expected = Application {
        id: backup.id,
        token: "Abackup".to_owned(),
        name: "Abackup".to_owned(),
        description: "about Abackup".to_owned(),
        internal: false,
        image: "static/defaultapp.png".to_owned(),
        default_priority: 5,
        created_at: at(0),
        last_used: None,
        sort_key: "a0".to_owned(),
    };
    assert_eq!(backup, expected);
    for found in [
        database.application(backup.id).await.unwrap(),
        database.application_by_token("Abackup").await.unwrap(),
    ] {
        let found = found.unwrap();
        assert_eq!((found.user_id, found.row), (alice.id, expected.clone()));
    }
    assert!(database.application(ApplicationId(99)).await.unwrap().is_none());
    assert!(database.application_by_token("abackup").await.unwrap().is_none());
}

pub(crate) async fn sort_keys_are_made_in_order(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let mut keys = Vec::new();
    for number in 0..64 {
        keys.push(application(database, &alice, &format!("A{number}")).await.sort_key);
    }
    assert!(keys.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()), "{keys:?}");
    assert_eq!([&keys[0], &keys[1], &keys[61], &keys[62]], ["a0", "a1", "az", "b00"]);
    assert_eq!(application(database, &bob, "Abob").await.sort_key, "a0");
}

pub(crate) async fn changes_at_once_have_an_outcome_each(database: &dyn Database) {
    let (alice, gone) = (user(database, "alice").await, user(database, "gone").await);
    application(database, &alice, "A1").await;
    let doomed = application(database, &alice, "A2").await;
    database.delete_user(gone.id).await.unwrap();
    let create = |owner: UserId, token| database.create_application(new_application(owner, token));
    let delete = |id| database.delete_application(id);
    let (made, taken, ownerless, deleted, deleted_again, unknown, made_too) = tokio::join!(
        create(alice.id, "A3"),
        create(alice.id, "A1"),
        create(gone.id, "A4"),
        delete(doomed.id),
        delete(doomed.id),
        delete(ApplicationId(99)),
        create(alice.id, "A5"),
    );
    assert!(matches!(taken, Err(StoreError::Conflict { what: "token" })), "{taken:?}");
    assert!(matches!(ownerless, Err(StoreError::NoSuchUser)), "{ownerless:?}");
    let deleted = [deleted.unwrap(), deleted_again.unwrap()];
    assert_eq!(deleted.into_iter().flatten().collect::<Vec<_>>(), [doomed]);
    assert!(unknown.unwrap().is_none());
    let listed = database.applications(alice.id).await.unwrap();
    let mut tokens: Vec<_> = listed.iter().map(|application| application.token.as_str()).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, ["A1", "A3", "A5"]);
    for made in [made.unwrap(), made_too.unwrap()] {
        assert!(listed.contains(&made), "{made:?}");
    }
}

pub(crate) async fn keys_that_are_made_at_once_differ(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let mut chosen = new_application(alice.id, "chosen");
    chosen.sort_key = Some("a5".to_owned());
    let made =
        (0..100).map(|number| database.create_application(new_application(alice.id, &format!("A{number}"))));
    let (made, chosen) = tokio::join!(join_all(made), database.create_application(chosen));
    // The first six may have it already.
    assert!(matches!(chosen, Ok(_) | Err(StoreError::Conflict { .. })), "{chosen:?}");
    let mut keys: Vec<_> = made.into_iter().map(|made| made.unwrap().sort_key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100);
}

pub(crate) async fn applications_are_listed_by_sort_key(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    for (token, key) in [("A1", "b00"), ("A2", "Zz"), ("A3", "a1"), ("A4", "aA"), ("A5", "aa")] {
        let mut new = new_application(alice.id, token);
        new.sort_key = Some(key.to_owned());
        assert_eq!(database.create_application(new).await.unwrap().sort_key, key);
    }
    application(database, &bob, "Abob").await;
    let listed = database.applications(alice.id).await.unwrap();
    let keys: Vec<_> = listed.iter().map(|application| application.sort_key.as_str()).collect();
    assert_eq!(keys, ["Zz", "a1", "aA", "aa", "b00"]);
}

pub(crate) async fn a_taken_sort_key_is_a_conflict_for_the_same_user_only(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    application(database, &alice, "A1").await;
    let second = application(database, &alice, "A2").await;
    let mut new = new_application(alice.id, "A3");
    new.sort_key = Some("a0".to_owned());
    let error = database.create_application(new).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "sort key" }), "{error:?}");
    let error = database.update_application(second.id, change("taken", Some("a0"))).await.unwrap_err();
    assert_eq!(error.to_string(), "sort key is not unique");
    assert_eq!(database.application(second.id).await.unwrap().unwrap().row, second, "nothing changed");
    let mut new = new_application(bob.id, "A4");
    new.sort_key = Some("a0".to_owned());
    database.create_application(new).await.unwrap();
}

pub(crate) async fn a_taken_token_is_a_conflict(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    application(database, &alice, "A1").await;
    let error = database.create_application(new_application(bob.id, "A1")).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "token" }), "{error:?}");
}

pub(crate) async fn after_a_sort_key_of_another_form_comes_one_above_it(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let mut new = new_application(alice.id, "A1");
    new.sort_key = Some("ü".to_owned());
    database.create_application(new).await.unwrap();
    for (token, key) in [("A2", "üV"), ("A3", "üW")] {
        assert_eq!(application(database, &alice, token).await.sort_key, key);
    }
    let listed = database.applications(alice.id).await.unwrap();
    let keys: Vec<_> = listed.iter().map(|application| application.sort_key.as_str()).collect();
    assert_eq!(keys, ["ü", "üV", "üW"]);
}

pub(crate) async fn an_application_is_updated(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let before = application(database, &alice, "A1").await;
    let kept = database.update_application(before.id, change("kept", None)).await.unwrap().unwrap();
    let expected = Application {
        name: "kept".to_owned(),
        description: "changed".to_owned(),
        default_priority: -3,
        ..before.clone()
    };
    assert_eq!(kept, expected);
    let moved = database.update_application(before.id, change("kept", Some("a5"))).await.unwrap().unwrap();
    assert_eq!(moved, Application { sort_key: "a5".to_owned(), ..expected });
    assert_eq!(database.applications(alice.id).await.unwrap(), [moved]);
    assert!(database.update_application(ApplicationId(99), change("x", None)).await.unwrap().is_none());
}

pub(crate) async fn deleting_an_application_deletes_its_messages(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let (gone, kept) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    let new = [new_message(alice.id, gone.id, "gone"), new_message(alice.id, kept.id, "kept")];
    database.insert_messages(&new).await.unwrap();
    assert_eq!(database.delete_application(gone.id).await.unwrap(), Some(gone.clone()));
    assert_eq!(database.delete_application(gone.id).await.unwrap(), None);
    assert_eq!(database.applications(alice.id).await.unwrap(), [kept]);
    assert!(database.application_messages(gone.id, ALL).await.unwrap().is_empty());
    let left = database.messages(alice.id, ALL).await.unwrap();
    assert_eq!(left.iter().map(|message| message.message.as_str()).collect::<Vec<_>>(), ["kept"]);
}

pub(crate) async fn a_picture_is_changed_and_the_one_before_is_told(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let (cat, plain) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    assert_eq!(cat.image_file(), None);
    for (file, path, before) in [
        ("cat.png", "image/cat.png", ""),
        ("tiger.gif", "image/tiger.gif", "cat.png"),
        ("", "static/defaultapp.png", "tiger.gif"),
        ("", "static/defaultapp.png", ""),
    ] {
        let changed = database.set_application_image(cat.id, file).await.unwrap();
        let expected = Application { image: path.to_owned(), ..cat.clone() };
        assert_eq!(changed, Some((expected.clone(), before.to_owned())));
        assert_eq!(database.application(cat.id).await.unwrap().unwrap().row, expected);
    }
    assert_eq!(database.application(plain.id).await.unwrap().unwrap().row, plain);
    assert_eq!(database.set_application_image(ApplicationId(99), "cat.png").await.unwrap(), None);

    database.set_application_image(cat.id, "cat.png").await.unwrap();
    let deleted = database.delete_application(cat.id).await.unwrap().unwrap();
    assert_eq!(deleted.image_file(), Some("cat.png"));
}

pub(crate) async fn ids_of_deleted_rows_are_not_given_again(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let first = application(database, &alice, "A1").await;
    let ids = database.insert_messages(&[new_message(alice.id, first.id, "x")]).await.unwrap().ids();
    database.delete_application(first.id).await.unwrap();
    let second = application(database, &alice, "A2").await;
    assert!(second.id > first.id);
    let later = database.insert_messages(&[new_message(alice.id, second.id, "y")]).await.unwrap().ids();
    assert!(later[0] > ids[0]);
}

pub(crate) async fn applications_are_touched(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let (used, idle) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    database.touch_applications(&[used.id, ApplicationId(99)], at(60)).await.unwrap();
    assert_eq!(database.application(used.id).await.unwrap().unwrap().row.last_used, Some(at(60)));
    assert_eq!(database.application(idle.id).await.unwrap().unwrap().row, idle);
}

fn change(name: &str, sort_key: Option<&str>) -> UpdateApplication {
    UpdateApplication {
        name: name.to_owned(),
        description: "changed".to_owned(),
        default_priority: -3,
        sort_key: sort_key.map(str::to_owned),
    }
}

pub(crate) async fn an_application_gets_another_token(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "Abackup").await;
    application(database, &alice, "Ataken").await;
    let replaced = database.replace_application_token(backup.id, "Anew").await.unwrap();
    assert_eq!(replaced.as_deref(), Some("Abackup"));
    assert!(database.application_by_token("Abackup").await.unwrap().is_none());
    let found = database.application_by_token("Anew").await.unwrap().unwrap().row;
    assert_eq!(found, Application { token: "Anew".to_owned(), ..backup.clone() });
    let error = database.replace_application_token(backup.id, "Ataken").await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { what: "token" }), "{error:?}");
    assert_eq!(database.replace_application_token(ApplicationId(99), "Aother").await.unwrap(), None);
}

/// Whoever replaces a token revokes the one that was replaced. None may be replaced by two, nor by nobody.
pub(crate) async fn of_tokens_that_are_replaced_at_once_each_is_returned_once(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A0").await;
    let mut tokens = vec!["A0".to_owned()];
    let mut replaced = Vec::new();
    for round in 0..20 {
        let names = [1, 2, 3].map(|caller| format!("A{round}/{caller}"));
        let (first, second, renamed, third) = tokio::join!(
            database.replace_application_token(backup.id, &names[0]),
            database.replace_application_token(backup.id, &names[1]),
            database.update_application(backup.id, change("renamed", None)),
            database.replace_application_token(backup.id, &names[2]),
        );
        replaced.extend([first, second, third].map(|token| token.unwrap().unwrap()));
        tokens.extend(names);
        let renamed = renamed.unwrap().unwrap();
        assert!(tokens.contains(&renamed.token), "it says which token it had");
        let now = database.application(backup.id).await.unwrap().unwrap().row;
        assert_eq!(now.name, "renamed");
        tokens.retain(|token| *token == now.token || !replaced.contains(token));
        assert_eq!(tokens, [now.token], "all but the last one were returned as replaced");
    }
    let count = replaced.len();
    replaced.sort_unstable();
    replaced.dedup();
    assert_eq!(replaced.len(), count, "none is returned twice");
}

pub(crate) async fn a_list_of_applications_ends_where_its_bytes_do(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for (token, description) in [("A1", 10), ("A2", 10_000), ("A3", 10)] {
        let description = "d".repeat(description);
        let new = NewApplication { description, ..new_application(alice.id, token) };
        database.create_application(new).await.unwrap();
    }
    let all = database.applications(alice.id).await.unwrap();
    let list = database.list_applications(alice.id, 50 * 1000).await.unwrap();
    assert_eq!(list.rows, all[..1]);
    let rest: Vec<_> = list.left_out.iter().map(|row| row.id).collect();
    assert_eq!(rest, [all[1].id, all[2].id]);
    assert!(list.left_out[0].bytes > 10_000 && list.left_out[1].bytes < 1000, "{:?}", list.left_out);
    assert_eq!(database.applications_by_id(&rest).await.unwrap(), all[1..]);
}
