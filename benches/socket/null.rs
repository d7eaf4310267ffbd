//! A socket that takes everything at once and counts it.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use shardcast::hub::Socket;

/// Swallows bytes. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(crate) struct NullSocket(Arc<AtomicU64>);

impl NullSocket {
    /// Bytes taken so far by all clones.
    #[allow(dead_code, clippy::allow_attributes, reason = "not every bench waits for deliveries")]
    pub(crate) fn taken(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Socket for NullSocket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        Ok(bytes.len())
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = parts.iter().map(|part| part.len()).sum::<usize>();
        self.0.fetch_add(count as u64, Ordering::AcqRel);
        Ok(count)
    }

    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn shutdown_write(&self) -> io::Result<()> {
        Ok(())
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}
