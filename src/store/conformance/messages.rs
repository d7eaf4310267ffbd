//! What every database does with messages.

use serde_json::json;

use super::{application, at, new_message, user};
use crate::model::{ApplicationId, Extras, Message, MessageId, User, UserId};
use crate::store::{Database, MessageChoice, MessagePage, NewMessage};

pub(super) const ALL: MessagePage = MessagePage { before: None, limit: usize::MAX };

pub(crate) async fn a_message_reads_back_as_it_was(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let mut new = new_message(alice.id, backup.id, "line 1\nline 2 ü 🦀 '\"");
    new.title = String::new();
    new.priority = i64::MIN;
    let extras =
        json!({ "client::display": { "contentType": "text/markdown" }, "n": 9_007_199_254_740_993_i64 });
    new.extras = extras.as_object().cloned();
    let ids = database.insert_messages(std::slice::from_ref(&new)).await.unwrap().ids();
    let expected = Message {
        id: ids[0],
        application_id: backup.id,
        message: new.message,
        title: String::new(),
        priority: i64::MIN,
        extras: new.extras,
        date: at(0),
    };
    let read = database.messages(alice.id, ALL).await.unwrap();
    assert_eq!(read, [expected]);
}

pub(crate) async fn a_date_reads_back_as_the_database_keeps_it(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let exact = at(0) + chrono::TimeDelta::nanoseconds(999_999);
    let kept = database.kept(exact);
    assert!(kept <= exact && exact - kept < chrono::TimeDelta::milliseconds(1), "{kept}");
    let mut new = new_message(alice.id, backup.id, "x");
    new.date = exact;
    database.insert_messages(&[new]).await.unwrap();
    assert_eq!(database.messages(alice.id, ALL).await.unwrap()[0].date, kept);
}

pub(crate) async fn empty_extras_are_none(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let mut new = new_message(alice.id, backup.id, "x");
    new.extras = Some(Extras::new());
    database.insert_messages(&[new]).await.unwrap();
    assert_eq!(database.messages(alice.id, ALL).await.unwrap()[0].extras, None);
}

pub(crate) async fn ids_ascend_in_the_order_given_for_every_size(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    assert!(database.insert_messages(&[]).await.unwrap().outcomes.is_empty());
    let mut expected = Vec::new();
    for size in (1..=20).chain([63, 64, 65, 127, 128, 129, 255, 256]) {
        let text = |at: usize| format!("{size}/{at}");
        let new: Vec<_> = (0..size).map(|at| new_message(alice.id, backup.id, &text(at))).collect();
        let ids = database.insert_messages(&new).await.unwrap().ids();
        assert_eq!(ids.len(), size);
        expected.extend(ids.into_iter().zip((0..size).map(text)));
    }
    assert!(expected.is_sorted_by(|a, b| a.0 < b.0));
    let read = database.messages_after(alice.id, MessageId(0), usize::MAX).await.unwrap();
    let read: Vec<_> = read.into_iter().map(|message| (message.id, message.message)).collect();
    assert_eq!(read, expected);
}

pub(crate) async fn pages_join_to_all_messages_newest_first(database: &dyn Database) {
    let (alice, _) = alice_and_bob(database, 30).await;
    let mut expected: Vec<_> = database.messages_after(alice.id, MessageId(0), 100).await.unwrap();
    expected.reverse();
    assert_eq!(expected.len(), 30);
    let mut joined = Vec::new();
    let mut page = MessagePage { before: None, limit: 7 };
    loop {
        let read = database.messages(alice.id, page).await.unwrap();
        assert_eq!(read.len(), 7.min(30 - joined.len()));
        joined.extend(read);
        if joined.len() == 30 {
            break;
        }
        page.before = joined.last().map(|message: &Message| message.id);
    }
    assert_eq!(joined, expected);
    let end = MessagePage { before: joined.last().map(|message| message.id), limit: 7 };
    assert!(database.messages(alice.id, end).await.unwrap().is_empty());
    let beyond = MessagePage { before: Some(MessageId(u64::MAX)), limit: 3 };
    assert_eq!(database.messages(alice.id, beyond).await.unwrap(), expected[..3]);
    assert!(database.messages(alice.id, MessagePage { before: None, limit: 0 }).await.unwrap().is_empty());
}

