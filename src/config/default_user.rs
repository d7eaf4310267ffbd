//! The first administrator.

use secrecy::SecretString;

use super::declare::section;
use super::secret;
use super::shape::Shape::NonEmpty;

section! {
    /// The administrator that the first start creates, while the database has no user.
    pub struct DefaultUserSection at "defaultuser." {
        /// The user name.
        name: String = "admin", NonEmpty;
        /// The password. If it is empty, a random one is made and printed once.
        #[serde(with = "secret")]
        pass: SecretString = "";
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
