//! Moving the rows of all tables.

use std::ops::RangeInclusive;

use tokio::sync::mpsc::{self, Receiver};

use super::record::Record;
use super::source::Source;
use super::table::TABLES;
use super::target::{Target, Written};
use super::{Moved, OnProgress, Totals, TransferError, TransferProgress};

/// Batches that wait for the target while the source reads on.
const WAITING: usize = 1;

/// Rows that are larger on average are not collected.
const LARGE_ROW_BYTES: usize = 32 * 1024;

/// Moves all rows that the target does not have yet, and compares both sides.
pub(super) async fn transfer(
    source: &mut dyn Source,
    target: &mut dyn Target,
    leave_out: bool,
    on_progress: OnProgress<'_>,
) -> Result<Moved, TransferError> {
    let mut moved = Moved::default();
    for (number, table) in TABLES.iter().enumerate() {
        let expected = source.totals(table).await?;
        let last_id = source.last_id(table).await?;
        target.begin_table(number, last_id).await?;
        let ids = target.after(number).saturating_add(1)..=u64::MAX;
        let progress = |done| on_progress(TransferProgress { table: table.name, done, total: expected.rows });
        move_rows(source, target, number, ids, leave_out, &progress).await?;
        target.end_table(number).await?;
        let (found, left_out) = target.totals(number).await?;
        let expected = expected.minus(left_out);
        if found != expected {
            return Err(TransferError::Different { table: table.name, expected, found });
        }
        moved.tables.push((table.name, found.rows));
        moved.left_out += left_out.rows;
    }
    Ok(moved)
}

/// Moves the rows of a table that have these ids.
pub(super) async fn move_rows(
    source: &mut dyn Source,
    target: &mut dyn Target,
    number: usize,
    ids: RangeInclusive<u64>,
    leave_out: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), TransferError> {
    let (sender, batches) = mpsc::channel(WAITING);
    let reading = source.read(&TABLES[number], ids, sender);
    let writing = write(target, number, batches, leave_out, progress);
    let (read, written) = tokio::join!(reading, writing);
    // A reader that nobody listens to ends early, without an error.
    read.and(written)
}

/// Returns the next batch, or several that together have about as many bytes as are wanted.
async fn collect(batches: &mut Receiver<Vec<Record>>, wanted: usize) -> Option<Vec<Record>> {
    let mut rows = batches.recv().await?;
    let mut bytes: usize = rows.iter().map(Record::bytes).sum();
    // Where rows are large there are few statements anyway, and much memory.
    while bytes < wanted.min(rows.len() * LARGE_ROW_BYTES)
        && let Some(more) = batches.recv().await
    {
        bytes += more.iter().map(Record::bytes).sum::<usize>();
        rows.extend(more);
    }
    Some(rows)
}

async fn write(
    target: &mut dyn Target,
    number: usize,
    mut batches: Receiver<Vec<Record>>,
    leave_out: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), TransferError> {
    let table = &TABLES[number];
    let mut done = 0;
    progress(done);
    while let Some(mut rows) = collect(&mut batches, target.wanted_bytes()).await {
        let Some(last) = rows.last() else { continue };
        let last_id = last.id();
        done += rows.len() as u64;
        let mut left_out = Totals::default();
        let mut refused = None;
        rows.retain(|record| {
            let Some(reason) = target.refusal(table, record) else { return refused.is_none() };
            let id = record.id();
            if leave_out {
                tracing::warn!("left out row {id} of the table `{}`: {reason}", table.name);
                left_out = left_out.plus(Totals::of(id));
            } else {
                refused.get_or_insert((id, reason));
            }
            false
        });
        // What is before a row that ends the copy is written first.
        let last_id = if refused.is_some() { rows.last().map(Record::id) } else { Some(last_id) };
        if let Some(last_id) = last_id {
            target.write(number, &Written { rows: &rows, left_out, last_id }).await?;
        }
        if let Some((id, reason)) = refused {
            target.end_table(number).await?;
            return Err(TransferError::Unstorable { table: table.name, id, reason });
        }
        progress(done);
    }
    Ok(())
}
