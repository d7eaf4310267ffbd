//! The folder of the certificates that an authority gave, and of the account there.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustls_acme::caches::DirCache;
use rustls_acme::{AccountCache, CertCache};
use tokio::task::spawn_blocking;

/// How the name of a folder begins in which a file is written.
const UNFINISHED: &str = ".unfinished-";

/// A [`DirCache`] whose files appear whole or not at all: a key that was written half would keep the server from its
/// certificate. It names them as that does, which has no way to be asked for the names: each is written into a
/// folder of its own, and moved from there.
pub(super) struct AcmeCache {
    folder: PathBuf,
    files: DirCache<PathBuf>,
}

impl AcmeCache {
    /// Uses a folder that is there. What a process that was killed has not finished is removed.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned(), files: DirCache::new(folder.to_owned()) })
    }

    /// Lets something write files into another folder, and moves them here once they are on the disk.
    async fn store<F: Future<Output = io::Result<()>>>(
        &self,
        write: impl FnOnce(DirCache<PathBuf>) -> F,
    ) -> io::Result<()> {
        let folder = self.folder.clone();
        let unfinished = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&folder)?;
        write(DirCache::new(unfinished.path().to_owned())).await?;
        let moved = spawn_blocking(move || {
            for entry in fs::read_dir(unfinished.path())? {
                let written = entry?.path();
                File::open(&written)?.sync_all()?;
                let name = written.file_name().ok_or(ErrorKind::InvalidData)?;
                fs::rename(&written, folder.join(name))?;
            }
            File::open(&folder)?.sync_all()
        });
        moved.await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl CertCache for AcmeCache {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], directory_url: &str) -> Result<Option<Vec<u8>>, io::Error> {
        self.files.load_cert(domains, directory_url).await
    }

    async fn store_cert(
        &self,
        domains: &[String],
        directory_url: &str,
        cert: &[u8],
    ) -> Result<(), io::Error> {
        self.store(async |files| files.store_cert(domains, directory_url, cert).await).await
    }
}

#[async_trait]
impl AccountCache for AcmeCache {
    type EA = io::Error;

    async fn load_account(
        &self,
        contact: &[String],
        directory_url: &str,
    ) -> Result<Option<Vec<u8>>, io::Error> {
        self.files.load_account(contact, directory_url).await
    }

    async fn store_account(
        &self,
        contact: &[String],
        directory_url: &str,
        account: &[u8],
    ) -> Result<(), io::Error> {
        self.store(async |files| files.store_account(contact, directory_url, account).await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://authority.example/directory";

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_stored_is_found_under_the_names_of_before() {
        let folder = tempfile::tempdir().unwrap();
        let (domains, cache) = (["a.example".to_owned()], AcmeCache::open(folder.path()).unwrap());
        assert_eq!(cache.load_cert(&domains, URL).await.unwrap(), None);
        for content in [&b"first"[..], b"second"] {
            cache.store_cert(&domains, URL, content).await.unwrap();
            cache.store_account(&domains, URL, content).await.unwrap();
            assert_eq!(cache.load_cert(&domains, URL).await.unwrap().unwrap(), content);
            assert_eq!(cache.load_account(&domains, URL).await.unwrap().unwrap(), content);
        }
        let before = DirCache::new(folder.path());
        assert_eq!(before.load_cert(&domains, URL).await.unwrap().unwrap(), b"second");
        assert_eq!(names_in(folder.path()).len(), 2, "nothing unfinished is left");
    }

    #[tokio::test]
    async fn what_is_not_finished_is_no_file_and_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = AcmeCache::open(folder.path()).unwrap();
        let half = cache.store(async |files| {
            files.store_account(&[], URL, b"half").await?;
            Err(ErrorKind::StorageFull.into())
        });
        half.await.unwrap_err();
        assert_eq!(cache.load_account(&[], URL).await.unwrap(), None);
        assert_eq!(names_in(folder.path()), [""; 0]);
        fs::create_dir(folder.path().join(".unfinished-of-a-killed-process")).unwrap();
        AcmeCache::open(folder.path()).unwrap();
        assert_eq!(names_in(folder.path()), [""; 0]);
    }
}
