//! The database of users, applications, clients and messages, and the images of applications.
//!
//! Each kind of database implements [`Database`]. The rest of the program uses [`Store`], which adds the group-commit
//! writer. This writer stores all waiting messages in one transaction. It acknowledges a message only when its
//! transaction is durable.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::model::{Message, UserId};
use crate::task;

mod commit;
mod database;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod images;
mod observer;
mod place;
mod publish;
mod queue;
mod replacement;
mod retention_job;
mod revocation;
mod search;
mod slice;
mod writer;

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod last_check;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod migration;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod remote;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod setting;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod sort_key;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub mod transfer;

#[cfg(test)]
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod conformance;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

pub use commit::{Commit, Stored, UserCommit};
pub use database::{
    ApplicationStates, Applications, ClientSubscription, Clients, Credential, Database, DatabaseTime,
    DeletedMessages, DeletedUser, ExcessMessages, Heads, InsertOutcome, Inserted, KeepMessages, KeptMessages,
    LastWrite, LoggedRevocation, Logins, MAX_PUSH_SUBSCRIPTIONS, MessageChoice, MessagePage, Messages,
    NewApplication, NewClient, NewLinkedUser, NewMessage, NewUser, OldMessages, Owned, Pictures,
    PushSubscription, PushSubscriptions, Retention, RetentionRule, RevocationId, RevocationLog, Search,
    SubscribeOutcome, UpdateApplication, UpdateClient, UpdateUser, UserChange, Users,
};
pub use error::{StoreError, Unstorable};
pub use images::{Image, ImageFolder, ImageName, ImageStorage, Images, StoredImages};
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use migration::MigrationStep;
pub use observer::{PublishObserver, PublishOutcome};
#[cfg(feature = "sqlite")]
pub(crate) use open::check_connection;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use open::{
    DatabaseConfig, Dialect, OpenDatabaseError, ReachedDatabase, open, open_beside_server, plan_migration,
    reach,
};
pub(crate) use place::place_of_server;
#[cfg(feature = "postgres")]
pub(crate) use postgres::options as postgres_options;
pub use publish::PublishError;
pub(crate) use queue::PATIENCE as PUBLISH_PATIENCE;
pub use replacement::Replacement;
pub(crate) use replacement::replace_key;
pub use retention_job::RetentionJob;
pub(crate) use retention_job::RetentionJobParts;
pub use revocation::Revocation;
pub(crate) use search::Counts as IndexCounts;
pub use search::{IndexPace, MOST_SEARCH_WORDS, MessageSearch, SearchError, SearchWord};
pub use slice::{LeftOut, Slice};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

/// A database with the writer in front of it. Clones share both.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use std::sync::Arc;
/// use shardcast::store::{Sqlite, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("gotify.db");
/// # let file = file.to_str().unwrap();
/// let database = Sqlite::open(file).await?;
/// let store = Store::new(Arc::new(database), |commit| {
///     for stored in commit.messages() {
///         println!("message {} for user {}", stored.message.id, stored.user_id);
///     }
/// });
/// assert_eq!(store.database().user_count().await?, 0);
/// store.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// The writer is a task that ends by [`shutdown`](Self::shutdown), or by itself once the last clone is dropped
/// and what was accepted is written.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    database: Arc<dyn Database>,
    queue: queue::Queue,
    /// Messages that were stored.
    stored: Arc<AtomicU64>,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    /// What is to be indexed.
    index: Arc<IndexCounts>,
    indexer: search::Indexer,
}

