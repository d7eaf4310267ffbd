//! What holds of the database that an early Gotify 2 has left. Each kind of database makes the same rows by its own SQL.

use super::{application, at, new_message};
use crate::model::{ApplicationId, ClientId, Message, UserId};
use crate::store::{Database, MessagePage};

pub(crate) const ALL: MessagePage = MessagePage { before: None, limit: 100 };

/// Returns the messages.
pub(crate) async fn rows_are_kept(database: &impl Database) -> Vec<Message> {
    let admin = database.user_by_name("admin").await.unwrap().unwrap();
    assert!(admin.user.admin);
    assert_eq!(admin.password_hash.as_deref(), Some("$2a$10$hash"));
    assert_eq!(database.user(UserId(2)).await.unwrap().unwrap().password_hash, None);
    let backup = database.application_by_token("A3").await.unwrap().unwrap();
    assert_eq!((backup.user_id, backup.row.id), (UserId(1), ApplicationId(3)));
    assert_eq!((backup.row.image.as_str(), backup.row.description.as_str()), ("image/x.png", "nightly"));
    assert_eq!(backup.row.last_used, None);
    assert!(database.application(ApplicationId(7)).await.unwrap().unwrap().row.internal);
    assert_eq!(database.client_by_token("C4").await.unwrap().unwrap().row.id, ClientId(4));
    let messages = database.messages(UserId(1), ALL).await.unwrap();
    assert_eq!(messages.iter().map(|message| message.id.0).collect::<Vec<_>>(), [11, 10]);
    assert_eq!(messages[1].extras.as_ref().unwrap()["a"]["b"], 1);
    assert_eq!((messages[1].title.as_str(), messages[1].priority), ("backup", 5));
    messages
}

/// Also that new rows can be made.
pub(crate) async fn what_is_missing_is_filled(database: &impl Database) {
    let keys = database.applications(UserId(1)).await.unwrap();
    let keys: Vec<_> = keys.iter().map(|row| (row.id.0, row.sort_key.as_str())).collect();
    assert_eq!(keys, [(3, "a0"), (7, "a1")]);
    let door = database.applications(UserId(2)).await.unwrap().remove(0);
    assert_eq!(door.sort_key, "a0");
    assert!(door.created_at > at(0));
    let states = database.application_states(UserId(1)).await.unwrap();
    let marks: Vec<_> = states.iter().map(|state| (state.id.0, state.unread, state.read_up_to.0)).collect();
    assert_eq!(marks, [(3, 0, 10), (7, 0, 11)], "all that is stored counts as read");
    let bob = database.user(UserId(2)).await.unwrap().unwrap().user;
    assert_eq!(application(database, &bob, "A8").await.sort_key, "a1");
    database.touch_clients(&[ClientId(4)], at(5)).await.unwrap();
    assert!(database.client(ClientId(4)).await.unwrap().unwrap().row.last_used.is_some());
    let ids = database.insert_messages(&[new_message(UserId(2), door.id, "x")]).await.unwrap().ids();
    assert_eq!(ids[0].0, 12);
}
