//! Where the database of a connection is, for messages: read by the parsers that connect, and without what logs in.

/// Stands for a part that may have a password in it.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const MASK: &str = "[masked]";

/// Returns `host:port/database` or `socket/database` of a connection to a server. `None` if the connection can't be read,
/// or not by this build: then nothing of it is known to be no password.
#[cfg_attr(
    not(any(feature = "mysql", feature = "postgres")),
    expect(unused_variables, reason = "such a build can't read a connection to a server")
)]
pub(crate) fn place_of_server(dialect: &str, connection: &str) -> Option<String> {
    match dialect {
        #[cfg(feature = "mysql")]
        "mysql" => super::mysql::place(connection),
        #[cfg(feature = "postgres")]
        "postgres" => super::postgres::place(connection),
        _ => None,
    }
}

/// Writes a place. A part with another character than names have is not shown: where a connection is mistyped, a part of
/// it may be read as the host or the database that was meant to be the password, as in `dbname= password=secret`.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(in crate::store) fn written(
    socket: Option<&std::path::Path>,
    host: &str,
    port: u16,
    database: &str,
) -> String {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "._-/".contains(c));
    let is_host = is_name(host) || host.parse::<std::net::IpAddr>().is_ok();
    let database = if is_name(database) { database } else { MASK };
    match socket.map(|path| path.to_string_lossy()) {
        Some(path) if is_name(&path) => format!("{path}/{database}"),
        Some(_) => format!("{MASK}/{database}"),
        None => format!("{}:{port}/{database}", if is_host { host } else { MASK }),
    }
}
