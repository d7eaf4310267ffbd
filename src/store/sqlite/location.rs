//! Where the database file is, read from what Gotify takes as a connection.

use std::path::{Path, PathBuf};

use super::location_settings::{self, InvalidSetting};
use crate::store::setting::Faults;

/// A connection that names no file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidLocation {
    /// Nothing, or options alone.
    #[error("it names no file; name one, such as `data/gotify.db`")]
    Empty,
    /// A database in memory would lose what was acknowledged.
    #[error("a database in memory would lose what was acknowledged; name a file, such as `data/gotify.db`")]
    InMemory,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error(
        "it is no well-formed URI: in a `file:` URI, `%` stands before two hexadecimal digits, and the path is UTF-8"
    )]
    Malformed,
    /// `name:password@host`: it must not be shown, nor become the name of a folder.
    #[error("it looks like a log-in to a database server; for SQLite name a file, such as `data/gotify.db`")]
    ServerLogin,
    /// Settings after `?` that are not supported, or have values that are not.
    #[error(transparent)]
    Settings(#[from] Faults<InvalidSetting>),
}

/// Returns the file that a connection names: `data/gotify.db`, `data/gotify.db?_busy_timeout=100`,
/// `file:data/gotify.db?cache=shared` or `file:///data/gotify.db`.
///
/// Settings after `?` that only tune Gotify's driver change nothing. All others are refused: one that does nothing may be
/// the one that was meant to protect something.
pub(super) fn file(connection: &str) -> Result<PathBuf, InvalidLocation> {
    let (name, options) = connection.split_once('?').unwrap_or((connection, ""));
    if name.ends_with(":memory:") || options.split('&').any(|option| option == "mode=memory") {
        return Err(InvalidLocation::InMemory);
    }
    let path = match name.strip_prefix("file:") {
        Some(uri) => decode(without_authority(uri))?,
        None => name.to_owned(),
    };
    if path.is_empty() {
        return Err(InvalidLocation::Empty);
    }
    if is_server_login(&path) {
        return Err(InvalidLocation::ServerLogin);
    }
    location_settings::check(options)?;
    Ok(PathBuf::from(path))
}

/// Returns the folder that must exist for the file to be made.
pub(super) fn parent(file: &Path) -> Option<&Path> {
    file.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// Answers whether `name:password@host` is in it, as in connections to database servers.
fn is_server_login(path: &str) -> bool {
    path.split_once(':').is_some_and(|(_, rest)| rest.contains('@'))
}

/// Drops `//` or `//localhost` before an absolute path.
fn without_authority(uri: &str) -> &str {
    let Some(rest) = uri.strip_prefix("//") else { return uri };
    rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest)
}

/// Decodes `%20` and its like, and drops a fragment.
fn decode(uri: &str) -> Result<String, InvalidLocation> {
    let uri = uri.split_once('#').map_or(uri, |(path, _)| path);
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            // Not `+a`, which counts as a number too.
            let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or(InvalidLocation::Malformed)?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| InvalidLocation::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_gotify_names_its_file() {
        for (connection, expected) in [
            ("data/gotify.db", "data/gotify.db"),
            ("/srv/a b%20.db", "/srv/a b%20.db"),
            ("data/gotify.db?_busy_timeout=100", "data/gotify.db"),
            ("file:data/gotify.db?cache=shared&mode=rwc", "data/gotify.db"),
            ("file:/srv/gotify.db", "/srv/gotify.db"),
            ("file:///srv/gotify.db", "/srv/gotify.db"),
            ("file://localhost/srv/gotify.db", "/srv/gotify.db"),
            ("file://localhosts/gotify.db", "localhosts/gotify.db"),
            ("file:my%20data/gotify.db#top", "my data/gotify.db"),
        ] {
            assert_eq!(file(connection), Ok(PathBuf::from(expected)), "{connection}");
        }
    }

    #[test]
    fn a_database_in_memory_is_refused() {
        for connection in [":memory:", "file::memory:?cache=shared", "file:x?mode=memory&cache=shared"] {
            assert_eq!(file(connection), Err(InvalidLocation::InMemory), "{connection}");
        }
    }

    #[test]
    fn a_connection_without_a_file_is_refused() {
        for connection in ["", "?cache=shared", "file:", "file:#x"] {
            assert_eq!(file(connection), Err(InvalidLocation::Empty), "{connection}");
        }
        for connection in
            ["gotify:secret@tcp(db:3306)/gotify", "/srv/gotify:secret@db/gotify", "file:x:y@z/gotify.db"]
        {
            assert_eq!(file(connection), Err(InvalidLocation::ServerLogin), "{connection}");
        }
        for connection in ["file:a%2", "file:a%zz", "file:a%+a", "file:a%ff"] {
            assert_eq!(file(connection), Err(InvalidLocation::Malformed), "{connection}");
        }
    }

    #[test]
    fn only_a_path_with_a_folder_has_a_parent() {
        assert_eq!(parent(Path::new("data/gotify.db")), Some(Path::new("data")));
        assert_eq!(parent(Path::new("gotify.db")), None);
    }
}
