//! Collecting a body: within a limit, in memory that is proportional to its bytes, and within what all bodies may take.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::api::ApiError;

/// What a body may take without being counted: as much as the connection's own buffer.
const UNCOUNTED_BYTES: usize = 16 * 1024;

/// How long a body waits for memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// How fast a body must come while others wait for its memory, after a moment to get going.
const MIN_BYTES_PER_SECOND: usize = 64 * 1024;
const GRACE: Duration = Duration::from_secs(2);

/// How often a body that does not come is looked at.
const RECHECK: Duration = Duration::from_millis(500);

/// The memory for the bodies of all requests. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::api) struct BodyMemory {
    free_bytes: Arc<Semaphore>,
    max_bytes: usize,
    /// How many bodies wait for memory.
    waiting: Arc<AtomicUsize>,
}

impl BodyMemory {
    pub(in crate::api) fn new(max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(Semaphore::MAX_PERMITS);
        Self { free_bytes: Arc::new(Semaphore::new(max_bytes)), max_bytes, waiting: Arc::default() }
    }

    /// Reserves the whole of a body at once, in the order in which they come: bodies that each held a part would wait
    /// for each other.
    async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let permits = u32::try_from(bytes.min(self.max_bytes)).unwrap_or(u32::MAX);
        let _waiting = WaitingGuard::begin(&self.waiting);
        let reserved = timeout(PATIENCE, Arc::clone(&self.free_bytes).acquire_many_owned(permits)).await;
        reserved.ok().and_then(Result::ok).ok_or(ApiError::NoBodyMemory)
    }

    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

/// One that waits for memory.
struct WaitingGuard<'m>(&'m AtomicUsize);

