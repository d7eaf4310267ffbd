//! Databases that are servers of their own: what PostgreSQL, MariaDB and MySQL share.
//!
//! Several connections write at once, also those of other nodes. So each user has a head, a row that names the user's
//! newest message: whoever has locked it is the only one who writes messages of that user until it commits. Ids
//! become visible in their order then, and "everything after id N" is complete.
//!
//! An operation has five seconds. A connection whose statement did not end in time is closed, because the server
//! goes on with the statement, and the next one would wait for it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::change_queue::ChangeQueue;
use self::dialect::Options;
use self::kept::KeptConnection;
use self::pool::Pool;
use super::last_check::{self, LastCheck};
use super::sql::backend::{ChangesApplications, Inserts};
use super::sql::cleaner::Cleaner;
use super::sql::{ApplicationChange, Backend, Lease as _, Searches, query};
use super::{Database, Inserted, MigrationStep, NewMessage, OpenDatabaseError, StoreError};
use crate::model::{Application, Timestamp};

mod change_queue;
pub(super) mod dialect;
pub(super) mod heads;
mod history;
mod insertion;
mod kept;
mod pool;
mod schema;

#[cfg(test)]
pub(super) mod tests;

pub(super) use dialect::{Fault, RemoteDialect};
pub(super) use history::UsedIds;
pub(super) use schema::may_pass;

/// How long an operation may take.
const OPERATION: Duration = Duration::from_secs(5);

/// What a server lets a writing transaction take after its last statement but COMMIT began: 10 s for each statement, and
/// 10 s in between, see `PREPARE_WRITER`.
pub(super) const LONGEST_REVOCATION: Duration = Duration::from_secs(30);

/// Connections for what only reads.
const READERS: u32 = 8;

/// Connections for what writes, but for messages and applications.
const WRITERS: u32 = 4;

/// One server, with connections of one dialect.
#[derive(Debug)]
pub(crate) struct Remote<D: RemoteDialect> {
    readers: Arc<Pool<D>>,
    writers: Arc<Pool<D>>,
    /// One connection, so that the writer waits for nobody but the check of the health, at most once per second.
    messages: KeptConnection<D>,
    application_changes: ChangeQueue<D>,
    cleaner: Cleaner,
    last_check: LastCheck,
    searches: Searches,
}

impl<D: RemoteDialect> Remote<D> {
    /// Connects, and brings the database to the schema of this version.
    #[cfg(test)]
    pub(super) async fn open(dialect: D, options: Options<D>) -> Result<Self, OpenDatabaseError> {
        Self::connect(dialect, options).await?.prepared().await
    }

    /// Brings the database to the schema of this version.
    pub(super) async fn prepared(self) -> Result<Self, OpenDatabaseError> {
        schema::apply(&self.writers).await?;
        heads::raise(&self.writers).await?;
        // There may be something left of a deletion that an earlier process began.
        self.cleaner.look_everywhere();
        Ok(self)
    }

    /// Returns what [`Self::prepared`] would change, and changes nothing.
    pub(super) async fn plan(
        dialect: D,
        options: Options<D>,
    ) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
        let readers = Pool::new(&Arc::new(dialect), &options, 1, D::PREPARE_READER);
        readers.connect_once().await.map_err(schema::unreachable::<D>)?;
        let planned = schema::plan(&readers).await;
        readers.close().await;
        planned
    }

    /// Connects, and leaves the schema as it is, but for the tables that commands need.
    pub(super) async fn beside_server(dialect: D, options: Options<D>) -> Result<Self, OpenDatabaseError> {
        let database = Self::connect(dialect, options).await?;
        schema::add_what_commands_need(&database.writers).await?;
        Ok(database)
    }

    /// Connects, and changes nothing.
    pub(super) async fn connect(dialect: D, options: Options<D>) -> Result<Self, OpenDatabaseError> {
        let dialect = Arc::new(dialect);
        let writers = Arc::new(Pool::new(&dialect, &options, WRITERS, D::PREPARE_WRITER));
        writers.connect_once().await.map_err(schema::unreachable::<D>)?;
        let readers = Arc::new(Pool::new(&dialect, &options, READERS, D::PREPARE_READER));
        Ok(Self {
            messages: KeptConnection::new(Pool::new(&dialect, &options, 1, D::PREPARE_WRITER)),
            application_changes: ChangeQueue::spawn(Pool::new(&dialect, &options, 1, D::PREPARE_WRITER)),
            cleaner: Cleaner::spawn(Arc::clone(&readers), Arc::clone(&writers)),
            readers,
            writers,
            last_check: LastCheck::default(),
            searches: Searches::default(),
        })
    }
}

impl<D: RemoteDialect> Remote<D> {
    /// Asks the server whether it takes writes, and deletes no message, for which it needs what storing one needs.
    async fn try_storing(&self) -> Result<(), StoreError> {
        // Not one of those that may all be waited for: a server with much to do is not a sick one.
        let mut lease = self.messages.lease_until(last_check::OPERATION, Instant::now() + OPERATION).await?;
        let mut session = lease.session();
        let tried = async {
            let is_read_only = session.one(query(D::IS_READ_ONLY)).await?.flag(0)?;
            session.begin().await?;
            session.run(query("DELETE FROM messages WHERE id = 0")).await?;
            session.batch("ROLLBACK").await?;
            Ok(is_read_only)
        };
        let tried = tried.await;
        if lease.end(tried).await? {
            let source = "the database server only takes reads".into();
            return Err(StoreError::Unavailable { operation: last_check::OPERATION, source });
        }
        Ok(())
    }
}

#[async_trait]
impl<D: RemoteDialect> Database for Remote<D> {
    fn kind(&self) -> &'static str {
        D::KIND
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.last_check.or_find(self.try_storing()).await
    }

    fn kept(&self, time: Timestamp) -> Timestamp {
        self.readers.dialect().kept(time)
    }

    async fn close(&self) {
        self.cleaner.stop();
        tokio::join!(
            self.readers.close(),
            self.writers.close(),
            self.messages.close(),
            self.application_changes.close()
        );
    }
}

impl<D: RemoteDialect> Backend for Remote<D> {
    type Dialect = D;
    type Readers = Pool<D>;
    type Writers = Pool<D>;

    fn readers(&self) -> &Pool<D> {
        &self.readers
    }

    fn writers(&self) -> &Pool<D> {
        &self.writers
    }

    fn cleaner(&self) -> &Cleaner {
        &self.cleaner
    }

    fn searches(&self) -> &Searches {
        &self.searches
    }
}

impl<D: RemoteDialect> Inserts for Remote<D> {
    /// Less than four round trips take. What a transaction costs on both sides hardly depends on its messages.
    const LONG_TRANSACTION: Duration = Duration::from_micros(300);

    async fn insert(&self, messages: &[NewMessage]) -> Result<Inserted, StoreError> {
        insertion::insert(&self.messages, messages, Instant::now() + OPERATION).await
    }
}

impl<D: RemoteDialect> ChangesApplications for Remote<D> {
    async fn change_application(&self, change: ApplicationChange) -> Result<Option<Application>, StoreError> {
        self.application_changes.make(change).await
    }
}
