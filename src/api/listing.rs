//! Lists as answers: made a part at a time, while the client takes them.
//!
//! The first part is read before the answer begins, so that a usual list is one query and one buffer. The rest is read
//! by ids, when the client has taken what came before. No transaction is open while a client is waited for. What can't
//! be read in the middle ends the connection, so that the client sees that the list is not complete.

mod memory;
#[cfg(test)]
mod tests;

pub(super) use memory::{AnswerMemory, KeptPart, NoMemory};

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::try_unfold;
use serde::Serialize;

use self::memory::Reservation;
use super::ApiError;
use super::json::{APPLICATION_JSON, write_json};
use crate::store::{LeftOut, Slice, StoreError};

/// How many bytes of rows are read at a time. A larger row is read alone.
const PART_BYTES: usize = 256 * 1024;

/// How many bytes are reserved for a byte of rows: the row as it comes from the database, as it is read, and as JSON,
/// where a byte takes up to six.
const RESERVED_PER_BYTE: usize = 8;

/// How many bytes the HTTP server gets at a time. It copies them.
pub(super) const PIECE_BYTES: usize = 16 * 1024;

/// How long a request waits for memory: before its answer has begun, and after that.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
pub(super) const PATIENCE_ONCE_BEGUN: Duration = Duration::from_secs(30);

/// Where the rows of a list are read.
pub(super) trait Rows: Send + Sync + 'static {
    /// What the answer is.
    const CONTENT_TYPE: HeaderValue = APPLICATION_JSON;
    /// What identifies a row.
    type Id: Copy + Send + Sync + 'static;
    /// A row, as it is listed.
    type Row: Serialize + Send;

    /// Returns the id of a row.
    fn id(row: &Self::Row) -> Self::Id;

    /// Reads the rows of these ids, in this order, without those that are not there any more.
    fn read(&self, ids: &[Self::Id]) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// Encodes a row, at the end of what is there; as JSON unless something else is said.
    fn encode(answer: &mut Vec<u8>, row: &Self::Row) {
        write_json(answer, row);
    }
}

/// The first part of a list, about to be read.
pub(super) struct FirstPart {
    reservation: Reservation,
    memory: AnswerMemory,
    bytes: usize,
}

impl FirstPart {
    /// Waits for memory. Reads must keep to [`Self::MAX_BYTES`].
    pub(super) async fn reserve(memory: &AnswerMemory) -> Result<Self, ApiError> {
        Self::of_bytes(memory, PART_BYTES).await
    }

    /// Waits for the memory of an answer that repeats a request of so many bytes.
    pub(super) async fn of_bytes(memory: &AnswerMemory, bytes: usize) -> Result<Self, ApiError> {
        let reservation = memory.reserve(RESERVED_PER_BYTE.saturating_mul(bytes), PATIENCE).await?;
        Ok(Self { reservation, memory: memory.clone(), bytes })
    }

    /// How many bytes of rows may be read.
    pub(super) const MAX_BYTES: usize = PART_BYTES;

