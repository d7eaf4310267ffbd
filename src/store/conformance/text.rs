//! What every database does with text: it is kept and compared byte by byte, whatever a database's collation says.

use super::{application, at, client, new_application, new_client, new_message, new_user, user};
use crate::store::{Database, MessagePage, NewLinkedUser};

/// Texts that some database takes for equal in some collation, or that it shortens: case, accents, width, one letter
/// for two, spaces at the end, and characters that have no weight.
const LOOK_ALIKE: [&str; 12] = [
    "strasse",
    "Strasse",
    "straße",
    "stra\u{301}sse",
    "strásse",
    "strasse ",
    " strasse",
    "strasse\u{200b}",
    "ｓtrasse",
    "str%sse",
    "str_sse",
    "strasse\u{1f980}",
];

pub(crate) async fn names_that_look_alike_are_of_different_users(database: &dyn Database) {
    let mut users = Vec::new();
    for name in LOOK_ALIKE {
        users.push(user(database, name).await);
    }
    for (name, user) in LOOK_ALIKE.into_iter().zip(users) {
        assert_eq!(database.user_by_name(name).await.unwrap().unwrap().user, user);
        database.create_user(new_user(name)).await.unwrap_err();
    }
}

pub(crate) async fn subjects_of_a_provider_that_look_alike_are_of_different_users(database: &dyn Database) {
    let mut users = Vec::new();
    for (number, subject) in LOOK_ALIKE.into_iter().enumerate() {
        let oidc_id = format!("https://id.example#{subject}");
        let new = NewLinkedUser { name: number.to_string(), oidc_id: oidc_id.clone(), created_at: at(0) };
        users.push((oidc_id, database.create_linked_user(new).await.unwrap()));
    }
    for (oidc_id, user) in users {
        assert_eq!(database.user_by_oidc_id(&oidc_id).await.unwrap(), Some(user));
    }
}

pub(crate) async fn tokens_that_look_alike_are_of_different_holders(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let mut holders = Vec::new();
    for token in LOOK_ALIKE {
        holders.push((application(database, &alice, token).await, client(database, &alice, token).await));
    }
    for (token, (application, client)) in LOOK_ALIKE.into_iter().zip(holders) {
        assert_eq!(database.application_by_token(token).await.unwrap().unwrap().row, application);
        assert_eq!(database.client_by_token(token).await.unwrap().unwrap().row, client);
    }
    let unknown = database.touch_client_tokens(&["STRASSE".into(), "strasse".into()], at(9)).await.unwrap();
    assert_eq!(unknown, ["STRASSE"]);
    let touched = database.clients(alice.id).await.unwrap();
    assert_eq!(touched.iter().filter(|client| client.last_used.is_some()).count(), 1);
}

/// The longest that reach a database are bounded by the size of a request, not by a column.
pub(crate) async fn long_text_is_kept_whole_or_refused(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let long = "ü".repeat(100_000);
    let mut new = new_application(alice.id, "Along");
    new.description.clone_from(&long);
    if let Ok(made) = database.create_application(new).await {
        assert_eq!(database.application(made.id).await.unwrap().unwrap().row.description, long);
    }
    let sender = application(database, &alice, "A1").await;
    let mut texts = Vec::new();
    let inserted = database.insert_messages(&[new_message(alice.id, sender.id, &long)]).await.unwrap();
    texts.extend(inserted.ids().iter().map(|_| long.as_str()));
    let inserted = database.insert_messages(&[new_message(alice.id, sender.id, "short")]).await.unwrap();
    texts.extend(inserted.ids().iter().map(|_| "short"));
    let page = MessagePage { before: None, limit: 9 };
    let mut read = database.application_messages(sender.id, page).await.unwrap();
    read.reverse();
    let read: Vec<_> = read.iter().map(|message| message.message.as_str()).collect();
    assert!(read == texts, "what is said to be stored is there, whole");
    assert_eq!(texts.last(), Some(&"short"), "what can't be stored fails alone");
}

/// A character that ends a text in some languages, and that some databases refuse. Never is a part of it kept.
pub(crate) async fn a_nul_is_kept_or_refused_but_ends_no_text(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let text = "before\0after";
    match database.create_user(new_user(text)).await {
        Ok(_) => assert_eq!(database.user_by_name(text).await.unwrap().unwrap().user.name, text),
        Err(_) => assert!(database.user_by_name("before").await.unwrap().is_none()),
    }
    match database.create_client(new_client(alice.id, text)).await {
        Ok(made) => assert_eq!(database.client_by_token(text).await.unwrap().unwrap().row, made),
        Err(_) => assert!(database.client_by_token("before").await.unwrap().is_none()),
    }
    assert!(database.user_by_name("before").await.unwrap().is_none());
    assert!(database.client_by_token("before").await.unwrap().is_none());
    assert!(database.client_by_token("before\0other").await.unwrap().is_none());
}
