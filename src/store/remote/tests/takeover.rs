//! Databases that a Gotify has left.

use super::Place;
use crate::model::{ApplicationId, UserId};
use crate::store::conformance::early::{self, ALL};
use crate::store::conformance::new_message;
use crate::store::remote::RemoteDialect;
use crate::store::{Applications as _, Database as _, Messages as _};

pub(crate) async fn an_early_database_keeps_its_rows<D: RemoteDialect + Copy>(place: Place<D>) {
    place.run(place.early).await;
    let database = place.open().await.unwrap();
    let messages = early::rows_are_kept(&database).await;
    let dates: Vec<_> = messages.iter().map(|message| message.date.to_utc().to_rfc3339()).collect();
    assert_eq!(dates, ["2026-01-01T11:00:00+00:00", "2026-07-01T10:00:00+00:00"], "winter and summer");
    let backup = database.application_by_token("A3").await.unwrap().unwrap();
    assert_eq!(backup.row.default_priority, 4);
}

pub(crate) async fn what_an_early_database_lacks_is_filled<D: RemoteDialect + Copy>(place: Place<D>) {
    place.run(place.early).await;
    let database = place.open().await.unwrap();
    early::what_is_missing_is_filled(&database).await;
    database.close().await;
    let before = place.schema().await;
    place.open().await.unwrap().close().await;
    assert_eq!(place.schema().await, before, "opening again changes nothing");
}

pub(crate) async fn a_gotify_may_have_the_database_in_between<D: RemoteDialect + Copy>(place: Place<D>) {
    place.run(place.early).await;
    place.open().await.unwrap().close().await;
    let complete = place.schema().await;
    // It writes the columns that it knows, and no heads.
    place
        .run(
            "INSERT INTO applications (id, token, user_id, name, description, internal, image, default_priority) \
             VALUES (9, 'A9', 1, 'nine', '', false, '', 4);
             INSERT INTO messages (id, application_id, message, title, priority, date) \
             VALUES (20, 9, 'hi', 't', 1, '2026-01-02 03:04:05')",
        )
        .await;
    place.run(place.drop_our_index).await;
    let database = place.open().await.unwrap();
    let applications = database.applications(UserId(1)).await.unwrap();
    let keys: Vec<_> = applications.iter().map(|row| (row.id.0, row.sort_key.as_str())).collect();
    assert_eq!(keys, [(3, "a0"), (7, "a1"), (9, "a2")]);
    assert_eq!(database.messages(UserId(1), ALL).await.unwrap()[0].message, "hi");
    let inserted = database.insert_messages(&[new_message(UserId(1), ApplicationId(9), "x")]).await.unwrap();
    assert!(inserted.ids()[0].0 > 20, "{inserted:?}");
    assert_eq!(inserted.previous.iter().map(|(_, newest)| newest.0).collect::<Vec<_>>(), [20]);
    assert_eq!(place.schema().await, complete);
}

pub(crate) async fn a_plan_names_what_is_missing_and_changes_nothing<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    place.run(place.early).await;
    let before = place.schema().await;
    let steps: Vec<_> = place.plan().await.iter().map(ToString::to_string).collect();
    for expected in [
        "make the table `shardcast_heads`",
        "add the column `applications.sort_key`",
        "fill `applications.created_at` in 3 rows",
        "fill `applications.sort_key` in 3 rows",
        "make the index `shardcast_messages_application_id` of the table `messages`, which has 2 rows",
    ] {
        assert!(steps.iter().any(|step| step == expected), "{expected}: {steps:#?}");
    }
    assert_eq!(place.schema().await, before);
    place.open().await.unwrap().close().await;
    assert_eq!(place.plan().await, []);
}

pub(crate) async fn a_newer_schema_of_ours_is_refused_untouched<D: RemoteDialect + Copy>(place: Place<D>) {
    place.open().await.unwrap().close().await;
    place.run("UPDATE shardcast_state SET version = 99").await;
    place.run(place.drop_our_index).await;
    is_refused_untouched(&place, "the database has the schema 99 of a newer shardcast").await;
}

pub(crate) async fn a_newer_gotify_is_refused_untouched<D: RemoteDialect + Copy>(place: Place<D>) {
    place.run(place.early).await;
    place.run("DELETE FROM users; ALTER TABLE users ADD COLUMN plan_id bigint NOT NULL").await;
    is_refused_untouched(&place, "its column `users.plan_id` needs a value").await;
}

pub(crate) async fn the_database_of_another_program_is_refused_untouched<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    place.run("CREATE TABLE messages (id bigint, application_id bigint, body text)").await;
    is_refused_untouched(&place, "the database is that of another program").await;
}

async fn is_refused_untouched<D: RemoteDialect + Copy>(place: &Place<D>, reason: &str) {
    let before = place.schema().await;
    let refused = place.open().await.unwrap_err().to_string();
    assert!(refused.contains(reason), "{refused}");
    assert_eq!(place.schema().await, before);
}
