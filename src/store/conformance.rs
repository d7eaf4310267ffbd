//! What every database must do, written once against the trait.
//!
//! `conformance::suite!(open)` makes a test of each case; `open` is an async function in scope that returns an
//! empty database with whatever must live as long as it does.

use chrono::DateTime;

use super::{Database, NewApplication, NewClient, NewMessage, NewUser};
use crate::model::{Application, ApplicationId, Client, Timestamp, User, UserId};

pub(crate) mod application_states;
pub(crate) mod applications;
pub(crate) mod clients;
pub(crate) mod commits;
pub(crate) mod early;
pub(crate) mod heads;
pub(crate) mod identities;
pub(crate) mod keyed;
pub(crate) mod logins;
pub(crate) mod messages;
pub(crate) mod pictures;
pub(crate) mod push;
pub(crate) mod retention;
pub(crate) mod revocations;
pub(crate) mod search;
pub(crate) mod text;
pub(crate) mod users;

/// Makes a test of every case, on a database of its own.
macro_rules! suite {
    ($open:ident $(, #[$attribute:meta])?) => {
        $crate::store::conformance::cases! { $open, ($(#[$attribute])?),
            users {
                a_user_is_found_by_id_and_by_name
                a_taken_name_is_a_conflict
                names_differ_in_case
                a_password_is_changed
                users_are_listed_by_id
                a_list_of_users_ends_where_its_bytes_do
                a_user_is_updated
                an_update_to_a_taken_name_is_a_conflict
                the_last_admin_stays_one
                of_two_admins_that_go_at_once_one_is_left
                deleting_a_user_deletes_what_it_owns
                nothing_is_made_for_a_user_that_is_gone
                a_hash_is_replaced_only_while_it_is_the_old_one
                the_highest_cost_is_that_of_bcrypt_hashes
                an_id_beyond_any_row_finds_nothing
                of_first_users_made_at_once_one_is_there
            }
            identities {
                a_user_of_a_provider_has_no_password
                a_taken_name_or_identity_is_a_conflict
                a_user_is_linked_once
            }
            logins {
                all_who_ask_get_the_same_key
                a_login_is_ended_once
            }
            applications {
                an_application_is_found_by_id_and_by_token
                sort_keys_are_made_in_order
                changes_at_once_have_an_outcome_each
                keys_that_are_made_at_once_differ
                applications_are_listed_by_sort_key
                a_list_of_applications_ends_where_its_bytes_do
                a_taken_sort_key_is_a_conflict_for_the_same_user_only
                a_taken_token_is_a_conflict
                after_a_sort_key_of_another_form_comes_one_above_it
                an_application_is_updated
                an_application_gets_another_token
                of_tokens_that_are_replaced_at_once_each_is_returned_once
                a_picture_is_changed_and_the_one_before_is_told
                deleting_an_application_deletes_its_messages
                ids_of_deleted_rows_are_not_given_again
                applications_are_touched
            }
            application_states {
                unread_messages_are_counted_up_to_a_limit
                marks_of_read_messages_only_go_up
                marks_that_are_set_at_once_end_at_the_highest
                how_long_messages_are_kept_is_set
            }
            clients {
                a_client_is_found_by_id_and_by_token
                a_taken_token_is_a_conflict
                clients_are_listed_by_id
                a_list_of_clients_ends_where_its_bytes_do
                a_client_is_changed
                what_a_client_has_acknowledged_only_grows
                a_client_is_elevated
                a_client_is_deleted_once
                clients_are_touched
                a_use_puts_expiry_off
                a_client_that_has_expired_is_not_changed
                expired_clients_are_deleted
                a_token_is_found_by_its_beginning
            }
            messages {
                a_message_reads_back_as_it_was
                a_date_reads_back_as_the_database_keeps_it
                empty_extras_are_none
                ids_ascend_in_the_order_given_for_every_size
                pages_join_to_all_messages_newest_first
                an_application_lists_its_own_messages
                an_application_lists_its_messages_after_an_id
                messages_after_an_id_come_oldest_first
                counting_stops_at_the_limit
                the_bytes_of_messages_are_added_up
                a_list_ends_where_its_bytes_do
                many_small_messages_end_where_their_bytes_do
                a_user_with_many_applications_gets_one_order
                only_its_user_deletes_a_message
                deleting_all_leaves_other_users_alone
                deleting_an_applications_messages_leaves_the_rest
            }
            keyed {
                of_messages_with_one_key_the_newest_is_kept
                of_messages_with_one_key_in_a_batch_the_last_is_kept
                a_key_is_free_again_when_its_message_is_deleted
                many_keys_in_a_batch_replace_each_its_own
            }
            retention {
                applications_with_a_rule_are_listed
                all_but_the_newest_are_deleted
                old_messages_are_deleted_by_their_own_dates
                many_old_messages_are_deleted_in_slices
                nothing_is_deleted_by_a_rule_that_was_changed
                a_deletion_ends_when_its_rule_is_switched_off
            }
            pictures {
                a_picture_is_kept_until_it_is_deleted
                a_picture_goes_with_what_had_it
                pictures_that_are_elsewhere_are_named
            }
            push {
                a_client_has_one_subscription
                an_endpoint_belongs_to_the_client_that_named_it_last
                of_clients_that_name_an_endpoint_at_once_one_has_it
                a_user_has_so_many_subscriptions_and_no_more
                subscriptions_are_found_by_their_users
                a_subscription_goes_with_its_client_and_its_user
                only_the_endpoint_that_was_named_is_deleted
                all_who_ask_get_the_same_push_key
            }
            revocations {
                each_change_that_revokes_something_is_in_the_log
                what_was_not_changed_is_not_in_the_log
                the_log_is_read_in_parts
                of_old_entries_the_newest_stays
            }
            text {
                names_that_look_alike_are_of_different_users
                subjects_of_a_provider_that_look_alike_are_of_different_users
                tokens_that_look_alike_are_of_different_holders
                long_text_is_kept_whole_or_refused
                a_nul_is_kept_or_refused_but_ends_no_text
            }
            commits {
                a_message_without_an_application_fails_alone
                a_batch_without_any_application_stores_nothing
                nothing_is_stored_for_an_owner_that_was_deleted
                a_commit_names_the_newest_message_of_each_user_before_it
            }
            search {
                what_is_indexed_does_not_matter
                segments_that_are_full_are_made_once
                what_is_stored_during_a_search_does_not_hide_what_was_there
                a_span_of_time_is_found_below_many_later_messages_of_its_day
                a_search_finds_nothing_of_others
                what_is_deleted_is_not_found
                the_index_of_a_deleted_user_goes
                many_messages_that_are_not_indexed_are_said
                large_messages_are_found_and_listed_by_name
                users_are_named_in_order
                a_date_at_the_edge_is_found_once
            }
            heads {
                a_head_is_the_highest_id_that_a_user_has_had
                heads_that_have_moved_are_found
            }
        }
    };
}

macro_rules! cases {
    ($open:ident, $attribute:tt, $($group:ident { $($case:ident)* })*) => {
        $(mod $group {
            use super::$open;

            $($crate::store::conformance::case! { $attribute $open $group $case })*
        })*
    };
}

/// Makes a test of one case; the attribute tells where it is left out.
macro_rules! case {
    (($(#[$attribute:meta])?) $open:ident $group:ident $case:ident) => {
            #[tokio::test]
            $(#[$attribute])?
            async fn $case() {
                let (database, _keep) = $open().await;
                $crate::store::conformance::$group::$case(&database).await;
                $crate::store::Database::close(&database).await;
            }
    };
}

pub(crate) use {case, cases, suite};

/// A time with a zone and milliseconds, which every database keeps, some seconds after a fixed one.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let start = DateTime::parse_from_rfc3339("2026-11-23T19:26:10.123+01:00").unwrap();
    start + chrono::TimeDelta::seconds(seconds)
}

/// Makes a user.
pub(crate) async fn user(database: &dyn Database, name: &str) -> User {
    database.create_user(new_user(name)).await.unwrap()
}

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        name: name.to_owned(),
        password_hash: format!("hash of {name}"),
        admin: false,
        created_at: at(0),
    }
}

/// Makes an application that is named as its token.
pub(crate) async fn application(database: &dyn Database, user: &User, token: &str) -> Application {
    database.create_application(new_application(user.id, token)).await.unwrap()
}

pub(crate) fn new_application(user_id: UserId, token: &str) -> NewApplication {
    NewApplication {
        user_id,
        token: token.to_owned(),
        name: token.to_owned(),
        description: format!("about {token}"),
        default_priority: 5,
        sort_key: None,
        created_at: at(0),
    }
}

async fn client(database: &dyn Database, user: &User, token: &str) -> Client {
    database.create_client(new_client(user.id, token)).await.unwrap()
}

fn new_client(user_id: UserId, token: &str) -> NewClient {
    NewClient::new(user_id, token, token, at(0))
}

/// A message of an application, to be stored.
pub(crate) fn new_message(user_id: UserId, application_id: ApplicationId, text: &str) -> NewMessage {
    NewMessage {
        user_id,
        application_id,
        message: text.to_owned(),
        title: "title".to_owned(),
        priority: 5,
        extras: None,
        date: at(0),
    }
}
