//! What every database does with a search: whatever is indexed, it finds what a look at each message finds.

use chrono::TimeDelta;

use super::messages::ALL;
use super::{application, at, new_message, user};
use crate::model::{Application, ApplicationId, Message, MessageId, User, UserId};
use crate::store::{Database, IndexPace, MessagePage, MessageSearch, NewMessage, SearchError, SearchWord};

/// Indexes all that is worth it.
async fn index(database: &dyn Database, user: UserId) -> usize {
    let mut steps = 0;
    while database.index_messages(user, &IndexPace::unlimited()).await.unwrap() {
        steps += 1;
        assert!(steps < 1000, "it does not end");
    }
    steps
}

async fn renew(database: &dyn Database, user: UserId) -> usize {
    let (mut after, mut segments) = (MessageId(0), 0);
    while let Some(last) = database.renew_index(user, after, &IndexPace::unlimited()).await.unwrap() {
        assert!(last > after);
        (after, segments) = (last, segments + 1);
    }
    segments
}

fn of_words(text: &str) -> MessageSearch {
    MessageSearch { words: SearchWord::all(text), ..MessageSearch::default() }
}

async fn found(database: &dyn Database, user: UserId, search: &MessageSearch) -> Vec<Message> {
    database.search_messages(user, search, ALL, usize::MAX).await.unwrap().rows
}

/// Compares searches with a look at each message of a user, in one page and in several.
async fn assert_right(database: &dyn Database, user: UserId, searches: &[MessageSearch]) {
    let all = database.messages(user, ALL).await.unwrap();
    for search in searches {
        let expected: Vec<_> = all.iter().filter(|message| search.finds(message)).cloned().collect();
        let found = found(database, user, search).await;
        assert_eq!(found.len(), expected.len(), "{search:?}");
        assert_eq!(found, expected, "{search:?}");
        let mut page = MessagePage { before: None, limit: expected.len() / 3 + 1 };
        let mut pages = Vec::new();
        loop {
            let part = database.search_messages(user, search, page, usize::MAX).await.unwrap().rows;
            let Some(last) = part.last() else { break };
            page.before = Some(last.id);
            pages.extend(part);
        }
        assert_eq!(pages, expected, "{search:?} in pages");
    }
}

/// Stores messages of many words, of several applications, priorities and days.
async fn store(
    database: &dyn Database,
    of: &User,
    senders: &[&Application],
    numbers: std::ops::Range<usize>,
) {
    let message = |number: usize| {
        let sender = senders[number % senders.len()];
        let text = format!("common n{number} of{} Größe{} {}", number % 10, number % 7, number * 7919 % 613);
        let mut message = new_message(of.id, sender.id, &text);
        message.title = format!("title {}", if number.is_multiple_of(50) { "rare" } else { "usual" });
        message.priority = i64::try_from(number % 5).unwrap() - 2;
        message.date = at(i64::try_from(number).unwrap() * 600);
        message
    };
    let all: Vec<_> = numbers.map(message).collect();
    for some in all.chunks(256) {
        database.insert_messages(some).await.unwrap();
    }
}

fn searches(senders: &[ApplicationId]) -> Vec<MessageSearch> {
    let none = MessageSearch::default();
    let mut searches: Vec<_> = [
        "common",
        "rare",
        "RARE common",
        "n1",
        "n1*",
        "n12* of3",
        "grosse3",
        "GRÖSSE3 usual",
        "gro*",
        "0",
        "612",
        "c* t* u*",
        "nothing",
        "common nothing",
        "nothing*",
        "of3 of4",
    ]
    .map(of_words)
    .into();
    searches.extend([
        MessageSearch { min_priority: Some(1), ..none.clone() },
        MessageSearch { min_priority: Some(2), ..of_words("rare") },
        MessageSearch { min_priority: Some(3), ..none.clone() },
        MessageSearch { applications: senders[..1].to_vec(), ..of_words("of3") },
        MessageSearch { applications: senders.to_vec(), ..of_words("rare") },
        MessageSearch { applications: vec![ApplicationId(u64::MAX)], ..none.clone() },
        MessageSearch { from: Some(at(600 * 100)), to: Some(at(600 * 400)), ..of_words("of3") },
        MessageSearch { from: Some(at(600 * 290)), ..of_words("rare") },
        MessageSearch { to: Some(at(600 * 77 + 1)), ..none.clone() },
        none,
    ]);
    searches
}

