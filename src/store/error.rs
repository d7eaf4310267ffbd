//! What can go wrong with a database.

/// A database operation that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A value that must be unique is taken; `what` names it, as in `user name` or `sort key`.
    #[error("{what} is not unique")]
    Conflict {
        /// What was to be unique.
        what: &'static str,
    },
    /// The user that something was to be made for is not there: it was deleted since it asked.
    #[error("the owner does not exist")]
    NoSuchUser,
    /// The database can't hold a value, whatever else it is stored with. Nothing was changed.
    #[error("{0}")]
    Unstorable(Unstorable),
    /// The database can't take the operation now: disk full, file locked or read-only, server gone.
    /// Nothing was changed; the same call may go through later.
    #[error("the database can't {operation} now")]
    Unavailable {
        /// What was being done, as in `insert messages`.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else: a defect, or a file that is not what it should be.
    #[error("failed to {operation}")]
    Failed {
        /// What was being done, as in `open the database`.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a database can't hold a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unstorable {
    /// A text, or another value, is larger than its column.
    #[error("a value is larger than the database can hold")]
    TooLarge,
    /// A text has a character that its column can't hold.
    #[error("a text has a character that the database can't hold, such as NUL")]
    Character,
}
