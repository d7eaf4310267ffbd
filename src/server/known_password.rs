//! Passwords that others know, too.

use secrecy::SecretString;

use super::Node;
use crate::auth::LoginError;

impl Node {
    /// Answers whether this is the password of the user of that name in the database. It is meant for a look at
    /// passwords that are no secret, and does not count as an attempt to log in.
    pub async fn is_password_of(&self, name: &str, password: SecretString) -> Result<bool, LoginError> {
        let Some(known) = self.store().database().user_by_name(name).await? else {
            return Ok(false);
        };
        Ok(self.state.auth.passwords().verify(password, known.password_hash).await?)
    }
}
