//! What a database that is a server of its own does in its own way, beside its [`Dialect`].

use sqlx::error::DatabaseError;

use super::heads;
use super::history::UsedIds;
use crate::model::MessageId;
use crate::store::sql::dialect::Connection;
use crate::store::sql::schema::Schema;
use crate::store::sql::{Dialect, Session};
use crate::store::{NewMessage, Unstorable};

/// What an error of the database means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another row has the value that must be unique, which is named.
    Taken(&'static str),
    /// The statement may go through with other values.
    Unstorable(Unstorable),
    /// Others were in the way: the same transaction may go through when it is begun again.
    Conflict,
    /// The connection has ended; another one may work.
    Disconnected,
    /// The database can't do it now.
    Unavailable,
    /// Anything else: a defect.
    Other,
}

/// How a driver connects to a database.
pub(crate) type Options<D> = <Connection<D> as sqlx::Connection>::Options;

/// The dialect of a database that is a server of its own.
pub(crate) trait RemoteDialect: Dialect {
    /// Its name, as in `PostgreSQL`.
    const NAME: &'static str;
    /// Its name in the configuration, as in `postgres`.
    const KIND: &'static str;
    /// What a new connection runs first, of those that write and of those that read.
    const PREPARE_WRITER: &'static str;
    const PREPARE_READER: &'static str;
    /// What a connection runs first that changes the schema, which may take long.
    const PREPARE_SCHEMA: &'static str;
    /// Lets nobody else change the schema, until the connection is closed.
    const LOCK_SCHEMA: &'static str;
    /// The tables, columns and indexes.
    const SCHEMA: Schema;
    /// Returns a row whose first column says whether the database only takes reads.
    const IS_READ_ONLY: &'static str;

    /// Says what an error means.
    fn fault(error: &dyn DatabaseError) -> Fault;

    /// The query of [`heads::newest!`](super::heads), of all users, or another one that returns the same.
    const NEWEST: &'static str = heads::newest!("");
    /// The same, of a list of users.
    const NEWEST_OF: &'static str = heads::newest!("WHERE a.user_id {in}");
    /// Returns the applications of a list, `{in}`, that are there: id, owner, NULL. Further rows have NULL twice, and
    /// then what [`Self::insert_messages`] needs.
    const SENDERS: &'static str;
    /// Whether that is ids, as many as the second value says.
    const RESERVES_IDS: bool;
    /// The end of an insertion of heads that raises those that are there.
    const RAISE_HEADS: &'static str;

    /// Returns rows whose second columns, taken together, tell this database from a copy of it that goes its own way: a
    /// replica that was promoted, or a backup that was restored elsewhere.
    const IDENTITY: &'static str;
    /// Raises the counter of the messages' ids above all messages and heads, if it can be behind them.
    const RAISE_IDS: Option<&'static str>;
    /// Returns a row with how many bytes a statement may have, if the server cuts the connection of a larger one.
    const MOST_BYTES: Option<&'static str>;
    /// Makes the ids of all messages that are inserted from now on higher than this one.
    fn skip_ids(
        session: &mut Session<'_, Self>,
        above: u64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Inserts messages of users whose heads are locked, and returns their ids, in the order given and ascending. None of
    /// them is in `used`. `reserved` is what [`Self::SENDERS`] has returned: where ids are reserved, ascending
    /// and as many as there are messages.
    fn insert_messages(
        session: &mut Session<'_, Self>,
        messages: &[&NewMessage],
        reserved: &[u64],
        used: UsedIds<'_>,
    ) -> impl Future<Output = Result<Vec<MessageId>, sqlx::Error>> + Send;
}

/// Names the value of which an error says that another row has it, by the index or the columns in its text.
pub(crate) fn taken_value(error: &str) -> &'static str {
    [
        ("uix_users_name", "user name"),
        ("uix_users_oidc_id", "OIDC id"),
        ("_token", "token"),
        ("sort_key", "sort key"),
    ]
    .into_iter()
    .find_map(|(index, what)| error.contains(index).then_some(what))
    .unwrap_or("value")
}
