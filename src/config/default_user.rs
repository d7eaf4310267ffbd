//! The first administrator.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::problem::MASK;

/// `defaultuser`: made by the first start, when the database holds no user.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DefaultUserSection {
    /// Its name. Default `admin`.
    pub name: String,
    /// Its password. Default empty: a random one is made and printed once.
    #[serde(deserialize_with = "secret", serialize_with = "masked")]
    pub pass: SecretString,
}

impl Default for DefaultUserSection {
    fn default() -> Self {
        Self { name: "admin".to_owned(), pass: SecretString::default() }
    }
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// Writes whether there is a password, not which.
fn masked<S: Serializer>(pass: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = if pass.expose_secret().is_empty() { "" } else { MASK };
    serializer.serialize_str(shown)
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
