//! How many wrong passwords are taken.

use serde::{Deserialize, Serialize};

/// `server.loginlimit`. (ours)
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LoginLimitSection {
    /// The most failed logins from one address within the window, or from one IPv6 network of 64 bits; 0 for any
    /// number. Default 10.
    pub failures: u32,
    /// The most failed logins by one name within the window, from all addresses; 0 for any number. Default 30.
    pub namefailures: u32,
    /// Seconds until all of them may be made again. Default 60.
    pub windowseconds: u64,
}

impl Default for LoginLimitSection {
    fn default() -> Self {
        Self { failures: 10, namefailures: 30, windowseconds: 60 }
    }
}
