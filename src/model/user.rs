//! A user.

use serde::{Deserialize, Serialize};

use super::UserId;

/// A user as the API shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The name to log in with.
    pub name: String,
    /// May manage users.
    pub admin: bool,
}
