//! The connection as Gotify takes it: `host=… user=… dbname=…`, or a URL.
//!
//! Source: the keywords of libpq, <https://www.postgresql.org/docs/current/libpq-connect.html>, of which Gotify's
//! driver takes the same. What is not supported is named, never ignored: a setting that does nothing may be the one
//! that was meant to protect something.

use std::net::IpAddr;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::store::setting::{self, Faults};
use crate::store::{OpenDatabaseError, place};

/// Runtime parameters of the server that may be in a connection.
const PARAMETERS: [&str; 4] = ["search_path", "client_encoding", "timezone", "datestyle"];

/// Settings that are read, and after which no part of a password follows.
const IS_READ_AND_NO_SECRET: [&str; 18] = [
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "database",
    "application_name",
    "fallback_application_name",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "target_session_attrs",
    "search_path",
    "client_encoding",
    "timezone",
    "datestyle",
];

/// Why a connection can't be used. No text has a value in it: it may be a password at the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidConnection {
    #[error(
        "it is neither a list of settings such as `host=localhost user=gotify password=secret dbname=gotify`, nor a URL \
         such as `postgres://gotify:secret@localhost/gotify`: {0}"
    )]
    Form(&'static str),
    #[error("its {0} is not supported: leave it out")]
    Unsupported(String),
    #[error("its setting `{name}` must be {expected}")]
    Value { name: String, expected: &'static str },
    #[error("it names several hosts; name one, or an address that leads to the one that takes writes")]
    SeveralHosts,
    #[error(
        "`sslmode={0}` needs a build with TLS: `cargo build --release --features postgres,tls`; or say \
         `sslmode=disable`"
    )]
    NeedsTls(String),
}

/// Reads a connection.
pub(super) fn parse(connection: &str) -> Result<PgConnectOptions, OpenDatabaseError> {
    options(connection).map_err(|error| OpenDatabaseError::Unusable(error.into()))
}

/// Where the database is, without what logs in to it.
pub(super) fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    place::written(options.get_socket().map(AsRef::as_ref), options.get_host(), options.get_port(), database)
}

fn options(connection: &str) -> Result<PgConnectOptions, Faults<InvalidConnection>> {
    let is_url = connection.starts_with("postgres://") || connection.starts_with("postgresql://");
    let settings = if is_url { of_url(connection)? } else { of_keywords(connection)? };
    let is_there = |name: &str| settings.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut faults = Vec::new();
    if is_there("host") && is_there("hostaddr") {
        faults.push(InvalidConnection::SeveralHosts);
    }
    // A password with a `?` of its own may go on in the settings of a URL: then what follows the password does too. In a
    // list, a password with a space goes on in the names that follow.
    let mut may_be_secret =
        is_url && connection.split_once('?').is_some_and(|(_, settings)| settings.contains('@'));
    // `search_path` and the like are what a session is asked for, so they come last.
    let mut options = PgConnectOptions::new_without_pgpass().disable_statement_logging();
    for (place, (name, value)) in settings.iter().enumerate() {
        // The last one counts, as in libpq. Another host would leave the socket of the first one.
        if settings[place + 1..].iter().all(|(later, _)| !later.eq_ignore_ascii_case(name)) {
            match set(options.clone(), name, value, may_be_secret) {
                Ok(with) => options = with,
                Err(fault) => faults.push(fault),
            }
        }
        may_be_secret |=
            !is_url && !IS_READ_AND_NO_SECRET.iter().any(|known| known.eq_ignore_ascii_case(name));
    }
    if !cfg!(feature = "tls") {
        options = match options.get_ssl_mode() {
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => options.ssl_mode(PgSslMode::Disable),
            mode => {
                let name = match mode {
                    PgSslMode::VerifyCa => "verify-ca",
                    PgSslMode::VerifyFull => "verify-full",
                    _ => "require",
                };
                faults.push(InvalidConnection::NeedsTls(name.to_owned()));
                options
            }
        };
    }
    if faults.is_empty() { Ok(options) } else { Err(Faults(faults)) }
}

