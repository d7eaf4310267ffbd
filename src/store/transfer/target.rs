//! Where rows go to.

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use super::bulk::{Access, BulkConnection, BulkDialect};
use super::record::{Cell, Record};
use super::table::{Kind, TABLES, Table};
use super::unfinished::{self, Contents, Position};
use super::{Totals, TransferError};
#[cfg(feature = "mysql")]
use crate::store::mysql::MysqlDialect;
#[cfg(feature = "postgres")]
use crate::store::postgres::PostgresDialect;
use crate::store::sql::{cause, pictures};
#[cfg(feature = "sqlite")]
use crate::store::sqlite::SqliteDialect;
use crate::store::{self, DatabaseConfig, Dialect, ImageName};

/// A transaction is committed after so many rows, or after so many bytes.
const COMMIT_ROWS: usize = 20_000;
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// Where rows go to: a database or a backup.
#[async_trait]
pub(super) trait Target: Send {
    /// After which id rows of a table are missing. Tables are named by their place in [`TABLES`].
    fn after(&self, table: usize) -> u64;
    /// Says why it can't hold a row.
    fn refusal(&self, table: &'static Table, record: &Record) -> Option<String>;
    /// How many bytes it wants to be given at once, where few are slow.
    fn wanted_bytes(&self) -> usize {
        0
    }
    /// Begins a table. Its highest id is this one, or one that was given to a row that is deleted.
    async fn begin_table(&mut self, table: usize, last_id: u64) -> Result<(), TransferError>;
    /// Writes rows, and takes note of those that are left out.
    async fn write(&mut self, table: usize, batch: &Written<'_>) -> Result<(), TransferError>;
    /// Ends a table, and makes it durable.
    async fn end_table(&mut self, table: usize) -> Result<(), TransferError>;
    /// Counts the rows of a table, and those that were left out.
    async fn totals(&mut self, table: usize) -> Result<(Totals, Totals), TransferError>;
}

/// What came of a batch.
pub(super) struct Written<'b> {
    pub(super) rows: &'b [Record],
    pub(super) left_out: Totals,
    /// The last id of the batch, left out or not.
    pub(super) last_id: u64,
}

/// What is written into a database.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Where the rows come from.
    pub(super) source: String,
    pub(super) kind: JobKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobKind {
    /// The target is empty, or has the first part of this copy.
    Copy,
    /// The target is empty, or is emptied.
    Restore {
        /// Whether rows may be deleted that nobody wrote by restoring.
        replace: bool,
        /// How far above the highest id of the backup new messages begin.
        gap: u64,
    },
}

/// Opens a database to write to, once nothing speaks against it.
pub(super) async fn open(
    config: &DatabaseConfig,
    job: &Job,
) -> Result<Box<dyn DatabaseTarget>, TransferError> {
    match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => prepare::<SqliteDialect>(config, job).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => prepare::<PostgresDialect>(config, job).await,
        #[cfg(feature = "mysql")]
        Dialect::Mysql => prepare::<MysqlDialect>(config, job).await,
    }
}

async fn prepare<D: BulkDialect>(
    config: &DatabaseConfig,
    job: &Job,
) -> Result<Box<dyn DatabaseTarget>, TransferError> {
    let place = config.connection.expose_secret();
    let contents = match D::connect(place, Access::Read).await.map_err(TransferError::OpenTarget)? {
        Some(mut connection) => {
            let found = unfinished::contents(&mut connection).await;
            let found = found.map_err(|error| connection.failed_to("look into", error));
            connection.close().await;
            found?
        }
        None => Contents::Nothing,
    };
    let is_rest = contents.allow(job)?;
    if !matches!(contents, Contents::Unfinished { .. }) {
        // This makes the tables.
        store::open(config).await.map_err(TransferError::OpenTarget)?.close().await;
    }
    let connected = D::connect(place, Access::Write).await.map_err(TransferError::OpenTarget)?;
    let mut connection = connected.ok_or(TransferError::NoSource)?;
    let positions = if is_rest {
        unfinished::positions(&mut connection).await
    } else {
        unfinished::begin(&mut connection, &job.source).await
    };
    let positions = positions.map_err(|error| connection.failed_to("prepare", error))?;
    let gap = match job.kind {
        JobKind::Copy => 0,
        JobKind::Restore { gap, .. } => gap,
    };
    Ok(Box::new(Loading { connection, positions, gap, uncommitted: (0, 0), last_id: 0, is_begun: false }))
}

/// A database that is written to.
#[async_trait]
pub(super) trait DatabaseTarget: Target {
    /// Saves a picture, unless it is there.
    async fn save_picture(&mut self, name: &ImageName, content: &[u8]) -> Result<(), TransferError>;
    /// Takes note that all is there, and closes it.
    async fn finish(self: Box<Self>) -> Result<(), TransferError>;
    /// It as any target.
    fn as_target(&mut self) -> &mut dyn Target;
}

#[derive(Debug)]
struct Loading<D: BulkDialect> {
    connection: BulkConnection<D>,
    positions: [Position; TABLES.len()],
    gap: u64,
    /// Rows and bytes since the last commit.
    uncommitted: (usize, usize),
    /// The highest id that the table of the source has given.
    last_id: u64,
    /// Whether a transaction is open.
    is_begun: bool,
}

