//! The connection as Gotify takes it: `user:password@tcp(host:3306)/database?loc=Local`.
//!
//! Source: <https://github.com/go-sql-driver/mysql#dsn-data-source-name>. What is not supported is named, never
//! ignored: a setting that does nothing may be the one that was meant to protect something.

use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::zone::Zone;
use crate::store::setting::{self, Faults};
use crate::store::{OpenDatabaseError, place};

/// Prepared statements that a connection keeps: one for each size of a batch, and the others.
const STATEMENTS: usize = 512;

/// Settings of Go's driver that change nothing here: texts are always utf8mb4, times are always read, an operation
/// has five seconds, and values are never written into statements.
const WITHOUT_EFFECT: [&str; 13] = [
    "charset",
    "collation",
    "parseTime",
    "timeout",
    "readTimeout",
    "writeTimeout",
    "interpolateParams",
    "multiStatements",
    "clientFoundRows",
    "columnsWithAlias",
    "checkConnLiveness",
    "maxAllowedPacket",
    "allowNativePasswords",
];

/// Why a connection can't be used. No text has a value in it: it may be a password at the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidConnection {
    #[error("it must be written as `gotify:secret@tcp(localhost:3306)/gotify?parseTime=true&loc=Local`: {0}")]
    Form(&'static str),
    #[error("its {0} is not supported: leave it out")]
    Unsupported(String),
    #[error("its setting `{name}` must be {expected}")]
    Value { name: String, expected: &'static str },
    #[error(
        "`tls={0}` needs a build with TLS: `cargo build --release --features mysql,tls`; or leave it out"
    )]
    NeedsTls(&'static str),
}

/// Reads a connection.
pub(super) fn parse(connection: &str) -> Result<(MySqlConnectOptions, Zone), OpenDatabaseError> {
    options(connection).map_err(|error| OpenDatabaseError::Unusable(error.into()))
}

/// Where the database is, without what logs in to it.
pub(super) fn place(options: &MySqlConnectOptions) -> String {
    let database = options.get_database().unwrap_or_default();
    place::written(options.get_socket().map(AsRef::as_ref), options.get_host(), options.get_port(), database)
}

fn options(connection: &str) -> Result<(MySqlConnectOptions, Zone), Faults<InvalidConnection>> {
    let form = InvalidConnection::Form;
    // A password may have any of the characters that separate the parts.
    let (before, after) =
        connection.rsplit_once('/').ok_or_else(|| form("it has no `/` before the database"))?;
    let (database, settings) = after.split_once('?').unwrap_or((after, ""));
    let (account, address) = before.rsplit_once('@').unwrap_or(("", before));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    if database.is_empty() {
        return Err(form("it names no database").into());
    }
    // A password with a `/` and a `?` of its own may go on in the settings, if what follows it does too.
    let may_be_secret = settings.contains('@');
    let mut options = MySqlConnectOptions::new()
        .database(&percent_decode_str(database).decode_utf8_lossy())
        .charset("utf8mb4")
        .statement_cache_capacity(STATEMENTS)
        .ssl_mode(MySqlSslMode::Disabled)
        .disable_statement_logging();
    if !user.is_empty() {
        options = options.username(user);
    }
    if !password.is_empty() {
        options = options.password(password);
    }
    options = at(options, address)?;
    let (mut zone, mut faults) = (Zone::Utc, Vec::new());
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        let Some((name, value)) = setting.split_once('=') else {
            faults.push(form("a setting after `?` has no `=`"));
            continue;
        };
        let value = percent_decode_str(value).decode_utf8_lossy();
        if name == "loc" {
            match value.parse() {
                Ok(named) => zone = named,
                Err(()) => faults.push(InvalidConnection::Value {
                    name: name.to_owned(),
                    expected: "UTC, Local, or a name of the tz database such as Europe/Berlin",
                }),
            }
        } else {
            match set(options.clone(), name, &value, may_be_secret) {
                Ok(with) => options = with,
                Err(fault) => faults.push(fault),
            }
        }
    }
    if faults.is_empty() { Ok((options, zone)) } else { Err(Faults(faults)) }
}

/// Reads `tcp(host:port)`, `tcp(host)`, `unix(/path)`, or nothing.
fn at(options: MySqlConnectOptions, address: &str) -> Result<MySqlConnectOptions, InvalidConnection> {
    let form = InvalidConnection::Form;
    if address.is_empty() {
        return Ok(options.host("127.0.0.1"));
    }
    let (network, place) = match address.split_once('(') {
        None => (address, ""),
        Some((network, rest)) => {
            let place = rest.strip_suffix(')').filter(|place| !place.contains(['(', ')']));
            (
                network,
                place.ok_or(form("its address has no `)` at its end; write `%2F` for a `/` in a setting"))?,
            )
        }
    };
    match network {
        "unix" if place.is_empty() => Ok(options.socket("/tmp/mysql.sock")),
        "unix" => Ok(options.socket(place)),
        "tcp" if place.is_empty() => Ok(options.host("127.0.0.1")),
        "tcp" => {
            let (host, port) = match place.rsplit_once(':') {
                Some((host, port)) if !port.contains(']') => (host, Some(port)),
                _ => (place, None),
            };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            if host.contains(['/', '?']) {
                return Err(form("its host has a `/` or a `?`"));
            }
            let options = options.host(if host.is_empty() { "127.0.0.1" } else { host });
            match port {
                Some(port) => {
                    Ok(options.port(port.parse().map_err(|_| form("its port is no number up to 65535"))?))
                }
                None => Ok(options),
            }
        }
        _ => Err(form("its address is neither `tcp(…)` nor `unix(…)`")),
    }
}

