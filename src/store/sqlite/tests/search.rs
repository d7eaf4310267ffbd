//! Searches in a file that other programs have written to, and how long they take.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor as _};
use tokio::time::{Instant, sleep, timeout};

use super::faults::other_connection;
use super::in_new_folder;
use crate::model::{MessageId, UserId};
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::search::{Outcome, search};
use crate::store::sql::{Backend as _, Lease as _};
use crate::store::sqlite::Sqlite;
use crate::store::{
    Database, IndexPace, MessagePage, MessageSearch, Messages as _, Search as _, SearchWord, Store,
};

const ALL: MessagePage = MessagePage { before: None, limit: 1000 };

async fn found(database: &Sqlite, user: UserId, search: &MessageSearch) -> Vec<MessageId> {
    let found = database.search_messages(user, search, ALL, usize::MAX).await.unwrap();
    assert!(found.left_out.is_empty());
    found.rows.into_iter().map(|message| message.id).collect()
}

fn needles() -> MessageSearch {
    MessageSearch { words: SearchWord::all("needle"), ..MessageSearch::default() }
}

#[tokio::test]
async fn a_search_whose_time_is_over_ends_whether_or_not_messages_are_indexed() {
    let (database, _folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let a = application(&database, &alice, "A1").await;
    let needle = needles();
    // What is large is looked at by itself.
    for text in ["needle".to_owned(), format!("needle {}", "hay ".repeat(200_000))] {
        database.insert_messages(&[new_message(alice.id, a.id, &text)]).await.unwrap();
        let mut lease = database.readers().lease("search").await.unwrap();
        let page = MessagePage { before: None, limit: 1 };
        let now = Instant::now();
        let outcome = search(&mut lease.session(), alice.id, &needle, page, 1 << 20, now).await.unwrap();
        assert!(matches!(outcome, Outcome::TooSlow), "{outcome:?}");
    }
}

#[tokio::test]
async fn messages_are_found_by_dates_that_sqlite_can_not_read() {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let a = application(&database, &alice, "A1").await;
    let ids = database.insert_messages(&vec![new_message(alice.id, a.id, "needle"); 4]).await.unwrap().ids();
    let mut gotify = other_connection(&folder).await;
    for (id, date) in [
        (ids[0], "2026-11-23 19:26:10 +0100 CET"),
        (ids[1], "2026-11-23 19:26:10.5 +0100 CET m=+0.1"),
        (ids[2], "2026-11-24 19:26:10 +0100 CET"),
        (ids[3], "2026-11-23 18:26:11+00:00"),
    ] {
        let change = format!("UPDATE messages SET date = '{date}' WHERE id = {}", id.0);
        gotify.execute(AssertSqlSafe(change)).await.unwrap();
    }
    let time = |text| Some(chrono::DateTime::parse_from_rfc3339(text).unwrap());
    let (from, to) = (time("2026-11-23T18:00:00Z"), time("2026-11-23T19:00:00Z"));
    let here = MessageSearch { from, to, ..needles() };
    let later = MessageSearch { from: to, ..MessageSearch::default() };
    let before = MessageSearch { to: time("2026-11-23T18:26:10.5Z"), ..needles() };
    for _ in 0..2 {
        assert_eq!(found(&database, alice.id, &here).await, [ids[3], ids[1], ids[0]]);
        assert_eq!(found(&database, alice.id, &before).await, [ids[0]]);
        assert!(found(&database, alice.id, &later).await.contains(&ids[2]));
        // The same once they are indexed.
        let hay = vec![new_message(alice.id, a.id, "hay"); 200];
        database.insert_messages(&hay).await.unwrap();
        while database.index_messages(alice.id, &IndexPace::unlimited()).await.unwrap() {}
    }
}

#[tokio::test]
async fn an_index_that_is_wrong_about_whose_a_message_is_shows_it_to_nobody_else() {
    let (database, folder) = in_new_folder().await;
    let (alice, bob) = (user(&database, "alice").await, user(&database, "bob").await);
    let a = application(&database, &alice, "A1").await;
    database.insert_messages(&vec![new_message(alice.id, a.id, "needle"); 200]).await.unwrap();
    while database.index_messages(alice.id, &IndexPace::unlimited()).await.unwrap() {}
    let give = format!("UPDATE shardcast_search_segments SET user_id = {}", bob.id.0);
    other_connection(&folder).await.execute(AssertSqlSafe(give)).await.unwrap();
    let spanned = MessageSearch { from: Some(chrono::DateTime::UNIX_EPOCH.into()), ..needles() };
    for search in [needles(), spanned] {
        assert_eq!(found(&database, bob.id, &search).await, []);
    }
}

#[tokio::test]
async fn a_user_whose_index_fails_does_not_keep_others_from_being_indexed() {
    let (database, folder) = in_new_folder().await;
    let mut ids = Vec::new();
    for name in ["alice", "bob"] {
        let user = user(&database, name).await;
        let application = application(&database, &user, name).await;
        let messages = vec![new_message(user.id, application.id, "text"); 200];
        database.insert_messages(&messages).await.unwrap();
        ids.push(user.id.0);
    }
    let mut other = other_connection(&folder).await;
    let fails = format!(
        "CREATE TRIGGER fails BEFORE INSERT ON shardcast_search_segments WHEN NEW.user_id = {} \
         BEGIN SELECT RAISE(ABORT, 'it fails'); END",
        ids[0]
    );
    other.execute(AssertSqlSafe(fails)).await.unwrap();
    let store = Store::new(Arc::new(database) as Arc<dyn Database>, |_| {});
    let mut indexed_users = async || {
        let users = sqlx::query_scalar::<_, u64>("SELECT user_id FROM shardcast_search_segments");
        users.fetch_all(&mut other).await.unwrap()
    };
    let is_indexed = async {
        while indexed_users().await != [ids[1]] {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), is_indexed).await.expect("the other user is indexed");
    store.shutdown().await;
}
