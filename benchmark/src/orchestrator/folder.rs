//! Tests on disk: one file each, which is there whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::test::Record;
use crate::report::terminal;

/// Where tests are kept.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder, and makes it if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("failed to make the folder `{}`", path.display()))?;
        Ok(Self(path.to_owned()))
    }

    /// Reads all tests, the oldest first. A file that can't be read is named and left out.
    pub(super) fn read(&self) -> Result<Vec<Record>> {
        let path = self.0.display();
        let entries = fs::read_dir(&self.0).with_context(|| format!("failed to read the folder `{path}`"))?;
        let mut records = Vec::new();
        for entry in entries {
            let path = entry.with_context(|| format!("failed to read the folder `{path}`"))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let read = fs::read(&path).context("it can't be opened").and_then(|bytes| {
                serde_json::from_slice::<Record>(&bytes).context("it is no test of this program")
            });
            match read {
                Ok(record) => records.push(record),
                Err(error) => terminal::warn(&format!("`{}` is left out: {error:#}", path.display())),
            }
        }
        records.sort_by_key(|record| record.created_unix_ms);
        Ok(records)
    }

    /// Keeps a test.
    pub(super) fn write(&self, record: &Record) -> Result<()> {
        // The id is one of ours: hexadecimal digits.
        let path = self.0.join(format!("{}.json", record.config.test_id));
        let part = path.with_extension("part");
        let bytes = serde_json::to_vec(record).context("failed to write a test as JSON")?;
        fs::write(&part, bytes)
            .and_then(|()| fs::rename(&part, &path))
            .with_context(|| format!("failed to write `{}`", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_survive_and_a_broken_file_is_left_out() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(&temporary.path().join("new")).unwrap();
        let mut record = Record { created_unix_ms: 2, ..Record::default() };
        record.config.test_id = "b".to_owned();
        folder.write(&record).unwrap();
        record.config.test_id = "a".to_owned();
        record.created_unix_ms = 1;
        folder.write(&record).unwrap();
        fs::write(temporary.path().join("new/broken.json"), "{").unwrap();
        let ids: Vec<_> = folder.read().unwrap().into_iter().map(|record| record.config.test_id).collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
