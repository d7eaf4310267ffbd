//! The pictures of applications: from and to a backup, and from one database to another.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use bytes::Bytes;

use super::TransferError;
use super::backup_file::{BackupReader, BackupWriter};
use super::source::DatabaseSource;
use super::target::DatabaseTarget;
use crate::store::{ImageFolder, ImageName, Images as _};

/// Writes all pictures of a folder into a backup, and returns their names.
pub(super) fn write_all(
    folder: &Path,
    writer: &mut BackupWriter,
) -> Result<HashSet<ImageName>, TransferError> {
    let mut written = HashSet::new();
    for name in names(folder)? {
        let path = folder.join(name.as_str());
        match fs::read(&path) {
            Ok(content) => {
                writer.picture(&name, &content)?;
                written.insert(name);
            }
            // It was removed this very moment.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(TransferError::File { operation: "read the picture", path, source }),
        }
    }
    Ok(written)
}

/// Answers whether a folder has pictures that are not of this backup. Those of the backup may be there because an
/// earlier restore was interrupted.
pub(super) fn has_others(folder: &Path, backup: &BackupReader) -> Result<bool, TransferError> {
    Ok(names(folder)?.iter().any(|name| !backup.has_picture(name)))
}

/// Saves all pictures of a backup in a folder, and returns how many they are.
pub(super) async fn read_all(reader: &mut BackupReader, folder: &Path) -> Result<u64, TransferError> {
    let images = ImageFolder::open(folder).await;
    let mut count = 0;
    while let Some((name, content)) = reader.picture()? {
        images.save(&name, Bytes::from(content)).await.map_err(|source| TransferError::File {
            operation: "write the picture",
            path: folder.join(name.as_str()),
            source,
        })?;
        count += 1;
    }
    Ok(count)
}

/// Copies all pictures that a database keeps into another one, but for those that are there already, and returns the
/// names of all.
pub(super) async fn copy(
    source: &mut dyn DatabaseSource,
    target: &mut dyn DatabaseTarget,
) -> Result<HashSet<ImageName>, TransferError> {
    let mut copied = HashSet::new();
    for name in source.picture_names().await? {
        if let Some(content) = source.picture(&name).await? {
            target.save_picture(&name, &content).await?;
            copied.insert(name);
        }
    }
    Ok(copied)
}

/// Writes all pictures that a database keeps into a backup, and returns their names.
pub(super) async fn write_stored(
    source: &mut dyn DatabaseSource,
    writer: &mut BackupWriter,
) -> Result<HashSet<ImageName>, TransferError> {
    let mut written = HashSet::new();
    for name in source.picture_names().await? {
        if let Some(content) = source.picture(&name).await? {
            writer.picture(&name, &content)?;
            written.insert(name);
        }
    }
    Ok(written)
}

/// Saves all pictures of a backup in a database, and returns how many they are.
pub(super) async fn store_all(
    reader: &mut BackupReader,
    target: &mut dyn DatabaseTarget,
) -> Result<u64, TransferError> {
    let mut count = 0;
    while let Some((name, content)) = reader.picture()? {
        target.save_picture(&name, &content).await?;
        count += 1;
    }
    Ok(count)
}

/// The names of all pictures in a folder, in their order. A folder that is not there has none.
fn names(folder: &Path) -> Result<Vec<ImageName>, TransferError> {
    let read = || -> io::Result<Vec<ImageName>> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_str().and_then(ImageName::parse);
            if let Some(name) = name
                && entry.file_type()?.is_file()
            {
                names.push(name);
            }
        }
        names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        Ok(names)
    };
    let failed = |source| TransferError::File {
        operation: "list the folder of pictures",
        path: folder.to_owned(),
        source,
    };
    read().map_err(failed)
}