    /// Answers with a list. `head` and `tail` are the JSON around its rows.
    pub(super) fn answer<R: Rows>(
        self,
        (head, tail): (Vec<u8>, &'static str),
        rows: R,
        slice: Slice<R::Row, R::Id>,
    ) -> Response {
        let ids = slice.rows.iter().map(R::id).collect();
        let mut listing =
            Listing { head, tail, ..Listing::new(rows, ids, slice.left_out, self.memory, self.bytes) };
        let answer = listing.encode(slice.rows);
        listing.answer(self.reservation, answer)
    }

    /// Answers with one row.
    pub(super) fn answer_row<R: Rows>(self, rows: R, row: &R::Row) -> Response {
        let listing = Listing::new(rows, vec![R::id(row)], Vec::new(), self.memory, self.bytes);
        let mut answer = Vec::with_capacity(self.bytes);
        R::encode(&mut answer, row);
        listing.answer(self.reservation, answer)
    }
}

/// Why a list ends before its end.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("failed to read more of the list")]
    Store(#[from] StoreError),
    #[error("waited too long for memory")]
    NoMemory(#[from] NoMemory),
    #[error("the part of the list that the client was taking has changed")]
    Changed,
}

/// A list on its way to a client.
struct Listing<R: Rows> {
    rows: R,
    memory: AnswerMemory,
    head: Vec<u8>,
    tail: &'static str,
    /// What is in none of the parts up to now.
    left_out: VecDeque<LeftOut<R::Id>>,
    /// What is in the part that the client takes.
    ids: Vec<R::Id>,
    /// Whether there was a row in the parts before that one, and up to its end.
    follows_row: bool,
    has_row: bool,
    /// That part, unless it was given up or taken whole.
    part: Option<KeptPart>,
    /// How many bytes its rows are.
    part_bytes: usize,
    /// How many bytes of it the client has taken.
    taken: usize,
    /// What it was when it was made first.
    digest: Option<u64>,
}

impl<R: Rows> Listing<R> {
    fn new(
        rows: R,
        ids: Vec<R::Id>,
        left_out: Vec<LeftOut<R::Id>>,
        memory: AnswerMemory,
        part_bytes: usize,
    ) -> Self {
        Self {
            rows,
            memory,
            head: Vec::new(),
            tail: "",
            left_out: left_out.into(),
            ids,
            follows_row: false,
            has_row: false,
            part: None,
            part_bytes,
            taken: 0,
            digest: None,
        }
    }

    /// Answers with the first part, and what follows it.
    fn answer(mut self, reservation: Reservation, first: Vec<u8>) -> Response {
        let is_whole = self.left_out.is_empty();
        let length = first.len();
        let body = if is_whole && length <= PIECE_BYTES {
            Body::from(first)
        } else {
            self.part = self.keep(reservation, first).ok();
            Body::from_stream(try_unfold(self, async |mut listing| {
                let piece = listing.next_piece().await;
                let piece = piece.inspect_err(|error| {
                    tracing::warn!(error = error as &dyn std::error::Error, "ended a list before its end");
                })?;
                Ok::<_, ListError>(piece.map(|piece| (piece, listing)))
            }))
        };
        let mut response = ([(CONTENT_TYPE, R::CONTENT_TYPE)], body).into_response();
        if is_whole {
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        response
    }

    /// Returns what the client gets next; nothing at the end.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, ListError> {
        loop {
            match self.part.as_ref().map(|part| part.take(self.taken, PIECE_BYTES)) {
                Some(Some(piece)) if !piece.is_empty() => {
                    self.taken += piece.len();
                    return Ok(Some(piece));
                }
                // The client has it whole.
                Some(Some(_)) => {
                    self.part = None;
                    if !self.go_on() {
                        return Ok(None);
                    }
                }
                // It was given up while the client took nothing.
                Some(None) | None => {}
            }
            self.make().await?;
        }
    }

    /// Goes on to the next part; false if there is none.
    fn go_on(&mut self) -> bool {
        self.head.clear();
        self.ids.clear();
        (self.follows_row, self.taken, self.digest) = (self.has_row, 0, None);
        let mut bytes = 0;
        while let Some(next) = self.left_out.front() {
            bytes += next.bytes;
            if bytes > PART_BYTES && !self.ids.is_empty() {
                break;
            }
            self.ids.push(next.id);
            self.part_bytes = bytes;
            self.left_out.pop_front();
        }
        !self.ids.is_empty()
    }

    /// Makes the part that the client takes.
    async fn make(&mut self) -> Result<(), ListError> {
        let reserved = RESERVED_PER_BYTE.saturating_mul(self.part_bytes);
        let reservation = self.memory.reserve(reserved, PATIENCE_ONCE_BEGUN).await?;
        let rows = self.rows.read(&self.ids).await?;
        let json = self.encode(rows);
        self.part = Some(self.keep(reservation, json)?);
        Ok(())
    }

    /// Encodes the rows of the part that the client takes.
    fn encode(&mut self, rows: Vec<R::Row>) -> Vec<u8> {
        let mut json = self.head.clone();
        self.has_row = self.follows_row;
        for row in rows {
            if self.has_row {
                json.push(b',');
            }
            R::encode(&mut json, &row);
            self.has_row = true;
        }
        if self.left_out.is_empty() {
            json.extend_from_slice(self.tail.as_bytes());
        }
        json
    }

    /// Keeps a part, which must be the same if it is made again: the client has some of it.
    fn keep(&mut self, reservation: Reservation, json: Vec<u8>) -> Result<KeptPart, ListError> {
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let digest = hasher.finish();
        if *self.digest.get_or_insert(digest) != digest {
            return Err(ListError::Changed);
        }
        Ok(reservation.keep(json.into()))
    }
}