pub(crate) async fn an_application_lists_its_own_messages(database: &dyn Database) {
    let (alice, _) = alice_and_bob(database, 12).await;
    let all = database.messages(alice.id, ALL).await.unwrap();
    for application in database.applications(alice.id).await.unwrap() {
        let own: Vec<_> =
            all.iter().filter(|message| message.application_id == application.id).cloned().collect();
        assert!(own.len() >= 2);
        assert_eq!(database.application_messages(application.id, ALL).await.unwrap(), own);
        let second = MessagePage { before: Some(own[0].id), limit: 1 };
        assert_eq!(database.application_messages(application.id, second).await.unwrap(), own[1..2]);
    }
    assert!(database.application_messages(ApplicationId(99), ALL).await.unwrap().is_empty());
}

pub(crate) async fn an_application_lists_its_messages_after_an_id(database: &dyn Database) {
    let (alice, _) = alice_and_bob(database, 12).await;
    for application in database.applications(alice.id).await.unwrap() {
        let mut own = database.application_messages(application.id, ALL).await.unwrap();
        own.reverse();
        let after = async |id, limit| {
            let list = database.list_application_messages_after(application.id, id, limit, usize::MAX);
            list.await.unwrap().rows
        };
        assert_eq!(after(MessageId(0), 100).await, own);
        assert_eq!(after(own[0].id, 2).await, own[1..3]);
        assert!(after(own[3].id, 100).await.is_empty());
        assert!(after(MessageId(u64::MAX), 100).await.is_empty());
    }
    let of_nobody =
        database.list_application_messages_after(ApplicationId(99), MessageId(0), 100, usize::MAX);
    assert!(of_nobody.await.unwrap().rows.is_empty());
}

pub(crate) async fn messages_after_an_id_come_oldest_first(database: &dyn Database) {
    let (alice, bob) = alice_and_bob(database, 20).await;
    let mut all = database.messages(alice.id, ALL).await.unwrap();
    all.reverse();
    let after = all[4].id;
    assert_eq!(database.messages_after(alice.id, after, 5).await.unwrap(), all[5..10]);
    assert_eq!(database.messages_after(alice.id, after, 100).await.unwrap(), all[5..]);
    assert!(database.messages_after(alice.id, all[19].id, 5).await.unwrap().is_empty());
    assert!(database.messages_after(alice.id, MessageId(u64::MAX), 5).await.unwrap().is_empty());
    let foreign = database.messages_after(bob.id, MessageId(0), 100).await.unwrap();
    assert!(foreign.iter().all(|message| message.message.starts_with("bob")));
    assert!(database.messages_after(UserId(99), MessageId(0), 5).await.unwrap().is_empty());
}

pub(crate) async fn counting_stops_at_the_limit(database: &dyn Database) {
    let (alice, bob) = alice_and_bob(database, 20).await;
    let all = database.messages_after(alice.id, MessageId(0), 100).await.unwrap();
    for (after, limit, expected) in
        [(MessageId(0), 100, 20), (all[4].id, 100, 15), (all[4].id, 7, 7), (all[19].id, 7, 0)]
    {
        assert_eq!(database.count_messages_after(alice.id, after, limit).await.unwrap(), expected);
    }
    assert_eq!(database.count_messages_after(bob.id, MessageId(0), 100).await.unwrap(), 20);

    // Some are urgent.
    let urgent = all
        .iter()
        .step_by(2)
        .map(|message| NewMessage { priority: 9, ..new_message(alice.id, message.application_id, "urgent") });
    database.insert_messages(&urgent.collect::<Vec<_>>()).await.unwrap();
    let all = database.messages_after(alice.id, MessageId(0), 100).await.unwrap();
    let (one, other) = (all[0].application_id, all[1].application_id);
    let of_bob = database.messages_after(bob.id, MessageId(0), 1).await.unwrap()[0].application_id;
    for applications in [None, Some(vec![]), Some(vec![one]), Some(vec![one, of_bob, other])] {
        for min_priority in [None, Some(i64::MIN), Some(5), Some(6), Some(10)] {
            let is_chosen = |message: &&Message| {
                applications.as_ref().is_none_or(|chosen| chosen.contains(&message.application_id))
                    && min_priority.is_none_or(|least| message.priority >= least)
            };
            let choice = MessageChoice { applications: applications.clone(), min_priority };
            for (after, limit) in [(MessageId(0), 100), (all[4].id, 100), (all[4].id, 7)] {
                let expected = all.iter().filter(|message| message.id > after).filter(is_chosen).count();
                let counted = database.count_chosen_messages_after(alice.id, after, &choice, limit);
                assert_eq!(counted.await.unwrap(), expected.min(limit), "{choice:?} after {after}");
            }
        }
    }
}

