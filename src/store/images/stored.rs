//! Pictures in the database.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::folder::on_blocking_thread;
use super::{Image, ImageFolder, ImageName, Images};
use crate::store::{Database, StoreError};

/// Pictures in the database, so that all nodes over it have the same.
#[derive(Clone, Debug)]
pub struct StoredImages(Arc<dyn Database>);

/// What came of moving pictures from a folder into the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct MovedImages {
    moved: usize,
    /// Those that applications have, and neither the database nor the folder.
    missing: usize,
}

impl StoredImages {
    /// Keeps pictures in this database.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self(database)
    }

    /// As [`StoredImages::new`], and saves the pictures of applications that only a folder has. Their files stay.
    ///
    /// # Errors
    ///
    /// The database can't be used. A file that can't be read is logged, and is looked for again by the next call.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves some pictures saved. The next call saves the rest.
    pub async fn open(database: Arc<dyn Database>, folder: &Path) -> Result<Self, StoreError> {
        let images = Self::new(database);
        let MovedImages { moved, missing } = images.move_from(folder).await?;
        if moved > 0 {
            tracing::info!(
                "saved {moved} pictures of the folder `{}` in the database; the files stay",
                folder.display()
            );
        }
        if missing > 0 {
            tracing::warn!(
                "{missing} pictures of applications are neither in the database nor in the folder `{}`",
                folder.display()
            );
        }
        Ok(images)
    }

    /// Only pictures that applications have are moved: a picture that was deleted does not come back at the next start.
    async fn move_from(&self, folder: &Path) -> Result<MovedImages, StoreError> {
        let mut outcome = MovedImages::default();
        let files = ImageFolder::beside_server(folder);
        for name in self.0.missing_pictures().await? {
            match content(&files, &name).await {
                Ok(Some((name, content))) => {
                    self.0.save_picture(&name, &content).await?;
                    outcome.moved += 1;
                }
                Ok(None) => outcome.missing += 1,
                Err(error) => {
                    tracing::warn!(%error, "failed to read the picture `{name}` of the folder");
                    outcome.missing += 1;
                }
            }
        }
        Ok(outcome)
    }
}

/// Reads a picture of a folder, if there is one of that name.
async fn content(files: &ImageFolder, name: &str) -> io::Result<Option<(ImageName, Bytes)>> {
    // A database may come from elsewhere.
    let Some(name) = ImageName::parse(name) else { return Ok(None) };
    let Some(Image::File(path)) = files.find(&name).await? else { return Ok(None) };
    let content = on_blocking_thread(move || fs::read(path)).await?;
    Ok(Some((name, content.into())))
}

#[async_trait]
impl Images for StoredImages {
    async fn save(&self, name: &ImageName, content: Bytes) -> io::Result<()> {
        self.0.save_picture(name, &content).await.map_err(io::Error::other)
    }

    async fn find(&self, name: &ImageName) -> io::Result<Option<Image>> {
        let bytes = self.0.picture_bytes(name).await.map_err(io::Error::other)?;
        Ok(bytes.map(|bytes| Image::Stored { bytes }))
    }

    async fn read(&self, name: &ImageName) -> io::Result<Option<Bytes>> {
        self.0.picture(name).await.map_err(io::Error::other)
    }

    async fn remove(&self, name: &ImageName) -> io::Result<bool> {
        self.0.delete_picture(name).await.map_err(io::Error::other)
    }
}
