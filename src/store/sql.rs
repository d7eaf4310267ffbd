//! What databases that speak SQL share: each query, once, and the operations of [`Database`](super::Database) made
//! of them.
//!
//! A query is written in a neutral form, see [`mod@query`]. What really differs between databases is in their own
//! modules: how they are opened, how messages are inserted, what their errors mean, and a [`Dialect`].

pub(super) mod application_changes;
pub(super) mod application_states;
pub(super) mod applications;
pub(super) mod backend;
pub(super) mod cleaner;
pub(super) mod clients;
pub(super) mod deletions;
pub(super) mod dialect;
pub(super) mod error;
pub(super) mod heads;
pub(super) mod identities;
pub(super) mod keyed;
pub(super) mod keys;
pub(super) mod logins;
pub(super) mod messages;
pub(super) mod pictures;
pub(super) mod push;
pub(super) mod query;
pub(super) mod retention;
pub(super) mod revocation_log;
pub(super) mod row;
pub(super) mod schema;
pub(super) mod search;
pub(super) mod session;
pub(super) mod slice;
pub(super) mod spares;
pub(super) mod tokens;
pub(super) mod users;

mod database;

pub(super) use application_changes::ApplicationChange;
pub(super) use backend::{Backend, Connections, Lease};
pub(super) use database::Searches;
pub(super) use dialect::Dialect;
pub(super) use error::cause;
pub(super) use query::{Query, Value, query};
pub(super) use row::Row;
pub(super) use session::Session;
pub(super) use spares::Spares;
