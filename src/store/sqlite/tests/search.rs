//! How long a search takes.

use tokio::time::Instant;

use super::in_new_folder;
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::search::{Outcome, search};
use crate::store::sql::{Backend as _, Lease as _};
use crate::store::{MessagePage, MessageSearch, Messages as _, SearchWord};

#[tokio::test]
async fn a_search_whose_time_is_over_ends_whether_or_not_messages_are_indexed() {
    let (database, _folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let a = application(&database, &alice, "A1").await;
    let needle = MessageSearch { words: SearchWord::all("needle"), ..MessageSearch::default() };
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