fn set(
    options: PgConnectOptions,
    name: &str,
    value: &str,
    may_be_secret: bool,
) -> Result<PgConnectOptions, InvalidConnection> {
    let invalid = |expected| InvalidConnection::Value { name: name.to_owned(), expected };
    Ok(match name.to_ascii_lowercase().as_str() {
        "host" | "hostaddr" if value.contains(',') => return Err(InvalidConnection::SeveralHosts),
        "host" if value.starts_with('/') => options.socket(value),
        "host" => options.host(value),
        "hostaddr" => {
            value.parse::<IpAddr>().map_err(|_| invalid("an IP address"))?;
            options.host(value)
        }
        "port" => options.port(value.parse().map_err(|_| invalid("a number up to 65535"))?),
        "user" => options.username(value),
        "password" => options.password(value),
        "dbname" | "database" => options.database(value),
        "application_name" | "fallback_application_name" => options.application_name(value),
        "sslmode" => options.ssl_mode(
            value
                .parse()
                .map_err(|_| invalid("disable, allow, prefer, require, verify-ca or verify-full"))?,
        ),
        "sslrootcert" => options.ssl_root_cert(value),
        "sslcert" => options.ssl_client_cert(value),
        "sslkey" => options.ssl_client_key(value),
        // A connection is waited for as long as any operation.
        "connect_timeout" => {
            value.parse::<u32>().map(|_| options).map_err(|_| invalid("a number of seconds"))?
        }
        "target_session_attrs" if matches!(value, "any" | "read-write" | "primary") => options,
        "target_session_attrs" => return Err(invalid("any, read-write or primary")),
        parameter if PARAMETERS.contains(&parameter) => options.options([(parameter, value)]),
        _ => return Err(InvalidConnection::Unsupported(setting::named(name, may_be_secret))),
    })
}

/// Reads `name=value` pairs. A value with spaces stands in single quotes; a backslash takes the next character as it
/// is.
fn of_keywords(connection: &str) -> Result<Vec<(String, String)>, InvalidConnection> {
    if connection.split(['=', '\'', ' ']).next().is_some_and(|beginning| beginning.contains("://")) {
        return Err(InvalidConnection::Form("a URL begins with `postgres://` or `postgresql://`"));
    }
    let mut settings = Vec::new();
    let mut rest = connection.trim_start();
    if rest.is_empty() {
        return Err(InvalidConnection::Form("it is empty"));
    }
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(InvalidConnection::Form("a setting has no `=`"))?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(InvalidConnection::Form("the name of a setting is missing or has spaces"));
        }
        let (value, after) = value(after.trim_start())?;
        settings.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(settings)
}

/// Reads a value, and returns what follows it.
fn value(text: &str) -> Result<(String, &str), InvalidConnection> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => {
                let after = &text[at + 1..];
                // A quote within a password would make the rest of it the name of a setting.
                return if after.is_empty() || after.starts_with(char::is_whitespace) {
                    Ok((value, after))
                } else {
                    Err(InvalidConnection::Form(
                        "a quote is closed within a value; write `\\'` for a quote in it",
                    ))
                };
            }
            space if !quoted && space.is_whitespace() => return Ok((value, &text[at..])),
            other => value.push(other),
        }
    }
    if quoted { Err(InvalidConnection::Form("a quote is not closed")) } else { Ok((value, "")) }
}

