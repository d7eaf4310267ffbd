//! A build without a backplane: the configuration can name none.

use super::load::Loaded;

/// Makes none.
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
pub(super) fn of(_: &Loaded) -> Result<(), String> {
    Ok(())
}
