//! What every database does with logins through an identity provider.

use futures_util::future::join_all;

use crate::store::Database;

pub(crate) async fn all_who_ask_get_the_same_key(database: &dyn Database) {
    let keys = join_all((0..4).map(|number| async move { database.login_key(&[number; 64]).await.unwrap() }));
    let keys = keys.await;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(keys[0], [keys[0][0]; 64], "it is one of those that were made up");
    assert_eq!(database.login_key(&[9; 64]).await.unwrap(), keys[0]);
}

pub(crate) async fn a_login_is_ended_once(database: &dyn Database) {
    let ended = join_all((0..4).map(|_| database.end_login("a"))).await;
    assert_eq!(ended.into_iter().filter(|first| *first.as_ref().unwrap()).count(), 1);
    assert!(database.end_login("b").await.unwrap());
    for id in ["a", "b"] {
        assert!(!database.end_login(id).await.unwrap(), "{id}");
    }
}