impl Store {
    /// Starts the writer on a database.
    ///
    /// `on_commit` is called on the writer's task once for each transaction that has stored something; every sender
    /// has been answered by then. For each user the ids ascend from call to call. The next transaction waits for it,
    /// so it must be brief. If the writer is interrupted between a transaction and this call, the next commit of each
    /// of its users says so by its [`previous`](UserCommit::previous).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(database: Arc<dyn Database>, on_commit: impl Fn(&Commit) + Send + Sync + 'static) -> Self {
        Self::watched(database, on_commit, Arc::new(()))
    }

    /// As [`Store::new`], with somebody who watches.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn watched(
        database: Arc<dyn Database>,
        on_commit: impl Fn(&Commit) + Send + Sync + 'static,
        observer: Arc<dyn PublishObserver>,
    ) -> Self {
        Self::with_index(database, on_commit, observer, Arc::new(IndexCounts::new()))
    }

    /// As [`Store::watched`]; who deletes messages without the store says so to `index`.
    pub(crate) fn with_index(
        database: Arc<dyn Database>,
        on_commit: impl Fn(&Commit) + Send + Sync + 'static,
        observer: Arc<dyn PublishObserver>,
        index: Arc<IndexCounts>,
    ) -> Self {
        let (queue, jobs) = queue::Queue::new(Arc::clone(&observer));
        let stored = Arc::<AtomicU64>::default();
        let indexer = search::Indexer::spawn(Arc::clone(&database), Arc::clone(&index));
        let (count, counts) = (Arc::clone(&stored), Arc::clone(&index));
        let on_commit = move |commit: &Commit| {
            count.fetch_add(commit.messages().len() as u64, Ordering::Relaxed);
            counts.add(commit);
            on_commit(commit);
        };
        let observers = writer::WriterObservers { on_commit: Box::new(on_commit), observer };
        let writer =
            tokio::sync::Mutex::new(Some(task::spawn(writer::run(Arc::clone(&database), jobs, observers))));
        Self(Arc::new(Inner { database, queue, stored, writer, index, indexer }))
    }

    /// The database, for everything but publishing.
    pub fn database(&self) -> &dyn Database {
        &*self.0.database
    }

    /// Stores a message and returns it once it is durable. Waits while the writer's queue is full. All in all it waits
    /// for 5 s at most; then the answer is [`PublishError::TimedOut`]. The message is on its way when this returns, also
    /// before the future is polled.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the message either stored, and then announced to the observer, or not.
    pub fn publish(&self, message: NewMessage) -> impl Future<Output = Result<Arc<Message>, PublishError>> {
        self.publish_received(message, Instant::now())
    }

    /// As [`publish`](Self::publish), of a message that came at that time, from which on the 5 s are counted.
    pub(crate) fn publish_received(
        &self,
        mut message: NewMessage,
        received_at: Instant,
    ) -> impl Future<Output = Result<Arc<Message>, PublishError>> {
        message.date = self.0.database.kept(message.date);
        self.0.queue.publish(message, received_at)
    }

    /// To be called when many messages of a user were deleted, so that the index of the search forgets them too. Nothing
    /// that is deleted is found in any case.
    pub fn forget_deleted(&self, user: UserId) {
        self.0.index.forget_deleted(user);
    }

    /// Whether the writer runs: it has not ended, by [`shutdown`](Self::shutdown) or by a defect.
    pub fn writer_runs(&self) -> bool {
        self.0.queue.is_open()
    }

    /// Counts the messages that were stored since the start, and whose senders were answered.
    pub fn stored_count(&self) -> u64 {
        self.0.stored.load(Ordering::Relaxed)
    }

    /// Counts the messages that wait for the writer now.
    pub fn waiting_count(&self) -> usize {
        self.0.queue.len()
    }

    /// Checks whether a message could be stored now: whether the writer runs, and what [`Database::check`] looks at.
    pub async fn check(&self) -> Result<(), StoreError> {
        if !self.writer_runs() {
            let operation = "store a message";
            return Err(StoreError::Unavailable { operation, source: "the writer has ended".into() });
        }
        self.0.database.check().await
    }

    /// Writes what was accepted, then closes the database. From the call on, [`publish`](Self::publish) answers
    /// [`PublishError::ShutDown`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the writer to finish; another call waits for it again.
    pub async fn shutdown(&self) {
        self.0.queue.close();
        let mut writer = self.0.writer.lock().await;
        if let Some(task) = writer.as_mut() {
            if let Err(error) = task.await {
                tracing::error!(error = &error as &dyn std::error::Error, "the writer ended early");
            }
            *writer = None;
        }
        self.0.indexer.stop();
        self.0.database.close().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("database", &self.0.database).finish_non_exhaustive()
    }
}
