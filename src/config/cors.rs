//! Which foreign web pages may use the API.

use serde::{Deserialize, Serialize};

/// `server.cors`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CorsSection {
    /// Regular expressions, one of which an origin must match. Default none.
    pub alloworigins: Vec<String>,
    /// Methods that a preflight names. Default none.
    pub allowmethods: Vec<String>,
    /// Headers that a preflight names. Default none.
    pub allowheaders: Vec<String>,
}