impl<'m> WaitingGuard<'m> {
    fn begin(waiting: &'m AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for WaitingGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body as a whole.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) bytes: Bytes,
    /// Its memory, to be held for as long as the request is worked on.
    pub(super) memory: Option<OwnedSemaphorePermit>,
}

/// Collects a body. `announced_bytes` is what its header says of its length.
pub(super) async fn collect(
    body: &mut Body,
    announced_bytes: Option<usize>,
    limit_bytes: usize,
    memory: &BodyMemory,
) -> Result<Content, ApiError> {
    if announced_bytes.is_some_and(|bytes| bytes > limit_bytes) {
        return Err(ApiError::BodyTooLarge { limit_bytes });
    }
    let began_at = Instant::now();
    let (mut first, mut content, mut held) = (Bytes::new(), Vec::new(), None);
    loop {
        let received = first.len() + content.len();
        let chunk = match next(body, limit_bytes) {
            // What is not counted is not in anybody's way.
            frame if held.is_none() => frame.await?,
            // In a box, since few bodies are large: each request holds the memory of what is not.
            frame => Box::pin(within_pace(frame, memory, received, began_at)).await?,
        };
        let Some(chunk) = chunk else { break };
        let bytes = received + chunk.len();
        if bytes > limit_bytes {
            return Err(ApiError::BodyTooLarge { limit_bytes });
        }
        if bytes > UNCOUNTED_BYTES && held.is_none() {
            held = Some(Box::pin(memory.reserve(announced_bytes.unwrap_or(limit_bytes))).await?);
        }
        if received == 0 {
            // Most bodies come in one piece, and are not copied.
            first = chunk;
        } else {
            if content.is_empty() {
                content = std::mem::take(&mut first).into();
            }
            if held.is_some() {
                // Else it grows by doubling, to twice the memory that was reserved.
                content.reserve_exact(announced_bytes.unwrap_or_default().saturating_sub(content.len()));
            }
            content.extend_from_slice(&chunk);
        }
    }
    let bytes = if content.is_empty() { first } else { content.into() };
    Ok(Content { bytes, memory: held })
}

/// Waits for a chunk; gives up a body that comes slowly while others wait for its memory.
async fn within_pace(
    frame: impl Future<Output = Result<Option<Bytes>, ApiError>>,
    memory: &BodyMemory,
    received_bytes: usize,
    began_at: Instant,
) -> Result<Option<Bytes>, ApiError> {
    let mut frame = std::pin::pin!(frame);
    loop {
        let chunk = timeout(RECHECK, &mut frame).await;
        let took = began_at.elapsed();
        let seconds = usize::try_from(took.as_secs()).unwrap_or(usize::MAX);
        let is_slow = took > GRACE && received_bytes / MIN_BYTES_PER_SECOND < seconds;
        if is_slow && memory.is_wanted() {
            return Err(ApiError::BodyTimeout);
        }
        if let Ok(chunk) = chunk {
            return chunk;
        }
    }
}

/// Returns the next bytes of a body; nothing at its end.
async fn next(body: &mut Body, limit_bytes: usize) -> Result<Option<Bytes>, ApiError> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let causes = || std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
            if causes().any(<dyn Error>::is::<LengthLimitError>) {
                return ApiError::BodyTooLarge { limit_bytes };
            }
            let mut io = causes().filter_map(|cause| cause.downcast_ref::<io::Error>());
            if io.any(|cause| cause.kind() == io::ErrorKind::TimedOut) {
                return ApiError::BodyTimeout;
            }
            tracing::debug!(error = &error as &dyn Error, "failed to read a request body");
            ApiError::BadRequest("the request body could not be read to its end".to_owned())
        })?;
        // Trailers are not read.
        if let Ok(chunk) = frame.into_data()
            && !chunk.is_empty()
        {
            return Ok(Some(chunk));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{FutureExt, StreamExt, stream};
    use http_body_util::Limited;

    use super::*;

    const MIB: usize = 1024 * 1024;

    /// Without a `Content-Length`, as in chunks.
    async fn read(body: Body, limit_bytes: usize, memory: &BodyMemory) -> Result<Content, ApiError> {
        collect(&mut { body }, None, limit_bytes, memory).await
    }

    fn chunks(count: usize, bytes: usize) -> Body {
        let chunk = Bytes::from(vec![b'x'; bytes]);
        Body::from_stream(stream::repeat(chunk).take(count).map(Ok::<_, Infallible>))
    }

    #[tokio::test]
    async fn a_body_that_does_not_announce_its_length_is_bounded_too() {
        let memory = BodyMemory::new(MIB);
        assert_eq!(read(Body::from("12345"), 5, &memory).await.unwrap().bytes, "12345");
        for body in [Body::from("123456"), chunks(6, 1), Body::new(Limited::new(chunks(9, 1), 5))] {
            let error = read(body, 5, &memory).await.unwrap_err();
            assert!(matches!(error, ApiError::BodyTooLarge { limit_bytes: 5 }), "{error}");
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_in_time_is_no_bad_request() {
        let late = io::Error::from(io::ErrorKind::TimedOut);
        let pieces = Body::from_stream(stream::iter([Ok("{\""), Err(late)]));
        let error = read(pieces, 100, &BodyMemory::new(MIB)).await.unwrap_err();
        assert_eq!(error.status(), 408);
    }

    #[tokio::test]
    async fn a_body_in_tiny_chunks_is_one_buffer() {
        let memory = BodyMemory::new(MIB);
        let content = read(chunks(100_000, 1), MIB, &memory).await.unwrap();
        assert_eq!(content.bytes.len(), 100_000);
        let buffer = Vec::from(content.bytes);
        assert!(buffer.capacity() <= 2 * 100_000, "{}", buffer.capacity());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_wait_for_memory_and_are_refused_at_last() {
        let memory = BodyMemory::new(MIB);
        let first = read(chunks(2, MIB / 2), MIB, &memory).await.unwrap();
        let refused = read(chunks(2, MIB / 2), MIB, &memory).await.unwrap_err();
        assert_eq!(refused.status(), 503);
        assert_eq!(
            read(chunks(2, 1000), MIB, &memory).await.unwrap().bytes.len(),
            2000,
            "small ones do not wait"
        );
        let mut waiting = Box::pin(read(chunks(2, MIB / 2), MIB, &memory));
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        assert_eq!(waiting.await.unwrap().bytes.len(), MIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_makes_room_for_who_waits() {
        let memory = BodyMemory::new(MIB);
        let stalled = chunks(1, MIB / 2).into_data_stream().chain(stream::pending());
        let stalled = tokio::spawn({
            let memory = memory.clone();
            async move { read(Body::from_stream(stalled), MIB, &memory).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert!(!stalled.is_finished(), "it may take its time while nobody waits");
        assert_eq!(read(chunks(2, MIB / 2), MIB, &memory).await.unwrap().bytes.len(), MIB);
        assert_eq!(stalled.await.unwrap().unwrap_err().status(), 408);
    }
}
