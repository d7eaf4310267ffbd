//! Reading a backup.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::Sender;

use super::line::{self, Line, Picture, TableLine};
use super::writer::hexadecimal;
use super::{FORMAT, VERSION};
use crate::store::ImageName;
use crate::store::transfer::record::Record;
use crate::store::transfer::source::{BATCH_BYTES, BATCH_ROWS, Source};
use crate::store::transfer::table::{TABLES, Table};
use crate::store::transfer::unfinished::BACKUP;
use crate::store::transfer::{Totals, TransferError};

/// A backup that was read to its end once, and is whole.
#[derive(Debug)]
pub(in crate::store::transfer) struct BackupReader {
    path: PathBuf,
    file: BufReader<File>,
    /// The number of the line that was read last, from 1 on.
    number: u64,
    line: Vec<u8>,
    /// Whether that line is still to be used.
    is_unused: bool,
    totals: [Totals; TABLES.len()],
    last_ids: [u64; TABLES.len()],
    pictures: HashSet<ImageName>,
}

impl BackupReader {
    /// Opens a backup, and reads it to its end to find out whether it is whole.
    pub(in crate::store::transfer) fn open(path: &Path) -> Result<Self, TransferError> {
        let failed = |source| TransferError::File { operation: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::with_capacity(256 * 1024, file),
            number: 0,
            line: Vec::new(),
            is_unused: false,
            totals: Default::default(),
            last_ids: Default::default(),
            pictures: HashSet::new(),
        };
        reader.verify()?;
        reader.file.rewind().map_err(failed)?;
        reader.number = 0;
        // The rows begin after the first line.
        reader.next_line()?;
        Ok(reader)
    }

    /// Returns the next picture, after the rows of all tables; `None` after the last one.
    pub(in crate::store::transfer) fn picture(
        &mut self,
    ) -> Result<Option<(ImageName, Vec<u8>)>, TransferError> {
        self.next_line()?;
        match self.object()? {
            Line::Picture(picture) => self.decoded(picture).map(Some),
            _ => Ok(None),
        }
    }

    /// Answers whether the backup has a picture of this name.
    pub(in crate::store::transfer) fn has_picture(&self, name: &ImageName) -> bool {
        self.pictures.contains(name)
    }

    fn decoded(&self, picture: Picture) -> Result<(ImageName, Vec<u8>), TransferError> {
        let (name, content) = picture.content().ok_or_else(|| self.damaged("a picture is no base64"))?;
        let parsed = ImageName::parse(&name);
        let parsed = parsed.ok_or_else(|| self.damaged(&format!("`{name}` is no name of a picture")))?;
        Ok((parsed, content))
    }

    /// Reads everything.
    fn verify(&mut self) -> Result<(), TransferError> {
        let mut checksum = Sha256::new();
        self.next_line()?;
        match serde_json::from_slice(&self.line) {
            Ok(Line::Head(head)) if head.format == FORMAT && head.version == VERSION => {}
            Ok(Line::Head(head)) if head.format == FORMAT => {
                let (found, by) = (head.version, head.made_by);
                return Err(self.damaged(&format!(
                    "it has version {found} of the format, and only {VERSION} is known here; use shardcast {by}"
                )));
            }
            _ => return Err(self.damaged("it is no backup that `shardcast backup` has made")),
        }
        checksum.update(&self.line);
        let mut table: Option<usize> = None;
        let mut pictures = 0;
        loop {
            self.next_line()?;
            if self.line.first() == Some(&b'[') {
                let current = table.ok_or_else(|| self.damaged("a row comes before its table"))?;
                let record = self.row(&TABLES[current])?;
                self.totals[current] = self.totals[current].plus(Totals::of(record.id()));
                checksum.update(&self.line);
                continue;
            }
            match self.object()? {
                Line::Table(found) => table = Some(self.begin(table, &found)?),
                Line::Picture(picture) => {
                    let (name, _) = self.decoded(picture)?;
                    self.pictures.insert(name);
                    pictures += 1;
                }
                Line::Head(_) => return Err(self.damaged("it begins a second time")),
                Line::End { end } => {
                    let counted = TABLES.iter().zip(self.totals);
                    let same = counted.fold(true, |same, (table, totals)| {
                        same && end.rows.get(table.name) == Some(&totals.into())
                    });
                    if end.sha256 != hexadecimal(&checksum.finalize()) {
                        return Err(self.damaged("it was changed: its checksum is another one"));
                    }
                    if !same || pictures != end.pictures || table != Some(TABLES.len() - 1) {
                        return Err(self.damaged("its counts are wrong"));
                    }
                    // The checksum is of what is before.
                    let rest =
                        self.file.fill_buf().map(<[u8]>::len).map_err(|source| self.unreadable(source))?;
                    if rest > 0 {
                        return Err(self.damaged("something follows its end"));
                    }
                    return Ok(());
                }
            }
            checksum.update(&self.line);
        }
    }