pub(crate) async fn the_bytes_of_messages_are_added_up(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let (backup, other) =
        (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    assert_eq!(database.message_bytes(alice.id).await.unwrap(), 0);
    let mut full = new_message(alice.id, backup.id, "ü");
    full.extras = json!({ "k": 1 }).as_object().cloned();
    let ids = database.insert_messages(&[full, new_message(alice.id, other.id, "x")]).await.unwrap().ids();
    // `title`, `ü` and `{"k":1}`; `title` and `x`.
    assert_eq!(database.application_message_bytes(backup.id).await.unwrap(), 5 + 2 + 7);
    assert_eq!(database.message_bytes(alice.id).await.unwrap(), 14 + 6);
    assert_eq!(database.message_bytes(bob.id).await.unwrap(), 0);
    assert!(database.delete_message(alice.id, ids[0]).await.unwrap());
    assert_eq!(database.message_bytes(alice.id).await.unwrap(), 6);
}

pub(crate) async fn a_user_with_many_applications_gets_one_order(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let mut new = Vec::new();
    for number in 0..50_usize {
        let id = application(database, &alice, &format!("A{number}")).await.id;
        // Applications without any, with few and with many messages.
        new.extend((0..number % 5).map(|at| (at * 31 + number * 17, new_message(alice.id, id, "x"))));
    }
    new.sort_by_key(|(place, _)| place % 23);
    let new: Vec<_> = new.into_iter().map(|(_, message)| message).collect();
    let ids = database.insert_messages(&new).await.unwrap().ids();
    let read = database.messages_after(alice.id, MessageId(0), 1000).await.unwrap();
    assert_eq!(read.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
    let mut newest = database.messages(alice.id, ALL).await.unwrap();
    newest.reverse();
    assert_eq!(newest, read);
}

pub(crate) async fn only_its_user_deletes_a_message(database: &dyn Database) {
    let (alice, bob) = alice_and_bob(database, 2).await;
    let message = database.messages(alice.id, ALL).await.unwrap().remove(0);
    assert!(!database.delete_message(bob.id, message.id).await.unwrap());
    assert!(database.delete_message(alice.id, message.id).await.unwrap());
    assert!(!database.delete_message(alice.id, message.id).await.unwrap());
    assert_eq!(database.messages(alice.id, ALL).await.unwrap().len(), 1);
}

pub(crate) async fn deleting_all_leaves_other_users_alone(database: &dyn Database) {
    let (alice, bob) = alice_and_bob(database, 6).await;
    database.delete_messages(alice.id).await.unwrap();
    assert!(database.messages(alice.id, ALL).await.unwrap().is_empty());
    assert_eq!(database.messages(bob.id, ALL).await.unwrap().len(), 6);
    database.delete_messages(alice.id).await.unwrap();
}

pub(crate) async fn deleting_an_applications_messages_leaves_the_rest(database: &dyn Database) {
    let (alice, bob) = alice_and_bob(database, 9).await;
    let applications = database.applications(alice.id).await.unwrap();
    database.delete_application_messages(applications[0].id).await.unwrap();
    let left = database.messages(alice.id, ALL).await.unwrap();
    assert_eq!(left.len(), 6);
    assert!(left.iter().all(|message| message.application_id != applications[0].id));
    assert_eq!(database.messages(bob.id, ALL).await.unwrap().len(), 9);
    assert_eq!(database.applications(alice.id).await.unwrap().len(), 3, "the application stays");
}

/// Two users with three applications each, and so many messages each, turn by turn.
async fn alice_and_bob(database: &dyn Database, messages: usize) -> (User, User) {
    let mut senders = Vec::new();
    let users = [user(database, "alice").await, user(database, "bob").await];
    for number in 0..3 {
        for user in &users {
            let token = format!("A{}{number}", user.name);
            senders.push((user, application(database, user, &token).await.id));
        }
    }
    let new = (0..2 * messages).map(|at| {
        let (user, application) = senders[at % senders.len()];
        new_message(user.id, application, &format!("{} {at}", user.name))
    });
    database.insert_messages(&new.collect::<Vec<_>>()).await.unwrap();
    users.into()
}

pub(crate) async fn many_small_messages_end_where_their_bytes_do(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let new: Vec<_> = (0..200).map(|_| new_message(alice.id, backup.id, &"x".repeat(600))).collect();
    database.insert_messages(&new).await.unwrap();
    let newest = MessagePage { limit: 200, ..ALL };
    for page in [
        database.list_messages(alice.id, newest, 100_000).await.unwrap(),
        database.list_application_messages(backup.id, newest, 100_000).await.unwrap(),
        database.list_messages_after(alice.id, MessageId(0), 200, 100_000).await.unwrap(),
    ] {
        let bytes: usize = page.rows.iter().map(|message| message.message.len()).sum();
        assert!((40_000..=100_000).contains(&bytes), "{bytes} bytes of text in {} messages", page.rows.len());
        assert_eq!(page.rows.len() + page.left_out.len(), 200);
    }
}

pub(crate) async fn a_list_ends_where_its_bytes_do(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let mut new: Vec<_> = (0..20).map(|_| new_message(alice.id, backup.id, &"x".repeat(1000))).collect();
    new[8].message = "x".repeat(50_000);
    database.insert_messages(&new).await.unwrap();
    let all = database.messages_after(alice.id, MessageId(0), 100).await.unwrap();
    let ids = |messages: &[Message]| messages.iter().map(|message| message.id).collect::<Vec<_>>();

    // What SQLite reads at once depends on how small it is; the parts always join to the list.
    let oldest = database.list_messages_after(alice.id, MessageId(0), 19, 100_000).await.unwrap();
    assert_eq!(oldest.rows, all[..8], "up to the large one");
    assert_eq!(oldest.left_out.iter().map(|row| row.id).collect::<Vec<_>>(), ids(&all[8..19]));
    assert!(oldest.left_out[0].bytes >= 50_000);
    let small: usize = oldest.left_out[1].bytes;
    assert!((1000..2000).contains(&small), "{small}");

    for page in [
        database.list_messages(alice.id, ALL, 200_000).await.unwrap(),
        database.list_application_messages(backup.id, ALL, 200_000).await.unwrap(),
    ] {
        assert_eq!(page.rows.len(), 11);
        let mut joined = page.rows;
        let rest: Vec<_> = page.left_out.iter().map(|row| row.id).collect();
        joined.extend(database.messages_by_id(&rest).await.unwrap());
        joined.reverse();
        assert_eq!(joined, all);
    }
    let none = database.list_messages(alice.id, ALL, 0).await.unwrap();
    assert_eq!((none.rows.len(), none.left_out.len()), (0, 20));
    // However small a message is, it does not overtake one that was left out.
    let mut new = new[..3].to_vec();
    new[1].message = "x".repeat(10_000);
    database.insert_messages(&new).await.unwrap();
    let more = database.list_messages_after(alice.id, all[19].id, 10, 100_000).await.unwrap();
    let in_order: Vec<_> =
        more.rows.iter().map(|row| row.id).chain(more.left_out.iter().map(|row| row.id)).collect();
    assert!(in_order.len() == 3 && in_order.is_sorted(), "{in_order:?}");
    let some = [all[3].id, MessageId(u64::MAX), all[1].id];
    assert_eq!(ids(&database.messages_by_id(&some).await.unwrap()), [all[3].id, all[1].id]);
}