#[async_trait]
impl<D: BulkDialect> DatabaseTarget for Loading<D> {
    async fn save_picture(&mut self, name: &ImageName, content: &[u8]) -> Result<(), TransferError> {
        let saved = pictures::save(&mut self.connection.session(), name.as_str(), content).await;
        saved.map_err(|error| self.connection.failed_to("save a picture in", error))
    }

    async fn finish(mut self: Box<Self>) -> Result<(), TransferError> {
        let ended = unfinished::end(&mut self.connection).await;
        let ended = ended.map_err(|error| self.connection.failed_to("write to", error));
        self.connection.close().await;
        ended
    }

    fn as_target(&mut self) -> &mut dyn Target {
        self
    }
}

#[async_trait]
impl<D: BulkDialect> Target for Loading<D> {
    fn after(&self, table: usize) -> u64 {
        self.positions[table].last_id
    }

    fn wanted_bytes(&self) -> usize {
        D::LOAD_BYTES
    }

    fn refusal(&self, table: &'static Table, record: &Record) -> Option<String> {
        table.columns.iter().zip(&record.cells).find_map(|(column, cell)| {
            let reason = refusal::<D>(column.kind, cell)?;
            Some(format!("its `{}` {reason}", column.name))
        })
    }

    async fn begin_table(&mut self, table: usize, last_id: u64) -> Result<(), TransferError> {
        let gap = if TABLES[table].name == "messages" && last_id > 0 { self.gap } else { 0 };
        self.last_id = last_id.saturating_add(gap);
        Ok(())
    }

    async fn write(&mut self, table: usize, batch: &Written<'_>) -> Result<(), TransferError> {
        let written = self.load(table, batch).await;
        written.map_err(|source| TransferError::Write {
            table: TABLES[table].name,
            first: batch.rows.first().map_or(batch.last_id, Record::id),
            last: batch.last_id,
            place: self.connection.name(),
            source: cause(source),
        })
    }

    async fn end_table(&mut self, table: usize) -> Result<(), TransferError> {
        let ended = async {
            self.commit(table).await?;
            self.raise_last_id(&TABLES[table]).await
        };
        let ended = ended.await;
        ended.map_err(|error| self.connection.failed_to("write to", error))
    }

    async fn totals(&mut self, table: usize) -> Result<(Totals, Totals), TransferError> {
        let totals = self.connection.totals(&TABLES[table]).await;
        let totals = totals.map_err(|error| self.connection.failed_to("count the rows of", error))?;
        Ok((totals, self.positions[table].left_out))
    }
}

impl<D: BulkDialect> Loading<D> {
    async fn load(&mut self, table: usize, batch: &Written<'_>) -> Result<(), sqlx::Error> {
        let mut session = self.connection.session();
        if !self.is_begun {
            session.begin().await?;
            self.is_begun = true;
        }
        if !batch.rows.is_empty() {
            D::load(&mut session, &TABLES[table], batch.rows).await?;
        }
        let position = &mut self.positions[table];
        position.last_id = batch.last_id;
        position.left_out = position.left_out.plus(batch.left_out);
        self.uncommitted.0 += batch.rows.len();
        self.uncommitted.1 += batch.rows.iter().map(Record::bytes).sum::<usize>();
        if self.uncommitted.0 >= COMMIT_ROWS || self.uncommitted.1 >= COMMIT_BYTES {
            self.commit(table).await?;
        }
        Ok(())
    }

    /// Commits what was written, together with how far that is.
    async fn commit(&mut self, table: usize) -> Result<(), sqlx::Error> {
        if !self.is_begun {
            return Ok(());
        }
        unfinished::note(&mut self.connection, table, self.positions[table]).await?;
        self.connection.session().commit().await?;
        self.is_begun = false;
        self.uncommitted = (0, 0);
        Ok(())
    }

    /// Makes a table go on above the ids that the source has given. One that has given higher ones goes on there.
    async fn raise_last_id(&mut self, table: &'static Table) -> Result<(), sqlx::Error> {
        if self.connection.last_id(table).await? < self.last_id {
            for statement in D::raise_last_id(table.name, self.last_id) {
                self.connection.session().run(crate::store::sql::query(&statement)).await?;
            }
        }
        Ok(())
    }
}

/// Says why a database can't hold a value.
fn refusal<D: BulkDialect>(kind: Kind, cell: &Cell) -> Option<String> {
    let Cell::Text(text) = cell else { return None };
    if kind == Kind::SortKey {
        return None;
    }
    if !D::HOLDS_NUL && text.contains('\0') {
        return Some(format!("has a NUL, which {} can't hold", D::KIND));
    }
    if let Some(most) = D::SHORT_TEXT_CHARACTERS.filter(|_| kind == Kind::ShortText) {
        let characters = text.chars().count();
        return (characters > most)
            .then(|| format!("has {characters} characters, and {} holds {most} at most", D::KIND));
    }
    let most = D::TEXT_BYTES?;
    let bytes = text.len();
    (bytes > most).then(|| format!("has {bytes} bytes, and {} holds {most} at most", D::KIND))
}