    /// Takes the line before the rows of a table.
    fn begin(&mut self, previous: Option<usize>, found: &TableLine) -> Result<usize, TransferError> {
        let number = previous.map_or(0, |previous| previous + 1);
        let Some(table) = TABLES.get(number).filter(|table| table.name == found.table) else {
            return Err(
                self.damaged(&format!("the table `{}` is not known, or at the wrong place", found.table))
            );
        };
        if !table.columns.iter().map(|column| column.name).eq(found.columns.iter().map(String::as_str)) {
            let text = format!("the table `{}` has other columns than are known here", found.table);
            return Err(self.damaged(&text));
        }
        self.last_ids[number] = found.last_id;
        Ok(number)
    }

    /// Reads the next line, which must be there.
    fn next_line(&mut self) -> Result<(), TransferError> {
        if std::mem::take(&mut self.is_unused) {
            return Ok(());
        }
        self.line.clear();
        self.number += 1;
        match self.file.read_until(b'\n', &mut self.line) {
            Ok(_) if self.line.last() == Some(&b'\n') => Ok(()),
            Ok(_) => Err(self.damaged("it ends too early: the copy of it is not complete")),
            Err(source) => Err(self.unreadable(source)),
        }
    }

    /// Takes the last line as one that is no row.
    fn object(&self) -> Result<Line, TransferError> {
        serde_json::from_slice(&self.line).map_err(|_| self.damaged("it is not known here"))
    }

    /// Takes the last line as a row.
    fn row(&self, table: &Table) -> Result<Record, TransferError> {
        line::row(table, &self.line).map_err(|problem| self.damaged(&problem))
    }

    fn damaged(&self, problem: &str) -> TransferError {
        let problem = format!("line {}: {problem}", self.number);
        TransferError::NoBackup { path: self.path.clone(), problem }
    }

    fn unreadable(&self, source: io::Error) -> TransferError {
        TransferError::File { operation: "read", path: self.path.clone(), source }
    }

    fn number_of(table: &Table) -> usize {
        TABLES.iter().position(|known| known.name == table.name).unwrap_or_default()
    }
}

/// Nothing else runs on the task of this command, so that its reads may wait for the disk.
#[async_trait]
impl Source for BackupReader {
    fn place(&self) -> String {
        format!("{BACKUP}`{}`", self.path.display())
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Totals, TransferError> {
        Ok(self.totals[Self::number_of(table)])
    }

    async fn last_id(&mut self, table: &'static Table) -> Result<u64, TransferError> {
        Ok(self.last_ids[Self::number_of(table)])
    }

    async fn read(
        &mut self,
        table: &'static Table,
        _ids: RangeInclusive<u64>,
        batches: Sender<Vec<Record>>,
    ) -> Result<(), TransferError> {
        // The line of the table.
        self.next_line()?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        loop {
            self.next_line()?;
            let is_row = self.line.first() == Some(&b'[');
            if is_row {
                let record = self.row(table)?;
                bytes += record.bytes();
                batch.push(record);
            }
            if batch.len() >= BATCH_ROWS || bytes >= BATCH_BYTES || !is_row {
                bytes = 0;
                let full = std::mem::take(&mut batch);
                if !full.is_empty() && batches.send(full).await.is_err() {
                    return Ok(());
                }
            }
            if !is_row {
                self.is_unused = true;
                return Ok(());
            }
        }
    }

    async fn close(self: Box<Self>) {}
}
