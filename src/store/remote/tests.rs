//! What holds for each kind of server.

use sqlx::ConnectOptions as _;

use super::dialect::Options;
use super::{Remote, RemoteDialect};
use crate::store::sql::{Session, query};
use crate::store::{MigrationStep, OpenDatabaseError};

pub(crate) mod faults;
pub(crate) mod history;
pub(crate) mod lists;
pub(crate) mod retention;
pub(crate) mod statements;
pub(crate) mod takeover;

/// Makes a test of every case. `$place` is an async function in scope that returns a [`Place`].
macro_rules! suite {
    ($place:ident, #[$attribute:meta]) => {
        $crate::store::remote::tests::cases! { $place, #[$attribute],
            takeover {
                an_early_database_keeps_its_rows
                what_an_early_database_lacks_is_filled
                a_gotify_may_have_the_database_in_between
                a_plan_names_what_is_missing_and_changes_nothing
                a_newer_schema_of_ours_is_refused_untouched
                a_newer_gotify_is_refused_untouched
                the_database_of_another_program_is_refused_untouched
            }
            faults {
                a_message_is_stored_although_its_connection_was_cut
                reads_are_answered_although_all_connections_were_cut
                the_connection_that_stores_is_replaced_when_it_is_old
                the_health_is_good_while_all_other_connections_are_busy
                a_batch_is_found_although_others_have_replaced_its_messages
                a_batch_is_not_taken_for_another_one_with_the_same_ids
                what_comes_back_is_there_at_once
                a_dropped_operation_gives_its_place_back_without_its_connection
                what_is_larger_than_a_statement_may_be_is_refused_alone
            }
            history {
                ids_follow_on_one_another_while_the_database_stays
                ids_do_not_jump_because_who_had_the_newest_message_was_deleted
                ids_jump_if_the_database_is_another_one_than_before
                ids_jump_if_messages_that_were_stored_are_gone
                of_a_batch_that_is_stored_one_by_one_ids_jump_once
                ids_are_above_all_messages_although_their_counter_is_behind
            }
            lists {
                messages_of_more_applications_than_a_statement_takes_are_listed
                messages_of_more_applications_than_a_statement_takes_are_deleted
                more_expired_clients_than_a_statement_takes_are_deleted
            }
            retention {
                a_deletion_waits_for_a_change_of_its_rule
            }
        }
    };
}

macro_rules! cases {
    ($place:ident, $attribute:tt [$meta:meta], $($group:ident { $($case:ident)* })*) => {
        $(mod $group {
            use super::$place;
            use $crate::store::remote::tests::$group;

            $($crate::store::remote::tests::case! { $place [$meta] $group $case })*
        })*
    };
}

macro_rules! case {
    ($place:ident [$attribute:meta] $group:ident $case:ident) => {
        #[tokio::test]
        #[$attribute]
        async fn $case() {
            $group::$case($place().await).await;
        }
    };
}

pub(crate) use {case, cases, suite};

/// A database of its own, which stays until the server ends, and how other programs than ours use it.
pub(crate) struct Place<D: RemoteDialect> {
    pub(crate) dialect: D,
    pub(crate) options: Options<D>,
    /// Makes the tables of Gotify 2.7, with the rows that the tests expect.
    pub(crate) early: &'static str,
    /// Drops the index that is ours.
    pub(crate) drop_our_index: &'static str,
    /// Lets the counter of the messages' ids begin again.
    pub(crate) begin_ids_again: &'static str,
    /// Returns the other connections to the database.
    pub(crate) list_connections: &'static str,
    /// Ends one of them, which stands in braces.
    pub(crate) end_connection: &'static str,
}

impl<D: RemoteDialect + Copy> Place<D> {
    async fn open(&self) -> Result<Remote<D>, OpenDatabaseError> {
        Remote::open(self.dialect, self.options.clone()).await
    }

    async fn plan(&self) -> Vec<MigrationStep> {
        Remote::plan(self.dialect, self.options.clone()).await.unwrap()
    }

    async fn run(&self, statements: &'static str) {
        let mut connection = self.options.connect().await.unwrap();
        D::batch(&mut connection, statements).await.unwrap();
    }

    /// Returns all columns and indexes.
    async fn schema(&self) -> Vec<String> {
        let mut connection = self.options.connect().await.unwrap();
        let mut session = Session::new(&self.dialect, &mut connection, None);
        let columns = session.all(query(D::SCHEMA.list_columns)).await.unwrap();
        let indexes = session.all(query(D::SCHEMA.list_indexes)).await.unwrap();
        let columns = columns.iter().map(|row| format!("{}.{}", row.text(0).unwrap(), row.text(1).unwrap()));
        let mut all: Vec<_> = columns.chain(indexes.iter().map(|row| row.text(0).unwrap())).collect();
        all.sort();
        all
    }
}
