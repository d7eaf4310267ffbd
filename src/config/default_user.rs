//! The first administrator.

use secrecy::{ExposeSecret as _, SecretString};

use super::declare::section;
use super::load::Loaded;
use super::problem::Problem;
use super::secret;
use super::shape::Shape::UserName;
use crate::auth::{HashPasswordError, MAX_PASSWORD_BYTES};

section! {
    /// The administrator that the first start creates, while the database has no user.
    pub struct DefaultUserSection at "defaultuser." {
        /// The user name.
        name: String = "admin", UserName;
        /// The password. If it is empty, a random one is made and printed once.
        #[serde(with = "secret")]
        pass: SecretString = "";
    }
}

/// Says that the password can't be hashed, if so.
pub(super) fn problems(loaded: &Loaded) -> Option<Problem> {
    let key = "defaultuser.pass";
    let is_too_long = loaded.config.defaultuser.pass.expose_secret().len() > MAX_PASSWORD_BYTES;
    is_too_long.then(|| loaded.problem(key, key, HashPasswordError::TooLong.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let section =
            DefaultUserSection { name: "ann".to_owned(), pass: SecretString::from("hunter2".to_owned()) };
        assert!(!format!("{section:?}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&section).unwrap(), r#"{"name":"ann","pass":"[masked]"}"#);
    }
}