fn set(
    options: MySqlConnectOptions,
    name: &str,
    value: &str,
    may_be_secret: bool,
) -> Result<MySqlConnectOptions, InvalidConnection> {
    let mode = |mode, text| {
        if cfg!(feature = "tls") {
            Ok(options.clone().ssl_mode(mode))
        } else {
            Err(InvalidConnection::NeedsTls(text))
        }
    };
    match (name, value) {
        ("tls", "false" | "") => Ok(options),
        ("tls", "true") => mode(MySqlSslMode::VerifyIdentity, "true"),
        ("tls", "skip-verify") => mode(MySqlSslMode::Required, "skip-verify"),
        ("tls", "preferred") if !cfg!(feature = "tls") => Ok(options),
        ("tls", "preferred") => mode(MySqlSslMode::Preferred, "preferred"),
        ("tls", _) => Err(InvalidConnection::Value {
            name: name.to_owned(),
            expected: "false, true, skip-verify or preferred",
        }),
        ("allowCleartextPasswords", "true" | "1" | "True") => Ok(options.enable_cleartext_plugin(true)),
        ("allowCleartextPasswords", _) => Ok(options),
        _ if WITHOUT_EFFECT.contains(&name) => Ok(options),
        _ => Err(InvalidConnection::Unsupported(setting::named(name, may_be_secret))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_gotify_are_read() {
        for (connection, host, port, user) in [
            (
                "gotify:secret@tcp(db.example:3307)/push?charset=utf8&parseTime=True&loc=Local",
                "db.example",
                3307,
                "gotify",
            ),
            ("gotify:p@ss/w:rd?@tcp(db.example)/push", "db.example", 3306, "gotify"),
            ("gotify@tcp([::1]:3307)/push", "::1", 3307, "gotify"),
            ("gotify@tcp([::1])/push", "::1", 3306, "gotify"),
            ("gotify:secret@/push", "127.0.0.1", 3306, "gotify"),
            ("tcp(db.example:1)/push", "db.example", 1, "root"),
            ("tcp(:3307)/push", "127.0.0.1", 3307, "root"),
        ] {
            let (read, _) = options(connection).unwrap();
            assert_eq!((read.get_host(), read.get_port()), (host, port), "{connection}");
            assert_eq!((read.get_username(), read.get_database()), (user, Some("push")), "{connection}");
        }
    }

    #[test]
    fn a_socket_is_a_path() {
        let (read, _) = options("gotify@unix(/run/mysqld/mysqld.sock)/push").unwrap();
        assert_eq!(read.get_socket().unwrap().to_str(), Some("/run/mysqld/mysqld.sock"));
    }

    #[test]
    fn the_zone_is_that_of_loc() {
        for (connection, expected) in [
            ("/push", Zone::Utc),
            ("/push?loc=Local", Zone::Local),
            ("/push?loc=Europe%2FBerlin", "Europe/Berlin".parse().unwrap()),
        ] {
            assert_eq!(options(connection).unwrap().1, expected, "{connection}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named_without_its_value() {
        for (connection, expected) in [
            ("/push?sql_mode=hunter2", "its setting `sql_mode` is not supported"),
            ("/push?loc=hunter2", "its setting `loc` must be UTC, Local"),
            (
                "a:x@tcp(h)/push?loc=Mars&foo=hunter2&tls=maybe&bar",
                "its setting `loc` must be UTC, Local, or a name of the tz database such as Europe/Berlin; its setting \
                 `foo` is not supported: leave it out; its setting `tls` must be false, true, skip-verify or preferred; \
                 it must be written as",
            ),
            ("a:hunter2@localhost/push", "neither `tcp(…)` nor `unix(…)`"),
            ("/push?tls=hunter2", "its setting `tls` must be false"),
            ("a:hunter2@udp(x)/push", "neither `tcp(…)` nor `unix(…)`"),
            ("a:hunter2@tcp(x:y)/push", "its port is no number"),
            ("a:hunter2@tcp(x)/", "it names no database"),
            ("a:hunter2@tcp(x)/push?loc=Europe/Berlin", "no `)` at its end; write `%2F`"),
            ("a:hunter2@tcp(x/push", "no `)` at its end"),
            ("a:hunter2@tcp(x/y)/push", "its host has a `/`"),
            (
                "a@tcp(x)/push?a:hunter2@tcp(y)=1",
                "its setting, whose name is not shown because it may be a part of the password,",
            ),
            ("hunter2", "it has no `/`"),
        ] {
            let error = options(connection).unwrap_err().to_string();
            assert!(error.contains(expected), "{connection}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
