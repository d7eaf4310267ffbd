//! Rules for the messages that are kept, on databases that several connections write to at once.

use sqlx::ConnectOptions as _;

use super::Place;
use crate::model::MessageId;
use crate::store::conformance::{application, at, new_message, user};
use crate::store::remote::RemoteDialect;
use crate::store::sql::{Session, query};
use crate::store::{
    ApplicationStates as _, Database as _, ExcessMessages, KeepMessages, Messages as _, OldMessages,
    Retention as _, RetentionRule,
};

/// Another node changes the rule, and commits later.
pub(crate) async fn a_deletion_waits_for_a_change_of_its_rule<D: RemoteDialect + Copy>(place: Place<D>) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let app = application(&database, &bob, "A1").await.id;
    database.insert_messages(&vec![new_message(bob.id, app, "text"); 5]).await.unwrap();
    let keep = KeepMessages { days: 1, newest: 2 };
    let rule = RetentionRule { user_id: bob.id, application_id: app, keep };
    database.keep_messages(app, keep).await.unwrap();
    let mut connection = place.options.connect().await.unwrap();
    let mut session = Session::new(&place.dialect, &mut connection, None);
    session.begin().await.unwrap();
    let off = "UPDATE applications SET keep_days = 0, keep_newest = 0 WHERE id = ?";
    session.run(query(off).id(app.0)).await.unwrap();
    let commit = async {
        // Long enough for deletions that do not wait.
        for _ in 0..50 {
            assert_eq!(database.count_messages_after(bob.id, MessageId(0), 9).await.unwrap(), 5);
        }
        session.commit().await.unwrap();
    };
    let all_are_old = at(9_999_999_999);
    let (excess, old, ()) = tokio::join!(
        database.delete_all_but_newest(&rule),
        database.delete_older(&rule, MessageId(0), all_are_old, 9),
        commit
    );
    assert_eq!(excess.unwrap(), ExcessMessages { deleted_up_to: None, rule_changed: true });
    assert_eq!(old.unwrap(), OldMessages { rule_changed: true, ..OldMessages::default() });
    assert_eq!(database.count_messages_after(bob.id, MessageId(0), 9).await.unwrap(), 5);
    database.close().await;
}