pub(crate) async fn what_is_indexed_does_not_matter(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let (a, b) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    let searches = searches(&[a.id, b.id]);
    // Nothing, all, all and some more, several parts, and parts that became one.
    let mut stored = 0;
    for (until, is_indexed) in
        [(100, true), (300, false), (300, true), (350, false), (2400, true), (2450, false)]
    {
        while stored < until {
            let more = (until - stored).min(140);
            store(database, &alice, &[&a, &b], stored..stored + more).await;
            stored += more;
            if is_indexed {
                index(database, alice.id).await;
            }
        }
        if is_indexed {
            index(database, alice.id).await;
        }
        assert_right(database, alice.id, &searches).await;
    }
    index(database, alice.id).await;
    assert_eq!(index(database, alice.id).await, 0, "there is nothing left to do");
    assert_right(database, alice.id, &searches).await;
    let segments = renew(database, alice.id).await;
    assert!(segments <= 16, "{segments} parts");
}

pub(crate) async fn segments_that_are_full_are_made_once(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    // Words that differ by their ends alone: a segment is full of them, and has a tenth of that when it is stored.
    let beginning = "counter".repeat(8);
    let mut numbers = 0..;
    let large = |_| {
        let words: Vec<_> = numbers.by_ref().take(900).map(|n| format!("{beginning}{n:08}")).collect();
        new_message(alice.id, a.id, &words.join(" "))
    };
    // 33 of them fill a segment. MariaDB and MySQL can hold no larger segments.
    let large: Vec<_> = (0..540).map(large).collect();
    for some in large.chunks(30) {
        assert_eq!(database.insert_messages(some).await.unwrap().ids().len(), some.len());
    }
    store(database, &alice, &[&a], 0..128).await;
    let mut turns = 0;
    while database.index_messages(alice.id, &IndexPace::unlimited()).await.unwrap() {
        turns += 1;
        assert!(turns <= 20, "it does not end");
    }
    assert_eq!((turns, renew(database, alice.id).await), (17, 17));
    let search = of_words(&format!("{beginning}{:08} {beginning}{:08}", 900, 1799));
    assert_eq!(found(database, alice.id, &search).await[0].message, large[1].message);
}

pub(crate) async fn what_is_stored_during_a_search_does_not_hide_what_was_there(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    database.insert_messages(&[new_message(alice.id, a.id, "needle")]).await.unwrap();
    store(database, &alice, &[&a], 0..400).await;
    let is_stored = std::cell::Cell::new(false);
    let publish = async {
        for part in 0..50 {
            store(database, &alice, &[&a], part * 30..part * 30 + 30).await;
        }
        is_stored.set(true);
    };
    let search = async {
        while !is_stored.get() {
            match database.search_messages(alice.id, &of_words("needle"), ALL, usize::MAX).await {
                // A busy machine has no answer, but no wrong one either.
                Err(SearchError::TooSlow) => {}
                answer => assert_eq!(answer.unwrap().rows.len(), 1),
            }
        }
    };
    futures_util::join!(publish, search);
    assert_eq!(found(database, alice.id, &of_words("needle")).await.len(), 1);
}

pub(crate) async fn a_span_of_time_is_found_below_many_later_messages_of_its_day(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    let message = |number: i64| {
        let date = at(number);
        NewMessage { date, ..new_message(alice.id, a.id, "of the day") }
    };
    let new: Vec<_> = (0..1500).map(message).collect();
    for some in new.chunks(256) {
        database.insert_messages(some).await.unwrap();
    }
    index(database, alice.id).await;
    let all = database.messages(alice.id, ALL).await.unwrap();
    let search = MessageSearch { from: Some(at(3)), to: Some(at(8)), ..MessageSearch::default() };
    assert_right(database, alice.id, std::slice::from_ref(&search)).await;
    // Those in between go while they are indexed.
    for message in all.iter().filter(|message| message.date > at(20) && message.date < at(400)) {
        database.delete_message(alice.id, message.id).await.unwrap();
    }
    assert_right(database, alice.id, &[search, of_words("day")]).await;
}

pub(crate) async fn a_search_finds_nothing_of_others(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let of_alice = application(database, &alice, "A1").await;
    let of_bob = application(database, &bob, "A2").await;
    for part in 0..3 {
        store(database, &alice, &[&of_alice], part * 130..part * 130 + 130).await;
        store(database, &bob, &[&of_bob], part..part + 1).await;
        index(database, alice.id).await;
        index(database, bob.id).await;
    }
    assert_eq!(found(database, bob.id, &of_words("common")).await.len(), 3);
    assert_eq!(found(database, alice.id, &of_words("common")).await.len(), 390);
    let of_others = MessageSearch { applications: vec![of_alice.id], ..of_words("common") };
    assert!(found(database, bob.id, &of_others).await.is_empty());
    assert!(found(database, UserId(9999), &of_words("common")).await.is_empty());
}

