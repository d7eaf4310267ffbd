//! Connections to databases, as the configuration has them. Nothing is connected.
//!
//! The first byte chooses the kind of database. What is read and written again is read as the same, and an error has no
//! password in it: where the fuzzer has left a line end, a password is put in.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use shardcast::config::Connection;
use shardcast::store::fuzzing::{mysql_options, postgres_options, sqlite_file};

const PASSWORD: &str = "hunter2";

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (before, after) = text.split_once('\n').unwrap_or((text, ""));
    match kind {
        b'm' => {
            mysql(text);
            let connection = format!("gotify:{PASSWORD}@{before}/{after}");
            mysql(&connection);
            check_shown(&connection, text);
            check_shown(&format!("gotify:{before}{PASSWORD}@{after}"), text);
        }
        b'p' => {
            postgres(text);
            for connection in [
                format!("{before}://gotify:{PASSWORD}@{after}"),
                format!("{before} password={PASSWORD} {after}"),
            ] {
                postgres(&connection);
                check_shown(&connection, text);
            }
        }
        b's' => {
            sqlite(text);
            let connection = format!("{before}:{PASSWORD}@{after}");
            sqlite(&connection);
            check_shown(&connection, text);
        }
        _ => {}
    }
}

/// Checks what messages and the listing of the configuration show, also where the kind of database is a wrong one.
fn check_shown(connection: &str, text: &str) {
    if text.contains(PASSWORD) {
        return;
    }
    for dialect in ["mysql", "postgres", "sqlite3"] {
        let shown = Connection::new(dialect, connection).to_string();
        assert!(!shown.contains(PASSWORD), "{dialect}: {connection:?} shows a password: {shown}");
    }
}

fn check_error(connection: &str, error: &dyn std::error::Error) {
    let text = error.to_string();
    assert!(!text.contains(PASSWORD), "{connection:?} shows a password: {text}");
    assert!(!text.contains('\n'), "{connection:?}: an error of several lines: {text:?}");
}

fn sqlite(connection: &str) {
    let file = match sqlite_file(connection) {
        Ok(file) => file,
        Err(error) => return check_error(connection, &error),
    };
    let path = file.to_str().expect("a path comes from text");
    assert!(!path.is_empty(), "{connection:?} names no file");
    let name = connection.split_once('?').map_or(connection, |(name, _)| name);
    match name.strip_prefix("file:") {
        None => assert_eq!(path, name),
        Some(uri) => assert_eq!(path, sqlites_own(uri), "{connection:?}"),
    }
    let written = format!("file:{}", utf8_percent_encode(path, NON_ALPHANUMERIC));
    assert_eq!(sqlite_file(&written).ok().as_deref(), Some(Path::new(path)), "{written}");
}

/// Reads a URI as SQLite does (<https://www.sqlite.org/uri.html>).
fn sqlites_own(uri: &str) -> String {
    let uri = uri.split_once('#').map_or(uri, |(before, _)| before);
    let path = match uri.strip_prefix("//") {
        None => uri,
        // Another machine, which SQLite refuses, is taken for a folder.
        Some(rest) => rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest),
    };
    let escapes = path.match_indices('%').map(|(at, _)| path.as_bytes().get(at + 1..at + 3));
    for escape in escapes {
        let is_right = escape.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        assert!(is_right, "`{path}` has a `%` without two digits");
    }
    percent_decode_str(path).decode_utf8().expect("what is no UTF-8 is refused").into_owned()
}

fn postgres(connection: &str) {
    let read = match postgres_options(connection) {
        Ok(read) => read,
        Err(error) => return check_error(connection, &error),
    };
    let mut written = String::new();
    let mut set = |name: &str, value: &str| {
        let value = value.replace('\\', r"\\").replace('\'', r"\'");
        written.extend([name, "='", &value, "' "]);
    };
    match read.get_socket() {
        Some(socket) => set("host", &socket.to_string_lossy()),
        None if read.get_host().starts_with('/') => panic!("{connection:?}: a socket as a host"),
        None => set("host", read.get_host()),
    }
    set("port", &read.get_port().to_string());
    set("user", read.get_username());
    if let Some(database) = read.get_database() {
        set("dbname", database);
    }
    if let Some(name) = read.get_application_name() {
        set("application_name", name);
    }
    let again = postgres_options(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
    assert_eq!(again.get_socket(), read.get_socket(), "{written:?}");
    assert_eq!(
        (again.get_host(), again.get_port(), again.get_username()),
        (read.get_host(), read.get_port(), read.get_username()),
        "{written:?}"
    );
    assert_eq!(
        (again.get_database(), again.get_application_name()),
        (read.get_database(), read.get_application_name()),
        "{written:?}"
    );
}

fn mysql(connection: &str) {
    let read = match mysql_options(connection) {
        Ok(read) => read,
        Err(error) => return check_error(connection, &error),
    };
    let database = read.get_database().expect("a connection names its database");
    let database = utf8_percent_encode(database, NON_ALPHANUMERIC);
    let (user, host) = (read.get_username(), read.get_host());
    let written = match read.get_socket() {
        Some(socket) => format!("{user}:x@unix({})/{database}", socket.display()),
        None => format!("{user}:x@tcp([{host}]:{})/{database}", read.get_port()),
    };
    let again = mysql_options(&written).unwrap_or_else(|error| panic!("{written:?}: {error}"));
    assert_eq!(again.get_socket(), read.get_socket(), "{written:?}");
    assert_eq!(
        (again.get_host(), again.get_port(), again.get_username(), again.get_database()),
        (host, read.get_port(), user, read.get_database()),
        "{written:?}"
    );
    assert!(!host.contains(['/', '?', '(', ')', '@']), "{connection:?} names the host {host:?}");
}