/// Reads a URL.
fn of_url(connection: &str) -> Result<Vec<(String, String)>, InvalidConnection> {
    let url = url::Url::parse(connection).map_err(|error| {
        InvalidConnection::Form(match error {
            url::ParseError::InvalidPort => {
                "its port is no number up to 65535, or a password has a `/`, a `?` or a `#`, which are written `%2F`, \
                 `%3F` and `%23`"
            }
            _ => "the URL can't be read",
        })
    })?;
    if url.fragment().is_some() {
        return Err(InvalidConnection::Form("a `#` in a URL is written `%23`"));
    }
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut settings = Vec::new();
    for (name, value) in [
        ("host", url.host_str().unwrap_or_default()),
        ("user", url.username()),
        ("password", url.password().unwrap_or_default()),
        ("dbname", url.path().trim_start_matches('/')),
    ] {
        if !value.is_empty() {
            settings.push((name.to_owned(), decoded(value)));
        }
    }
    settings.extend(url.port().map(|port| ("port".to_owned(), port.to_string())));
    settings.extend(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())));
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_gotify_are_read() {
        for connection in [
            "host=db.example port=5433 user=gotify password=secret dbname=push sslmode=disable",
            "host = 'db.example' port=5433  user=gotify password='secret' dbname=push sslmode=disable",
            "postgres://gotify:secret@db.example:5433/push?sslmode=disable",
            "postgresql://db.example/push?port=5433&user=gotify&password=secret&sslmode=disable",
        ] {
            let read = options(connection).unwrap();
            assert_eq!((read.get_host(), read.get_port()), ("db.example", 5433), "{connection}");
            assert_eq!((read.get_username(), read.get_database()), ("gotify", Some("push")), "{connection}");
            assert!(matches!(read.get_ssl_mode(), PgSslMode::Disable), "{connection}");
        }
    }

    #[test]
    fn values_may_be_quoted_and_escaped() {
        assert_eq!(
            of_keywords(r"user='a b' password='it\'s \\' dbname=x\ y").unwrap(),
            [("user", "a b"), ("password", r"it's \"), ("dbname", "x y")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn of_a_setting_that_is_there_twice_the_last_one_counts() {
        let read = options("host=/run/postgresql port=1 host=db.example port=2 user=gotify").unwrap();
        assert_eq!((read.get_socket(), read.get_host(), read.get_port()), (None, "db.example", 2));
        let read = options("host=db.example host=/run/postgresql user=gotify").unwrap();
        assert!(read.get_socket().is_some());
    }

    #[test]
    fn a_socket_is_a_folder() {
        let read = options("host=/run/postgresql user=gotify").unwrap();
        assert_eq!(read.get_socket().unwrap().to_str(), Some("/run/postgresql"));
    }

    #[test]
    fn what_is_not_supported_is_named_without_its_value() {
        for (connection, expected) in [
            ("host=a,b", "it names several hosts"),
            ("host=a service=hunter2", "its setting `service` is not supported"),
            ("host=localhost foo=hunter2", "its setting `foo` is not supported: leave it out"),
            (
                "host=a foo=hunter2 port=x sslmode=no",
                "its setting `foo` is not supported: leave it out; its setting `port` must be a number up to 65535; its \
                 setting `sslmode` must be",
            ),
            (
                "postgres://a:hunter2@db/push?foo=1&bar=2",
                "its setting `foo` is not supported: leave it out; its setting `bar`",
            ),
            ("postgres://a:1?hunter2=x@db/push", "whose name is not shown"),
            ("postgres://u:hunter2@h:notaport/db", "its port is no number up to 65535"),
            ("postgres://u:hunt/er2@h/db", "a password has a `/`"),
            ("postgres://u:x@h/db?application_name=a#hunter2", "a `#` in a URL is written `%23`"),
            ("host=a port=hunter2", "its setting `port` must be a number"),
            ("host=a sslmode=hunter2", "its setting `sslmode` must be disable, allow"),
            ("hunter2", "a setting has no `=`"),
            ("Postgres://gotify:hunter2@db/push?sslmode=disable", "a URL begins with `postgres://`"),
            (
                "dbname=push password=it's hunter2'=x",
                "its setting, whose name is not shown because it may be a part of the password,",
            ),
            (
                "password=correct hunter=battery user=x",
                "its setting, whose name is not shown because it may be a part of the password,",
            ),
            ("password='it's=hunter2' user=x", "a quote is closed within a value"),
            ("host=a hostaddr=10.0.0.1", "it names several hosts"),
            ("hostaddr=hunter2", "its setting `hostaddr` must be an IP address"),
            ("password='hunter2", "a quote is not closed"),
            ("", "it is empty"),
        ] {
            let error = options(connection).unwrap_err().to_string();
            assert!(error.contains(expected), "{connection}: {error}");
            assert!(!error.contains("hunter"), "{error}");
        }
    }
}
