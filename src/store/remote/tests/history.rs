//! A database that went back: a backup was restored, or a replica without the last commits was promoted.

use super::Place;
use crate::model::{ApplicationId, MessageId, User};
use crate::store::conformance::{application, new_message, user};
use crate::store::remote::history::JUMP;
use crate::store::remote::{Remote, RemoteDialect};
use crate::store::{
    Applications as _, Database as _, Messages as _, Revocation, RevocationId, RevocationLog as _, Users as _,
};

/// A database with a user who sends to itself.
struct Sender<D: RemoteDialect> {
    database: Remote<D>,
    bob: User,
}

impl<D: RemoteDialect + Copy> Sender<D> {
    async fn open(place: &Place<D>) -> Self {
        let database = place.open().await.unwrap();
        let bob = user(&database, "bob").await;
        application(&database, &bob, "A1").await;
        Self { database, bob }
    }

    async fn application(&self) -> ApplicationId {
        self.database.applications(self.bob.id).await.unwrap()[0].id
    }

    async fn send(&self) -> MessageId {
        let message = new_message(self.bob.id, self.application().await, "x");
        self.database.insert_messages(&[message]).await.unwrap().ids()[0]
    }

    /// Counts how often the log says that the database went back.
    async fn logged(&self) -> usize {
        let entries = self.database.revocations_from(RevocationId(0), 100).await.unwrap();
        let went_back = Some(Revocation::DatabaseWentBack {});
        entries.into_iter().filter(|entry| entry.revocation == went_back).count()
    }
}

pub(crate) async fn ids_follow_on_one_another_while_the_database_stays<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let sender = Sender::open(&place).await;
    let first = sender.send().await;
    place.cut().await;
    let second = sender.send().await;
    assert!((first.0 + 1..first.0 + JUMP).contains(&second.0), "{second} after {first}");
    sender.database.close().await;
    let again = place.open().await.unwrap();
    let sender = Sender { database: again, bob: sender.bob };
    let third = sender.send().await;
    assert!((second.0 + 1..second.0 + JUMP).contains(&third.0), "{third} after {second}");
    assert_eq!(sender.logged().await, 0);
    sender.database.close().await;
}

pub(crate) async fn ids_do_not_jump_because_who_had_the_newest_message_was_deleted<
    D: RemoteDialect + Copy,
>(
    place: Place<D>,
) {
    let sender = Sender::open(&place).await;
    let alice = user(&sender.database, "alice").await;
    let of_alice = application(&sender.database, &alice, "A2").await;
    sender.send().await;
    let messages = [new_message(alice.id, of_alice.id, "x")];
    let newest = sender.database.insert_messages(&messages).await.unwrap().ids()[0];
    sender.database.delete_user(alice.id).await.unwrap();
    place.cut().await;
    let next = sender.send().await;
    assert!((newest.0 + 1..newest.0 + JUMP).contains(&next.0), "{next} after {newest}");
    sender.database.close().await;
}

pub(crate) async fn ids_jump_if_the_database_is_another_one_than_before<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let sender = Sender::open(&place).await;
    let before = sender.send().await;
    place.run("UPDATE shardcast_keys SET content = 'another' WHERE name = 'database'").await;
    place.cut().await;
    let jumped = sender.send().await;
    assert!(jumped.0 > before.0 + JUMP, "{jumped} after {before}");
    place.cut().await;
    let next = sender.send().await;
    assert!((jumped.0 + 1..jumped.0 + JUMP).contains(&next.0), "it is noted: {next} after {jumped}");
    assert_eq!(sender.logged().await, 1);
    sender.database.close().await;
}

pub(crate) async fn ids_jump_if_messages_that_were_stored_are_gone<D: RemoteDialect + Copy>(place: Place<D>) {
    let sender = Sender::open(&place).await;
    for (round, is_cut) in [false, true].into_iter().enumerate() {
        for _ in 0..3 {
            sender.send().await;
        }
        let before = sender.send().await;
        place.run("DELETE FROM messages; UPDATE shardcast_heads SET newest = 1").await;
        place.run(place.begin_ids_again).await;
        if is_cut {
            place.cut().await;
        }
        let jumped = sender.send().await;
        assert!(jumped.0 > before.0 + JUMP, "{jumped} after {before}");
        let next = sender.send().await;
        assert!((jumped.0 + 1..jumped.0 + JUMP).contains(&next.0), "{next} after {jumped}");
        assert_eq!(sender.logged().await, round + 1);
    }
    sender.database.close().await;
}

pub(crate) async fn of_a_batch_that_is_stored_one_by_one_ids_jump_once<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let sender = Sender::open(&place).await;
    for _ in 0..8 {
        sender.send().await;
    }
    let before = sender.send().await;
    place.run("DELETE FROM messages; UPDATE shardcast_heads SET newest = 0").await;
    place.run(place.begin_ids_again).await;
    let application = sender.application().await;
    let messages = ["a", "bad\0", "b", "c"].map(|text| new_message(sender.bob.id, application, text));
    let ids = sender.database.insert_messages(&messages).await.unwrap().ids();
    assert!(ids[0].0 > before.0 + JUMP, "{ids:?}");
    assert!(ids.last().unwrap().0 < ids[0].0 + JUMP, "{ids:?}");
    assert_eq!(sender.logged().await, 1);
    sender.database.close().await;
}

/// As after a restore of the rows alone.
pub(crate) async fn ids_are_above_all_messages_although_their_counter_is_behind<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let sender = Sender::open(&place).await;
    let alice = user(&sender.database, "alice").await;
    let of_alice = application(&sender.database, &alice, "A2").await;
    let of_bob = sender.send().await;
    let messages = [0; 5].map(|_| new_message(alice.id, of_alice.id, "x"));
    let newest = sender.database.insert_messages(&messages).await.unwrap().ids()[4];
    assert!(of_bob < newest);
    sender.database.close().await;
    place.run(place.begin_ids_again).await;
    let sender = Sender { database: place.open().await.unwrap(), bob: sender.bob };
    let next = sender.send().await;
    assert!(next > newest, "{next}: it is raised at the start");
    sender.database.close().await;
    let sender = Sender { database: place.open().await.unwrap(), bob: sender.bob };
    place.run("DELETE FROM messages WHERE application_id = 1").await;
    place.run("UPDATE shardcast_heads SET newest = 0 WHERE user_id = 1").await;
    place.run(place.begin_ids_again).await;
    let after = sender.send().await;
    assert!(after > newest, "{after}: it is raised when an id is found to be taken");
    sender.database.close().await;
}
