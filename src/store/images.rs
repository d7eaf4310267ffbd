//! Where the applications' pictures are kept.

use std::fmt;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;

mod folder;
mod name;
mod stored;

#[cfg(test)]
pub(crate) mod tests;

pub use folder::ImageFolder;
pub use name::ImageName;
pub use stored::StoredImages;

/// Where a server keeps the applications' pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageStorage {
    /// As files of a folder, see [`ImageFolder`].
    #[default]
    Folder,
    /// In the database, see [`StoredImages`].
    Database,
}

/// The pictures of applications, by their names. A name is given once: what is saved under it is never changed.
///
/// An [`io::Error`] is that pictures can't be read or written now, wherever they are; the same call may succeed
/// later.
#[async_trait]
pub trait Images: Send + Sync + fmt::Debug + 'static {
    /// Saves a picture. When this returns, it is whole and durable; on an error there is none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the picture either saved or not.
    async fn save(&self, name: &ImageName, content: Bytes) -> io::Result<()>;

    /// Finds a picture; `None` if there is none of that name.
    async fn find(&self, name: &ImageName) -> io::Result<Option<Image>>;

    /// Reads a picture that was found as [`Image::Stored`]; `None` if it is not there any more. The default has none of
    /// these.
    async fn read(&self, _name: &ImageName) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    /// Removes a picture; false if there was none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the picture either removed or not.
    async fn remove(&self, name: &ImageName) -> io::Result<bool>;
}

/// A picture that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Image {
    /// It is this file.
    File(PathBuf),
    /// [`Images::read`] returns it.
    Stored {
        /// Its size.
        bytes: usize,
    },
}
