//! Turning connections away when there are too many.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much of a request is read before its answer is closed.
const DISCARDED_BYTES: usize = 64 * 1024;

const RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    content-length: 94\r\n\
    connection: close\r\n\
    \r\n\
    {\"error\":\"Service Unavailable\",\"errorCode\":503,\"errorDescription\":\"too many open connections\"}";

/// The answer to a request whose header did not come in time.
pub(super) const REQUEST_TIMEOUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    content-type: application/json\r\n\
    content-length: 96\r\n\
    connection: close\r\n\
    \r\n\
    {\"error\":\"Request Timeout\",\"errorCode\":408,\"errorDescription\":\"the header did not come in time\"}";

/// Answers connections that are not served.
#[derive(Debug)]
pub(super) struct Refusals {
    at_once: usize,
    free: Arc<Semaphore>,
}

impl Refusals {
    /// Turns away politely so many at a time; further ones are closed at once,
    /// which may cost the client the answer.
    pub(super) fn new(at_once: usize) -> Self {
        Self { at_once, free: Arc::new(Semaphore::new(at_once)) }
    }

    /// Returns how many are being turned away.
    pub(super) fn running(&self) -> usize {
        self.at_once - self.free.available_permits()
    }

    /// Answers 503 in a task of its own, or as well as one can without waiting if too many of those run.
    pub(super) fn refuse<S>(&self, stream: S, tasks: &TaskTracker)
    where
        S: AsyncRead + AsyncWrite + AsFd + Unpin + Send + 'static,
    {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            // A new socket takes this much. tokio's `try_write` would not try: it waits for an event first.
            let _ = SockRef::from(&stream).send(RESPONSE);
            return;
        };
        tasks.spawn(async move {
            // A client that takes too long, or is gone, needs no answer.
            let _ = timeout(PATIENCE, answer(stream)).await;
            drop(permit);
        });
    }
}

/// Answers once the request has begun to come, and reads on to the client's end: closing a socket with unread bytes
/// would reset it and take the answer along.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut scratch = [0; 1024];
    let mut discarded = stream.read(&mut scratch).await?;
    stream.write_all(RESPONSE).await?;
    stream.shutdown().await?;
    while discarded < DISCARDED_BYTES {
        match stream.read(&mut scratch).await? {
            0 => break,
            read => discarded += read,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_gotifys_error_object_and_as_long_as_they_say() {
        for (response, code, error) in
            [(RESPONSE, 503, "Service Unavailable"), (REQUEST_TIMEOUT, 408, "Request Timeout")]
        {
            let response = std::str::from_utf8(response).unwrap();
            assert!(response.starts_with(&format!("HTTP/1.1 {code} {error}\r\n")), "{response}");
            let (head, body) = response.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["error"], error);
            assert_eq!(body["errorCode"], code);
            assert!(body["errorDescription"].is_string());
        }
    }
}
