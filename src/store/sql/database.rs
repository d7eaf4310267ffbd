//! The traits of [`Database`](crate::store::Database), for every database that speaks SQL: which connection each
//! operation runs on, and what it is called when it fails.

mod applications;
mod clients;
mod messages;
mod revocation_log;
mod users;
