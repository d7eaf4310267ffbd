//! No identity provider: this program was built without the feature `oidc`, and its configuration can't name one.

pub(super) use std::convert::Infallible as OidcError;

use crate::api::Oidc;
use crate::config::OidcSection;

/// Returns none.
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
pub(super) fn provider(_: &OidcSection) -> Result<Option<Oidc>, OidcError> {
    Ok(None)
}
