//! Printing passwords and tokens. Each is shown once, so it is printed before it becomes valid: if nobody can have read
//! it, nothing changes.

use std::fs::{File, metadata};
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::database_command::CommandError;
use super::print_line;
use crate::config::on_one_line;

/// Prints a secret, on one line and without control characters, and then makes the change that it belongs to.
pub(super) async fn show_before<T, E: Into<CommandError>>(
    text: &str,
    change: impl Future<Output = Result<T, E>>,
) -> Result<T, CommandError> {
    print_secret(&on_one_line(text)).map_err(CommandError::Output)?;
    change.await.map_err(|error| CommandError::AfterPrinting(Box::new(error.into())))
}

/// Prints a secret to standard output, or says why nobody can have read it.
pub(super) fn print_secret(text: &str) -> io::Result<()> {
    if is_discarded() {
        return Err(io::Error::other("it is closed, or `/dev/null`"));
    }
    print_line(text)
}

/// Whether standard output is `/dev/null`, which Rust opens in its place if it is closed.
fn is_discarded() -> bool {
    let output = io::stdout().as_fd().try_clone_to_owned().and_then(|output| File::from(output).metadata());
    let (Ok(output), Ok(null)) = (output, metadata("/dev/null")) else { return false };
    output.file_type().is_char_device() && output.rdev() == null.rdev()
}
