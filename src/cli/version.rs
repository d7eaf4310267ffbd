//! `shardcast version`.

use crate::api::VersionInfo;

/// Says which build this is, in the form of Gotify 3.
pub(super) fn text() -> String {
    let VersionInfo { version, commit, build_date, .. } = VersionInfo::default();
    format!("Version: {version}\nCommit: {commit}\nBuild Date: {build_date}")
}
