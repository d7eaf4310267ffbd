//! A database that rows are written to.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::{DatabaseTarget, Target, Written};
use crate::store::ImageName;
use crate::store::sql::{cause, pictures, query};
use crate::store::transfer::bulk::{BulkConnection, BulkDialect};
use crate::store::transfer::parts::Parts;
use crate::store::transfer::record::Record;
use crate::store::transfer::refusal::refusal;
use crate::store::transfer::table::{MESSAGES, TABLES, Table};
use crate::store::transfer::unfinished::{self, Positions};
use crate::store::transfer::{Totals, TransferError};

/// A transaction is committed after so many rows, or after so many bytes.
const COMMIT_ROWS: usize = 20_000;
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// A database that is being filled.
#[derive(Debug)]
pub(super) struct Loading<D: BulkDialect> {
    connection: BulkConnection<D>,
    positions: Positions,
    left_out: [Totals; TABLES.len()],
    /// The messages that must be there in the end, if an earlier run has copied some of them: what it has copied was equal
    /// to the source's, and the others come from there.
    parts: Option<Parts>,
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
    async fn outdated(&mut self, source: &Parts) -> Result<Vec<RangeInclusive<u64>>, TransferError> {
        let up_to = self.positions[MESSAGES];
        let found = self.messages(up_to).await?;
        let outdated = found.unlike(source, up_to);
        self.parts = Some(found);
        Ok(outdated)
    }

    async fn delete(&mut self, ids: &RangeInclusive<u64>) -> Result<(), TransferError> {
        let deleted = self.delete_messages(ids).await;
        deleted.map_err(|error| self.connection.failed_to("delete messages from", error))?;
        if let Some(parts) = &mut self.parts {
            parts.remove(ids);
        }
        Ok(())
    }

    async fn verify(&mut self) -> Result<(), TransferError> {
        let Some(expected) = self.parts.take() else { return Ok(()) };
        let found = self.messages(u64::MAX).await?;
        match found.unlike(&expected, u64::MAX).first() {
            None => Ok(()),
            Some(ids) => Err(TransferError::Changed {
                table: TABLES[MESSAGES].name,
                first: *ids.start(),
                last: *ids.end(),
                place: self.connection.name(),
            }),
        }
    }

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
        self.positions[table]
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
        let gap = if table == MESSAGES && last_id > 0 { self.gap } else { 0 };
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
        Ok((totals, self.left_out[table]))
    }
}

impl<D: BulkDialect> Loading<D> {
    /// Goes on after what was copied before. `is_rest` says that an earlier run may have done that.
    pub(super) fn new(connection: BulkConnection<D>, positions: Positions, is_rest: bool, gap: u64) -> Self {
        Self {
            connection,
            positions,
            left_out: Default::default(),
            parts: is_rest.then(Parts::default),
            gap,
            uncommitted: (0, 0),
            last_id: 0,
            is_begun: false,
        }
    }

    async fn load(&mut self, table: usize, batch: &Written<'_>) -> Result<(), sqlx::Error> {
        self.begin().await?;
        if !batch.rows.is_empty() {
            D::load(&mut self.connection.session(), &TABLES[table], batch.rows).await?;
        }
        if let Some(parts) = self.parts.as_mut().filter(|_| table == MESSAGES) {
            for record in batch.rows {
                parts.add(&TABLES[table], record);
            }
        }
        // Messages that are copied again are below it.
        let position = &mut self.positions[table];
        *position = batch.last_id.max(*position);
        self.left_out[table] = self.left_out[table].plus(batch.left_out);
        self.uncommitted.0 += batch.rows.len();
        self.uncommitted.1 += batch.rows.iter().map(Record::bytes).sum::<usize>();
        if self.uncommitted.0 >= COMMIT_ROWS || self.uncommitted.1 >= COMMIT_BYTES {
            self.commit(table).await?;
        }
        Ok(())
    }

    /// Begins a transaction, unless one is open.
    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        if !self.is_begun {
            self.connection.session().begin().await?;
            self.is_begun = true;
        }
        Ok(())
    }

    /// Returns what tells the messages up to an id apart from others.
    async fn messages(&mut self, up_to: u64) -> Result<Parts, TransferError> {
        let found = self.connection.parts(&TABLES[MESSAGES], up_to).await;
        found.map_err(|error| self.connection.failed_to("compare the messages of", error))
    }

    async fn delete_messages(&mut self, ids: &RangeInclusive<u64>) -> Result<(), sqlx::Error> {
        self.begin().await?;
        let text = format!("DELETE FROM {} WHERE id >= ? AND id <= ?", TABLES[MESSAGES].name);
        let deletion = query(&text).id(*ids.start()).id(*ids.end());
        self.connection.session().run(deletion).await.map(drop)
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
                self.connection.session().run(query(&statement)).await?;
            }
        }
        Ok(())
    }
}