pub(crate) async fn what_is_deleted_is_not_found(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let (a, b) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    let searches = searches(&[a.id, b.id]);
    store(database, &alice, &[&a, &b], 0..600).await;
    index(database, alice.id).await;
    for message in database.messages(alice.id, ALL).await.unwrap().iter().step_by(3) {
        assert!(database.delete_message(alice.id, message.id).await.unwrap());
    }
    assert_right(database, alice.id, &searches).await;
    database.delete_application(a.id).await.unwrap();
    assert_right(database, alice.id, &searches).await;
    assert_eq!(renew(database, alice.id).await, 1);
    assert_right(database, alice.id, &searches).await;
    database.delete_messages(alice.id).await.unwrap();
    assert_right(database, alice.id, &searches).await;
    assert_eq!(index(database, alice.id).await, 1, "a part without messages goes");
    assert_eq!(renew(database, alice.id).await, 0);
    store(database, &alice, &[&b], 0..300).await;
    index(database, alice.id).await;
    assert_right(database, alice.id, &searches).await;
}

pub(crate) async fn the_index_of_a_deleted_user_goes(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let (a, b) = (application(database, &alice, "A1").await, application(database, &bob, "A2").await);
    store(database, &alice, &[&a], 0..200).await;
    store(database, &bob, &[&b], 0..200).await;
    index(database, alice.id).await;
    index(database, bob.id).await;
    database.delete_user(alice.id).await.unwrap();
    let wait = async {
        while database.renew_index(alice.id, MessageId(0), &IndexPace::unlimited()).await.unwrap().is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), wait).await.expect("it goes");
    assert_eq!(renew(database, bob.id).await, 1);
}

pub(crate) async fn many_messages_that_are_not_indexed_are_said(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    store(database, &alice, &[&a], 0..4500).await;
    let search = |text| {
        let search = of_words(text);
        let page = MessagePage { before: None, limit: 100 };
        async move { database.search_messages(alice.id, &search, page, usize::MAX).await }
    };
    assert_eq!(search("common").await.unwrap().rows.len(), 100, "the newest are enough");
    assert!(matches!(search("n1").await, Err(SearchError::NotIndexed)));
    index(database, alice.id).await;
    assert_eq!(search("n1").await.unwrap().rows.len(), 1);
}

pub(crate) async fn large_messages_are_found_and_listed_by_name(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    let large = |number: usize| {
        let filler = "x".repeat(5000);
        new_message(alice.id, a.id, &format!("large n{number} {filler} end"))
    };
    let new: Vec<_> = (0..150).map(large).collect();
    for is_indexed in [false, true] {
        if is_indexed {
            assert!(index(database, alice.id).await > 0);
        }
        for some in new.chunks(75).filter(|_| !is_indexed) {
            database.insert_messages(some).await.unwrap();
        }
        let page = MessagePage { before: None, limit: 100 };
        let search = of_words("large end");
        let part = database.search_messages(alice.id, &search, page, 100_000).await.unwrap();
        assert_eq!(part.rows.len() + part.left_out.len(), 100, "{is_indexed}");
        assert!(part.rows.len() < 25, "{} are read", part.rows.len());
        let ids: Vec<_> = part.rows.iter().map(|m| m.id).chain(part.left_out.iter().map(|m| m.id)).collect();
        assert!(ids.is_sorted_by(|a, b| a > b), "the newest first");
    }
}

pub(crate) async fn users_are_named_in_order(database: &dyn Database) {
    let mut expected = Vec::new();
    for name in ["c", "a", "b"] {
        expected.push(user(database, name).await.id);
    }
    assert_eq!(database.users_after(UserId(0)).await.unwrap(), expected);
    assert_eq!(database.users_after(expected[1]).await.unwrap(), expected[2..]);
    assert!(database.users_after(expected[2]).await.unwrap().is_empty());
}

pub(crate) async fn a_date_at_the_edge_is_found_once(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let a = application(database, &alice, "A1").await;
    store(database, &alice, &[&a], 0..200).await;
    let edge = at(600 * 60);
    let one = TimeDelta::milliseconds(1);
    let searches = [
        MessageSearch { from: Some(edge), to: Some(edge + one), ..MessageSearch::default() },
        MessageSearch { from: Some(edge + one), to: Some(edge + one + one), ..MessageSearch::default() },
        MessageSearch { to: Some(edge), ..MessageSearch::default() },
        MessageSearch { from: Some(edge), ..MessageSearch::default() },
    ];
    assert_eq!(found(database, alice.id, &searches[0]).await.len(), 1);
    assert_right(database, alice.id, &searches).await;
    index(database, alice.id).await;
    assert_eq!(found(database, alice.id, &searches[0]).await.len(), 1);
    assert_right(database, alice.id, &searches).await;
}
