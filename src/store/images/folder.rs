//! Pictures as files of a folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::NamedTempFile;

use super::{Image, ImageName, Images};

/// How the name of a file ends that is not finished. It begins with a dot, so it is no name of a picture.
const UNFINISHED: &str = ".part";

/// Pictures as files of a folder, which belongs to one server.
#[derive(Debug)]
pub struct ImageFolder(Arc<Path>);

impl ImageFolder {
    /// Keeps pictures in this folder, which is made with the first one. What an earlier process has not finished is
    /// removed.
    pub async fn open(folder: impl Into<PathBuf>) -> Self {
        let folder: Arc<Path> = folder.into().into();
        let unfinished = Arc::clone(&folder);
        if let Err(error) = on_blocking_thread(move || remove_unfinished(&unfinished)).await {
            tracing::warn!(%error, "failed to remove unfinished pictures from `{}`", folder.display());
        }
        Self(folder)
    }

    /// As [`ImageFolder::open`], for a command beside the server that the folder belongs to: what is unfinished may be that
    /// server's, and stays.
    pub fn beside_server(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into().into())
    }

    fn path(&self, name: &ImageName) -> PathBuf {
        self.0.join(name.as_str())
    }
}

#[async_trait]
impl Images for ImageFolder {
    async fn save(&self, name: &ImageName, content: Bytes) -> io::Result<()> {
        let (folder, path) = (Arc::clone(&self.0), self.path(name));
        on_blocking_thread(move || save(&folder, &path, &content)).await
    }

    async fn find(&self, name: &ImageName) -> io::Result<Option<Image>> {
        let path = self.path(name);
        on_blocking_thread(move || match fs::metadata(&path) {
            Ok(found) => Ok(found.is_file().then_some(Image::File(path))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn remove(&self, name: &ImageName) -> io::Result<bool> {
        let path = self.path(name);
        on_blocking_thread(move || match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error),
        })
        .await
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Under another name until it is whole: whoever reads it sees all of it, and a crash leaves nothing that is served.
fn save(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut unfinished = tempfile::Builder::new()
        .prefix(".")
        .suffix(UNFINISHED)
        // As any new file: the process' mask takes away what others may not do.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    unfinished.write_all(content)?;
    unfinished.as_file().sync_all()?;
    NamedTempFile::persist(unfinished, path)?;
    File::open(folder)?.sync_all().inspect_err(|_| {
        // The error that matters is the first one.
        let _ = fs::remove_file(path);
    })
}

/// Removes what a process that was killed has left.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(UNFINISHED) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
