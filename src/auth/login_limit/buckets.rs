//! A bucket for each address, or for each name.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::time::Instant;

use super::bucket::{Allowance, Bucket};

/// Buckets by key, in bounded memory.
pub(super) struct Buckets<K> {
    each: Allowance,
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
}

/// One of them.
#[derive(Clone)]
pub(super) struct SharedBucket {
    pub(super) bucket: Arc<Mutex<Bucket>>,
    pub(super) allowance: Allowance,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    pub(super) fn new(capacity: usize, each: Allowance) -> Self {
        Self { each, buckets: Cache::new(capacity) }
    }

    /// Returns the bucket of this key; all who ask at once get the same.
    pub(super) fn get(&self, key: K) -> SharedBucket {
        let bucket = match self.buckets.get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::default())) {
            Ok(bucket) => bucket,
            Err(never) => match never {},
        };
        SharedBucket { bucket, allowance: self.each }
    }
}

impl SharedBucket {
    /// Ends an attempt that has begun in this bucket.
    pub(super) fn end(&self, failed: bool, now: Instant) {
        self.bucket.lock().end(failed, &self.allowance, now);
    }
}
