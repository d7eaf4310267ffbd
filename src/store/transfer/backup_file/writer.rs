//! Writing a backup.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::line::{End, Head, Picture, RowLine, TableLine};
use super::{BackupReader, FORMAT, VERSION};
use crate::store::ImageName;
use crate::store::transfer::record::Record;
use crate::store::transfer::table::{TABLES, Table};
use crate::store::transfer::target::{Target, Written};
use crate::store::transfer::{Totals, TransferError};

/// A backup that is not complete. It has another name until it is, and is removed if it never is.
#[derive(Debug)]
pub(in crate::store::transfer) struct BackupWriter {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    /// Of all lines.
    checksum: Sha256,
    line: Vec<u8>,
    totals: [Totals; TABLES.len()],
    pictures: u64,
}

impl BackupWriter {
    /// Begins a file that only its owner can read: password hashes and tokens are in it.
    pub(in crate::store::transfer) fn create(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::File { operation: "write", path: path.to_owned(), source };
        let name = path.file_name().ok_or_else(|| failed(ErrorKind::InvalidFilename.into()))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let folder = folder(path);
        if !folder.is_dir() {
            return Err(TransferError::NoFolder(folder.to_owned()));
        }
        let unfinished = tempfile::Builder::new().prefix(&prefix).suffix(".part").tempfile_in(folder);
        let mut writer = Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(256 * 1024, unfinished.map_err(failed)?),
            checksum: Sha256::new(),
            line: Vec::new(),
            totals: Default::default(),
            pictures: 0,
        };
        writer.line(&Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: chrono::Local::now().to_rfc3339(),
        })?;
        Ok(writer)
    }

    /// Adds a picture.
    pub(in crate::store::transfer) fn picture(
        &mut self,
        name: &ImageName,
        content: &[u8],
    ) -> Result<(), TransferError> {
        self.pictures += 1;
        self.line(&Picture::new(name.as_str(), content))
    }

    /// Writes the last line, reads everything back, and gives the file its name.
    pub(in crate::store::transfer) fn finish(mut self) -> Result<(), TransferError> {
        let rows =
            TABLES.iter().zip(self.totals).map(|(table, totals)| (table.name.to_owned(), totals.into()));
        let sha256 = hexadecimal(&self.checksum.clone().finalize());
        let end = End { rows: rows.collect(), pictures: self.pictures, sha256 };
        self.line(&super::line::Line::End { end })?;
        let path = self.path;
        let failed = |source| TransferError::File { operation: "write", path: path.clone(), source };
        let file = self.file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        BackupReader::open(file.path())?;
        match file.persist_noclobber(&path) {
            Ok(_) => File::open(folder(&path)).and_then(|folder| folder.sync_all()).map_err(failed),
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => Err(TransferError::Exists(path)),
            Err(error) => Err(failed(error.error)),
        }
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), TransferError> {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, value).map_err(io::Error::from).and_then(|()| {
            self.line.push(b'\n');
            self.checksum.update(&self.line);
            self.file.write_all(&self.line)
        });
        written.map_err(|source| TransferError::File { operation: "write", path: self.path.clone(), source })
    }
}

/// Nothing else runs on the task of this command, so that its writes may wait for the disk.
#[async_trait]
impl Target for BackupWriter {
    fn after(&self, _table: usize) -> u64 {
        0
    }

    fn refusal(&self, _table: &'static Table, _record: &Record) -> Option<String> {
        None
    }

    async fn begin_table(&mut self, table: usize, last_id: u64) -> Result<(), TransferError> {
        self.line(&TableLine::of(&TABLES[table], last_id))
    }

    async fn write(&mut self, table: usize, batch: &Written<'_>) -> Result<(), TransferError> {
        for record in batch.rows {
            self.totals[table] = self.totals[table].plus(Totals::of(record.id()));
            self.line(&RowLine(&TABLES[table], record))?;
        }
        Ok(())
    }

    async fn end_table(&mut self, _table: usize) -> Result<(), TransferError> {
        Ok(())
    }

    async fn totals(&mut self, table: usize) -> Result<(Totals, Totals), TransferError> {
        Ok((self.totals[table], Totals::default()))
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Bytes as two lower-case digits each.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
