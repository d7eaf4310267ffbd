//! The last answer to whether a message could be stored.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::StoreError;

/// What is checked.
pub(super) const OPERATION: &str = "store a message";

/// An answer is given again for so long, so that whoever asks often costs the database next to nothing.
const VALIDITY: Duration = Duration::from_secs(1);

/// The last answer. Whoever asks while it is being found waits for it.
#[derive(Debug, Default)]
pub(super) struct LastCheck(Mutex<Option<Checked>>);

#[derive(Debug)]
struct Checked {
    at: Instant,
    /// Why nothing can be stored, if so.
    refusal: Option<String>,
}

impl LastCheck {
    /// Returns the last answer, or finds a new one.
    pub(super) async fn or_find(
        &self,
        find: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let mut last = self.0.lock().await;
        if let Some(checked) = last.as_ref().filter(|checked| checked.at.elapsed() < VALIDITY) {
            return checked.refusal.clone().map_or(Ok(()), |refusal| {
                Err(StoreError::Unavailable { operation: OPERATION, source: refusal.into() })
            });
        }
        let found = find.await;
        let refusal = found.as_ref().err().map(|error| {
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        });
        *last = Some(Checked { at: Instant::now(), refusal });
        found
    }
}
