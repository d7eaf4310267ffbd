//! Where everything is kept.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::declare::section;
use super::problem::MASK;
use super::shape::Shape::OneOf;
use crate::store::place_of_server;

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

/// How to connect to the database. Passwords in it are not shown. Of a connection to a server only the address and the
/// name of the database are, as far as they can be read; of one to SQLite the path of the file is.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(from = "String")]
pub struct Connection {
    text: String,
    /// The kind of database; empty if it is not known, and then nothing is shown.
    dialect: String,
}

impl From<String> for Connection {
    fn from(text: String) -> Self {
        Self { text, dialect: String::new() }
    }
}

impl Connection {
    /// A connection to this kind of database, as [`DatabaseSection::dialect`] names it.
    pub fn new(dialect: impl Into<String>, text: impl Into<String>) -> Self {
        Self { text: text.into(), dialect: dialect.into() }
    }

    /// Returns the text as configured.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the text without what may be secret.
    fn shown(&self) -> Cow<'_, str> {
        if self.dialect == "sqlite3" {
            return shown_file(&self.text);
        }
        match place_of_server(&self.dialect, &self.text) {
            Some(place) => format!("{MASK}@{place}").into(),
            None => MASK.into(),
        }
    }
}

/// Returns a connection to SQLite without what may be secret: the options of a file, or all of what looks like a
/// connection to a server, where the kind of database was forgotten.
fn shown_file(text: &str) -> Cow<'_, str> {
    let (file, options) = text.split_once('?').unwrap_or((text, ""));
    let begins_with_word =
        file.split_once(':').is_some_and(|(word, _)| word != "file" && !word.contains('/'));
    if begins_with_word || is_login(text) || is_secret(file) {
        MASK.into()
    } else if is_secret(options) {
        format!("{file}?{MASK}").into()
    } else {
        text.into()
    }
}

/// Answers whether `name:password@host` is in a text.
fn is_login(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
}

/// Answers whether a pair such as `password=secret` or `password: secret` is in a text. A word such as `passwords` in a
/// path is no pair.
fn is_secret(text: &str) -> bool {
    let names_a_secret = |before: &str| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name =
            before.trim_end().rsplit(|c| !is_of_name(c)).next().unwrap_or_default().to_ascii_lowercase();
        ["pass", "pwd", "key", "secret"].iter().any(|sign| name.contains(sign))
    };
    text.match_indices(['=', ':']).any(|(at, _)| names_a_secret(&text[..at]))
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
        for text in [
            "gotify:hunter2@tcp(db)/gotify",
            "gotify:hunter2?x@tcp(127.0.0.1:1)/push",
            "gotify:hunter2?@tcp(h)/push?parseTime=true",
            "gotify:hun?hunter2/@tcp(h)/push",
            "x:hunter2/y",
            "x:hunter2tcp(h)/y",
            "postgres://gotify:hunter2@db/gotify?sslmode=disable",
            "postgres://db/gotify?password=hunter2",
            "postgres://x:hunter2/y",
            "host=db user=gotify password=hunter2",
            "host=db password = 'hunter2'",
            "host=db password: hunter2",
            "host= password=hunter2",
            "dbname=' password=hunter2'",
            "dbname=x://gotify:hunter2@db",
            "Server=db;PWD=hunter2",
            "data/gotify.db?_auth_pass=hunter2",
        ] {
            for dialect in ["", "mysql", "postgres", "sqlite3"] {
                let connection = Connection::new(dialect, text);
                let shown = connection.to_string();
                assert!(shown.contains(MASK) && !shown.contains("hunter2"), "{dialect} {text}: {shown}");
                assert_eq!(format!("{connection:?}"), format!("{shown:?}"));
                assert_eq!(serde_json::to_value(&connection).unwrap(), shown);
                assert_eq!(connection.expose(), text);
            }
        }
        for dialect in ["", "mysql", "postgres"] {
            assert_eq!(Connection::new(dialect, "hunter2").to_string(), MASK, "{dialect}");
        }
        let file = Connection::new("sqlite3", "data/gotify.db?_auth_pass=hunter2");
        assert_eq!(file.to_string(), "data/gotify.db?[masked]", "the path stays");
    }

    #[cfg(all(feature = "mysql", feature = "postgres"))]
    #[test]
    fn of_a_connection_to_a_server_its_place_is_shown() {
        for (dialect, text, shown) in [
            ("mysql", "gotify:hunter2?x@tcp(127.0.0.1:1)/push", "[masked]@127.0.0.1:1/push"),
            ("mysql", "gotify@unix(/run/mysqld.sock)/push", "[masked]@/run/mysqld.sock/push"),
            ("postgres", "host=::1 user=gotify password=hunter2 dbname=push", "[masked]@::1:5432/push"),
            ("postgres", "postgres://gotify:hunter2@db/push", "[masked]@db:5432/push"),
            ("postgres", "host=db dbname=' password=hunter2'", "[masked]@db:5432/[masked]"),
        ] {
            assert_eq!(Connection::new(dialect, text).to_string(), shown);
        }
    }

    #[test]
    fn a_path_is_shown_whatever_its_words() {
        for path in [
            "data/gotify.db",
            "/srv/passwords/keys.db",
            "/home/ann@work/monkey.db?cache=shared",
            "file:/srv/compass/gotify.db?mode=rwc",
            "data/gotify.db?_busy_timeout=100",
        ] {
            assert_eq!(Connection::new("sqlite3", path).to_string(), path);
        }
    }
}
