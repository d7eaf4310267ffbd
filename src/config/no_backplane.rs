//! A build without several nodes: the configuration can name no backplane.

use super::load::Loaded;

/// Makes none.
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
pub(super) fn of(_: &Loaded) -> Result<(), String> {
    Ok(())
}
