//! Whether standard output goes to a log that others read.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Whether systemd's journal keeps what is written to standard output. `JOURNAL_STREAM` names its device and inode
/// (systemd.exec(5)).
pub(super) fn keeps_standard_output() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let output = io::stdout().as_fd().try_clone_to_owned().and_then(|output| File::from(output).metadata());
    output.is_ok_and(|output| stream == format!("{}:{}", output.dev(), output.ino()))
}
