//! Where everything is kept.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::declare::section;
use super::problem::MASK;
use super::shape::Shape::OneOf;

section! {
    /// Where users, applications, clients and messages are kept.
    pub struct DatabaseSection at "database." {
        /// The kind of database: sqlite3, postgres, or mysql for MariaDB and MySQL. The last two take builds with the
        /// features of their names.
        dialect: String = "sqlite3", OneOf(&["sqlite3", "mysql", "postgres"]);
        /// Where the database is. For sqlite3 the path of the file, whose folder is created; for postgres
        /// `host=localhost user=gotify password=secret dbname=gotify sslmode=disable`; for mysql
        /// `gotify:secret@tcp(localhost:3306)/gotify?parseTime=true&loc=Local`.
        connection: Connection = "data/gotify.db";
    }
}

/// How to connect to the database. Shown masked where it may hold a password.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Connection(String);

impl From<String> for Connection {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Connection {
    /// Returns the text as configured.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the text if nothing in it looks like a log-in to a server, or a key to a file.
    fn shown(&self) -> &str {
        let text = self.0.to_ascii_lowercase();
        let may_be_secret = ["@", "pass", "pwd", "key"].iter().any(|sign| text.contains(sign));
        if may_be_secret { MASK } else { &self.0 }
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

impl Serialize for Connection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_shows_a_path_but_no_password() {
        assert_eq!(format!("{:?}", Connection("data/gotify.db".to_owned())), "\"data/gotify.db\"");
        for text in [
            "gotify:hunter2@tcp(db)/gotify",
            "host=db user=gotify password=hunter2",
            "Server=db;PWD=hunter2",
            "data/gotify.db?_auth_pass=hunter2",
        ] {
            let connection = Connection(text.to_owned());
            assert!(!connection.to_string().contains("hunter2"));
            assert!(!format!("{connection:?}").contains("hunter2"));
            assert!(!serde_json::to_string(&connection).unwrap().contains("hunter2"));
            assert_eq!(connection.expose(), text);
        }
    }
}
