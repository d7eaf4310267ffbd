//! What is wrong with the settings of a connection, and how an error names them.

use std::error::Error;
use std::fmt;

/// Settings that libpq, pgx or Go's driver for MySQL knows, besides those that are read here. Names of servers' own
/// settings are among them as far as they are common.
const KNOWN: &[&str] = &[
    "allowAllFiles",
    "allowCleartextPasswords",
    "allowFallbackToPlaintext",
    "allowNativePasswords",
    "allowOldPasswords",
    "autocommit",
    "channel_binding",
    "charset",
    "checkConnLiveness",
    "clientFoundRows",
    "collation",
    "columnsWithAlias",
    "compress",
    "connectionAttributes",
    "default_query_exec_mode",
    "description_cache_capacity",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "idle_in_transaction_session_timeout",
    "interpolateParams",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "lock_timeout",
    "max_protocol_version",
    "maxAllowedPacket",
    "min_protocol_version",
    "multiStatements",
    "options",
    "parseTime",
    "passfile",
    "readTimeout",
    "rejectReadOnly",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "serverPubKey",
    "service",
    "sql_mode",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkeylogfile",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "statement_cache_capacity",
    "statement_timeout",
    "tcp_user_timeout",
    "time_zone",
    "timeTruncate",
    "timeout",
    "transaction_isolation",
    "tx_isolation",
    "writeTimeout",
];

/// All that is wrong with a connection, on one line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) struct Faults<E>(pub(in crate::store) Vec<E>);

impl<E: fmt::Display> fmt::Display for Faults<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

impl<E: Error> Error for Faults<E> {}

impl<E> From<E> for Faults<E> {
    fn from(fault: E) -> Self {
        Self(vec![fault])
    }
}

/// Names a setting that is not supported. The name of one that nobody knows is not shown where it may be a part of the
/// password, as it is if a quote or the beginning of a URL is mistyped.
pub(in crate::store) fn named(name: &str, may_be_secret: bool) -> String {
    match KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => format!("setting `{known}`"),
        None if !may_be_secret && is_plain(name) => format!("setting `{name}`"),
        None => "setting, whose name is not shown because it may be a part of the password,".to_owned(),
    }
}

/// Whether it looks like the name of a setting. None has a digit, and many passwords have.
fn is_plain(name: &str) -> bool {
    const MOST_BYTES: usize = 60;
    name.len() <= MOST_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_.-".contains(&byte))
}
