//! Reading and writing whole tables.

use sqlx::ConnectOptions as _;

use super::connection;
use super::dialect::PostgresDialect;
use crate::store::OpenDatabaseError;
use crate::store::remote::RemoteDialect;
use crate::store::sql::Session;
use crate::store::transfer::bulk::{Access, BulkConnection, BulkDialect, unreachable};
use crate::store::transfer::record::{Cell, Record};
use crate::store::transfer::table::{Kind, Table};

/// What the binary form of `COPY` begins and ends with.
/// Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// How many bytes of rows are written and sent at a time.
const PIECE_BYTES: usize = 512 * 1024;

/// Microseconds from 1970 to the year 2000, from which PostgreSQL counts.
const EPOCH: i64 = 946_684_800_000_000;

impl BulkDialect for PostgresDialect {
    const KIND: &'static str = "PostgreSQL";
    const PREPARE_SOURCE: &'static str = "SET client_min_messages = warning; SET statement_timeout = 0; \
        SET idle_in_transaction_session_timeout = 0";
    const BEGIN_SOURCE: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    const PREPARE_TARGET: &'static str = "SET client_min_messages = warning; SET statement_timeout = 0; \
        SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed'";
    /// sqlx does not set `TCP_NODELAY`, and sends the end of a `COPY` by itself: it waits until the server acknowledges
    /// what is before it, 40 ms after it came. So there are few of them.
    const LOAD_BYTES: usize = 14 * 1024 * 1024;
    const LIST_COLUMNS: &'static str = Self::SCHEMA.list_columns;
    const INTEGER: &'static str = "bigint";
    const TEXT_BYTES: Option<usize> = None;
    const SHORT_TEXT_CHARACTERS: Option<usize> = Some(180);

    fn text_bytes(column: &str) -> String {
        // Texts of `SQL_ASCII` come as they are stored, and need not be UTF-8.
        format!(
            "CASE WHEN getdatabaseencoding() IN ('UTF8', 'SQL_ASCII') THEN octet_length({column}) \
             ELSE octet_length(convert_to({column}, 'UTF8')) END"
        )
    }

    fn last_id(table: &str) -> String {
        format!(
            "SELECT greatest(coalesce(max(id), 0), \
             coalesce(pg_sequence_last_value(pg_get_serial_sequence('{table}', 'id')::regclass), 0)) FROM {table}"
        )
    }

    fn raise_last_id(table: &str, id: u64) -> Vec<String> {
        vec![format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), {id})")]
    }

    async fn connect(
        connection: &str,
        access: Access,
    ) -> Result<Option<BulkConnection<Self>>, OpenDatabaseError> {
        let options = connection::parse(connection)?;
        let place = connection::place(&options);
        let connection = options.connect().await.map_err(unreachable::<Self>)?;
        let prepared = BulkConnection::prepare(Self, connection, place, access).await;
        prepared.map(Some).map_err(unreachable::<Self>)
    }

    /// By `COPY`.
    async fn load(
        session: &mut Session<'_, Self>,
        table: &'static Table,
        rows: &[Record],
    ) -> Result<(), sqlx::Error> {
        let statement = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", table.name, table.column_names());
        let mut copy = session.connection().copy_in_raw(&statement).await?;
        copy.send(HEADER).await?;
        let mut rest = rows;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |record: &&Record| {
                bytes += record.bytes();
                bytes <= PIECE_BYTES
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (piece, later) = rest.split_at(count);
            copy.send(encode(table, piece)).await?;
            rest = later;
        }
        copy.send(&TRAILER[..]).await?;
        copy.finish().await.map(drop)
    }
}

fn encode(table: &Table, rows: &[Record]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(rows.iter().map(Record::bytes).sum());
    let columns = i16::try_from(table.columns.len()).unwrap_or(i16::MAX).to_be_bytes();
    for record in rows {
        copy.extend_from_slice(&columns);
        for (cell, column) in record.cells.iter().zip(table.columns) {
            match cell {
                Cell::Null => copy.extend_from_slice(&(-1_i32).to_be_bytes()),
                Cell::Integer(flag) if column.kind == Kind::Flag => field(&mut copy, &[u8::from(*flag != 0)]),
                Cell::Integer(value) => field(&mut copy, &value.to_be_bytes()),
                Cell::Text(text) => field(&mut copy, text.as_bytes()),
                Cell::Bytes(bytes) => field(&mut copy, bytes),
                Cell::Time(time) => field(&mut copy, &(time.timestamp_micros() - EPOCH).to_be_bytes()),
            }
        }
    }
    copy
}

/// Adds a value after its length. No value is longer than a request may be, 1 GiB.
fn field(copy: &mut Vec<u8>, value: &[u8]) {
    copy.extend_from_slice(&i32::try_from(value.len()).unwrap_or(i32::MAX).to_be_bytes());
    copy.extend_from_slice(value);
}
