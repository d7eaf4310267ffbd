//! The first administrator.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::secret;

/// `defaultuser`: made by the first start, when the database holds no user.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DefaultUserSection {
    /// Its name. Default `admin`.
    pub name: String,
    /// Its password. Default empty: a random one is made and printed once.
    #[serde(with = "secret")]
    pub pass: SecretString,
}

impl Default for DefaultUserSection {
    fn default() -> Self {
        Self { name: "admin".to_owned(), pass: SecretString::default() }
    }
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
