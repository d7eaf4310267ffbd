//! Where everything is kept.

use std::borrow::Cow;
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

/// How to connect to the database. Passwords in it are not shown; the path of a file is.
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

    /// Returns the text without what may be secret: all of a log-in to a server, or the options of a file.
    fn shown(&self) -> Cow<'_, str> {
        let Some((place, options)) = self.0.split_once('?') else {
            return if is_secret(&self.0) { MASK.into() } else { self.0.as_str().into() };
        };
        match (is_secret(place), is_secret(options)) {
            (true, _) => MASK.into(),
            (false, true) => format!("{place}?{MASK}").into(),
            (false, false) => self.0.as_str().into(),
        }
    }
}

/// Answers whether `name:password@host` is in a text, or a pair such as `password=secret`. A word such as `passwords` in
/// a path is no pair.
fn is_secret(text: &str) -> bool {
    let names_a_secret = |before: &str| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name =
            before.trim_end().rsplit(|c| !is_of_name(c)).next().unwrap_or_default().to_ascii_lowercase();
        ["pass", "pwd", "key", "secret"].iter().any(|sign| name.contains(sign))
    };
    let is_login = text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    is_login || text.match_indices('=').any(|(at, _)| names_a_secret(&text[..at]))
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
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
    fn a_connection_shows_no_password() {
        for (text, shown) in [
            ("gotify:hunter2@tcp(db)/gotify", MASK),
            ("postgres://gotify:hunter2@db/gotify?sslmode=disable", MASK),
            ("host=db user=gotify password=hunter2", MASK),
            ("host=db password = 'hunter2'", MASK),
            ("Server=db;PWD=hunter2", MASK),
            ("postgres://db/gotify?password=hunter2", "postgres://db/gotify?[masked]"),
            ("data/gotify.db?_auth_pass=hunter2", "data/gotify.db?[masked]"),
        ] {
            let connection = Connection(text.to_owned());
            assert_eq!(connection.to_string(), shown, "{text}");
            assert_eq!(format!("{connection:?}"), format!("{shown:?}"));
            assert_eq!(serde_json::to_value(&connection).unwrap(), shown);
            assert_eq!(connection.expose(), text);
        }
    }

    #[test]
    fn a_path_is_shown_whatever_its_words() {
        for path in [
            "data/gotify.db",
            "/srv/passwords/keys.db",
            "/home/ann@work/monkey.db?cache=shared",
            "file:/srv/compass/gotify.db?mode=rwc",
            "host=db user=gotify dbname=passengers",
        ] {
            assert_eq!(Connection(path.to_owned()).to_string(), path);
        }
    }
}
